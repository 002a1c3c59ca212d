"""What the bot's database says was decided and told, held against what the simulated Slack has."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.budget.decide import Reason
from bot.sandbox.slack.workspace import BOT_USER_ID, Message

_UNSAID = """
    SELECT coalesce(sum(decided - said), 0) FROM (
        SELECT count(*) AS decided, (
            SELECT count(*) FROM outbox o WHERE o.incident_id = d.incident_id AND o.action IN ('post', 'reply')
        ) AS said FROM decisions d GROUP BY d.incident_id
    ) WHERE decided > said
"""
_OPENED_AGAIN = """
    SELECT coalesce(sum(opened - 1), 0) FROM (
        SELECT count(*) AS opened FROM outbox WHERE action = 'post' AND incident_id IS NOT NULL GROUP BY incident_id
    )
"""
_PRESENT_STATES = """
    SELECT edit.posted_channel, edit.posted_ts, json_extract(edit.body, '$.text')
    FROM outbox edit
    WHERE edit.action = 'edit' AND edit.state = 'delivered' AND edit.seq = (
        SELECT max(seq) FROM outbox latest WHERE latest.incident_id = edit.incident_id AND latest.action = 'edit'
    )
"""


@dataclass(frozen=True, slots=True)
class Consistency:
    """`crossings` are decisions that were news, `messages` what Slack has of the bot in channels and threads.

    `lost` are decisions without a message, messages that count as delivered and are not there, and incidents whose
    message does not show what was last said of them; `doubled` is what is there twice; `waiting` what Slack has yet to
    get, edits included.
    """

    crossings: int
    messages: int
    lost: int
    doubled: int
    waiting: int


def check_consistency(database: Path, posted: Collection[Message]) -> Consistency | None:
    """None where the database can't be read just now: the bot is making its tables, or something else stands there."""
    there = Counter(
        str(each.metadata["event_payload"].get("id"))
        for each in posted
        if each.metadata and each.user == BOT_USER_ID and not each.deleted
    )
    shown = {(each.channel, each.ts): each.text for each in posted}
    news = [reason.value for reason in Reason if reason.is_news]
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=0.2)) as connection:
            rows = connection.execute("SELECT id, action, state FROM outbox").fetchall()
            reasons = Counter(reason for (reason,) in connection.execute("SELECT reason FROM decisions"))
            [[unsaid], [opened_again]] = (connection.execute(each).fetchone() for each in (_UNSAID, _OPENED_AGAIN))
            states = connection.execute(_PRESENT_STATES).fetchall()
    except sqlite3.Error:
        return None
    delivered = [row_id for row_id, action, state in rows if state == "delivered" and action != "edit"]
    return Consistency(
        crossings=sum(reasons[each] for each in news),
        messages=there.total(),
        lost=unsaid
        + sum(not there[row_id] for row_id in delivered)
        + sum(text not in shown.get((channel, ts), "") for channel, ts, text in states),
        doubled=opened_again + sum(count - 1 for count in there.values()),
        waiting=sum(state != "delivered" for _, _, state in rows),
    )
