"""The look at the channels that the rules name: what is told of them, when, and how often."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import pytest
from sqlalchemy import select

from bot.errors import StoreError
from bot.events import Observers
from bot.jobs.channel_ids import ChannelIds
from bot.jobs.destinations import Destinations
from bot.rules.models import Escalation, Report, Rules, ThresholdRule
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import BOT_USER_ID, SPEND_CHANNEL
from bot.slack.client import Client
from bot.slack.sender import Sender
from bot.store.database import Database, open_database
from bot.store.ledger import Ledger
from bot.store.outbox import Outbox
from bot.store.tables import outbox

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INVITE = "invite the bot there with /invite, or name another channel in rules.yaml."
LATER = " Until then its messages come here."
LIST = "conversations.list"


def naming(*channels: str, operations: str = "#voice-ops") -> Rules:
    rules = tuple(ThresholdRule(name=each, threshold=Decimal(1), channel=each) for each in channels)
    return Rules(channel="#voice-spend", operations_channel=operations, rules=rules)


class Gone:
    """A database that does not answer."""

    async def settle(self, *_: object) -> bool:
        raise StoreError("The database did not do its part: gone.")


@dataclass
class Watched:
    """A look at the channels, with the clock in the test's hands."""

    slack: SimulatedSlack
    database: Database
    rules: Rules = field(default_factory=naming)
    clock: float = 0.0
    look: Destinations = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        sender = Sender(Client(self.slack.bot_token, base_url=self.slack.api_url, retry_handlers=[]), lambda: True)
        channels = ChannelIds(sender, Outbox(self.database, "holder"), lambda: self.clock)
        self.look = Destinations(
            sender,
            channels,
            Ledger(self.database),
            lambda: self.rules,
            lambda: NOW,
            Observers(),
            lambda: self.clock,
        )

    async def says(self, *channels: str) -> list[str]:
        """What is said of the channels when the rules name these."""
        self.rules = naming(*channels)
        await self.look.watch()
        return self.sentences

    async def later(self, seconds: float) -> list[str]:
        self.clock += seconds
        await self.look.watch()
        return self.sentences

    @property
    def sentences(self) -> list[str]:
        return [each.sentence for each in self.look.problems]

    async def told(self) -> list[str]:
        """What the operations channel is to hear."""
        async with self.database.reading() as connection:
            rows = (await connection.execute(select(outbox.c.body).order_by(outbox.c.seq))).scalars()
            return [json.loads(body)["text"] for body in rows]


@pytest.fixture
async def watched(sqlite_url: str) -> AsyncIterator[Watched]:
    database = open_database(sqlite_url)
    async with SimulatedSlack(lambda: NOW) as slack:
        slack.workspace.add_channel("old", channel_id="C0OLD", archived=True)
        slack.workspace.add_channel("closed", channel_id="C0CLOSED", private=True)
        slack.workspace.add_channel("board", channel_id="C0BOARD", private=True, members=(BOT_USER_ID,))
        yield Watched(slack, database)
    await database.close()


def lets_nobody_in(slack: SimulatedSlack) -> None:
    slack.scopes.difference_update({"chat:write.public", "channels:join"})


def posts_anywhere(slack: SimulatedSlack) -> None:
    slack.scopes.discard("channels:join")


def sees_no_private_channel(slack: SimulatedSlack) -> None:
    slack.scopes.discard("groups:read")


def sees_no_channel(slack: SimulatedSlack) -> None:
    slack.scopes.difference_update({"channels:read", "groups:read"})


MISSING = "{} does not exist, or is private and the bot is not in it: create it, " + INVITE
ARCHIVED = "{} is archived: unarchive it, or name another channel in rules.yaml."


@pytest.mark.parametrize(
    ("change", "channel", "sentence"),
    [
        (None, "#voice-spend", None),
        (None, "#board", None),
        (None, "#general", None),
        (None, "#nowhere", MISSING),
        (None, "#genera", MISSING + " Did you mean #general?"),
        (None, "#closed", MISSING),
        (None, "#old", ARCHIVED),
        (None, "C0OLD", ARCHIVED),
        (None, "C0NOWHERE", MISSING),
        (None, "U0NOBODY", None),
        (posts_anywhere, "#general", None),
        (lets_nobody_in, "#general", "{} does not have the bot in it: " + INVITE),
        (lets_nobody_in, "C0GENERAL1", "{} does not have the bot in it: " + INVITE),
        (lets_nobody_in, "#voice-spend", None),
        (sees_no_private_channel, "#nowhere", None),
        (sees_no_private_channel, "#old", ARCHIVED),
        (sees_no_channel, "#nowhere", None),
        (sees_no_channel, "C0OLD", None),
    ],
    ids=lambda value: value.partition(",")[0] if isinstance(value, str) else getattr(value, "__name__", "none"),
)
async def test_a_channel_that_takes_no_messages_is_named_with_what_to_do(
    watched: Watched, change: Callable[[SimulatedSlack], None] | None, channel: str, sentence: str | None
) -> None:
    if change:
        change(watched.slack)
    assert await watched.says(channel) == ([sentence.format(channel)] if sentence else [])


