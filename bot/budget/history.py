"""What is on record of the past: curves, restatements, decisions and deliveries, as frozen values."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.budget.decide import Reason
from bot.budget.incident import Incident
from bot.model import Reading, Span, Totals
from bot.windows import midnight

Curves = dict[date, list[tuple[datetime, Totals]]]
"""Each day's figures as they were read while it lasted, the oldest first."""


@dataclass(frozen=True, slots=True)
class Readings:
    """All that was read of each day, the oldest first, and so what was known at any moment since."""

    rows: Curves

    def at(self, moment: datetime, span: Span) -> Reading | None:
        """What was known then of these days; None where nothing was."""
        last = {day: self.rows[day][known - 1] for day in span.each_day() if (known := self._known(day, moment))}
        if not last:
            return None
        return Reading(span, {day: totals for day, (_, totals) in last.items()}, max(at for at, _ in last.values()))

    def curves(self, moment: datetime, since: date) -> Curves:
        """Each day's figures from that day on as they had been read by then, while the day lasted."""
        curves = {day: self._while_it_lasted(day, self._known(day, moment)) for day in self.rows if day >= since}
        return {day: curve for day, curve in curves.items() if curve}

    def _known(self, day: date, moment: datetime) -> int:
        """How many of the day's rows had been read by then."""
        return bisect_right(self.rows.get(day, []), moment, key=_read_at)

    def _while_it_lasted(self, day: date, known: int) -> list[tuple[datetime, Totals]]:
        rows = self.rows[day]
        begun, over = (bisect_left(rows, midnight(each), key=_read_at) for each in (day, day + timedelta(days=1)))
        return rows[begun : min(over, known)]


def _read_at(row: tuple[datetime, Totals]) -> datetime:
    return row[0]


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
