"""Synthetic accounts, and how forecasts fare on them: `python -m tests.budget.profiles` prints the table of
docs/forecast.md. Everything is seeded; the same figures come out everywhere."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate
from random import Random
from typing import Final

from bot.budget.forecast import Curve, Forecast, forecast
from bot.budget.sums import Sums
from bot.model import Period, Reading, Span, Totals
from bot.rules.models import ThresholdRule
from bot.windows import Window, midnight, windows_within
from tests.samples.figures import days_before, rule

SCORED: Final = Span(date(2026, 3, 1), date(2026, 6, 1))
"""Three whole months, with thirteen whole weeks in them."""

WARM_UP: Final = 70  # days before, which are history only
SLOTS: Final = 96  # of 15 minutes in a day
SLOT: Final = timedelta(minutes=15)
CALLS: Final = 400  # on a usual day
CENTS: Final = 25.0  # per call, on average
CUTS: Final = (0.4, 0.8)  # the share of windows that stay below each budget

Row = tuple[date, datetime, Totals]
"""A figure as the bot keeps it: the day, when it was read, and the totals so far. Only changes are kept."""


# Accounts


@dataclass(frozen=True)
class Profile:
    """How many times the usual number of calls come at an hour of a day; `day` counts from the first one."""

    name: str
    rate: Callable[[date, int, float, Random], float]
    irregular: bool = False
    """Read at irregular intervals, with gaps of hours."""


def _bell(hour: float, peak: float, width: float) -> float:
    away = min(abs(hour - peak), 24 - abs(hour - peak))
    return math.exp(-((away / width) ** 2) / 2)


def _office(day: date, hour: float) -> float:
    if day.weekday() >= 5:
        return 0.05
    return 2.6 * (_bell(hour, 10.5, 1.6) + 0.9 * _bell(hour, 15, 1.8)) + 0.02


def _daytime(hour: float) -> float:
    return 0.25 + 2.0 * _bell(hour, 14, 4)


def _office_hours(day: date, number: int, hour: float, luck: Random) -> float:
    return _office(day, hour)


def _round_the_clock(day: date, number: int, hour: float, luck: Random) -> float:
    return 1.0


def _weekend_dip(day: date, number: int, hour: float, luck: Random) -> float:
    return _daytime(hour) * (0.45 if day.weekday() >= 5 else 1.0)


def _growth(day: date, number: int, hour: float, luck: Random) -> float:
    return 0.6 * _daytime(hour) * math.pow(1.03, number / 7)


def _one_outage(day: date, number: int, hour: float, luck: Random) -> float:
    """A day and a half without calls, in the scored part."""
    down = WARM_UP + 30 <= number + hour / 24 < WARM_UP + 31.5
    return 0.0 if down else _daytime(hour)


def _bursts(day: date, number: int, hour: float, luck: Random) -> float:
    """On one day in six, a campaign of two hours at some time of the day."""
    campaign = luck.random() < 1 / 6
    begins = luck.uniform(7, 20)
    return _daytime(hour) + (6.0 if campaign and begins <= hour < begins + 2 else 0.0)


def _late_evenings(day: date, number: int, hour: float, luck: Random) -> float:
    """An account far west of Greenwich: its evening is over after midnight UTC."""
    return 0.1 + 2.2 * _bell(hour, 22, 3.5)


PROFILES: Final = (
    Profile("office hours", _office_hours),
    Profile("round the clock", _round_the_clock),
    Profile("weekend dip", _weekend_dip),
    Profile("growth", _growth),
    Profile("one outage", _one_outage),
    Profile("bursts", _bursts),
    Profile("late evenings", _late_evenings),
    Profile("replayed readings", _weekend_dip, irregular=True),
)
SHORT: Final = (PROFILES[0], PROFILES[-1])
"""The most usual account, and one read at irregular intervals."""


@dataclass(frozen=True)
class Account:
    """What an account really used: each day's totals so far at the end of every 15 minutes."""

    days: Mapping[date, Sequence[Totals]]

    def at(self, moment: datetime) -> Totals:
        """Used on the moment's day until then."""
        ended = (moment - midnight(moment.date())) // SLOT
        return self.days[moment.date()][ended]

    def final(self, day: date) -> Totals:
        return self.days[day][SLOTS]

    def cents(self, window: Span) -> int:
        return sum(self.final(day).cents for day in window.each_day())

    def crossing(self, window: Span, cents: int) -> datetime | None:
        """When the window really reached the amount."""
        before = 0
        for day in window.each_day():
            if before + self.final(day).cents >= cents:
                slot = bisect_left(self.days[day], cents - before, key=lambda totals: totals.cents)
                return midnight(day) + slot * SLOT
            before += self.final(day).cents
        return None


