"""Each rule's value and level in each window that is judged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget.decide import decide
from bot.budget.evaluate import Standing, evaluate, windows_judged
from bot.budget.measure import measure
from bot.budget.sums import Sums
from bot.model import Metric, Period, Reading, Span, Totals
from bot.rules.models import ThresholdRule
from bot.windows import LATE_DAYS, Window, midnight, utc_day, window_of
from tests.samples.figures import LONG_AGO, MOMENTS, NOON, SUNDAY, cents, days_before, inputs, reading, rule, span

DAILY, WEEKLY, MONTHLY = (rule(f"{period}", period=period) for period in Period)
ALWAYS = {f"{period}": LONG_AGO for period in Period}


def standings(
    now: datetime, budget: ThresholdRule, days: Mapping[date, Totals] | None = None, since: datetime = LONG_AGO
) -> list[Standing]:
    return evaluate([budget], inputs(reading(days or {}, now)), {budget.name: since}, now)


def judged(now: str, budget: ThresholdRule, since: str = "2020-01-01T00:00") -> list[str]:
    """The windows that are judged, by their first day; `+` marks those that are open."""
    found = standings(_moment(now), budget, since=_moment(since))
    return [f"{each.window.start}{'' if each.closed else '+'}" for each in found]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Windows


@pytest.mark.parametrize(
    ("now", "budget", "windows"),
    [
        pytest.param(
            "2026-11-22T12:00",
            DAILY,
            ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22+"],
            id="today, and three days that may still change",
        ),
        pytest.param(
            "2026-11-22T00:00",
            DAILY,
            ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22+"],
            id="at midnight the new day is open",
        ),
        pytest.param(
            "2026-11-21T23:59:59",
            DAILY,
            ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21+"],
            id="a second before midnight it is not there yet",
        ),
        pytest.param(
            "2024-03-01T06:00",
            DAILY,
            ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01+"],
            id="days around a leap day",
        ),
        pytest.param(
            "2027-01-01T06:00",
            DAILY,
            ["2026-12-29", "2026-12-30", "2026-12-31", "2027-01-01+"],
            id="days over the year's end",
        ),
        pytest.param("2026-11-22T12:00", WEEKLY, ["2026-11-16+"], id="on Sunday the week is open"),
        pytest.param("2026-11-23T00:00", WEEKLY, ["2026-11-16", "2026-11-23+"], id="on Monday the week has closed"),
        pytest.param("2026-11-25T23:59", WEEKLY, ["2026-11-16", "2026-11-23+"], id="until Wednesday it may change"),
        pytest.param("2026-11-26T00:00", WEEKLY, ["2026-11-23+"], id="on Thursday it is settled"),
        pytest.param("2027-01-01T12:00", WEEKLY, ["2026-12-28+"], id="a week over the year's end"),
        pytest.param("2026-11-22T12:00", MONTHLY, ["2026-11-01+"], id="within the month"),
        pytest.param(
            "2026-12-01T00:00", MONTHLY, ["2026-11-01", "2026-12-01+"], id="on the first the month has closed"
        ),
        pytest.param("2026-12-03T23:59", MONTHLY, ["2026-11-01", "2026-12-01+"], id="until the third it may change"),
        pytest.param("2026-12-04T00:00", MONTHLY, ["2026-12-01+"], id="on the fourth it is settled"),
        pytest.param("2024-03-01T00:00", MONTHLY, ["2024-02-01", "2024-03-01+"], id="after a leap February"),
        pytest.param("2027-01-02T00:00", MONTHLY, ["2026-12-01", "2027-01-01+"], id="over the year's end"),
    ],
)
def test_the_open_window_is_judged_and_those_that_closed_within_three_days(
    now: str, budget: ThresholdRule, windows: list[str]
) -> None:
    assert judged(now, budget) == windows


@pytest.mark.parametrize(
    ("budget", "since", "windows"),
    [
        pytest.param(DAILY, "2026-11-23T12:00", ["2026-11-23+"], id="a rule of this moment judges today"),
        pytest.param(DAILY, "2026-11-23T00:00", ["2026-11-23+"], id="a rule of midnight does not judge yesterday"),
        pytest.param(
            DAILY, "2026-11-22T23:59:59", ["2026-11-22", "2026-11-23+"], id="a rule of late yesterday judges yesterday"
        ),
        pytest.param(WEEKLY, "2026-11-23T08:00", ["2026-11-23+"], id="a rule of Monday does not judge last week"),
        pytest.param(WEEKLY, "2026-11-22T08:00", ["2026-11-16", "2026-11-23+"], id="a rule of Sunday does"),
        pytest.param(MONTHLY, "2026-11-23T12:00", ["2026-11-01+"], id="a rule of today judges the whole open month"),
    ],
)
def test_what_had_closed_before_a_rule_watched_is_history(
    budget: ThresholdRule, since: str, windows: list[str]
) -> None:
    assert judged("2026-11-23T12:00", budget, since) == windows


def test_a_rule_that_is_not_known_yet_judges_the_open_windows() -> None:
    found = evaluate([DAILY, WEEKLY, MONTHLY], inputs(reading({})), {}, NOON)
    assert [standing.window for standing in found] == [window_of(period, SUNDAY) for period in Period]


def test_a_new_day_without_a_bucket_has_no_standing() -> None:
    only_yesterday = Reading(days_before(SUNDAY, 70), {SUNDAY - timedelta(days=1): Totals(9999)}, NOON)
    found = evaluate([DAILY], inputs(only_yesterday), ALWAYS, NOON)
    assert [standing.window.start for standing in found] == [date(2026, 11, 21)]


def test_a_reading_that_begins_within_a_window_says_nothing_of_it() -> None:
    short = reading({}, over=span("2026-11-05", "2026-11-22"))
    found = evaluate([MONTHLY, WEEKLY], inputs(short), ALWAYS, NOON)
    assert [standing.rule for standing in found] == [WEEKLY]


def test_a_reading_of_before_midnight_closes_nothing_however_late_it_is() -> None:
    late = reading({SUNDAY: Totals(6000)}, NOON)
    found = evaluate([DAILY], inputs(late), ALWAYS, midnight(date(2026, 11, 23)))
    assert [(each.window.start, each.closed) for each in found][-1] == (SUNDAY, False)


# Values

USED = Totals(4210, Decimal("61.5"), 12)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (Metric.COST, 4210),
        (Metric.MINUTES, Decimal("61.5")),
        (Metric.CALLS, 12),
        (Metric.COST_PER_CALL, Fraction(4210, 12)),
        (Metric.COST_PER_MINUTE, Fraction(4210 * 2, 123)),
        (Metric.MINUTES_PER_CALL, Fraction(123, 24)),
    ],
)
def test_a_value_is_exact(metric: Metric, value: Fraction | Decimal | int) -> None:
    assert measure(metric, USED) == value


@pytest.mark.parametrize(
    ("metric", "totals"),
    [
        pytest.param(Metric.COST_PER_CALL, Totals(12, Decimal(2), 0), id="minutes of a call that began yesterday"),
        pytest.param(Metric.MINUTES_PER_CALL, Totals(12, Decimal(2), 0), id="minutes without a call"),
        pytest.param(Metric.COST_PER_MINUTE, Totals(12, Decimal(0), 3), id="calls that took no time"),
        pytest.param(Metric.COST_PER_CALL, Totals(), id="nothing at all"),
        pytest.param(Metric.COST_PER_CALL, Totals(-100, Decimal(2), -2), id="more calls taken back than there were"),
        pytest.param(Metric.COST_PER_MINUTE, Totals(100, Decimal(-2), 3), id="more minutes taken back"),
    ],
)
def test_a_ratio_of_nothing_has_no_value(metric: Metric, totals: Totals) -> None:
    assert measure(metric, totals) is None
    [found] = standings(NOON, rule(metric=metric, threshold=1), {SUNDAY: totals}, since=NOON)
    assert (found.value, found.level) == (None, None)


@pytest.mark.parametrize(
    ("calls", "tells"),
    [pytest.param(49, False, id="one call too few"), pytest.param(50, True, id="enough calls")],
)
def test_a_ratio_waits_for_enough_calls(calls: int, tells: bool) -> None:
    budget = rule(metric=Metric.MINUTES_PER_CALL, threshold=6, at_least_calls=50)
    [found] = standings(NOON, budget, {SUNDAY: Totals(0, Decimal(600), calls)}, since=NOON)
    assert (found.value is not None, found.level is not None) == (tells, tells)


@pytest.mark.parametrize(
    ("budget", "totals", "percent"),
    [
        pytest.param(rule(), Totals(3999), None, id="a cent below the first level"),
        pytest.param(rule(), Totals(4000), 80, id="at the first level"),
        pytest.param(rule(), Totals(4999), 80, id="a cent below the threshold"),
        pytest.param(rule(), Totals(5000), 100, id="at the threshold"),
        pytest.param(
            rule(metric=Metric.MINUTES, threshold=100), Totals(0, Decimal("99.999"), 1), 80, id="minutes just below"
        ),
        pytest.param(rule(metric=Metric.MINUTES, threshold=100), Totals(0, Decimal(100), 1), 100, id="minutes at it"),
        pytest.param(
            rule(metric=Metric.CALLS, threshold=3, alert_at=(100,)), Totals(0, Decimal(0), 3), 100, id="calls"
        ),
        pytest.param(
            rule(metric=Metric.COST_PER_CALL, threshold=3, alert_at=(100,)),
            Totals(2999, Decimal(0), 1000),
            None,
            id="a ratio a thousandth below",
        ),
        pytest.param(
            rule(metric=Metric.COST_PER_CALL, threshold=3, alert_at=(100,)),
            Totals(3000, Decimal(0), 1000),
            100,
            id="a ratio at it",
        ),
        pytest.param(rule(), Totals(-500), None, id="a credit"),
    ],
)
def test_the_level_is_the_highest_that_is_reached(budget: ThresholdRule, totals: Totals, percent: int | None) -> None:
    [found] = standings(NOON, budget, {SUNDAY: totals}, since=NOON)
    assert (found.level.percent if found.level else None) == percent


# Against a plain reference

AMOUNTS = st.lists(st.none() | st.integers(0, 10_000), min_size=80, max_size=80)
BUDGETS = st.builds(
    lambda period, metric, threshold, levels: rule(
        "any", threshold, tuple(sorted(levels)), period=period, metric=metric
    ),
    st.sampled_from(Period),
    st.sampled_from(Metric),
    st.integers(1, 200_000),
    st.sets(st.integers(1, 300), min_size=1, max_size=4),
)


def plain_reference(budget: ThresholdRule, read: Reading, since: datetime, now: datetime) -> dict[date, object]:
    """Day by day, without any of the code's short cuts: each judged window's first day, its value and level."""
    found: dict[date, object] = {}
    for back in range(LATE_DAYS, -1, -1):
        window = window_of(budget.period, utc_day(now) - timedelta(days=back))
        days = [read.days[day] for day in window.span.each_day() if day in read.days]
        if not days or midnight(window.end) <= since:
            continue
        spent = sum(day.cents for day in days)
        minutes = sum((Fraction(day.minutes) for day in days), Fraction())
        calls = sum(day.calls for day in days)
        ratios: dict[Metric, tuple[int | Fraction, int | Fraction]] = {
            Metric.COST: (spent, 1),
            Metric.MINUTES: (minutes, 1),
            Metric.CALLS: (calls, 1),
            Metric.COST_PER_CALL: (spent, calls),
            Metric.COST_PER_MINUTE: (spent, minutes),
            Metric.MINUTES_PER_CALL: (minutes, calls),
        }
        above, below = ratios[budget.metric]
        value = Fraction(above) / below if below else None
        percents = [level.percent for level in budget.levels if value is not None and value >= Fraction(level.amount)]
        found[window.start] = (value, max(percents, default=None))
    return found


@given(budget=BUDGETS, amounts=AMOUNTS, now=MOMENTS, ago=st.timedeltas(timedelta(0), timedelta(days=40)))
def test_any_rule_in_any_window_stands_where_plain_arithmetic_puts_it(
    budget: ThresholdRule, amounts: list[int | None], now: datetime, ago: timedelta
) -> None:
    over = days_before(now.date(), len(amounts))
    days = {
        day: Totals(amount, Decimal(amount) / 7 // Decimal("0.001") / 1000, amount % 13)
        for day, amount in zip(over.each_day(), amounts, strict=True)
        if amount is not None
    }
    read = Reading(over, days, now)
    found = evaluate([budget], inputs(read), {"any": now - ago}, now)
    assert {
        each.window.start: (
            None if each.value is None else Fraction(each.value),
            each.level.percent if each.level else None,
        )
        for each in found
    } == plain_reference(budget, read, now - ago, now)


@given(amounts=AMOUNTS, data=st.data())
def test_any_sum_is_the_sum_of_its_days(amounts: list[int | None], data: st.DataObject) -> None:
    over = days_before(SUNDAY, len(amounts))
    days = {day: Totals(amount) for day, amount in zip(over.each_day(), amounts, strict=True) if amount is not None}
    first = data.draw(st.integers(0, len(amounts) - 1))
    last = data.draw(st.integers(first, len(amounts) + 5))
    some = Span(over.start + timedelta(days=first), over.start + timedelta(days=last + 1))
    present = [days[day].cents for day in some.each_day() if day in days]
    total = Sums(Reading(over, days, NOON)).total(some)
    assert (total and total.cents) == (sum(present) if present else None)


def test_days_before_the_reading_have_no_sum() -> None:
    sums = Sums(cents(100))
    assert sums.total(span("2026-09-01", "2026-11-22")) is None
    assert sums.total(span("2026-11-23", "2026-11-30")) is None


def test_every_standing_is_of_a_window_that_may_be_judged() -> None:
    may = set(windows_judged(NOON))
    assert {each.window for each in evaluate([DAILY, WEEKLY, MONTHLY], inputs(reading({})), ALWAYS, NOON)} == may
    assert Window(date(2026, 11, 1), Period.MONTH) in may


def test_a_thousand_rules_over_a_year_are_judged_in_a_blink() -> None:
    """The aim is 20 ms on a quiet machine; the guard allows for a busy one."""
    year = reading({SUNDAY: USED}, over=days_before(SUNDAY, 366))
    budgets = [
        rule(f"rule {place}", 1 + place, period=list(Period)[place % 3], metric=list(Metric)[place % 6])
        for place in range(1000)
    ]
    since = {budget.name: LONG_AGO for budget in budgets}
    fastest = 1.0
    for _ in range(5):
        begun = time.thread_time()
        decide(evaluate(budgets, inputs(year), since, NOON), {}, NOON)
        fastest = min(fastest, time.thread_time() - begun)
    print(f"1,000 rules over 366 days: {fastest * 1000:.1f} ms")
    assert fastest < 0.1
