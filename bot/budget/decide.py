"""Decisions: what to say about each standing, each with one named reason, also when nothing is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.budget.evaluate import Standing
from bot.rules.models import HUNDRED_PERCENT, Level, Rule, ThresholdRule, UnusualRule
from bot.windows import Window


class Reason(StrEnum):
    """Why something is said, or nothing."""

    CROSSED = "CROSSED"
    RAISED = "RAISED"
    STEP = "STEP"
    UNUSUAL = "UNUSUAL"
    BELOW = "BELOW"
    SAID = "SAID"
    TOO_LITTLE_DATA = "TOO_LITTLE_DATA"

    @property
    def speaks(self) -> bool:
        return self in (Reason.CROSSED, Reason.RAISED, Reason.STEP, Reason.UNUSUAL)


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """The key under which a level is told once: its amount (in the metric's unit), and whether as a breach.

    The amount and not the percent, so that a raised threshold re-arms and a restart does not. A breach and a warning
    of the same amount differ: somebody warned at $40 (80% of $50) must hear that a budget lowered to $40 is broken.
    """

    breach: bool
    amount: Decimal

    @classmethod
    def of(cls, level: Level) -> Told:
        return cls(level.percent >= HUNDRED_PERCENT, level.amount.normalize())


_STEPS = 50  # back from the one told that count as told with it

Said = Mapping[tuple[str, Window], frozenset[Told]]
"""What has been told, by rule name and window."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to say about a standing, and why. `tells` are the keys to note as told, the highest first."""

    standing: Standing
    reason: Reason
    tells: tuple[Told, ...] = ()


def decide(standings: Iterable[Standing], said: Said) -> list[Decision]:
    """One decision for each standing."""
    return [_decide(standing, said.get((standing.rule.name, standing.window), frozenset())) for standing in standings]


def _decide(standing: Standing, told: frozenset[Told]) -> Decision:
    if standing.value is None:
        return Decision(standing, Reason.TOO_LITTLE_DATA)
    if standing.level is None:
        return Decision(standing, Reason.BELOW)
    key = Told.of(standing.level)
    if key in told:
        return Decision(standing, Reason.SAID)
    return Decision(standing, _reason(standing.rule, standing.level, key, told), (key, *_below(standing.rule, key)))


def _reason(rule: Rule, level: Level, key: Told, told: frozenset[Told]) -> Reason:
    if isinstance(rule, UnusualRule):
        return Reason.UNUSUAL
    if isinstance(rule, ThresholdRule) and level.amount > rule.levels[-1].amount:
        return Reason.STEP
    return Reason.RAISED if told and key > max(told) else Reason.CROSSED


def _below(rule: Rule, key: Told) -> list[Told]:
    """The levels and steps that count as told with a higher one, so that a figure that falls tells none of them."""
    if not isinstance(rule, ThresholdRule):
        return []
    lower = [Told.of(level) for level in reversed(rule.levels) if level.amount < key.amount]
    steps = (key.amount - back * rule.then_every for back in range(1, _STEPS)) if rule.then_every else ()
    return [*(Told(True, step.normalize()) for step in steps if step > rule.levels[-1].amount), *lower]