def account(profile: Profile, seed: int) -> Account:
    """Random calls of random length, on days and in weeks that are themselves a little busier or calmer."""
    luck = Random(f"{profile.name} {seed}")  # noqa: S311 - a repeatable simulation, no secret
    week, days = 0.0, {}
    first = SCORED.start - timedelta(days=WARM_UP)
    for number, day in enumerate(Span(first, SCORED.end).each_day()):
        if day.weekday() == 0:
            week = 0.7 * week + luck.gauss(0, 0.06)
        level = math.exp(week + luck.gauss(0, 0.08)) * CALLS / SLOTS
        facts = luck.random()
        expected = [
            level * profile.rate(day, number, slot / 4, Random(facts))  # noqa: S311 - the same
            for slot in range(SLOTS)
        ]
        calls = [0, *(_poisson(luck, mean) for mean in expected)]
        cents = [round(luck.gammavariate(2 * count, CENTS / 2)) if count else 0 for count in calls]
        days[day] = [
            Totals(spent, Decimal(spent) / 6, count)
            for spent, count in zip(accumulate(cents), accumulate(calls), strict=True)
        ]
    return Account(days)


def _poisson(luck: Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(luck.gauss(mean, math.sqrt(mean))))
    count, left = 0, luck.random()
    floor = math.exp(-mean)
    while left > floor:
        count += 1
        left *= luck.random()
    return count


# Readings


def hourly(span: Span) -> Iterator[datetime]:
    for day in span.each_day():
        yield from (midnight(day) + timedelta(hours=hour) for hour in range(24))


def irregular(span: Span, seed: int) -> Iterator[datetime]:
    """From 15 minutes to two hours apart, and now and then not for 4 to 9 hours."""
    luck = Random(seed)  # noqa: S311 - a repeatable simulation, no secret
    moment = midnight(span.start)
    while moment < midnight(span.end):
        yield moment
        moment += SLOT * (luck.randint(16, 36) if luck.random() < 0.02 else luck.randint(1, 8))


def stored(used: Account, moments: Iterable[datetime]) -> Iterator[Row]:
    """The rows that a bot which read at these moments keeps: a row where a day's figure changed. Each day is read once
    more after it has ended."""
    known: dict[date, Totals] = {}
    for moment in moments:
        yesterday = moment.date() - timedelta(days=1)
        now = {moment.date(): used.at(moment)}
        if yesterday in known:
            now[yesterday] = used.final(yesterday)
        for day, totals in now.items():
            if known.get(day) != totals:
                known[day] = totals
                yield day, moment, totals


def curves_of(rows: Iterable[Row]) -> dict[date, Curve]:
    """Stored rows as the days' curves."""
    curves: dict[date, list[tuple[datetime, Totals]]] = defaultdict(list)
    for day, read_at, totals in rows:
        if read_at.date() == day:
            curves[day].append((read_at, totals))
    return dict(curves)


# Scores


