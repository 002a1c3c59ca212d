"""What rules would have said over past readings."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.budget.backtest import backtest, checks
from bot.model import Totals
from bot.rules.models import Rules
from bot.rules.parse import parse
from bot.windows import midnight
from tests.samples.figures import SUNDAY, rule

HOUR = timedelta(hours=1)


def test_a_day_that_filled_up_is_told_at_the_reading_that_showed_it() -> None:
    begin = midnight(SUNDAY)
    rows = {SUNDAY: [(begin + hour * HOUR, Totals(hour * 500)) for hour in range(1, 13)]}
    said = backtest(Rules(rules=(rule(),)), rows, begin, begin + timedelta(days=1))
    assert [(each.at, each.decision.reason.value) for each in said] == [
        (begin + 8 * HOUR, "CROSSED"),
        (begin + 10 * HOUR, "RAISED"),
        (begin + 24 * HOUR, "CLOSED"),
    ]


def test_what_time_alone_brings_is_said_though_no_figure_changes() -> None:
    begin = midnight(SUNDAY)
    rows = {
        SUNDAY - timedelta(days=1): [(begin - HOUR, Totals(4000, Decimal(400), 40))],
        SUNDAY: [(begin + HOUR, Totals(6000, Decimal(600), 60))],
        SUNDAY + timedelta(days=1): [(begin + 25 * HOUR, Totals())],
    }
    watched = parse(
        """
        channel: "#voice-spend"
        rules:
          - {name: Spend, threshold: $50, remind_every: 12h}
          - {name: Silent, metric: calls, below: 1, by: "12:00"}
        """
    )
    said = backtest(watched, rows, begin, begin + 48 * HOUR)
    told = [(each.at - begin, each.decision.standing.rule.name, each.decision.reason.value) for each in said]
    assert told == [
        (1 * HOUR, "Spend", "CROSSED"),
        (13 * HOUR, "Spend", "REMINDER"),
        (24 * HOUR, "Spend", "CLOSED"),
        (36 * HOUR, "Silent", "CROSSED"),
        (48 * HOUR, "Silent", "CLOSED"),
    ]


@pytest.mark.parametrize(
    ("late", "minutes"),
    [
        pytest.param(timedelta(), [0, 15, 30, 45, 60], id="on time"),
        pytest.param(timedelta(seconds=20), [0, 15, 30, 45, 60], id="a little late"),
        pytest.param(timedelta(minutes=40), [0, 15, 30, 40], id="in its own time"),
    ],
)
def test_a_change_is_one_check_and_gaps_are_filled(late: timedelta, minutes: list[int]) -> None:
    begin = midnight(SUNDAY)
    times = [begin] + ([begin + timedelta(hours=1) + late] if late < HOUR / 2 else [begin + late])
    found = list(checks(times, begin, times[-1], timedelta(minutes=15)))
    assert [round((each - begin) / timedelta(minutes=1)) for each in found] == minutes


def test_days_that_were_first_read_long_after_count_as_read_at_their_end() -> None:
    days = [SUNDAY - timedelta(days=back) for back in range(5)]
    rows = {day: [(midnight(SUNDAY) + 30 * HOUR, Totals(6000 if day.day % 2 else 10))] for day in days}
    said = backtest(Rules(rules=(rule(),)), rows, midnight(days[-1]), midnight(SUNDAY) + 2 * timedelta(days=1))
    assert [each.decision.standing.window.start for each in said] == [day for day in reversed(days) if day.day % 2]
    assert all(each.at == midnight(each.decision.standing.window.end) for each in said)


def test_a_forecast_is_made_from_the_curves_before_that_moment_alone() -> None:
    days = [SUNDAY - timedelta(weeks=back) for back in range(6)]
    rows = {
        day: [(midnight(day) + hour * HOUR, Totals(hour * 300, Decimal(hour), hour)) for hour in range(1, 24)]
        for day in days
    }
    budget = rule(threshold=5000, alert_at=(100,), forecast=True)
    said = backtest(Rules(rules=(budget,)), rows, midnight(days[-1]), midnight(SUNDAY) + 24 * HOUR)
    reasons = [(each.decision.reason.value, each.decision.standing.window.start) for each in said]
    assert ("FORECAST", SUNDAY) in reasons
    assert ("FORECAST", days[-1]) not in reasons


def test_nothing_read_says_nothing() -> None:
    assert backtest(Rules(rules=(rule(),)), {}, midnight(SUNDAY), midnight(SUNDAY) + HOUR) == []


def test_a_day_older_than_a_check_reads_says_nothing_when_it_is_restated() -> None:
    old = SUNDAY - timedelta(days=200)
    rows = {old: [(midnight(old) + HOUR, Totals(10)), (midnight(SUNDAY) + HOUR, Totals(6000))]}
    assert backtest(Rules(rules=(rule(),)), rows, midnight(SUNDAY), midnight(SUNDAY) + 2 * HOUR) == []
