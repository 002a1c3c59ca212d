"""What there is to see on the page, as JSON."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from bot.model import Totals
from bot.rules.mistakes import RulesError
from bot.rules.parse import parse
from bot.sandbox.account import PROFILES
from bot.sandbox.consistency import Consistency
from bot.sandbox.show import Show
from bot.sandbox.slack.workspace import ADMIN, Json, Message, User
from bot.windows import first_of_month, utc_day

PROVED_EVERY = 0.5  # seconds


class Snapshots:
    """Numbered pictures of one show, so that a page asks only for the messages that changed since its last one."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._seq = 0
        self._seen: dict[int, tuple[tuple[int, bool], int]] = {}
        self._consistency: tuple[float, Consistency | None] = (0.0, None)

    def take(self, since: int) -> Json:
        """Everything, with the messages that changed after the snapshot numbered `since`; -1 for all."""
        show, slack = self._show, self._show.world.slack
        self._seq += 1
        now, consistency = show.now(), self._proved()
        changed = [each for number, each in enumerate(slack.workspace.posted) if self._changed_at(number, each) > since]
        return {
            "seq": self._seq,
            "now": now.isoformat(),
            "clock": {"speed": show.speed},
            "me": ADMIN,
            "users": [_user(each) for each in slack.workspace.users.values()],
            "channels": [
                {"id": each.id, "name": each.name, "members": sorted(each.members), "archived": each.archived}
                for each in slack.workspace.channels.values()
                if each.im_with is None
            ],
            "messages": [_message(each) for each in changed],
            "views": [
                {"id": each.id, "user": each.user, "content": each.content}
                for each in slack.workspace.views.values()
                if each.is_open and each.type == "modal"
            ],
            "homes": {each.user: each.blocks for each in slack.workspace.views.values() if each.type == "home"},
            "account": self._account(),
            "rules": self._rules(),
            "bot": {
                "running": show.is_running,
                "connected": bool(slack.socket.connections),
                "ended": show.ended,
                "waiting": consistency.waiting if consistency else 0,
            },
            "faults": sorted(show.faults),
            "proof": _consistency(consistency),
        }

    def _changed_at(self, number: int, message: Message) -> int:
        """The number of the snapshot in which the message was first seen as it is."""
        changes, seq = self._seen.get(number, ((-1, False), 0))
        if changes != message.changes:
            seq = self._seq
            self._seen[number] = (message.changes, seq)
        return seq

    def _proved(self) -> Consistency | None:
        """The database is read some times a second at most, however many pages ask."""
        now = time.monotonic()
        if now - self._consistency[0] > PROVED_EVERY:
            self._consistency = (now, self._show.consistency())
        return self._consistency[1]

    def _account(self) -> Json:
        show = self._show
        today, days = utc_day(show.now()), show.world.cartesia.days
        month = [totals for day, totals in days.items() if first_of_month(today) <= day <= today]
        return {
            "real": bool(show.real),
            "today": _totals(days.get(today, Totals())),
            "month": _totals(sum(month, Totals())),
            "profile": show.account.profile,
            "profiles": list(PROFILES),
            "outage": show.account.outage,
        }

    def _rules(self) -> Json:
        text = self._show.world.rules_file.read_text(encoding="utf-8")
        return {"text": text, "mistakes": mistakes_of(text)}


@lru_cache(maxsize=8)
def mistakes_of(text: str) -> list[Json]:
    """What is wrong with these rules, by line."""
    try:
        parse(text)
    except RulesError as error:
        return [{"line": each.line, "column": each.column, "text": each.message} for each in error.mistakes]
    return []


def _consistency(consistency: Consistency | None) -> Json | None:
    if consistency is None:
        return None
    return {
        "crossings": consistency.crossings,
        "messages": consistency.messages,
        "lost": consistency.lost,
        "doubled": consistency.doubled,
    }


def _user(user: User) -> Json:
    role = "bot" if user.is_bot else "guest" if user.is_restricted else "admin" if user.is_admin else "member"
    return {"id": user.id, "name": user.name, "real_name": user.real_name or user.name, "role": role}


def _message(message: Message) -> Json:
    return {
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "reply_broadcast": message.reply_broadcast,
        "edited": bool(message.edits),
        "visible_to": message.visible_to,
        "deleted": message.deleted,
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {"cents": totals.cents, "minutes": float(totals.minutes), "calls": totals.calls}
