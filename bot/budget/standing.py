"""A standing as a value, and what one is worked out from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.budget.forecast import Curve, Forecast
from bot.budget.measure import Value
from bot.budget.sums import Sums
from bot.model import Metric, Totals
from bot.rules.models import Expected, Level, Rule
from bot.windows import Window


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule in one window. `value` is in the metric's unit (cents, minutes, calls), None where it can't be told yet;
    `level` is the highest one reached; `closed` says that the window was over when usage was read; `usual` is what the
    value is compared with, where the rule compares; `forecast` is where the window is heading, where the rule asks.
    `expected` is the declared event that raises the threshold, and `undeclared` the level without it. `removed` says
    that the rule no longer exists."""

    rule: Rule
    window: Window
    totals: Totals
    value: Value | None
    level: Level | None
    closed: bool
    usual: Value | None = None
    forecast: Forecast | None = None
    expected: Expected | None = None
    undeclared: Level | None = None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is looked at: the sums of one reading, the curves of earlier days, and the declared events."""

    sums: Sums
    curves: Mapping[date, Curve] = field(default_factory=dict)
    expected_in: Callable[[str, Window], Expected | None] = lambda _name, _window: None


@dataclass(frozen=True, slots=True)
class Judged:
    """A window with what is the same in it for every rule, worked out once: when it `ends`, whether it was over when
    usage was read, its totals, and each metric's value in that metric's unit."""

    window: Window
    ends: datetime
    closed: bool
    totals: Totals
    values: Mapping[Metric, Value | None]
