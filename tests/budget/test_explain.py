"""The facts of a decision."""

from __future__ import annotations

from decimal import Decimal

from bot.budget.decide import decide
from bot.budget.evaluate import evaluate
from bot.budget.explain import RECENT, Facts, explain
from bot.model import Reading, Totals
from tests.samples.figures import NOON, SUNDAY, days_before, inputs, reading, rule

USUAL = Totals(2500, Decimal(440), 116)


def facts(today: Totals, days: int = 70) -> Facts:
    """Of the day's standing at noon, where every day before was usual."""
    over = days_before(SUNDAY, days)
    read: Reading = reading({**dict.fromkeys(over.each_day(), USUAL), SUNDAY: today}, over=over)
    return explain(decide(evaluate([rule()], inputs(read), {}, NOON), {}, NOON)[-1], read, {})


def test_the_recent_windows_end_with_the_one_decided_on() -> None:
    found = facts(Totals(5320, Decimal(887), 212)).recent
    assert len(found) == RECENT
    assert [value for _, value in found] == [2500] * (RECENT - 1) + [5320]


def test_the_recent_windows_begin_no_earlier_than_the_reading() -> None:
    assert len(facts(Totals(5320, Decimal(887), 212), days=3).recent) == 3


def test_an_open_day_below_the_usual_is_not_compared_and_has_no_cause() -> None:
    below = facts(Totals(1000, Decimal(170), 40))
    assert below.usual is None
    assert below.cause is None


def test_a_day_above_the_usual_is_compared_and_its_cause_sums_to_the_change() -> None:
    above = facts(Totals(5320, Decimal(887), 212))
    assert above.usual == 2500
    assert above.cause is not None
    assert above.cause.change == 5320 - 2500 == above.cause.calls + above.cause.length + above.cause.price