@dataclass
class Score:
    """How one method did over some windows."""

    lead: timedelta = timedelta()
    warned: int = 0
    false_alarms: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.lead + other.lead, self.warned + other.warned, self.false_alarms + other.false_alarms)


@dataclass
class Scores:
    """Both methods over the same windows. `within` counts windows that ended inside the 80% interval given half-way."""

    crossing: int = 0
    staying: int = 0
    ours: Score = field(default_factory=Score)
    run_rate: Score = field(default_factory=Score)
    judged: int = 0
    within: int = 0

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            self.crossing + other.crossing,
            self.staying + other.staying,
            self.ours + other.ours,
            self.run_rate + other.run_rate,
            self.judged + other.judged,
            self.within + other.within,
        )


EVERY: Final = {Period.DAY: timedelta(hours=1), Period.WEEK: timedelta(hours=3), Period.MONTH: timedelta(hours=6)}
"""How often both methods look; at the readings nearest after."""

PATIENCE: Final = {Period.DAY: timedelta(hours=1), Period.WEEK: timedelta(days=1), Period.MONTH: timedelta(days=1)}
"""Before so much of the window has passed, the run-rate says nothing: it would be noise."""


@dataclass(frozen=True)
class Replay:
    """A profile's account, as a bot that read at these moments saw it."""

    used: Account
    moments: Sequence[datetime]
    curves: Mapping[date, Curve]

    @classmethod
    def of(cls, profile: Profile, seed: int) -> Replay:
        used = account(profile, seed)
        whole = Span(min(used.days), SCORED.end)
        moments = list(irregular(whole, seed) if profile.irregular else hourly(whole))
        return cls(used, moments, curves_of(stored(used, moments)))

    def sums(self, moment: datetime) -> Sums:
        over = days_before(moment.date(), WARM_UP)
        days = {day: self.used.final(day) for day in over.each_day()[:-1] if day in self.used.days}
        return Sums(Reading(over, {**days, moment.date(): self.used.at(moment)}, moment))

    def known(self, today: date) -> dict[date, Curve]:
        """The curves of the days before."""
        return {day: curve for day, curve in self.curves.items() if day < today}


def windows(period: Period) -> list[Window]:
    """Those that lie within the scored part."""
    return [each for each in windows_within(period, SCORED) if SCORED.covers(each.span)]


