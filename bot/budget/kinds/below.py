"""Below a minimum: a day that has seen too little by a time of day."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from bot.budget.forecast import Forecast
from bot.budget.incident import LevelKey, Severity
from bot.budget.kinds.protocol import RuleKind
from bot.budget.measure import Value, comparable
from bot.budget.reason import Reason
from bot.budget.standing import Inputs, Judged, Standing
from bot.money import compared, set_amount
from bot.rules.models import HUNDRED_PERCENT, BelowRule, Level
from bot.windows import Window


@dataclass(frozen=True, slots=True)
class _Below:
    rule: type[BelowRule] = BelowRule
    no_figures: str = "too little to tell"
    figures_tell_usual: bool = False
    ends_early: str | None = "the silence has ended"
    no_amount: str | None = "A silence ends with the first usage: snooze it for 1 hour or until tomorrow."

    def standing(self, rule: BelowRule, judged: Judged, inputs: Inputs) -> Standing:
        """Too little, judged by a reading made at the time in `by` or later."""
        value = judged.values[rule.metric]
        due = datetime.combine(judged.window.start, rule.by, tzinfo=UTC)
        is_due = inputs.sums.reading.read_at >= due
        too_little = is_due and value is not None and value < comparable(rule.below, value)
        level = Level(HUNDRED_PERCENT, rule.below) if too_little else None
        return Standing(rule, judged.window, judged.totals, value, level, judged.closed)

    def reason(self, rule: BelowRule, level: Level) -> Reason:
        return Reason.CROSSED

    def told_with(self, rule: BelowRule, key: LevelKey) -> Sequence[LevelKey]:
        return ()

    def severity(self, rule: BelowRule, amount: Decimal) -> Severity:
        return Severity.OVER

    def foreseen(self, rule: BelowRule, standing: Standing) -> LevelKey | None:
        return None

    def calls_people(self, rule: BelowRule, level: Level) -> bool:
        return True

    def has_course(self, rule: BelowRule) -> bool:
        return False

    def outlook(self, rule: BelowRule, window: Window, inputs: Inputs) -> Forecast | None:
        return None

    def watched(self, rule: BelowRule) -> tuple[str, str]:
        metric = rule.metric.replace("_", " ")
        return f"{metric} below {set_amount(rule.metric, rule.below)} by {rule.by:%H:%M} UTC", "-"

    def figures(self, rule: BelowRule, standing: Standing, value: Value) -> str:
        shown, below = compared(rule.metric, value, rule.below, operator.lt)
        return f"{shown}, at least {below} expected by {rule.by:%H:%M} UTC"

    def bound(self, rule: BelowRule, standing: Standing) -> tuple[str, Value]:
        return "Expected", rule.below


BELOW: Final[RuleKind[BelowRule]] = _Below()
