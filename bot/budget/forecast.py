"""Where an open window is heading, told by how the account's own earlier days went. No I/O, no clock."""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from math import hypot
from typing import Final

from bot.budget.measure import Value, measure
from bot.budget.sums import Sums
from bot.model import Metric, Period, Span, Totals
from bot.rules.models import ThresholdRule
from bot.windows import Window, midnight, utc_day

Curve = Sequence[tuple[datetime, Totals]]
"""One UTC day's figures as they were read during it, oldest first: when read, and the totals so far."""

FEWEST: Final = 3  # earlier days of a kind; fewer tell nothing
SAME_WEEKDAY: Final = timedelta(weeks=8)  # how far back days of the same weekday count
REMEMBERED: Final = timedelta(weeks=9)  # of curves: as far back as that, and a little
SAME_KIND: Final = timedelta(weeks=4)  # how far back any workday stands in for a workday, any weekend day for another
LEVEL: Final = (0.5, 2.0)  # the recent level counts for no less and no more than so many times the usual

LOW, HIGH = 0.1, 0.9  # the ends of the interval: 8 of 10 outcomes lie between
LIKELY: Final = 2 / 3  # the chance of crossing from which it is called likely
STEADY: Final = 0.15  # of a usual day: the smaller today's figure is beside it, the less today's pace counts

_HOUR: Final = timedelta(hours=1)  # what a reading found new came within so long before it, not the whole night before
_BLIND: Final = timedelta(hours=3)  # without a reading, and more than a tenth of the day within: nobody knows when
_BLIND_SHARE: Final = 0.1
_EXACT: Final = 10_000  # the denominator that floats are rounded to: a hundredth of a cent, and below float's own noise
_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a window is heading, in the metric's unit, at its end; `low` to `high` is an 80% interval.

    `likely` says that crossing the threshold is likely, not merely possible; it is true as well once it is crossed.
    `crosses_at` is about when the threshold is reached; None where that is not likely or has happened already.
    """

    value: Fraction
    low: Fraction
    high: Fraction
    likely: bool
    crosses_at: datetime | None


def forecast(rule: ThresholdRule, window: Window, sums: Sums, curves: Mapping[date, Curve]) -> Forecast | None:
    """Where the rule's window is heading, as seen when `sums` were read; None for a ratio, for a window that is not
    open or has no figure yet, and where history is too short. `curves` are earlier days' readings during those days."""
    now = sums.reading.read_at.astimezone(UTC)
    so_far = sums.total(window.span)
    if rule.metric.is_ratio or so_far is None or not midnight(window.start) <= now < midnight(window.end):
        return None
    history = _History.of(rule.metric, sums, curves, now)
    ahead = _ahead_in_day(history) if window.period is Period.DAY else _ahead_in_days(history, window)
    if ahead is None:
        return None
    return _forecast(Fraction(rule.threshold), Fraction(_amount(rule.metric, so_far)), ahead, midnight(window.end))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What the rest of the window adds: its middle, the ends of the interval, what it exceeds with the chance that is
    called likely, and the moment at which it has added an amount. All in the metric's unit."""

    middle: float
    low: float
    high: float
    at_least: float
    reaches: Callable[[float], datetime]


def _forecast(threshold: Fraction, so_far: Fraction, ahead: _Ahead, end: datetime) -> Forecast:
    value, low, high, at_least = (
        so_far + Fraction(max(added, 0.0)).limit_denominator(_EXACT)
        for added in (ahead.middle, ahead.low, ahead.high, ahead.at_least)
    )
    likely = at_least >= threshold
    if not likely or so_far >= threshold:
        return Forecast(value, low, high, likely, None)
    left = (end - ahead.reaches(float(threshold - so_far))) // _MINUTE * _MINUTE
    return Forecast(value, low, high, likely, end - max(left, timedelta()))


# History


