"""What is on record of the past: curves, restatements, decisions and deliveries, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.budget.decide import Reason
from bot.budget.incident import Incident
from bot.model import Totals

Curves = dict[date, list[tuple[datetime, Totals]]]
"""Each day's figures as they were read while it lasted, the oldest first."""


@dataclass(frozen=True, slots=True)
class Restated:
    """A closed day whose figure changed: what it was, what it is, and when the change was read."""

    day: date
    was: Totals
    now: Totals
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Recorded:
    """One decision that spoke: when, by which figures and rules, and the incident before it. `removed` says that the
    rule no longer existed, and is then the one of that revision."""

    at: datetime
    read_at: datetime
    reason: Reason
    headline: str
    revision: str
    removed: bool
    before: Incident | None


@dataclass(frozen=True, slots=True)
class Attempted:
    """One message of an incident: what became of it. `delivered_at` is in seconds since 1970."""

    id: str
    action: str
    channel: str
    state: str
    attempts: int
    problem: str | None
    delivered_at: float | None
