"""What may be typed after `/agent-usage`, on Sunday 22 November 2026, and what it means."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.alerts import Alerts
from bot.commands.all import NAMED
from bot.commands.budgets import Budgets
from bot.commands.check import CheckNow
from bot.commands.command import AnyCommand
from bot.commands.forecast import Outlook
from bot.commands.overview import Overview
from bot.commands.parse import parse_request
from bot.commands.request import Help, Request, Summary
from bot.commands.restatements import Restatements
from bot.commands.snooze import SnoozeAlert
from bot.commands.status import Status
from bot.commands.typed.period import PERIODS
from bot.commands.why import Why
from bot.model import Period
from tests.samples.figures import span

TODAY = date(2026, 11, 22)
ALONE = [name for name, command in NAMED.items() if not command.takes_words]
WITH_ALERT = [name for name, command in NAMED.items() if command.takes_words]


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("", Overview()),
        ("   \t", Overview()),
        ("budgets", Budgets()),
        ("  BUDGETS ", Budgets()),
        ("`check`", CheckNow()),
        ("status", Status()),
        ("help", Help()),
        ("forecast", Outlook()),
        ("Alerts", Alerts()),
        (" restatements ", Restatements()),
    ],
)
def test_a_command_is_its_request(text: str, request_: Request) -> None:
    assert parse_request(text, TODAY) == request_


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("why 1", Why("1")),
        ("why alert #12", Why("alert #12")),
        ("WHY Daily Spend", Why("Daily Spend")),
        ("why  daily   spend", Why("daily spend")),
        ("why why", Why("why")),
        ("why by day", Why("by day")),
        ("why 50% of <&> $75", Why("50% of <&> $75")),
        ("“why” *“R&D”*", Why("*“R&D”*")),
        ("snooze R–D for 2 hours", SnoozeAlert("R–D for 2 hours")),
        ("Snooze, tomorrow", SnoozeAlert("tomorrow")),
    ],
)
def test_what_names_an_alert_is_kept_as_it_was_typed(text: str, request_: Request) -> None:
    assert parse_request(text, TODAY) == request_


@pytest.mark.parametrize("command", ALONE)
@pytest.mark.parametrize("more", ["by day", "last week", "now", "Daily Spend", "*please*"])
def test_a_command_says_that_it_takes_no_more_words(command: str, more: str) -> None:
    problem = f"`{command}` takes no more words, so “{more}” is not answered: write `{command}` alone."
    assert parse_request(f"{command} {more}", TODAY) == Help(problem)


@pytest.mark.parametrize("command", WITH_ALERT)
def test_a_command_that_wants_more_words_says_which(command: str) -> None:
    example = NAMED[command].usage
    problem = f"`{command}` needs the number or the name of an alert, as in `{example}`."
    assert parse_request(command, TODAY) == Help(problem)
    assert parse_request(f" {command.upper()} ``", TODAY) == Help(problem)
    assert isinstance(parse_request(example, TODAY), Why | SnoozeAlert)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-11-22", "2026-11-22"),
        ("Today", "2026-11-22", "2026-11-22"),
        ("day", "2026-11-22", "2026-11-22"),
        ("yesterday", "2026-11-21", "2026-11-21"),
        ("last day", "2026-11-21", "2026-11-21"),
        ("week", "2026-11-16", "2026-11-22"),
        ("this week", "2026-11-16", "2026-11-22"),
        ("last week", "2026-11-09", "2026-11-15"),
        ("last   week", "2026-11-09", "2026-11-15"),
        ("month", "2026-11-01", "2026-11-22"),
        ("this month", "2026-11-01", "2026-11-22"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("7d", "2026-11-16", "2026-11-22"),
        ("7 d", "2026-11-16", "2026-11-22"),
        ("7 days", "2026-11-16", "2026-11-22"),
        ("last 7 days", "2026-11-16", "2026-11-22"),
        ("last 7d", "2026-11-16", "2026-11-22"),
        ("1d", "2026-11-22", "2026-11-22"),
        ("last 1 day", "2026-11-22", "2026-11-22"),
        ("last 30 days", "2026-10-24", "2026-11-22"),
        ("365d", "2025-11-23", "2026-11-22"),
        ("2026-03", "2026-03-01", "2026-03-31"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2026-11", "2026-11-01", "2026-11-22"),
        ("2025-12", "2025-12-01", "2025-12-31"),
        ("2026-03-05", "2026-03-05", "2026-03-05"),
        ("2024-02-29", "2024-02-29", "2024-02-29"),
        ("2026-11-22", "2026-11-22", "2026-11-22"),
        ("2026-03-01..2026-03-15", "2026-03-01", "2026-03-15"),
        ("2026-03-01 .. 2026-03-15", "2026-03-01", "2026-03-15"),
        ("2026-03-01 to 2026-03-15", "2026-03-01", "2026-03-15"),
        ("2026-03-05..2026-03-05", "2026-03-05", "2026-03-05"),
        ("2026-03..2026-04", "2026-03-01", "2026-04-30"),
        ("2026-11-01..2026-12-31", "2026-11-01", "2026-11-22"),
        ("2025-11-23..2026-11-22", "2025-11-23", "2026-11-22"),
        ("2024-01-01..2024-12-31", "2024-01-01", "2024-12-31"),
        ("2025-12-29..2026-01-04", "2025-12-29", "2026-01-04"),
        # as phones, keyboards of other languages, and clipboards have it
        ("today.", "2026-11-22", "2026-11-22"),
        ("today?!", "2026-11-22", "2026-11-22"),
        ("“today”", "2026-11-22", "2026-11-22"),
        ("\u2066today\u2069", "2026-11-22", "2026-11-22"),
        ("to\u00adday", "2026-11-22", "2026-11-22"),
        ("last\u00a0week", "2026-11-09", "2026-11-15"),
        ("*Last* _week_", "2026-11-09", "2026-11-15"),
        ("２０２６－１１－０５", "2026-11-05", "2026-11-05"),
        ("٢٠٢٦-١١-٠٥", "2026-11-05", "2026-11-05"),
        ("2026–11–05", "2026-11-05", "2026-11-05"),
        ("2026−11‑05", "2026-11-05", "2026-11-05"),
        ("2026-11-01…2026-11-15", "2026-11-01", "2026-11-15"),
        ("2026-11-01 … 2026-11-15", "2026-11-01", "2026-11-15"),
        ("2026-11-01–2026-11-15", "2026-11-01", "2026-11-15"),
        ("2026-10 — 2026-11", "2026-10-01", "2026-11-22"),
    ],
)
def test_a_period_is_its_days(text: str, first: str, last: str) -> None:
    assert parse_request(text, TODAY) == Summary(span(first, last))


@pytest.mark.parametrize(
    ("text", "today", "first", "last"),
    [
        pytest.param("week", "2026-11-23", "2026-11-23", "2026-11-23", id="the week on its Monday is one day"),
        pytest.param("week", "2026-11-22", "2026-11-16", "2026-11-22", id="the week on its Sunday is seven"),
        pytest.param("last week", "2026-11-23", "2026-11-16", "2026-11-22", id="last week on a Monday"),
        pytest.param("week", "2027-01-01", "2026-12-28", "2027-01-01", id="a week across the year's end"),
        pytest.param("month", "2026-03-01", "2026-03-01", "2026-03-01", id="the month on its first"),
        pytest.param("last month", "2026-03-31", "2026-02-01", "2026-02-28", id="last month from a 31st"),
        pytest.param("last month", "2024-03-31", "2024-02-01", "2024-02-29", id="last month in a leap year"),
        pytest.param("last month", "2027-01-01", "2026-12-01", "2026-12-31", id="last month over the year's end"),
        pytest.param("yesterday", "2027-01-01", "2026-12-31", "2026-12-31", id="yesterday over the year's end"),
        pytest.param("yesterday", "2024-03-01", "2024-02-29", "2024-02-29", id="yesterday was a leap day"),
        pytest.param("366d", "2024-12-31", "2024-01-01", "2024-12-31", id="366 days of a leap year"),
    ],
)
def test_a_period_depends_on_the_day_it_is_asked(text: str, today: str, first: str, last: str) -> None:
    assert parse_request(text, date.fromisoformat(today)) == Summary(span(first, last))


@pytest.mark.parametrize(
    ("text", "first", "last", "by"),
    [
        ("week by day", "2026-11-16", "2026-11-22", Period.DAY),
        ("last month by week", "2026-10-01", "2026-10-31", Period.WEEK),
        ("2026-01..2026-06 by month", "2026-01-01", "2026-06-30", Period.MONTH),
        ("last 30 days  by  week", "2026-10-24", "2026-11-22", Period.WEEK),
        ("by day", "2026-11-01", "2026-11-22", Period.DAY),
        ("today by month", "2026-11-22", "2026-11-22", Period.MONTH),
    ],
)
def test_a_period_may_be_divided(text: str, first: str, last: str, by: Period) -> None:
    assert parse_request(text, TODAY) == Summary(span(first, last), by)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-11-23", "2026-11-23 is still to come: today is 2026-11-22 (UTC)."),
        ("2027-01", "2027-01-01 is still to come: today is 2026-11-22 (UTC)."),
        ("2026-12-01..2026-12-31", "2026-12-01 is still to come: today is 2026-11-22 (UTC)."),
        ("2026-03-15..2026-03-01", "2026-03-01 lies before 2026-03-15: write the earlier day first."),
        ("2026-02-29", "There is no 2026-02-29 on the calendar."),
        ("2026-13", "There is no 2026-13 on the calendar."),
        ("2026-00", "There is no 2026-00 on the calendar."),
        ("0000-01-01", "There is no 0000-01-01 on the calendar."),
        ("2026-02-30..2026-03-01", "There is no 2026-02-30 on the calendar."),
        ("0d", "That is no day at all: ask for 1d or more."),
        ("367d", "Cartesia answers for at most a year at once: ask for 365d or less."),
        ("999999999d", "Cartesia answers for at most a year at once: ask for 365d or less."),
        ("366d", "2025-11-22 to 2026-11-22 is more than a year: ask for at most a year at once."),
        ("2025-01-01..2026-01-01", "2025-01-01 to 2026-01-01 is more than a year: ask for at most a year at once."),
        ("0001-01-01..2026-01-01", "0001-01-01 to 2026-01-01 is more than a year: ask for at most a year at once."),
        ("week by hour", "`by` takes day, week or month, not “hour”."),
        ("week by", "`by` takes day, week or month."),
        ("week by day by week", "I don't know “week by day”."),
        ("budgest", "I don't know “budgest”. Did you mean `budgets`?"),
        ("budget", "I don't know “budget”. Did you mean `budgets`?"),
        ("chekc", "I don't know “chekc”. Did you mean `check`?"),
        ("stats", "I don't know “stats”. Did you mean `status`?"),
        ("alert", "I don't know “alert”. Did you mean `alerts`?"),
        ("forcast", "I don't know “forcast”. Did you mean `forecast`?"),
        ("restatement", "I don't know “restatement”. Did you mean `restatements`?"),
        ("snoze", "I don't know “snoze”. Did you mean `snooze`?"),
        ("wy", "I don't know “wy”. Did you mean `why`?"),
        ("Snoze daily spend 1 hour", "I don't know “Snoze daily spend 1 hour”. Did you mean `snooze`?"),
        ("7²d", "I don't know “7²d”."),
        ("yesturday", "I don't know “yesturday”. Did you mean `yesterday`?"),
        ("yesturday by day", "I don't know “yesturday”. Did you mean `yesterday`?"),
        ("lastweek", "I don't know “lastweek”. Did you mean `last week`?"),
        ("mnth", "I don't know “mnth”. Did you mean `month`?"),
        ("2026-3-5", "I don't know “2026-3-5”."),
        ("2026-03-01..", "I don't know “2026-03-01..”."),
        ("..2026-03-01", "I don't know “..2026-03-01”."),
        ("١٢-٣", "I don't know “١٢-٣”."),
        ("What do we “spend”?", "I don't know “What do we “spend”?”."),
        ("<!channel>", "I don't know “<!channel>”."),
        ("z" * 500, f"I don't know “{'z' * 60}…”."),
    ],
)
def test_what_cannot_be_answered_gets_help_that_says_why(text: str, problem: str) -> None:
    assert parse_request(text, TODAY) == Help(problem)


@pytest.mark.parametrize("period", [*PERIODS, "last 7 days"])
def test_every_period_in_the_help_is_understood(period: str) -> None:
    assert isinstance(parse_request(period, TODAY), Summary)


@pytest.mark.parametrize("command", NAMED.values(), ids=list(NAMED))
def test_every_command_in_the_help_is_understood(command: AnyCommand) -> None:
    assert type(parse_request(command.usage, TODAY)) is command.request


ANY_DAY = st.dates(date(2000, 1, 1), date(2100, 1, 1))
WORDS = (
    "why snooze alert hour tomorrow next level until $75 "
    "today yesterday this last week month day days d by to .. - 7 30 "
    "366 0 2026 03 “today” 2026–03 … — forecast "
    "2026-03 2026-03-05 2024-02-29 9999-12 9999-12-31 0001-01-01 budgets help ` < & 999999999"
)
PIECES = st.lists(st.sampled_from(WORDS.split()), max_size=6)


@given(text=st.text(max_size=40) | PIECES.map(" ".join) | PIECES.map("".join), today=ANY_DAY)
def test_any_text_gives_a_request(text: str, today: date) -> None:
    request = parse_request(text, today)
    if isinstance(request, Summary):
        assert request.span.last <= today
        assert request.span.days <= 366


@given(pieces=PIECES, today=ANY_DAY)
def test_the_words_of_a_summary_mean_the_same_days_again(pieces: list[str], today: date) -> None:
    request = parse_request(" ".join(pieces), today)
    if isinstance(request, Summary):
        assert parse_request(request.words, today) == request
        assert parse_request(request.words, date(2100, 12, 31)) == request


@given(first=ANY_DAY, days=st.integers(1, 364), by=st.none() | st.sampled_from(Period))
def test_any_days_within_a_year_can_be_written(first: date, days: int, by: Period | None) -> None:
    last = date.fromordinal(first.toordinal() + days - 1)
    summary = Summary(span(str(first), str(last)), by)
    assert parse_request(summary.words, date(2101, 12, 31)) == summary
