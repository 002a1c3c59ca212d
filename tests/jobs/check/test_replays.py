"""What is sent again, or comes out of order, changes no incident twice; a new click of a person's always does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.commands.incidents import IncidentActions
from bot.commands.typed.snooze_end import CHOICES, Lasting, Reaching
from bot.errors import DoneBefore
from bot.model import Act
from tests.acts import anew, clicked
from tests.jobs.check.conftest import Bot, Start

DAILY = "  - {name: Daily, threshold: $50, alert_at: [80%, 100%]}\n"
ADA, BEN = "U0ADMIN01", "U0MEMBER1"


@dataclass(frozen=True)
class Pressed:
    """One click, by whom and when."""

    button: str
    ts: float
    by: str = ADA

    async def on(self, actions: IncidentActions) -> bool:
        """Whether it was new."""
        act = clicked(self.ts, self.by)
        try:
            match self.button:
                case "acknowledge":
                    await actions.acknowledge(1, act)
                case "undo":
                    await actions.undo(1, act, others=True)
                case _:
                    await actions.snooze(1, act, CHOICES["hour"])
        except DoneBefore:
            return False
        return True


def ack(ts: float, by: str = ADA) -> Pressed:
    return Pressed("acknowledge", ts, by)


def undo(ts: float, by: str = ADA) -> Pressed:
    return Pressed("undo", ts, by)


def snooze(ts: float, by: str = ADA) -> Pressed:
    return Pressed("snooze", ts, by)


async def state(bot: Bot) -> set[str]:
    stored = await bot.incidents.numbered(1)
    assert stored is not None
    return {name for name, is_so in (("ack", stored.state.acknowledged), ("snooze", stored.state.snooze)) if is_so}


@pytest.mark.parametrize(
    ("clicks", "new", "left"),
    [
        pytest.param((ack(1), ack(1)), [1, 0], {"ack"}, id="acknowledge again"),
        pytest.param((ack(1), undo(2), ack(1)), [1, 1, 0], set(), id="an old acknowledge after undo"),
        pytest.param(
            (ack(1), ack(2, BEN), undo(3), ack(2, BEN)), [1, 1, 1, 0], set(), id="one that had changed nothing"
        ),
        pytest.param((ack(1), undo(2), ack(3), undo(2)), [1, 1, 1, 0], {"ack"}, id="an old undo"),
        pytest.param((snooze(1), undo(2), snooze(1)), [1, 1, 0], set(), id="an old snooze after undo"),
        pytest.param((ack(1), undo(2), ack(3)), [1, 1, 1], {"ack"}, id="a new click"),
        pytest.param((undo(2), ack(1)), [1, 0], set(), id="undo arrives first"),
        pytest.param((snooze(2, BEN), ack(1)), [1, 1], {"ack", "snooze"}, id="two people, out of order"),
        pytest.param((snooze(1, BEN), ack(1)), [1, 1], {"ack", "snooze"}, id="two people in the same moment"),
        pytest.param((snooze(2), snooze(1, BEN)), [1, 0], {"snooze"}, id="the later snooze stays"),
    ],
)
async def test_a_click_is_judged_by_the_last_that_changed_the_same(
    start: Start, clicks: tuple[Pressed, ...], new: list[int], left: set[str]
) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    assert [await each.on(bot.actions) for each in clicks] == [bool(each) for each in new]
    assert await state(bot) == left


async def test_a_snooze_that_comes_again_lasts_no_longer_and_says_nothing(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.hears()
    acts: list[Act] = [clicked(1), anew(ADA)]
    for act in acts:
        await bot.actions.snooze(1, act, Lasting(timedelta(hours=1)))
        told, before = await bot.hears(), await bot.incidents.numbered(1)
        assert len(told) == 2  # the edit and the line in the thread
        bot.clock.go(minutes=4)
        with pytest.raises(DoneBefore):
            await bot.actions.snooze(1, act, Lasting(timedelta(hours=1)))
        assert await bot.incidents.numbered(1) == before
        assert await bot.hears() == []


async def test_what_was_not_understood_may_be_corrected_and_sent_once(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    submitted = anew(ADA)
    assert await bot.actions.snooze(1, submitted, Reaching("$75")) is None
    with pytest.raises(DoneBefore):
        await bot.actions.snooze(1, submitted, Reaching("$75"))
    typed = anew(ADA)
    await bot.actions.snooze_typed("daily 1 hour", typed)
    with pytest.raises(DoneBefore, match="This was done already"):
        await bot.actions.snooze_typed("daily 1 hour", typed)


async def test_of_a_click_that_comes_six_times_at_once_one_is_done(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.hears()
    assert sorted(await asyncio.gather(*(snooze(1).on(bot.actions) for _ in range(6)))) == [False] * 5 + [True]
    assert len(await bot.hears()) == 2