async def test_operations_hear_of_all_of_them_in_one_message_once_also_across_restarts(watched: Watched) -> None:
    await watched.says("#nowhere", "#old")
    watched.restart()
    await watched.says("#nowhere", "#old")
    assert await watched.told() == [f"{MISSING.format('#nowhere')}{LATER}\n{ARCHIVED.format('#old')}{LATER}"]
    await watched.says("#nowhere", "#old", "C0OLD")
    assert (await watched.told())[1:] == [f"{ARCHIVED.format('C0OLD')}{LATER}"]


async def test_what_is_mended_is_no_longer_said_and_told_of_again_only_when_it_comes_back(watched: Watched) -> None:
    old = watched.slack.channel("old")
    assert await watched.says("#old") != []
    old.archived = False
    assert await watched.later(299) != []
    assert await watched.later(1) == []
    assert len(await watched.told()) == 1
    old.archived = True
    assert await watched.later(3599) == []
    assert await watched.later(1) != []
    assert len(await watched.told()) == 2


async def test_a_broken_operations_channel_is_told_nothing_until_it_works(watched: Watched) -> None:
    watched.slack.channel("voice-ops").archived = True
    assert await watched.says("#old") == [ARCHIVED.format("#voice-ops"), ARCHIVED.format("#old")]
    assert await watched.told() == []
    watched.slack.channel("voice-ops").archived = False
    await watched.later(300)
    assert await watched.told() == [ARCHIVED.format("#old") + LATER]


async def test_where_there_was_no_operations_channel_it_is_told_once_there_is_one(watched: Watched) -> None:
    watched.rules = Rules(rules=naming("#gone").rules)
    await watched.look.watch()
    assert (len(watched.sentences), await watched.told()) == (1, [])
    await watched.says("#gone")
    assert len(await watched.told()) == 1


async def test_a_database_that_is_gone_makes_slack_be_asked_once_a_minute(watched: Watched) -> None:
    ledger, watched.look.ledger = watched.look.ledger, cast("Ledger", Gone())
    watched.rules = naming("#gone")
    for _ in range(30):
        with contextlib.suppress(StoreError):
            await watched.later(1)
    assert len(watched.slack.calls_of(LIST)) == 2  # one for each kind of channel
    watched.look.ledger = ledger
    await watched.later(60)
    assert len(await watched.told()) == 1


async def test_a_channel_that_was_renamed_is_told_by_both_names(watched: Watched) -> None:
    assert await watched.says() == []
    watched.slack.workspace.channels[SPEND_CHANNEL].name = "spend"
    assert await watched.later(3600) == [
        "#voice-spend is called #spend now, where its messages go: write that name in rules.yaml."
    ]
    assert await watched.told() == watched.sentences
    watched.slack.workspace.add_channel("voice-spend", members=(BOT_USER_ID,))
    assert await watched.later(300) == []


@pytest.mark.parametrize("fault", [Fault("status", status=503), Fault("answer", body='{"ok": true}')])
async def test_where_slack_does_not_say_for_now_what_was_known_stays_and_it_is_asked_again(
    watched: Watched, fault: Fault
) -> None:
    known = await watched.says("#old", "C0OLD")
    watched.slack.faults.add(LIST, fault, times=None)
    assert await watched.later(300) == known
    watched.slack.faults.clear()
    watched.slack.faults.add("conversations.info", fault, times=None)
    assert await watched.later(60) == known
    assert len(await watched.told()) == 1


async def test_looks_are_rare_and_a_retry_after_is_waited_for(watched: Watched) -> None:
    await watched.says()
    asked = len(watched.slack.calls_of(LIST))
    for _ in range(59):
        await watched.later(60)
    assert len(watched.slack.calls_of(LIST)) == asked == 2
    watched.slack.faults.add(LIST, Fault("status", status=429, retry_after=150))
    for _ in range(3):
        await watched.later(60)
    assert len(watched.slack.calls_of(LIST)) == asked + 2
    await watched.later(60)
    assert len(watched.slack.calls_of(LIST)) == asked + 4


def test_every_channel_that_the_rules_name_is_looked_at_once() -> None:
    rule = ThresholdRule(
        name="A", threshold=Decimal(1), channel="#a", escalate=Escalation(after=NOW - NOW, channel="#b")
    )
    report = Report(name="R", schedule="0 9 * * 1", period="last week", channel="#c")
    rules = Rules(channel="#top", rules=(rule, ThresholdRule(name="B", threshold=Decimal(1))), reports=(report,))
    assert rules.channels == ("#top", "#a", "#c", "#b")


async def test_a_channel_that_refuses_a_message_is_looked_at_at_once(watched: Watched) -> None:
    assert await watched.says() == []
    watched.slack.channel("voice-spend").archived = True
    assert await watched.later(120) == []
    watched.look.channel_ids.forget("#voice-spend", SPEND_CHANNEL)
    [sentence] = await watched.later(1)
    assert sentence.startswith("#voice-spend is archived")


async def test_a_channel_that_refuses_again_and_again_is_listed_once_a_minute(watched: Watched) -> None:
    await watched.says()
    for _ in range(120):
        watched.look.channel_ids.forget("#voice-spend", SPEND_CHANNEL)
        await watched.later(1)
    assert len(watched.slack.calls_of(LIST)) <= 6  # of two kinds of channels each
