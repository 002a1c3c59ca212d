"""Sums over any days of a reading in constant time (prefix sums), so that a thousand rules cost little."""

from __future__ import annotations

from datetime import date
from functools import cached_property

from bot.model import Reading, Span, Totals


class Sums:
    """Running totals of one reading."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._running = [Totals()]
        self._present = [0]
        for day in reading.span.each_day():
            totals = reading.days.get(day)
            self._running.append(self._running[-1] + totals if totals else self._running[-1])
            self._present.append(self._present[-1] + (totals is not None))

    @cached_property
    def first_use(self) -> date | None:
        """The first day with any usage."""
        return min((day for day, totals in self.reading.days.items() if totals != Totals()), default=None)

    def total(self, span: Span) -> Totals | None:
        """The usage of the span's days; None where the reading does not reach over them or has none of them."""
        first, last = self._places(span)
        if first < 0 or first >= last or self._present[first] == self._present[last]:
            return None
        upto, before = self._running[last], self._running[first]
        return Totals(upto.cents - before.cents, upto.minutes - before.minutes, upto.calls - before.calls)

    def _places(self, span: Span) -> tuple[int, int]:
        """Where the span begins and ends within the reading; days after the reading's last are not there yet."""
        return (span.start - self.reading.span.start).days, (
            min(span.end, self.reading.span.end) - self.reading.span.start
        ).days
