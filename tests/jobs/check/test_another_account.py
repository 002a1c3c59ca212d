"""A reading of another account, as a wrong key gives it, is told and not taken for corrections, until one agrees."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import AnotherAccount
from bot.model import Totals
from bot.windows import utc_day
from tests.jobs.check.conftest import Bot, Start

RULES = "  - {name: Daily, threshold: $50}\n  - {name: Month, per: month, threshold: $5000}\n"
CHANGED = "post #voice-ops: The figures of 30 past days changed at once"
TAKEN_OVER = "post #voice-ops: The next reading agrees"
AS_BEFORE = "post #voice-ops: The figures of past days are those of before again"


def spend(bot: Bot, dollars: float) -> None:
    """Let each of the last 30 days and today have cost about so much."""
    for back in range(31):
        bot.usage.spend(dollars + back / 100, utc_day(bot.clock()) - timedelta(days=back))


async def watching(start: Start) -> Bot:
    """A bot that has told of a $60 day which is over now, and read the next morning."""
    bot = await start(RULES)
    bot.clock.go_to("25 22:00")
    spend(bot, 10)
    assert await bot.check(60) == ["CROSSED Daily"]
    bot.clock.go_to("26 09:00")
    assert await bot.check(12) == ["CLOSED Daily"]
    await bot.hears()
    return bot


async def doubts(bot: Bot) -> None:
    bot.clock.go(minutes=5)
    with pytest.raises(AnotherAccount, match="Nothing is judged by them until the next reading agrees"):
        await bot.check()


async def test_it_is_told_once_and_the_reading_before_holds(start: Start) -> None:
    bot = await watching(start)
    ours = dict(bot.usage.days)
    spend(bot, 90)
    await doubts(bot)
    [told] = await bot.hears()
    assert told.startswith(CHANGED)
    bot.usage.days = ours
    bot.clock.go(minutes=5)
    assert await bot.check() == []
    [back] = await bot.hears()
    assert back.startswith(AS_BEFORE)
    assert await bot.check(51) == ["CROSSED Daily"]
    await bot.explains_itself()


@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
async def test_the_next_reading_that_agrees_is_taken_over_and_judged(start: Start, restart: bool) -> None:
    bot = await watching(start)
    spend(bot, 90)
    await doubts(bot)
    assert len(await bot.hears()) == 1
    if restart:
        bot = await start()
    bot.clock.go(minutes=5)
    assert "CROSSED Daily" in await bot.check()  # today stands at $90, and is never swallowed
    heard = await bot.hears()
    assert sum(each.startswith(TAKEN_OVER) for each in heard) == 1
    bot.clock.go(minutes=5)
    assert await bot.check() == []
    assert await bot.hears() == []


async def test_two_that_share_one_reading_do_not_agree_with_themselves(start: Start) -> None:
    bot = await watching(start)
    spend(bot, 90)
    await doubts(bot)
    reading = bot.usage.kept
    assert reading is not None
    with pytest.raises(AnotherAccount):
        await bot.checker.account.recognize(reading)  # as a second check of the same reading does
    assert len(await bot.hears()) == 1


@pytest.mark.parametrize("agrees", [False, True], ids=["the figures before", "the new figures"])
async def test_what_one_process_doubted_another_takes_over_or_lets_go_of(start: Start, agrees: bool) -> None:
    bot = await watching(start)
    other = await start()
    ours = dict(bot.usage.days)
    await other.check()
    spend(bot, 90)
    await doubts(bot)
    assert len(await bot.hears()) == 1
    if not agrees:
        bot.usage.days.update(ours)
    bot.clock.go(minutes=5)
    other.checker.look_away()
    await other.check()
    heard = await other.hears()
    assert sum(each.startswith(TAKEN_OVER if agrees else AS_BEFORE) for each in heard) == 1
    assert await bot.checker.account.ledger.conditions("account") == []


async def test_a_third_account_is_doubted_as_well_and_told_no_more(start: Start) -> None:
    bot = await watching(start)
    for dollars in (90, 70, 30):
        spend(bot, dollars)
        await doubts(bot)
    assert len(await bot.hears()) == 1
    bot.clock.go(minutes=5)
    assert await bot.check() == ["CORRECTED Daily"]  # the day that was told of stands at $30.01 for good
    assert sum(each.startswith(TAKEN_OVER) for each in await bot.hears()) == 1


async def test_rules_that_change_meanwhile_are_not_judged_by_it(start: Start) -> None:
    bot = await watching(start)
    spend(bot, 90)
    await doubts(bot)
    assert await bot.write("  - {name: Other, threshold: $20}\n") == []


async def test_figures_that_never_agree_make_the_bot_blind(start: Start) -> None:
    bot = await watching(start)
    for number in range(4):
        spend(bot, 90 + number)
        await doubts(bot)
        await bot.watch()
    told, blind = await bot.hears()
    assert told.startswith(CHANGED)
    assert blind.startswith("post #voice-ops: The bot is blind")
    assert "changed at once" in blind


async def test_a_restated_day_is_a_correction_as_ever(start: Start) -> None:
    bot = await watching(start)
    yesterday = utc_day(bot.clock()) - timedelta(days=1)
    bot.usage.spend(40, yesterday)
    bot.usage.days[yesterday - timedelta(days=1)] = Totals()
    assert "CORRECTED Daily" in await bot.check()


async def test_what_a_check_would_decide_says_the_same(start: Start) -> None:
    bot = await watching(start)
    spend(bot, 90)
    await doubts(bot)
    assert bot.usage.kept is not None
    later = bot.usage.kept.__class__(bot.usage.kept.span, bot.usage.kept.days, bot.clock())
    assert await bot.checker.foresee(later)
    with pytest.raises(AnotherAccount):
        await bot.checker.foresee(bot.usage.kept)
