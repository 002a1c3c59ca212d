"""Answers from a reading: sums, parts, and what is said where a figure is missing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.answer import Source, budgets, overview, summarize
from bot.commands.request import Summary
from bot.model import Period, Reading, Span, Totals
from bot.rules.models import Rules
from tests.samples.figures import NOON, SUNDAY, cents, days_before, reading, rule, span

SOURCE = Source(NOON, NOON)
SPENT = reading({SUNDAY: Totals(300, Decimal(3), 3), SUNDAY - timedelta(days=1): Totals(200, Decimal(2), 2)})


def test_a_summary_is_the_sum_of_its_days() -> None:
    answer = summarize(Summary(span("2026-11-21", "2026-11-22")), SPENT, SOURCE)
    assert answer.totals == Totals(500, Decimal(5), 5)
    assert answer.rows == ()
    assert answer.missing == ()


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        (
            Period.DAY,
            [span("2026-10-31", "2026-10-31"), span("2026-11-01", "2026-11-01"), span("2026-11-02", "2026-11-02")],
        ),
        (Period.WEEK, [span("2026-10-31", "2026-11-01"), span("2026-11-02", "2026-11-02")]),
        (Period.MONTH, [span("2026-10-31", "2026-10-31"), span("2026-11-01", "2026-11-02")]),
    ],
)
def test_its_parts_are_cut_to_the_days_asked_for(by: Period, parts: list[Span]) -> None:
    answer = summarize(Summary(span("2026-10-31", "2026-11-02"), by), SPENT, SOURCE)
    assert [row.span for row in answer.rows] == parts


@given(
    amounts=st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=60),
    by=st.sampled_from(Period),
)
def test_the_parts_sum_to_the_whole_and_missing_days_are_named(amounts: list[int | None], by: Period) -> None:
    over = days_before(SUNDAY, len(amounts))
    days = {day: Totals(amount) for day, amount in zip(over.each_day(), amounts, strict=True) if amount is not None}
    answer = summarize(Summary(over, by), Reading(over, days, NOON), SOURCE)
    assert sum((row.totals for row in answer.rows), Totals()) == answer.totals
    assert answer.totals.cents == sum(amount or 0 for amount in amounts)
    assert set(answer.missing) == set(over.each_day()) - set(days)
    assert answer.rows[0].span.start == over.start
    assert answer.rows[-1].span.end == over.end


def test_budgets_are_those_of_the_open_windows() -> None:
    rules = Rules(rules=(rule("Daily"), rule("Weekly", period=Period.WEEK), rule("Monthly", period=Period.MONTH)))
    answer = budgets(rules, SPENT, SOURCE)
    assert [(standing.rule.name, standing.window.start, standing.value) for standing in answer.standings] == [
        ("Daily", date(2026, 11, 22), 300),
        ("Weekly", date(2026, 11, 16), 500),
        ("Monthly", date(2026, 11, 1), 500),
    ]
    assert answer.unread == ()


def test_a_budget_without_a_figure_is_named_and_not_left_out() -> None:
    daily, monthly = rule("Daily"), rule("Monthly", period=Period.MONTH)
    yesterday_only = reading({SUNDAY - timedelta(days=1): Totals(200)}, zeros=False)
    answer = budgets(Rules(rules=(daily, monthly)), yesterday_only, SOURCE)
    assert [standing.rule for standing in answer.standings] == [monthly]
    assert answer.unread == (daily,)


def test_the_overview_has_today_the_month_to_date_and_14_days() -> None:
    answer = overview(Rules(rules=(rule(),)), cents(4200), SOURCE)
    assert answer.today.cents == 4200
    assert answer.month.request.span == span("2026-11-01", "2026-11-22")
    assert answer.month.totals.cents == 4200
    assert [row.span.start for row in answer.recent] == days_before(SUNDAY, 14).each_day()
    assert [standing.value for standing in answer.budgets.standings] == [4200]
