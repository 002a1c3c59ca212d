"""Above the usual: a day that stands far above recent same weekdays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from bot.budget.forecast import Forecast
from bot.budget.incident import LevelKey, Severity
from bot.budget.kinds.protocol import RuleKind
from bot.budget.measure import Value
from bot.budget.reason import Reason
from bot.budget.standing import Inputs, Judged, Standing
from bot.budget.usual import tenths_of, times_usual, usual
from bot.money import amount, compared
from bot.rules.models import HUNDRED_PERCENT, AboveUsualRule, Level
from bot.windows import Window


@dataclass(frozen=True, slots=True)
class _AboveUsual:
    rule: type[AboveUsualRule] = AboveUsualRule
    no_figures: str = "too little history to tell"
    figures_tell_usual: bool = True
    ends_early: str | None = None
    no_amount: str | None = None

    def standing(self, rule: AboveUsualRule, judged: Judged, inputs: Inputs) -> Standing:
        """Unusual from so many times the usual up, and not worth a word below `at_least`."""
        value, level = judged.values[rule.metric], None
        expected = usual(rule.metric, judged.window.start, inputs.sums)
        if expected is None or (expected <= 0 and rule.at_least is None):
            value = None
        elif value is not None and value >= _unusual_from(rule, expected):
            level = Level(HUNDRED_PERCENT, rule.above_usual)
        return Standing(rule, judged.window, judged.totals, value, level, judged.closed, expected)

    def reason(self, rule: AboveUsualRule, level: Level) -> Reason:
        return Reason.UNUSUAL

    def told_with(self, rule: AboveUsualRule, key: LevelKey) -> Sequence[LevelKey]:
        return ()

    def severity(self, rule: AboveUsualRule, amount: Decimal) -> Severity:
        return Severity.OVER

    def foreseen(self, rule: AboveUsualRule, standing: Standing) -> LevelKey | None:
        return None

    def calls_people(self, rule: AboveUsualRule, level: Level) -> bool:
        return True

    def has_course(self, rule: AboveUsualRule) -> bool:
        return False

    def outlook(self, rule: AboveUsualRule, window: Window, inputs: Inputs) -> Forecast | None:
        return None

    def watched(self, rule: AboveUsualRule) -> tuple[str, str]:
        metric = rule.metric.replace("_", " ")
        return f"{metric} per day, {rule.above_usual}× the usual", "-"

    def figures(self, rule: AboveUsualRule, standing: Standing, value: Value) -> str:
        """ "$53.20, 2.1× a usual Sunday ($25.10)"."""
        expected, day = standing.usual, standing.window.start
        if expected is None or expected <= 0:
            return f"{amount(rule.metric, value)}, where a usual {day:%A} has none"
        shown, beside = compared(rule.metric, value, expected, tenths_of)
        return f"{shown}, {times_usual(value, expected, day)} ({beside})"

    def bound(self, rule: AboveUsualRule, standing: Standing) -> tuple[str, Value]:
        return "Unusual", _unusual_from(rule, standing.usual or 0)


ABOVE_USUAL: Final[RuleKind[AboveUsualRule]] = _AboveUsual()


def _unusual_from(rule: AboveUsualRule, expected: Value) -> Fraction:
    """The value from which a day is unusual, in the metric's unit."""
    return max(Fraction(expected) * Fraction(rule.above_usual), Fraction(rule.at_least or 0))