@dataclass(frozen=True, slots=True)
class _Course:
    """How one earlier day filled up."""

    day: date
    final: float
    curve: Curve
    metric: Metric

    def upto(self, moment: timedelta) -> float:
        """The day's figure so long after its midnight."""
        before, after = self._around(moment)
        began = max(before[0], after[0] - _HOUR)
        at = midnight(self.day) + moment
        if at <= began:
            return before[1]
        return before[1] + (after[1] - before[1]) * ((at - began) / (after[0] - began))

    def known(self, moment: timedelta) -> bool:
        """False where the bot did not read, or read nothing for hours around this moment while much was used."""
        if not self.curve:
            return False
        before, after = self._around(moment)
        return after[0] - before[0] <= _BLIND or after[1] - before[1] <= self.final * _BLIND_SHARE

    def _around(self, moment: timedelta) -> tuple[tuple[datetime, float], tuple[datetime, float]]:
        """The last reading up to this moment and the first one after; the day begins at zero and ends at its final
        figure."""
        place = bisect_right(self.curve, midnight(self.day) + moment, key=lambda read: read[0])
        before = self._read(place - 1) if place else (midnight(self.day), 0.0)
        after = self._read(place) if place < len(self.curve) else (midnight(self.day) + _DAY, self.final)
        return before, after

    def _read(self, place: int) -> tuple[datetime, float]:
        # a figure that was corrected later never stands above the corrected one
        at, totals = self.curve[place]
        return at, min(float(_amount(self.metric, totals)), self.final)


@dataclass(frozen=True, slots=True)
class _History:
    """Finished days since first use, with the present moment that looks back on them."""

    metric: Metric
    now: datetime
    today: date
    so_far_today: float
    finals: dict[date, float]
    curves: Mapping[date, Curve]
    weeks: Sequence[float]
    """The levels of the weeks up to yesterday, the latest first; 1 is the account's usual level."""

    @classmethod
    def of(cls, metric: Metric, sums: Sums, curves: Mapping[date, Curve], now: datetime) -> _History:
        today, days = utc_day(now), sums.reading.days
        first = max(sums.first_use or today, today - SAME_WEEKDAY)
        finals = {
            day: float(_amount(metric, days[day]))
            for day in (Span(first, today).each_day() if first < today else ())
            if day in days
        }
        so_far_today = float(_amount(metric, days.get(today, Totals())))
        return cls(metric, now, today, so_far_today, finals, curves, _weeks(finals, today))

    @property
    def elapsed(self) -> timedelta:
        """Since midnight."""
        return self.now - midnight(self.today)

    @property
    def level(self) -> float:
        """The account's level now."""
        lowest, highest = LEVEL
        return min(max(self.weeks[0], lowest), highest) if self.weeks else 1.0

    @property
    def level_error(self) -> float:
        """How far the level may be off in the days to come: as far as it usually moves from one week to the next."""
        moves = [abs(later - earlier) for later, earlier in pairwise(self.weeks)]
        return _AS_DEVIATION * statistics.median(moves) if moves else 0.0

    def like(self, day: date) -> list[float]:
        """The figures of earlier days like this one, at today's level; empty where there are too few."""
        for days in self._alike(day):
            if len(days) >= FEWEST:
                return [self.level * self.finals[each] for each in days]
        return []

    def courses(self) -> list[_Course]:
        """The courses of earlier days like today that are known about this time of day; empty where too few are."""
        for days in self._alike(self.today):
            courses = [_Course(day, self.finals[day], self.curves.get(day, ()), self.metric) for day in days]
            known = [course for course in courses if course.known(self.elapsed)]
            if len(known) >= FEWEST:
                return known
        return []

    def _alike(self, day: date) -> Iterator[list[date]]:
        """The earlier days of the same weekday, then the last weeks' workdays, or weekend days."""
        yield [each for each in self.finals if each.weekday() == day.weekday()]
        since = self.today - SAME_KIND
        yield [each for each in self.finals if each >= since and _is_weekend(each) == _is_weekend(day)]


