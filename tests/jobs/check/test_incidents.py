"""One incident over its hours: reminders, escalation, snooze, corrections and the close, as the clock goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.commands.answer import Snoozed
from bot.commands.incidents import NotUnderstoodError
from bot.commands.typed.snooze_end import CHOICES, Reaching
from bot.errors import CartesiaError
from tests.acts import anew
from tests.jobs.check.conftest import MORNING, TODAY, Clock, Start

DAILY = "  - {name: Daily, threshold: $50, alert_at: [80%, 100%]}\n"
REMINDING = "  - {name: Daily, threshold: $50, remind_every: 4h}\n"
ESCALATING = '  - {name: Daily, threshold: $50, escalate: {after: 30m, channel: "#finance"}}\n'
ADA = "U0ADMIN01"


# Calling people


async def test_people_are_reminded_every_4_hours_until_somebody_acknowledges(start: Start) -> None:
    bot = await start(REMINDING)
    bot.clock.go_to("25 02:00")
    assert await bot.check(51) == ["CROSSED Daily"]
    bot.clock.go(hours=3, minutes=59)
    assert await bot.check() == []
    for _ in range(2):
        bot.clock.go(hours=4)
        assert await bot.check() == ["REMINDER Daily"]
        assert await bot.check() == []
    assert await bot.actions.acknowledge(1, anew(ADA)) is None
    bot.clock.go(hours=4)
    assert await bot.check() == []
    assert await bot.actions.undo(1, anew(ADA), others=True) is None
    assert await bot.check() == ["REMINDER Daily"]
    await bot.explains_itself()


async def test_a_reminder_edits_the_message_and_speaks_in_the_thread_alone(start: Start) -> None:
    bot = await start(REMINDING)
    await bot.check(51)
    await bot.hears()
    bot.clock.go(hours=4)
    await bot.check(52)
    line = "🔴 Daily: $52.00 of $50.00 (104%)"
    assert await bot.hears() == [f"edit #voice-spend: {line}", f"reply #voice-spend: {line}"]


async def test_after_30_minutes_the_other_channel_is_told_once_and_the_thread_says_so(start: Start) -> None:
    bot = await start(ESCALATING)
    await bot.check(51)
    await bot.hears()
    bot.clock.go(minutes=29)
    assert await bot.check() == []
    bot.clock.go(minutes=1)
    assert await bot.check() == ["ESCALATED Daily"]
    line = "🔴 Daily: $51.00 of $50.00 (102%)"
    assert await bot.hears() == [f"edit #voice-spend: {line}", f"reply #voice-spend: {line}", f"copy #finance: {line}"]
    bot = await start()
    for _ in range(3):
        bot.clock.go(hours=1)
        assert await bot.check() == []
    await bot.explains_itself()


async def test_what_is_acknowledged_in_time_is_not_escalated(start: Start) -> None:
    bot = await start(ESCALATING)
    await bot.check(51)
    bot.clock.go(minutes=20)
    await bot.actions.acknowledge(1, anew(ADA))
    bot.clock.go(hours=5)
    assert await bot.check() == []


async def test_what_only_comes_near_is_not_escalated_until_it_is_over(start: Start) -> None:
    bot = await start(ESCALATING.replace("threshold: $50", "threshold: $50, alert_at: [80%, 100%]"))
    assert await bot.check(41) == ["CROSSED Daily"]
    bot.clock.go(hours=2)
    assert await bot.check() == []
    assert await bot.check(51) == ["RAISED Daily"]
    bot.clock.go(minutes=30)
    assert await bot.check() == ["ESCALATED Daily"]


# Snooze


async def test_an_hour_of_quiet_mutes_a_higher_level_which_is_told_after_it(start: Start) -> None:
    bot = await start(DAILY)
    assert await bot.check(41) == ["CROSSED Daily"]
    await bot.actions.snooze(1, anew(ADA), CHOICES["hour"])
    bot.clock.go(minutes=30)
    assert await bot.all_of(51) == ["SNOOZED Daily"]
    bot.clock.go(minutes=30)
    assert await bot.check(52) == ["RAISED Daily"]
    assert await bot.check(53) == []
    await bot.explains_itself()


async def test_quiet_until_tomorrow_ends_with_the_day_whose_final_figure_is_told(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(41)
    await bot.actions.snooze(1, anew(ADA), CHOICES["tomorrow"])
    bot.clock.go_to("25 23:55")
    assert await bot.check(90) == []
    bot.clock.go_to("26 00:05")
    assert await bot.check() == ["RAISED Daily"]
    assert (await bot.incidents.latest(1))[0].state.closed


async def test_quiet_until_the_next_level_ends_with_it(start: Start) -> None:
    bot = await start(REMINDING.replace("remind", "alert_at: [80%, 100%], remind"))
    await bot.check(41)
    await bot.actions.snooze(1, anew(ADA), CHOICES["level"])
    bot.clock.go(hours=5)
    assert await bot.all_of(45) == ["SNOOZED Daily"]
    assert await bot.check(50) == ["RAISED Daily"]
    bot.clock.go(hours=4)
    assert await bot.check(50) == ["REMINDER Daily"]


async def test_quiet_until_an_amount_is_told_again_at_that_amount_once_also_across_restarts(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    assert await bot.actions.snooze(1, anew(ADA), Reaching("$75")) is None
    assert await bot.check(74.99) == []
    bot = await start()
    assert await bot.check(75) == ["RAISED Daily"]
    assert await bot.check(76) == []
    bot = await start()
    assert await bot.check(90) == []
    await bot.explains_itself()


async def test_quiet_until_an_amount_mutes_every_step_below_it(start: Start) -> None:
    bot = await start("  - {name: Daily, threshold: $50, then_every: $5}\n")
    await bot.check(51)
    await bot.actions.snooze(1, anew(ADA), Reaching("70"))
    assert await bot.all_of(66) == ["SNOOZED Daily"]
    assert await bot.check(71) == ["RAISED Daily"]
    assert await bot.check(74) == []
    assert await bot.check(75) == ["STEP Daily"]
    await bot.explains_itself()


async def test_a_silence_cannot_be_snoozed_until_an_amount_which_would_be_its_end(start: Start) -> None:
    bot = await start('  - {name: Phone line, metric: calls, below: 1, by: "08:00"}\n')
    assert await bot.check() == ["CROSSED Phone line"]
    with pytest.raises(NotUnderstoodError, match="A silence ends with the first usage"):
        await bot.actions.snooze(1, anew(ADA), Reaching("100"))
    assert await bot.check(75) == ["CLOSED Phone line"]
    await bot.explains_itself()


async def test_nothing_can_be_undone_about_an_alert_that_is_closed(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.actions.acknowledge(1, anew(ADA))
    bot.clock.go_to("26 00:05")
    assert await bot.check() == ["CLOSED Daily"]
    await bot.hears()
    for done in (
        bot.actions.undo(1, anew(ADA), others=True),
        bot.actions.acknowledge(1, anew(ADA)),
        bot.actions.snooze(1, anew(ADA), CHOICES["hour"]),
    ):
        assert await done == "Alert 1 is closed: there is nothing left to do about it."
    assert await bot.hears() == []


# What people type


NAMED = """\
  - {name: Daily spend, threshold: $40}
  - {name: Große Ausgaben, threshold: $40}
  - {name: R–D, threshold: $40}
  - {name: R-D, threshold: $40}
  - {name: "2026", threshold: $40}
  - {name: "3", threshold: $40}
  - {name: Two  `Words`, threshold: $40}
  - {name: Launch, threshold: $900}
