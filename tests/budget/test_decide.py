"""The table of what is said and why. Amounts are in dollars; what was said is written `$40 near` or `$50 over`."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget.decide import Decision, Reason, Told, decide
from bot.budget.evaluate import Standing, evaluate
from bot.budget.sums import Sums
from bot.model import Metric, Period, Totals
from bot.rules.models import Level, ThresholdRule
from bot.windows import window_of
from tests.samples.figures import LONG_AGO, NOON, SUNDAY, cents, reading, rule

TODAY = window_of(Period.DAY, SUNDAY)


def told(words: str) -> frozenset[Told]:
    """Keys from words such as "$40 near, $50 over"."""
    parts = [part.split() for part in words.split(",") if part.strip()]
    return frozenset(Told(kind == "over", Decimal(amount.strip("$")) * 100) for amount, kind in parts)


def decided(budget: ThresholdRule, said: frozenset[Told], spent: float) -> Decision:
    standings = evaluate([budget], Sums(cents(round(spent * 100))), {}, NOON)
    [decision] = decide(standings, {(budget.name, TODAY): said})
    return decision


TABLE = [
    # budget, levels, what was said, spent, the reason, what is noted as told
    (50, (100,), "", 0, "BELOW", "", "nothing is spent"),
    (50, (100,), "", 49.99, "BELOW", "", "a cent below"),
    (50, (100,), "", 50, "CROSSED", "$50 over", "at the threshold counts as over"),
    (50, (100,), "", 5000, "CROSSED", "$50 over", "far over is told like over"),
    (50, (100,), "$50 over", 50, "SAID", "", "told once"),
    (50, (100,), "$50 over", 5000, "SAID", "", "told once, however far over"),
    (50, (100,), "$50 over", 10, "BELOW", "", "a figure that falls below again says nothing here"),
    (50, (80, 100), "", 39.99, "BELOW", "", "a cent below the first level"),
    (50, (80, 100), "", 40, "CROSSED", "$40 near", "the first level"),
    (50, (80, 100), "$40 near", 49.99, "SAID", "", "between two levels"),
    (50, (80, 100), "$40 near", 50, "RAISED", "$50 over, $40 near", "the second level"),
    (50, (80, 100), "", 51, "CROSSED", "$50 over, $40 near", "two levels at once are one message, for the highest"),
    (50, (80, 100), "$50 over, $40 near", 45, "SAID", "", "a figure that falls back to the first level"),
    (50, (80, 100), "$50 over, $40 near", 51, "SAID", "", "and rises again"),
    (50, (50, 80, 100), "$25 near", 51, "RAISED", "$50 over, $40 near, $25 near", "a level is skipped"),
    (50, (100, 120), "$50 over", 60, "RAISED", "$60 over, $50 over", "a level above the threshold"),
    (50, (80,), "", 55, "CROSSED", "$40 near", "a rule that only warns"),
    (50, (33,), "", 16.49, "BELOW", "", "a level that is no whole dollar, a cent below"),
    (50, (33,), "", 16.5, "CROSSED", "$16.5 near", "a level that is no whole dollar"),
    (100, (80, 100), "$50 over, $40 near", 55, "BELOW", "", "the budget was raised, and is kept again"),
    (100, (80, 100), "$50 over, $40 near", 80, "CROSSED", "$80 near", "a raised budget warns anew"),
    (62.5, (80, 100), "$50 over", 51, "CROSSED", "$50 near", "it warns of the amount that broke the old one"),
    (100, (80, 100), "$50 over, $40 near", 100, "RAISED", "$100 over, $80 near", "a raised budget breaks anew"),
    (60, (100,), "$50 over", 60, "RAISED", "$60 over", "a budget raised by a little"),
    (40, (80, 100), "$40 near", 42, "RAISED", "$40 over, $32 near", "a budget lowered to what was only warned of"),
    (30, (80, 100), "$50 over, $40 near", 55, "CROSSED", "$30 over, $24 near", "a lowered budget is told once"),
    (30, (80, 100), "$50 over, $40 near, $30 over, $24 near", 56, "SAID", "", "a lowered budget is not told again"),
    (50, (80, 100), "$50 over, $40 near, $30 over, $24 near", 56, "SAID", "", "a budget lowered and put back"),
    (50, (100,), "$50.00 over", 50, "SAID", "", "an amount is the same however it is written"),
]


@pytest.mark.parametrize(
    ("budget", "levels", "said", "spent", "reason", "tells"),
    [pytest.param(*row[:-1], id=row[-1]) for row in TABLE],
)
def test_what_is_said(budget: float, levels: tuple[int, ...], said: str, spent: float, reason: str, tells: str) -> None:
    decision = decided(rule(threshold=round(budget * 100), alert_at=levels), told(said), spent)
    assert decision.reason == reason
    assert set(decision.tells) == told(tells)
    assert decision.reason.speaks == bool(tells)


def test_the_highest_level_is_noted_first() -> None:
    decision = decided(rule(alert_at=(50, 80, 100)), frozenset(), 60)
    assert [key.amount for key in decision.tells] == [5000, 4000, 2500]


def test_what_was_said_of_another_window_does_not_count() -> None:
    standings = evaluate([rule()], Sums(cents(5000)), {}, NOON)
    [decision] = decide(standings, {("Daily spend", TODAY.previous()): told("$50 over, $40 near")})
    assert decision.reason is Reason.CROSSED


def test_what_was_said_of_another_rule_does_not_count() -> None:
    standings = evaluate([rule()], Sums(cents(5000)), {}, NOON)
    [decision] = decide(standings, {("Another", TODAY): told("$50 over, $40 near")})
    assert decision.reason is Reason.CROSSED


def test_a_ratio_of_nothing_is_too_little_data() -> None:
    budget = rule(metric=Metric.MINUTES_PER_CALL, threshold=6)
    [decision] = decide(evaluate([budget], Sums(reading({})), {}, NOON), {})
    assert decision.reason is Reason.TOO_LITTLE_DATA
    assert decision.tells == ()


def test_each_standing_gets_one_decision_in_its_order() -> None:
    budgets = [rule(f"rule {place}", threshold=1000 + place) for place in range(20)]
    standings = evaluate(budgets, Sums(cents(1010)), {budget.name: LONG_AGO for budget in budgets}, NOON)
    assert [decision.standing for decision in decide(standings, {})] == standings


LEVELS = st.lists(st.integers(1, 300), min_size=1, max_size=4, unique=True).map(lambda found: tuple(sorted(found)))


@given(levels=LEVELS, threshold=st.integers(1, 10**6), figures=st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_over_any_course_of_figures_each_level_is_told_once_and_only_when_reached(
    levels: tuple[int, ...], threshold: int, figures: list[int]
) -> None:
    budget = rule(threshold=threshold, alert_at=levels)
    said: frozenset[Told] = frozenset()
    spoken: list[Told] = []
    for figure in figures:
        standing = Standing(budget, TODAY, Totals(figure), figure, reached_by_hand(budget, figure), closed=False)
        [decision] = decide([standing], {(budget.name, TODAY): said})
        if decision.reason.speaks:
            spoken.append(decision.tells[0])
            said |= frozenset(decision.tells)
    reached = [level for level in budget.levels if level.amount <= max(figures)]
    assert len(spoken) == len(set(spoken))
    assert said == {Told.of(level) for level in reached}
    assert spoken == sorted(spoken)


def reached_by_hand(budget: ThresholdRule, figure: int) -> Level | None:
    return max(
        (level for level in budget.levels if level.amount <= figure), key=lambda level: level.amount, default=None
    )