def _weeks(finals: dict[date, float], today: date) -> list[float]:
    """The level of each week before today, the latest first: the median day as a multiple of what is usual on its
    weekday."""
    weekdays: dict[int, list[float]] = {}
    for day, final in finals.items():
        weekdays.setdefault(day.weekday(), []).append(final)
    usual = {weekday: statistics.median(days) for weekday, days in weekdays.items() if len(days) >= FEWEST}
    levels: dict[int, list[float]] = {}
    for day in reversed(finals):
        if expected := usual.get(day.weekday()):
            levels.setdefault((today - day - _DAY) // _WEEK, []).append(finals[day] / expected)
    return [statistics.median(days) for days in levels.values()]


def _is_weekend(day: date) -> bool:
    return day.weekday() >= 5


# The rest of a day


def _ahead_in_day(history: _History) -> _Ahead | None:
    courses = history.courses()
    if not courses:
        return None
    paces = _paces(history, courses)

    def added(moment: timedelta) -> float:
        """What the median course adds from now up to this moment of the day."""
        return statistics.median(
            pace * (course.upto(moment) - course.upto(history.elapsed))
            for course, pace in zip(courses, paces, strict=True)
        )

    rests = sorted(
        pace * (course.final - course.upto(history.elapsed)) for course, pace in zip(courses, paces, strict=True)
    )

    def reaches(amount: float) -> datetime:
        minutes = range(int(history.elapsed / _MINUTE) + 1, 24 * 60)
        place = bisect_left(minutes, amount, key=lambda minute: added(minute * _MINUTE))
        return midnight(history.today) + (minutes.start + place) * _MINUTE

    return _Ahead(
        statistics.median(rests),
        _quantile(rests, LOW),
        _quantile(rests, HIGH),
        _quantile(rests, 1 - LIKELY),
        reaches,
    )


def _paces(history: _History, courses: Sequence[_Course]) -> list[float]:
    """Today's pace as a multiple of each earlier day's: what was used by now today over what was used by now then.

    A part of a usual day is added to both, so that early on, where both are tiny, the pace is near the recent level.
    """
    level = history.level
    steady = STEADY * level * statistics.median(course.final for course in courses)
    return [
        level * (history.so_far_today + steady) / divisor
        if (divisor := level * course.upto(history.elapsed) + steady)
        else level
        for course in courses
    ]


# The rest of a week or month


def _ahead_in_days(history: _History, window: Window) -> _Ahead | None:
    rest = _rest_of_today(history)
    coming = Span(history.today, window.end).each_day()[1:]
    like = {day.weekday(): history.like(day) for day in coming[:7]}
    if rest is None or not all(like.values()):
        return None
    middles = [statistics.median(like[day.weekday()]) for day in coming]
    sums = list(accumulate([rest.middle, *middles]))
    odd_days = [_spread(like[day.weekday()]) for day in coming]
    tonight = (rest.high - rest.low) / (_Z[HIGH] - _Z[LOW])
    spread = hypot(tonight, *odd_days, history.level_error * sum(middles))
    middle = sums[-1]

    def reaches(amount: float) -> datetime:
        place = bisect_left(sums, amount, hi=len(coming))
        if place == 0:
            return rest.reaches(amount)
        return midnight(coming[place - 1]) + _DAY * _share(amount - sums[place - 1], middles[place - 1])

    return _Ahead(
        middle,
        middle + _Z[LOW] * spread,
        middle + _Z[HIGH] * spread,
        middle + _Z[1 - LIKELY] * spread,
        reaches,
    )


def _rest_of_today(history: _History) -> _Ahead | None:
    """As for a day; where no courses are known, as if a usual day filled evenly."""
    if known := _ahead_in_day(history):
        return known
    like = sorted(history.like(history.today))
    if not like:
        return None
    left = 1 - history.elapsed / _DAY
    low, middle, high, at_least = (_quantile(like, share) * left for share in (LOW, 0.5, HIGH, 1 - LIKELY))

    def reaches(amount: float) -> datetime:
        return history.now + _DAY * left * _share(amount, middle)

    return _Ahead(middle, low, high, at_least, reaches)


# Arithmetic

_Z: Final = {share: statistics.NormalDist().inv_cdf(share) for share in (LOW, 1 - LIKELY, HIGH)}
_AS_DEVIATION: Final = 1.4826  # of normally distributed figures: the standard deviation over the median distance


def _share(amount: float, whole: float) -> float:
    """At most all of it; all of nothing, which only rounding asks for."""
    return min(amount / whole, 1.0) if whole else 1.0


def _amount(metric: Metric, totals: Totals) -> Value:
    return measure(metric, totals) or 0  # only ratios, which have no forecast, may have no value


def _spread(figures: Sequence[float]) -> float:
    """A standard deviation that some odd figures do not move: from the median distance to the median."""
    middle = statistics.median(figures)
    return _AS_DEVIATION * statistics.median(abs(figure - middle) for figure in figures)


def _quantile(ordered: Sequence[float], share: float) -> float:
    """As of the population that the figures were drawn from: of eight, the ends are near the 10% and 90% quantiles."""
    place = min(max(share * (len(ordered) + 1) - 1, 0.0), len(ordered) - 1.0)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
