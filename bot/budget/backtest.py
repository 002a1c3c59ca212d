"""What rules would have said over past readings: the functions that run in production, folded over what was read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter

from bot.budget.decide import Decision, after, decide
from bot.budget.evaluate import Sight, evaluate
from bot.budget.incident import Incident
from bot.budget.sums import Sums
from bot.model import Reading, Totals
from bot.rules.models import Rules
from bot.windows import Window, checked_span, midnight, utc_day

Rows = Mapping[date, Sequence[tuple[datetime, Totals]]]
"""Each day's figures with the moments they were first read, the oldest first."""


READ_BEFORE = timedelta(days=80)  # what is read of the days before, for the usual and for windows that had begun


@dataclass(frozen=True, slots=True)
class WouldSay:
    """One decision that would have spoken, and when."""

    at: datetime
    decision: Decision


def backtest(rules: Rules, rows: Rows, since: datetime, until: datetime) -> list[WouldSay]:
    """What these rules would have said between two moments. A day that was first read after it had ended counts as read
    at its end, since nothing tells how it filled up."""
    known = {day: _from_its_end(day, each) for day, each in rows.items()}
    began = dict.fromkeys((rule.name for rule in rules.rules), since)
    incidents: dict[tuple[str, Window], Incident] = {}
    said = []
    for now in _moments(known, since, until):
        reading = _as_read(known, now)
        sight = Sight(Sums(reading), _curves(rows, now), rules.expected_in)
        for decision in decide(evaluate(rules.rules, sight, began, now), incidents, now):
            if decision.reason.speaks:
                said.append(WouldSay(now, decision))
            if state := after(decision, now):
                incidents[decision.standing.rule.name, decision.standing.window] = state
    return said


def _from_its_end(day: date, rows: Sequence[tuple[datetime, Totals]]) -> list[tuple[datetime, Totals]]:
    end = midnight(day + timedelta(days=1))
    return [(end, rows[0][1]), *rows[1:]] if rows[0][0] > end else list(rows)


def _moments(rows: Rows, since: datetime, until: datetime) -> Iterator[datetime]:
    """Every moment at which a figure had changed."""
    yield from sorted({at for each in rows.values() for at, _ in each if since <= at <= until})


def _as_read(rows: Rows, now: datetime) -> Reading:
    span = checked_span(now)
    found = {}
    for day in span.each_day():
        place = bisect_right(rows.get(day, ()), now, key=itemgetter(0))
        if place:
            found[day] = rows[day][place - 1][1]
    return Reading(span, found, now)


def _curves(rows: Rows, now: datetime) -> dict[date, list[tuple[datetime, Totals]]]:
    oldest = utc_day(now - timedelta(weeks=9))
    recent = {day: each for day, each in rows.items() if oldest <= day <= utc_day(now)}
    within = {
        day: [(at, totals) for at, totals in each if at <= now and utc_day(at) == day] for day, each in recent.items()
    }
    return {day: curve for day, curve in within.items() if curve}
