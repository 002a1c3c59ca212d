"""What rules would have said over past readings: the functions that run in production, folded over what was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.budget.decide import Decision, after, decide
from bot.budget.evaluate import Inputs, evaluate
from bot.budget.forecast import REMEMBERED
from bot.budget.incident import Incident
from bot.budget.sums import Sums
from bot.model import Reading, Totals
from bot.rules.models import Rules
from bot.windows import Window, checked_span, midnight, utc_day

Rows = Mapping[date, Sequence[tuple[datetime, Totals]]]
"""Each day's figures with the moments they were first read, the oldest first."""

READ_BEFORE = timedelta(days=80)  # what is read of the days before, for the usual and for windows that had begun
INTERVAL = timedelta(minutes=15)  # between two checks, where no figure says that there was one


@dataclass(frozen=True, slots=True)
class WouldSay:
    """One decision that would have spoken, and when."""

    at: datetime
    decision: Decision


def backtest(
    rules: Rules, rows: Rows, since: datetime, until: datetime, interval: timedelta = INTERVAL
) -> list[WouldSay]:
    """What these rules would have said between two moments, checked whenever a figure changed and at least each
    `interval`. A day that was first read after it had ended counts as read at its end, since nothing tells how it
    filled up."""
    began = dict.fromkeys((rule.name for rule in rules.rules), since)
    incidents: dict[tuple[str, Window], Incident] = {}
    said = []
    past = _Past(rows)
    for now in checks([at for at, _, _ in past.changes], since, until, interval):
        inputs = Inputs(Sums(past.read(now)), past.curves, rules.expected_in)
        for decision in decide(evaluate(rules.rules, inputs, began, now), incidents, now):
            if decision.reason.speaks:
                said.append(WouldSay(now, decision))
            if state := after(decision, now):
                incidents[decision.standing.rule.name, decision.standing.window] = state
    return said


def checks(changes: Sequence[datetime], since: datetime, until: datetime, interval: timedelta) -> Iterator[datetime]:
    """The moments at which a figure had changed, and in longer gaps between them one each interval, since time alone
    closes windows, ends snoozes and calls people again. A check that came a little late is not doubled."""
    last = since
    for change in [*sorted({each for each in changes if since <= each <= until}), until + interval]:
        while change - last > interval * 1.5 and last + interval <= until:
            last += interval
            yield last
        if change <= until:
            last = change
            yield change


class _Past:
    """The readings one after the other: each moment adds to what was known at the one before."""

    def __init__(self, rows: Rows) -> None:
        self.changes = sorted(
            ((at, day, totals) for day, each in rows.items() for at, totals in _from_its_end(day, each)),
            key=lambda change: change[:2],
        )
        self.curves: dict[date, list[tuple[datetime, Totals]]] = {}
        self._known: dict[date, Totals] = {}
        self._next = 0

    def read(self, now: datetime) -> Reading:
        """What a check would have read then; asked in the order of time."""
        while self._next < len(self.changes) and self.changes[self._next][0] <= now:
            at, day, totals = self.changes[self._next]
            self._known[day] = totals
            if utc_day(at) == day:
                self.curves.setdefault(day, []).append((at, totals))
            self._next += 1
        for day in [each for each in self.curves if each < utc_day(now - REMEMBERED)]:
            del self.curves[day]
        span = checked_span(now)
        return Reading(span, {day: self._known[day] for day in span.each_day() if day in self._known}, now)


def _from_its_end(day: date, rows: Sequence[tuple[datetime, Totals]]) -> list[tuple[datetime, Totals]]:
    end = midnight(day + timedelta(days=1))
    return [(end, rows[0][1]), *rows[1:]] if rows[0][0] > end else list(rows)
