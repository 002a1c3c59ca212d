"""How the simulated account is used: profiles that spend by the hour, and what a person can let happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from bot.model import Totals
from bot.sandbox.cartesia import SimulatedCartesia
from bot.windows import midnight, utc_day

CENTS_A_MINUTE = 6
MINUTES_A_CALL = 4
_HOUR = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)  # what a moment is told in


def _office(moment: datetime) -> int:
    """Minutes of calls in the hour that begins then, as all profiles give them."""
    busy = 8 <= moment.hour < 18
    return (52 if busy else 4) if moment.weekday() < 5 else 9


def _round_the_clock(moment: datetime) -> int:
    return 26 + 6 * (moment.hour % 4)


def _launch(moment: datetime) -> int:
    return 4 * _office(moment)


def _runaway(moment: datetime) -> int:
    return _office(moment) + 900


def _dead(_: datetime) -> int:
    return 0


PROFILES: dict[str, Callable[[datetime], int]] = {
    "office hours": _office,
    "round the clock": _round_the_clock,
    "launch day": _launch,
    "runaway agent looping": _runaway,
    "phone line dead": _dead,
}


@dataclass
class SimulatedAccount:
    """Spends on the simulated Cartesia as time passes. `rest` is what was used and is not a whole call yet."""

    cartesia: SimulatedCartesia
    profile: str = "office hours"
    outage: bool = False
    rest: Fraction = Fraction(0)

    def fill(self, today: date, days: int) -> None:
        """Let so many days before today have been as the profile has them."""
        for back in range(1, days + 1):
            day = today - timedelta(days=back)
            minutes = sum(self._minutes_in(midnight(day) + hour * _HOUR) for hour in range(24))
            self._use(day, Fraction(round(minutes)))

    def pass_time(self, since: datetime, until: datetime) -> None:
        """What is used between two moments, hour by hour."""
        while since < until:
            end = min(until, since.replace(minute=0, second=0, microsecond=0) + _HOUR)
            if not self.outage:
                self.rest += self._minutes_in(since) * Fraction((end - since) // _INSTANT, _HOUR // _INSTANT)
            calls, self.rest = divmod(self.rest, MINUTES_A_CALL)
            if calls:
                self._use(utc_day(since), Fraction(calls * MINUTES_A_CALL))
            since = end

    def calls(self, now: datetime) -> None:
        """Calls for $5, now."""
        self._use(utc_day(now), Fraction(500, CENTS_A_MINUTE))

    def switch_outage(self, _now: datetime) -> None:
        """No calls come in any more, or they do again."""
        self.outage = not self.outage

    def busy_hour(self, now: datetime) -> None:
        """At once, five times what the profile has in its busiest hour."""
        day = midnight(utc_day(now))
        busiest = max(PROFILES[self.profile](day + hour * _HOUR) for hour in range(24))
        self._use(utc_day(now), Fraction(5 * (busiest or 12)))

    def restate(self, now: datetime) -> None:
        """Yesterday turns out to have been half as much again."""
        yesterday = utc_day(now) - timedelta(days=1)
        was = self.cartesia.days.get(yesterday, Totals())
        more = Totals(was.cents // 2 or 500, was.minutes / 2, was.calls // 2)
        self.cartesia.days[yesterday] = was + more

    def _minutes_in(self, hour: datetime) -> Fraction:
        """As the profile has it, a little more or less from day to day."""
        return PROFILES[self.profile](hour) * Fraction(89 + utc_day(hour).toordinal() * 7 % 23, 100)

    def _use(self, day: date, minutes: Fraction) -> None:
        exact = Decimal(round(minutes * 10)) / 10
        calls = max(1, round(minutes / MINUTES_A_CALL))
        self.cartesia.add(day, round(minutes * CENTS_A_MINUTE), exact, calls)
