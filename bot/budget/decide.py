"""Decisions: what to say about each standing, each with one named reason, also when nothing is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from bot.budget.evaluate import Standing
from bot.rules.models import HUNDRED_PERCENT, Level
from bot.windows import Window


class Reason(StrEnum):
    """Why something is said, or nothing."""

    CROSSED = "CROSSED"
    RAISED = "RAISED"
    BELOW = "BELOW"
    SAID = "SAID"
    TOO_LITTLE_DATA = "TOO_LITTLE_DATA"

    @property
    def speaks(self) -> bool:
        return self in (Reason.CROSSED, Reason.RAISED)


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
    lower = [Told.of(level) for level in reversed(standing.rule.levels) if level.amount < standing.level.amount]
    reason = Reason.RAISED if told and key > max(told) else Reason.CROSSED
    return Decision(standing, reason, (key, *lower))
