"""A threshold: levels within one window, steps beyond the last of them, and a crossing that is foreseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from bot.budget.forecast import Forecast, forecast
from bot.budget.incident import LevelKey, Severity
from bot.budget.kinds.protocol import RuleKind
from bot.budget.measure import Value, comparable
from bot.budget.reason import Reason
from bot.budget.standing import Inputs, Judged, Standing
from bot.money import amount_of, percent, percent_of, set_amount
from bot.rules.models import HUNDRED_PERCENT, Level, ThresholdRule
from bot.windows import Window

_STEPS = 50  # back from the one told that count as told with it


@dataclass(frozen=True, slots=True)
class _Threshold:
    rule: type[ThresholdRule] = ThresholdRule
    no_figures: str = "too little to tell"
    figures_tell_usual: bool = False
    ends_early: str | None = None
    no_amount: str | None = None

    def standing(self, rule: ThresholdRule, judged: Judged, inputs: Inputs) -> Standing:
        """Against the threshold, which a declared event raises."""
        value = judged.values[rule.metric]
        if rule.at_least_calls and judged.totals.calls < rule.at_least_calls:
            value = None
        expected = inputs.expected_in(rule.name, judged.window)
        raised = replace(rule, threshold=expected.threshold) if expected else rule
        foreseen = rule.forecast and value is not None and not judged.closed
        return Standing(
            raised,
            judged.window,
            judged.totals,
            value,
            _reached(raised, value),
            judged.closed,
            forecast=self.outlook(raised, judged.window, inputs) if foreseen else None,
            expected=expected,
            undeclared=_reached(rule, value) if expected else None,
        )

    def reason(self, rule: ThresholdRule, level: Level) -> Reason:
        return Reason.STEP if level.amount > rule.levels[-1].amount else Reason.CROSSED

    def told_with(self, rule: ThresholdRule, key: LevelKey) -> Sequence[LevelKey]:
        """The steps below it, and the levels."""
        lower = [LevelKey.of(level) for level in reversed(rule.levels) if level.amount < key.amount]
        steps = (key.amount - back * rule.then_every for back in range(1, _STEPS)) if rule.then_every else ()
        return [*(LevelKey(Severity.OVER, step.normalize()) for step in steps if step > rule.levels[-1].amount), *lower]

    def severity(self, rule: ThresholdRule, amount: Decimal) -> Severity:
        return Severity.OVER if amount >= rule.threshold else Severity.NEAR

    def foreseen(self, rule: ThresholdRule, standing: Standing) -> LevelKey | None:
        is_over = standing.level is not None and standing.level.percent >= HUNDRED_PERCENT
        if is_over or standing.forecast is None or not standing.forecast.likely:
            return None
        return LevelKey(Severity.COMING, rule.threshold.normalize())

    def calls_people(self, rule: ThresholdRule, level: Level) -> bool:
        return level.percent >= rule.mention_from

    def has_course(self, rule: ThresholdRule) -> bool:
        return not rule.metric.is_ratio

    def outlook(self, rule: ThresholdRule, window: Window, inputs: Inputs) -> Forecast | None:
        return forecast(rule, window, inputs.sums, inputs.curves)

    def watched(self, rule: ThresholdRule) -> tuple[str, str]:
        metric = rule.metric.replace("_", " ")
        levels = (f"{level.percent.normalize():f}% = {set_amount(rule.metric, level.amount)}" for level in rule.levels)
        threshold = set_amount(rule.metric, rule.threshold)
        return f"{metric} per {rule.period}, threshold {threshold}", ", ".join(levels)

    def figures(self, rule: ThresholdRule, standing: Standing, value: Value) -> str:
        used = percent(percent_of(value, rule.threshold))
        return f"{amount_of(rule.metric, value, rule.threshold)} ({used})"

    def bound(self, rule: ThresholdRule, standing: Standing) -> tuple[str, Value]:
        return "Threshold", rule.threshold


THRESHOLD: Final[RuleKind[ThresholdRule]] = _Threshold()


def _reached(rule: ThresholdRule, value: Value | None) -> Level | None:
    """The highest level, or step beyond the last one, at or below the value: at the threshold counts as over."""
    if value is None:
        return None
    level = next((level for level in reversed(rule.levels) if value >= comparable(level.amount, value)), None)
    if level is None or rule.then_every is None or level is not rule.levels[-1]:
        return level
    steps = (Fraction(value) - Fraction(level.amount)) // Fraction(rule.then_every)
    amount = level.amount + steps * rule.then_every
    return Level(amount * 100 / rule.threshold, amount) if steps else level
