"""The rules change while an incident is open: what is told again, what is closed, and what is history."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.commands.answer import WhyAnswer
from bot.rules.source import Found
from bot.store.ledger import Ledger, Revision
from bot.store.tables import decisions, incidents
from tests.jobs.check.conftest import HEAD, TODAY, Clock, Start

DAILY = "  - {name: Daily, threshold: $50}\n"
OTHER = "  - {name: Other, threshold: $9000}\n"


async def test_raising_a_threshold_arms_it_anew(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    assert await bot.write("  - {name: Daily, threshold: $80}\n") == []
    assert await bot.check(79) == []
    assert await bot.check(80) == ["RAISED Daily"]
    assert await bot.check(81) == []
    await bot.explains_itself()


async def test_lowering_a_threshold_tells_once_and_putting_it_back_nothing(start: Start) -> None:
    bot = await start(DAILY)
    assert await bot.check(45) == []
    assert await bot.write("  - {name: Daily, threshold: $40}\n") == ["CROSSED Daily"]
    assert await bot.check(46) == []
    assert await bot.write(DAILY) == []
    assert await bot.write("  - {name: Daily, threshold: $40}\n") == []
    assert await bot.check(49) == []
    await bot.explains_itself()


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param(
            "  - {name: Renamed, threshold: $50}\n", {"CLOSED Daily", "CROSSED Renamed"}, id="renamed: a new rule"
        ),
        pytest.param(OTHER, {"CLOSED Daily"}, id="removed"),
        pytest.param(
            "  - {name: Daily, threshold: $50, per: week}\n", {"CLOSED Daily", "CROSSED Daily"}, id="another period"
        ),
        pytest.param("  - {name: Daily, threshold: $90, per: month}\n", {"CLOSED Daily"}, id="another period, below"),
    ],
)
async def test_an_incident_whose_rule_is_gone_is_closed_once(start: Start, edit: str, said: set[str]) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.hears()
    assert set(await bot.write(edit)) == said
    assert "reply #voice-spend: ✅ Daily: $51.00 of $50.00 (102%)" in await bot.hears()
    assert await bot.check() == []
    bot = await start()
    bot.clock.go(days=1)
    assert "CLOSED Daily" not in await bot.check(0)
    assert (await bot.reasons())[-1] == "CLOSED"
    await bot.explains_itself()


async def test_a_rule_removed_and_put_back_does_not_repeat_itself(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    assert await bot.write(OTHER) == ["CLOSED Daily"]
    assert await bot.write(DAILY) == []
    assert await bot.check(52) == []
    assert await bot.write(OTHER) == ["CLOSED Daily"]
    assert await bot.write(DAILY + OTHER) == []
    assert await bot.reasons() == ["CROSSED", "CLOSED", "CLOSED"]
    await bot.explains_itself()


async def test_a_rule_removed_while_the_bot_was_down_is_closed_at_the_next_check(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    bot.clock.go(days=2)
    bot = await start(OTHER)
    assert await bot.check() == ["CLOSED Daily"]
    assert await bot.check() == []
    await bot.explains_itself()


async def test_a_removed_rule_whose_day_has_no_figure_any_more_is_closed(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.hears()
    bot.clock.go(days=100)
    bot = await start(OTHER)
    assert await bot.check() == ["CLOSED Daily"]
    assert await bot.check() == []


@pytest.mark.parametrize("threshold", ["$30", "$90"])
async def test_a_threshold_changed_in_the_night_does_not_judge_the_day_that_was_over(
    start: Start, threshold: str
) -> None:
    bot = await start("  - {name: Daily, threshold: $50, alert_at: [80%, 100%]}\n")
    await bot.check(45)
    bot.clock.go_to("26 08:00")
    bot = await start(f"  - {{name: Daily, threshold: {threshold}}}\n")
    await bot.hears()
    assert await bot.check(46, TODAY) == ["CLOSED Daily"]
    assert (await bot.incidents.latest(1))[0].base_message.text.startswith("✅ Daily: $46.00 of $50.00 (92%)")
    await bot.explains_itself()


async def test_an_incident_of_rules_that_can_no_longer_be_read_does_not_stop_the_check(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await Ledger(bot.database).record_revision(Revision("old", "rules: of another version", bot.clock()))
    async with bot.database.writing() as connection:
        await connection.execute(update(incidents).values(revision="old"))
        await connection.execute(update(decisions).values(revision="old"))
    bot = await start(OTHER)
    assert await bot.check() == []
    account = await bot.actions.why("1")
    assert isinstance(account, WhyAnswer)
    assert account.decisions[0].rule is None


async def test_a_declared_event_still_holds_for_the_day_that_was_over_before_the_rule_changed(start: Start) -> None:
    event = f'expected:\n  - {{from: "{TODAY}", to: "{TODAY}", rule: Daily, threshold: $60, why: Launch}}\n'
    bot = await start("  - {name: Daily, threshold: $50}\n" + event)
    assert await bot.check(61) == ["CROSSED Daily"]
    bot.clock.go_to("26 08:00")
    bot = await start("  - {name: Daily, threshold: $40}\n")
    assert await bot.check() == ["CLOSED Daily"]
    await bot.explains_itself()


async def test_a_declared_event_expects_more_crosses_above_and_ends_by_itself(start: Start) -> None:
    event = f'expected:\n  - {{from: "{TODAY}", to: "{TODAY}", rule: Daily, threshold: $200, why: Launch}}\n'
    bot = await start(DAILY + event)
    assert await bot.all_of(49) == ["BELOW Daily"]
    assert await bot.all_of(120) == ["EXPECTED Daily"]
    assert await bot.check(200) == ["CROSSED Daily"]
    [stored] = await bot.incidents.latest(9)
    assert stored.base_message.text.startswith("🔴 Daily: $200.00 of $200.00 (100%)")
    assert "above the declared event: Launch" in stored.base_message.text
    bot.clock.go_to("26 00:05")
    assert await bot.check() == ["CLOSED Daily"]
    assert await bot.check(50) == ["CROSSED Daily"]
    await bot.explains_itself()


async def test_an_event_declared_after_the_crossing_corrects_nothing_and_repeats_nothing(start: Start) -> None:
    event = f'expected:\n  - {{from: "{TODAY}", to: "{TODAY}", rule: Daily, threshold: $200, why: Launch}}\n'
    bot = await start(DAILY)
    await bot.check(51)
    assert await bot.write(DAILY + event) == []
    assert await bot.all_of(60) == ["EXPECTED Daily"]
    assert await bot.check(201) == ["RAISED Daily"]
    assert await bot.write(DAILY) == []
    await bot.explains_itself()


async def test_a_forecast_warns_from_curves_recorded_before_a_restart(start: Start) -> None:
    bot = await start("  - {name: Daily, threshold: $50, forecast: true}\n")
    bot.clock.go(days=-28)
    for _ in range(28):
        for hour in range(1, 24, 2):
            bot.clock.moment = bot.clock.moment.replace(hour=hour, minute=50)
            await bot.check(2 * (hour + 1))  # $48 on a usual day
        bot.clock.go(days=1)
    bot.clock.go_to("25 08:00")
    bot = await start()
    bot.clock.go_to("25 12:00")
    assert await bot.check(40) == ["FORECAST Daily"]
    assert (await bot.hears())[-1] == "post #voice-spend: 🟡 Daily: $40.00 of $50.00 (80%)"
    assert await bot.check(41) == []
    bot.clock.go_to("25 14:00")
    assert await bot.check(50) == ["RAISED Daily"]
    await bot.explains_itself()


async def test_two_checkers_whose_clocks_are_30_seconds_apart_tell_once(start_on_both: Start) -> None:
    rules = "  - {name: Daily, threshold: $50, alert_at: [80%, 100%], remind_every: 4h}\n"
    first = await start_on_both(rules)
    ahead = Clock(first.clock() + timedelta(seconds=30))
    second = await start_on_both(rules, ahead)
    second.usage.days = first.usage.days
    bots = (first, second)

    async def both(moment: str, dollars: float) -> None:
        first.clock.go_to(moment)
        ahead.moment = first.clock() + timedelta(seconds=30)
        first.usage.spend(dollars, TODAY)
        for bot in (*bots, *bots[::-1]):
            await bot.check()

    for moment, dollars in [("25 09:00", 41), ("25 09:05", 51), ("25 13:05", 51), ("25 23:59", 52), ("26 00:00", 53)]:
        await both(moment, dollars)
    assert await first.reasons() == ["CROSSED", "RAISED", "REMINDER", "REMINDER", "CLOSED"]
    await both("27 00:00", 45)
    assert (await first.reasons())[5:] == ["CORRECTED"]
    assert len(await first.incidents.latest(9)) == 1
    await second.explains_itself()


async def test_a_file_that_can_no_longer_be_read_leaves_the_last_good_rules_in_force_and_is_told_once(
    start: Start,
) -> None:
    bot = await start(DAILY)
    path = bot.rules_file
    text = path.read_text()
    path.unlink()
    path.mkdir()
    for _ in range(3):
        assert not await bot.rules.look()
    assert await bot.check(51) == ["CROSSED Daily"]
    [mistake] = bot.rules.mistakes
    assert mistake.message.startswith("this is a folder: Docker makes one where a file that it mounts is missing.")
    again = await start()
    assert not await again.rules.look()
    assert len([line for line in await again.hears() if "#voice-ops" in line]) == 1
    path.rmdir()
    path.write_text(text)
    assert await again.rules.look()
    assert again.rules.mistakes == ()


async def test_rights_that_change_are_noticed(start: Start) -> None:
    bot = await start(DAILY)
    before = await bot.rules.source.stamp()
    bot.rules_file.chmod(0o600)
    assert await bot.rules.source.stamp() != before
    assert not await bot.rules.look()  # the same rules


async def test_a_long_file_is_read_while_the_loop_goes_on(start: Start) -> None:
    bot = await start(DAILY)
    rules = "".join(f"  - {{name: Rule {number}, threshold: $50, alert_at: [80%, 100%]}}\n" for number in range(500))
    bot.rules_file.write_text(f"{HEAD}{rules}")
    looking = asyncio.create_task(bot.rules.look())
    began, last, longest = time.process_time(), time.thread_time(), 0.0  # on the processor: the machine may be busy
    while not looking.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
    assert await looking
    assert len(bot.rules.current.rules) == 500
    assert longest < (time.process_time() - began) / 3  # of a reading that held the loop up, nearly the whole


@dataclass
class Typed:
    """Rules that live in no file."""

    text: str
    name: str = "the rules"
    place: str = "memory"

    async def stamp(self) -> str:
        return self.text

    async def look(self) -> Found:
        return Found(self.text.encode())


async def test_rules_may_come_from_elsewhere_than_a_file(start: Start) -> None:
    bot = await start(DAILY)
    bot.rules.source = typed = Typed(HEAD + DAILY.replace("$50", "$40"))
    assert await bot.rules.look()
    assert not await bot.rules.look()
    assert await bot.check(41) == ["CROSSED Daily"]
    typed.text = "rules: nothing"
    assert not await bot.rules.look()  # may be half-way through being written
    assert not await bot.rules.look()
    assert bot.rules.mistakes