def budgets(used: Account, period: Period) -> list[int]:
    """Amounts that some windows cross and others narrowly don't, in cents: half-way between two neighbours."""
    finals = sorted(used.cents(each.span) for each in windows(period))
    places = [min(max(round(cut * len(finals)), 1), len(finals) - 1) for cut in CUTS]
    return sorted({(finals[place - 1] + finals[place] + 1) // 2 for place in places})


def score(profile: Profile, seed: int = 1, periods: Iterable[Period] = Period) -> dict[Period, Scores]:
    """Both methods on one profile."""
    replay = Replay.of(profile, seed)
    return {period: _score(replay, period) for period in periods}


def _score(replay: Replay, period: Period) -> Scores:
    rules = [rule(threshold=amount, period=period) for amount in budgets(replay.used, period)]
    sums, known = cache(replay.sums), cache(replay.known)
    total = Scores()
    for window in windows(period):
        looks = list(_looks(replay.moments, window))
        for each in rules:
            total += _window(replay.used, Watch(each, window, sums, known), looks)
    return total


@dataclass(frozen=True)
class Watch:
    """A budget in one window, and what both methods say of it at a moment."""

    budget: ThresholdRule
    window: Window
    sums: Callable[[datetime], Sums]
    known: Callable[[date], Mapping[date, Curve]]

    def forecast(self, moment: datetime) -> Forecast | None:
        return forecast(self.budget, self.window, self.sums(moment), self.known(moment.date()))

    def likely(self, moment: datetime) -> bool:
        told = self.forecast(moment)
        return told is not None and told.likely

    def run_rate(self, moment: datetime) -> bool:
        """Plain extrapolation: what was used so far, over the share of the window that has passed."""
        elapsed, length = moment - midnight(self.window.start), timedelta(days=self.window.span.days)
        if elapsed < PATIENCE[self.window.period]:
            return False
        used = self.sums(moment).total(self.window.span)
        return used is not None and used.cents * (length / elapsed) >= self.budget.threshold


def _looks(moments: Sequence[datetime], window: Window) -> Iterator[datetime]:
    following = midnight(window.start)
    for moment in moments[bisect_left(moments, following) : bisect_left(moments, midnight(window.end))]:
        if moment >= following:
            yield moment
            following = moment + EVERY[window.period]


def _window(used: Account, watch: Watch, looks: Sequence[datetime]) -> Scores:
    crossing = used.crossing(watch.window.span, int(watch.budget.threshold))
    before = [moment for moment in looks if crossing is None or moment < crossing]
    ours = next((moment for moment in before if watch.likely(moment)), None)
    theirs = next((moment for moment in before if watch.run_rate(moment)), None)
    half = watch.forecast(looks[len(looks) // 2])
    return Scores(
        crossing=int(crossing is not None),
        staying=int(crossing is None),
        ours=_single(ours, crossing),
        run_rate=_single(theirs, crossing),
        judged=int(half is not None),
        within=int(half is not None and half.low <= used.cents(watch.window.span) <= half.high),
    )


def _single(warned: datetime | None, crossing: datetime | None) -> Score:
    if warned is None:
        return Score()
    return Score(crossing - warned, warned=1) if crossing else Score(false_alarms=1)


def better(scores: Scores) -> bool:
    """Whether a forecast warns earlier than a run-rate, falsely less often, and has an interval as wide as it says."""
    earlier = scores.ours.lead > scores.run_rate.lead
    seldom_falsely = scores.ours.false_alarms < 0.6 * scores.run_rate.false_alarms
    return earlier and seldom_falsely and 0.7 < scores.within / scores.judged < 0.9


# The table


def table(seeds: Iterable[int] = (1, 2), profiles: Iterable[Profile] = PROFILES) -> list[tuple[str, Scores]]:
    """One row for each profile and period, then the totals of each period and of all."""
    rows = []
    for profile in profiles:
        scores = [score(profile, seed) for seed in seeds]
        rows += [(f"{profile.name}, {period}", sum((each[period] for each in scores), Scores())) for period in Period]
    of_period = [
        (f"all, {period}", sum((scores for name, scores in rows if name.endswith(f", {period}")), Scores()))
        for period in Period
    ]
    return [*rows, *of_period, ("all", sum((scores for _, scores in rows), Scores()))]


GROUPS: Final = ("", "", "windows", "", "hours ahead", "", "warned of", "", "falsely", "inside")
HEAD: Final = ("profile, budget", "cross", "stay", *("forecast", "run-rate") * 3, "80%")


def cells(name: str, scores: Scores) -> tuple[str, ...]:
    def hours(lead: timedelta) -> str:
        return f"{lead / timedelta(hours=1):,.0f}"

    return (
        name,
        str(scores.crossing),
        str(scores.staying),
        hours(scores.ours.lead),
        hours(scores.run_rate.lead),
        str(scores.ours.warned),
        str(scores.run_rate.warned),
        str(scores.ours.false_alarms),
        str(scores.run_rate.false_alarms),
        f"{100 * scores.within // scores.judged}%" if scores.judged else "-",
    )


def main() -> int:
    """Print the table; 1 where a forecast is no better than a run-rate."""
    rows = table()
    for row in [GROUPS, HEAD, *(cells(*each) for each in rows)]:
        print(f"{row[0]:<24}" + "".join(f"{cell:>{7 if place < 2 else 11}}" for place, cell in enumerate(row[1:])))
    return int(not better(rows[-1][1]))


if __name__ == "__main__":
    sys.exit(main())