"""
LISTED = "`alerts` lists the last ones with their numbers."


async def test_an_alert_is_found_by_its_number_or_by_its_rules_name_however_typed(start: Start) -> None:
    bot = await start(NAMED)
    await bot.check(41)
    called = {
        "1": "Daily spend",
        "alert #1": "Daily spend",
        "daily SPEND": "Daily spend",
        "*“Daily spend”*": "Daily spend",
        "GROSSE AUSGABEN": "Große Ausgaben",
        "R-D": "R-D",
        "R–D": "R–D",
        "3": "R–D",  # a number comes before a rule of that name
        "2026": "2026",
        "two words": "Two  `Words`",
    }
    assert {typed: (await bot.actions.why(typed)).rule for typed in called} == called


async def test_what_names_no_alert_or_several_is_told_why(start: Start) -> None:
    bot = await start(NAMED)
    await bot.check(41)
    sentences = {
        "r—d": "Which one: “R-D” (alert 4) or “R–D” (alert 3)? Write the number of its alert.",
        "launch": "“Launch” has no alert yet; `budgets` shows where it stands.",
        "99": f"There is no alert “99”: {LISTED}",
        "9" * 30: f"There is no alert “{'9' * 30}”: {LISTED}",
        "Dayli spend": f"There is no alert “Dayli spend”: {LISTED} Did you mean “Daily spend”?",
    }
    for typed, sentence in sentences.items():
        for asked in (bot.actions.why(typed), bot.actions.snooze_typed(f"{typed} tomorrow", anew(ADA))):
            with pytest.raises(NotUnderstoodError) as caught:
                await asked
            assert str(caught.value) == sentence


async def test_the_newest_alert_of_a_name_is_meant(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(41)
    bot.clock.go_to("26 09:00")
    await bot.check(42)
    assert (await bot.actions.why("daily")).alert == 2


async def test_until_when_it_is_quiet_is_answered(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(41)
    bot.clock.moment = MORNING
    until = {
        "Daily 2 hours": "2026-11-25 11:00 UTC",
        "“Daily” for half an hour": "2026-11-25 09:30 UTC",
        "daily until tomorrow": "2026-11-26 00:00 UTC",
        "1 3 days": "2026-11-28 09:00 UTC",
        "Daily 90 minutes": "2026-11-25 10:30 UTC",
        "Daily next level": "the next level",
        "Daily 75,00 $": "$75.00",
    }
    for typed, words in until.items():
        answer = await bot.actions.snooze_typed(typed, anew(ADA))
        assert isinstance(answer, Snoozed)
        assert (answer.alert, answer.snooze.words) == (1, words)


async def test_shortly_before_midnight_tomorrow_is_the_day_after(start: Start) -> None:
    bot = await start("  - {name: Monthly, per: month, threshold: $50}\n")
    await bot.check(51)
    bot.clock.go_to("25 23:37")
    answer = await bot.actions.snooze_typed("Monthly tomorrow", anew(ADA))
    assert isinstance(answer, Snoozed)
    assert answer.snooze.until == datetime(2026, 11, 27, tzinfo=UTC)


async def test_what_is_no_time_is_not_guessed(start: Start) -> None:
    bot = await start("  - {name: Used, metric: minutes, threshold: 500}\n")
    assert await bot.check(41) == ["CROSSED Used"]
    sentences = {
        "Used": "Say until when: `30m`, `2 hours`, `1 day`, `tomorrow`, `next level`, or an amount such as $75.",
        "Used until 15:00": "“until 15:00” is neither a time nor an amount: write `30m`, ",
        "Used forever": "“forever” is neither a time nor an amount: write `30m`, ",
        "Used 90 minutes": "“90 minutes” can be a time or an amount: write `for 90 minutes` or `until 90 minutes`.",
        "Used for 0 minutes": "A snooze lasts from a minute to 366 days: write ",
        "Used 400 days": "A snooze lasts from a minute to 366 days: write ",
        "Used until 3 minutes": "It stands at 683 minutes already; write more than that.",
        "2 hours": "Say which alert, by its number or name, before until when: `snooze NAME 1 hour`.",
    }
    for typed, words in sentences.items():
        with pytest.raises(NotUnderstoodError) as caught:
            await bot.actions.snooze_typed(typed, anew(ADA))
        assert str(caught.value).startswith(words)
    assert (await bot.incidents.latest(1))[0].state.snooze is None


# What was said is no longer so


async def test_a_restated_day_edits_what_was_said_with_was_and_now(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    bot.clock.go_to("26 00:05")
    assert await bot.check(53, TODAY) == ["CLOSED Daily"]
    await bot.hears()
    bot.clock.go_to("27 10:00")
    assert await bot.check(47.5, TODAY) == ["CORRECTED Daily"]
    line = "⚪ Daily: $47.50 of $50.00 (95%)"
    assert await bot.hears() == [f"edit #voice-spend: {line}", f"reply #voice-spend: {line}"]
    [stored] = await bot.incidents.latest(9)
    assert "corrected: was $53.00, now $47.50" in stored.base_message.text
    assert await bot.check() == []
    bot = await start()
    assert await bot.check() == []
    assert await bot.check(48, TODAY) == ["CORRECTED Daily"]
    await bot.explains_itself()


async def test_a_figure_that_falls_below_while_the_day_lasts_is_corrected_and_told_when_it_is_true_again(
    start: Start,
) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    assert await bot.check(45) == ["CORRECTED Daily"]
    assert await bot.check(46) == []
    assert await bot.check(39) == ["CORRECTED Daily"]
    assert await bot.check(42) == ["CROSSED Daily"]
    assert await bot.check(51) == ["RAISED Daily"]
    await bot.explains_itself()


async def test_what_was_taken_back_whole_is_told_when_it_is_true_again(start: Start) -> None:
    bot = await start("  - {name: Daily, threshold: $50}\n")
    await bot.check(51)
    assert await bot.check(45) == ["CORRECTED Daily"]
    assert await bot.check(45) == []
    assert await bot.check(50) == ["CROSSED Daily"]
    assert await bot.check(50) == []
    await bot.explains_itself()


async def test_a_crossing_that_appears_late_is_posted_once_marked_late_and_is_closed(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(39)
    bot.clock.go_to("26 00:10")
    assert await bot.check() == []
    bot.clock.go_to("27 15:00")
    assert await bot.check(52, TODAY) == ["CROSSED Daily"]
    [stored] = await bot.incidents.latest(9)
    assert stored.state.closed
    assert "late: the day was over before the figure arrived" in stored.base_message.text
    assert await bot.hears() == ["post #voice-spend: 🔴 Daily: $52.00 of $50.00 (104%)"]
    bot.clock.go_to("28 15:00")
    assert await bot.check() == []
    await bot.explains_itself()


async def test_a_crossing_that_appears_after_3_days_is_history(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(39)
    bot.clock.go_to("29 00:10")
    assert await bot.check(52, TODAY) == []


# The end of the window


async def test_at_the_days_end_the_incident_is_closed_once_with_the_final_figure(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    bot.clock.go_to("25 23:59")
    assert await bot.check(58) == []
    await bot.hears()
    bot.clock.go_to("26 00:04")
    assert await bot.check(60, TODAY) == ["CLOSED Daily"]
    line = "✅ Daily: $60.00 of $50.00 (120%)"
    assert await bot.hears() == [f"edit #voice-spend: {line}", f"reply #voice-spend: {line}"]
    assert await bot.check() == []
    bot = await start()
    bot.clock.go(hours=8)
    assert await bot.check() == []
    assert await bot.reasons() == ["CROSSED", "CLOSED"]
    await bot.explains_itself()


async def test_a_check_across_midnight_closes_nothing_early(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    bot.clock.go_to("25 23:59")
    bot.usage.takes = timedelta(minutes=2)
    assert await bot.check(52) == []
    assert not (await bot.incidents.latest(1))[0].state.closed
    assert await bot.check(55, TODAY) == ["CLOSED Daily"]
    assert (await bot.incidents.latest(1))[0].state.closed
    await bot.explains_itself()


async def test_the_message_is_edited_in_silence_at_most_every_15_minutes(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.hears()
    edited = []
    for minutes in range(5, 65, 5):
        bot.clock.go(minutes=5)
        assert await bot.check(51 + minutes / 100) == []
        edited += [(minutes, words) for words in await bot.hears()]
    assert edited == [
        (15, "edit #voice-spend: 🔴 Daily: $51.15 of $50.00 (102%)"),
        (30, "edit #voice-spend: 🔴 Daily: $51.30 of $50.00 (102%)"),
        (45, "edit #voice-spend: 🔴 Daily: $51.45 of $50.00 (102%)"),
        (60, "edit #voice-spend: 🔴 Daily: $51.60 of $50.00 (103%)"),
    ]
    bot.clock.go(hours=1)
    assert await bot.check() == []
    assert await bot.hears() == []  # the figure stood still


async def test_a_click_between_two_checks_is_kept_by_the_next_decision(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(41)
    await bot.actions.acknowledge(1, anew(ADA))
    await bot.hears()
    assert await bot.check(51) == ["RAISED Daily"]
    [stored] = await bot.incidents.latest(9)
    assert stored.state.acknowledged is not None


# Bad readings


@pytest.mark.parametrize("period", ["day", "week", "month"])
async def test_a_missing_bucket_resolves_nothing(start: Start, period: str) -> None:
    bot = await start(f"  - {{name: Spend, threshold: $50, per: {period}}}\n")
    bot.usage.spend(20, TODAY - timedelta(days=1))
    assert await bot.check(51) == ["CROSSED Spend"]
    await bot.hears()
    for lacking in ({TODAY}, {TODAY - timedelta(days=1), TODAY}):
        bot.usage.missing = lacking
        bot.clock.go(minutes=20)
        assert await bot.check() == []
        bot.clock.go_to("26 00:05")
        assert await bot.check() == []
        assert await bot.hears() == []
        bot.clock.go_to("25 12:00")
    bot.usage.missing = set()
    assert await bot.check() == []


async def test_a_bucket_of_yesterday_that_is_missing_does_not_lower_the_week(start: Start) -> None:
    bot = await start("  - {name: Week, threshold: $60, per: week}\n")
    bot.usage.spend(40, TODAY - timedelta(days=1))
    assert await bot.check(30) == ["CROSSED Week"]
    bot.usage.missing = {TODAY - timedelta(days=1)}
    bot.clock.go(minutes=20)
    assert await bot.check(31) == []
    bot = await start()
    assert await bot.check() == []
    [stored] = await bot.incidents.latest(9)
    assert "$70.00" in stored.base_message.text
    bot.usage.missing = set()
    bot.clock.go(minutes=20)
    assert await bot.check() == []


async def test_a_failed_reading_resolves_nothing(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.hears()
    bot.usage.fails = True
    bot.clock.go_to("26 00:05")
    with pytest.raises(CartesiaError):
        await bot.check()
    assert await bot.hears() == []
    assert not (await bot.incidents.latest(1))[0].state.closed
    bot.usage.fails = False
    assert await bot.check() == ["CLOSED Daily"]


# After downtime


async def test_after_6_days_down_nothing_floods_and_what_is_stale_is_closed(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    await bot.hears()
    bot.usage.spend(55, TODAY)
    for days in range(1, 6):
        bot.usage.spend(70, TODAY + timedelta(days=days))
    bot.clock.go(days=6)
    bot = await start()
    await bot.hears()
    said = await bot.check(10)
    assert sorted(said) == ["CLOSED Daily", "CROSSED Daily", "CROSSED Daily", "CROSSED Daily"]  # 3 days, and the stale
    assert all(stored.state.closed for stored in await bot.incidents.latest(9))
    assert await bot.check() == []
    await bot.explains_itself()


async def test_a_stale_incident_whose_day_is_read_no_more_is_left_alone(start: Start) -> None:
    bot = await start(DAILY)
    await bot.check(51)
    bot.clock.go(days=100)
    bot = await start()
    assert await bot.check(0) == []
    assert await bot.check(51) == ["CROSSED Daily"]


async def test_the_very_first_start_judges_open_windows_only(start: Start) -> None:
    bot = await start(DAILY + "  - {name: Week, threshold: $50, per: week}\n")
    bot.usage.spend(90, TODAY - timedelta(days=1))
    assert await bot.check(1) == ["CROSSED Week"]


async def test_a_clock_that_was_ahead_over_midnight_leaves_the_day_as_open_as_it_is(start: Start) -> None:
    bot = await start(DAILY)
    assert await bot.check(60) == ["CROSSED Daily"]
    bot.clock.leap(hours=16)
    assert await bot.check() == ["CLOSED Daily"]
    bot.clock.leap(hours=-16)
    assert await bot.check(61) == []
    bot.clock.go(minutes=30)
    assert await bot.check(62) == []
    assert (await bot.hears())[-1] == "edit #voice-spend: 🔴 Daily: $62.00 of $50.00 (124%)"


async def test_a_clock_that_leaps_ahead_and_back_reminds_nobody_twice(start: Start) -> None:
    bot = await start(REMINDING)
    assert await bot.check(51) == ["CROSSED Daily"]
    bot.clock.leap(hours=5)
    assert await bot.check() == ["REMINDER Daily"]
    bot.clock.leap(hours=-5)
    for _ in range(8):
        bot.clock.go(hours=1)
        assert await bot.check() == []
    bot.clock.go(hours=1)
    assert await bot.check() == ["REMINDER Daily"]


async def test_a_rule_first_seen_while_the_clock_was_ahead_watches_what_is_open_when_it_is_right(start: Start) -> None:
    bot = await start(DAILY, Clock(MORNING + timedelta(hours=48)))
    await bot.check(0)
    bot.clock.leap(hours=-48)
    assert await bot.check(60) == ["CROSSED Daily"]
