"""An incident: what was said of one rule in one window, and what people did about it, as frozen values.

What becomes of it with a decision is `bot.budget.decide.after`: production and replay fold that one function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

from bot.budget.standing import Standing
from bot.rules.models import HUNDRED_PERCENT, Level
from bot.windows import Window


class Severity(IntEnum):
    """How grave what was told is: it is coming, it is near, it is over."""

    COMING = 0
    NEAR = 1
    OVER = 2


@dataclass(frozen=True, slots=True, order=True)
class LevelKey:
    """The key under which a level is told once: its amount (in the metric's unit), and how grave it is.

    The amount and not the percent, so that a raised threshold re-arms and a restart does not. A breach and a warning
    of the same amount differ: somebody warned at $40 (80% of $50) must hear that a budget lowered to $40 is broken.
    """

    kind: Severity
    amount: Decimal

    @classmethod
    def of(cls, level: Level) -> LevelKey:
        kind = Severity.OVER if level.percent >= HUNDRED_PERCENT else Severity.NEAR
        return cls(kind, level.amount.normalize())


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who took the incident in hand (a member's id), and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Snooze:
    """Who wants to hear nothing more, and until when: one of a moment, a key above this one, or an amount.

    `words` say until what, such as "the next level" or "$70.00".
    """

    by: str
    at: datetime
    words: str
    until: datetime | None = None
    above: LevelKey | None = None
    amount: Decimal | None = None

    def holds(self, standing: Standing, now: datetime) -> bool:
        """Whether it still keeps quiet."""
        if self.until is not None:
            return now < self.until
        if self.amount is not None:
            return standing.value is not None and Fraction(standing.value) < Fraction(self.amount)
        return self.above is None or standing.level is None or LevelKey.of(standing.level) <= self.above


@dataclass(frozen=True, slots=True)
class Incident:
    """One rule in one window, from the first thing said of it.

    `value` is the figure last said and `shown` the one its message shows, both in the metric's unit; `heard_at` is when
    something was last said, `called_at` since when people are called upon. What a correction took back is no longer
    among `told`.
    """

    opened_at: datetime
    told: frozenset[LevelKey]
    value: Fraction
    heard_at: datetime
    shown: Fraction
    shown_at: datetime
    called_at: datetime | None = None
    acknowledged: Acknowledgement | None = None
    snooze: Snooze | None = None
    escalated: bool = False
    closed: bool = False

    @property
    def gravest(self) -> LevelKey | None:
        """The highest of what was reached, not of what was only foreseen."""
        return max((told for told in self.told if told.kind is not Severity.COMING), default=None)


Incidents = Mapping[tuple[str, Window], Incident]
"""Every incident by its rule's name and its window."""
