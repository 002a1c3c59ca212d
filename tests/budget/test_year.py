"""A simulated year: a check every hour, 30 rules of all kinds, outages, restatements, edits of rules, and people who
acknowledge and snooze. Every message is explained by a decision, and every decision follows from what was recorded.

All that happens is in the first 120 days, which are what is simulated here; with `DAYS=365` in the environment the year
goes on to its end.
"""

from __future__ import annotations

import os
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from operator import itemgetter
from typing import Any

import pytest

from bot.budget.decide import Decision, Reason, after, decide
from bot.budget.evaluate import Inputs, standing_in
from bot.budget.incident import Acknowledgement, Incident, Severity, Snooze
from bot.budget.sums import Sums
from bot.jobs.check import judge
from bot.model import Metric, Period, Reading, Totals
from bot.rules.models import AboveUsualRule, BelowRule, Escalation, Expected, Rule, Rules, ThresholdRule
from bot.windows import LATE_DAYS, Window, checked_span, midnight, utc_day
from tests.samples.figures import rule

pytestmark = [pytest.mark.xdist_group("year"), pytest.mark.timeout(400)]  # made once, by one of the test processes

FIRST = date(2027, 1, 1)
DAYS = int(os.environ.get("DAYS", "120"))  # noqa: TID251 an option of this test run
BEFORE = 80  # days of usage that the bot finds when it starts
HOUR = timedelta(hours=1)
IncidentKey = tuple[str, Window]


def many_rules() -> Rules:
    """30 rules of all kinds; `calls` and `Quiet` are never changed, so that all of theirs can be foretold."""
    made: list[Rule] = []
    for period, days in ((Period.DAY, 1), (Period.WEEK, 6), (Period.MONTH, 26)):
        for metric, usual in ((Metric.COST, 5000), (Metric.MINUTES, 830), (Metric.CALLS, 210)):
            made.append(
                rule(f"{metric} per {period}", usual * days * 11 // 10, (80, 100), metric=metric, period=period)
            )
            made.append(rule(f"{metric} per {period} high", usual * days * 13 // 10, metric=metric, period=period))
    made += [
        rule(f"{metric}", 28, (90, 100, 110), metric=metric, at_least_calls=20) for metric in (Metric.COST_PER_CALL,)
    ]
    made += [rule("price", 6, (100, 105), metric=Metric.COST_PER_MINUTE, period=Period.WEEK)]
    made += [rule("length", 4, metric=Metric.MINUTES_PER_CALL, period=Period.MONTH)]
    made += [rule("steps", 4000, then_every=Decimal(1000))]
    made += [rule("reminded", 5200, remind_every=timedelta(hours=4))]
    made += [rule("escalated", 5300, escalate=Escalation(after=timedelta(hours=2), channel="#finance"))]
    made += [rule("foreseen", 5400, forecast=True), rule("foreseen month", 140_000, period=Period.MONTH, forecast=True)]
    made += [AboveUsualRule(name="unusual", above_usual=Decimal("1.4"), at_least=Decimal(1000))]
    made += [AboveUsualRule(name="many calls", metric=Metric.CALLS, above_usual=Decimal("1.3"))]
    made += [BelowRule(name="Quiet", metric=Metric.CALLS, below=Decimal(30), by=time(10))]
    made += [BelowRule(name="No money", below=Decimal(500), by=time(18))]
    launch = Expected(
        first=date(2027, 4, 5), last=date(2027, 4, 7), rule="cost per day", threshold=Decimal(9000), why="launch"
    )
    return Rules(channel="#voice-spend", rules=tuple(made), expected=(launch,))


# What Cartesia would answer at any moment: days that fill up by the hour, and some that are restated later.


@cache
def final(day: date) -> Totals:
    """The day's figure, before it is restated."""
    chance = random.Random(day.toordinal())  # noqa: S311 a world, no secret
    size = (0.45 if day.weekday() >= 5 else 1.0) * chance.uniform(0.7, 1.25) * (1 + (day - FIRST).days / 1500)
    size *= 0.05 if chance.random() < 0.03 else 1.9 if chance.random() < 0.04 else 1.0
    calls = round(220 * size)
    minutes = Decimal(round(calls * chance.uniform(3.3, 4.4) * 10)) / 10
    return Totals(round(float(minutes) * chance.uniform(5.8, 6.3)), minutes, calls)


@cache
def restated(day: date) -> tuple[datetime, Fraction] | None:
    """When the day's figure is restated, and to how many times of what it was."""
    chance = random.Random(-day.toordinal())  # noqa: S311
    if chance.random() > 0.12:
        return None
    later = midnight(day + timedelta(days=1)) + timedelta(hours=chance.randrange(1, 60))
    return later, Fraction(chance.choice([60, 90, 105, 110, 150]), 100)


@cache
def figure(day: date, hours: int) -> Totals:
    """What is told of the day so many hours after its beginning."""
    whole, change = final(day), restated(day)
    if change and midnight(day) + hours * HOUR >= change[0]:
        return _share(whole, change[1])
    return _share(whole, min(max(Fraction(hours - 6, 15), Fraction(0)), Fraction(1)))  # from 06:00 to 21:00


def read(now: datetime) -> Reading:
    span = checked_span(now)
    known = [day for day in span.each_day() if FIRST - timedelta(days=BEFORE) <= day <= utc_day(now)]
    return Reading(span, {day: figure(day, min((now - midnight(day)) // HOUR, 96)) for day in known}, now)


def _share(whole: Totals, share: Fraction) -> Totals:
    minutes = Decimal(int(Fraction(whole.minutes) * share * 10)) / 10
    return Totals(int(whole.cents * share), minutes, int(whole.calls * share))


@dataclass
class Readings:
    """Change rows, as the store keeps them: a day's figure with the moment it was first read so."""

    rows: dict[date, list[tuple[datetime, Totals]]] = field(default_factory=dict)
    within: dict[date, list[tuple[datetime, Totals]]] = field(default_factory=dict)  # read while the day lasted

    def keep(self, reading: Reading) -> None:
        for day, totals in reading.days.items():
            kept = self.rows.setdefault(day, [])
            if not kept or kept[-1][1] != totals:
                kept.append((reading.read_at, totals))
                if day == utc_day(reading.read_at):
                    self.within.setdefault(day, []).append((reading.read_at, totals))

    def as_of(self, read_at: datetime, now: datetime) -> Reading:
        found = {}
        span = checked_span(now)
        for day in span.each_day():
            rows = self.rows.get(day, [])
            if place := bisect_right(rows, read_at, key=itemgetter(0)):
                found[day] = rows[place - 1][1]
        return Reading(span, found, read_at)

    def curves(self, read_at: datetime) -> dict[date, list[tuple[datetime, Totals]]]:
        oldest = utc_day(read_at - timedelta(weeks=9))
        return {
            day: rows if day < utc_day(read_at) else [(at, totals) for at, totals in rows if at <= read_at]
            for day, rows in self.within.items()
            if oldest <= day <= utc_day(read_at)
        }


@dataclass(frozen=True)
class Message:
    """What was said, and what it was decided from."""

    decision: Decision
    now: datetime
    read_at: datetime
    rules: Rules


@dataclass
class Year:
    """The year as it went."""

    messages: list[Message] = field(default_factory=list)
    checks: int = 0
    silent: Counter[Reason] = field(default_factory=Counter)
    readings: Readings = field(default_factory=Readings)
    incidents: dict[IncidentKey, Incident] = field(default_factory=dict)
    open: set[IncidentKey] = field(default_factory=set)
    origins: dict[IncidentKey, Rules] = field(default_factory=dict)
    seen: dict[IncidentKey, list[Fraction]] = field(default_factory=dict)


def edited(rules: Rules, today: date, since: dict[str, datetime], now: datetime) -> Rules:
    """What an editor does in the course of the weeks: raises, lowers, renames, removes and puts back."""
    edits: dict[date, tuple[str, dict[str, Any] | None]] = {
        date(2027, 2, 10): ("cost per day", {"threshold": Decimal(7000)}),
        date(2027, 3, 10): ("cost per day", {"threshold": Decimal(4000)}),
        date(2027, 3, 31): ("minutes per week", {"name": "minutes a week"}),
        date(2027, 3, 17): ("cost per month high", None),
        date(2027, 4, 14): ("steps", {"then_every": Decimal(2000)}),
        date(2027, 4, 21): ("cost per day high", {"period": Period.WEEK, "threshold": Decimal(30_000)}),
    }
    if today not in edits:
        return rules
    name, change = edits[today]
    kept = [each for each in rules.rules if each.name != name]
    old = rules.named(name)
    if change is not None and isinstance(old, ThresholdRule):
        new = replace(old, **change)
        kept.append(new)
        since[new.name] = now
    return replace(rules, rules=tuple(kept))


def moments() -> Iterator[datetime]:
    """Every hour at a quarter past, but for outages: some hours now and then, and six days in February."""
    chance = random.Random(7)  # noqa: S311
    now = midnight(FIRST) + timedelta(minutes=15)
    silent_until = now
    while now < midnight(FIRST + timedelta(days=DAYS)):
        if chance.random() < 0.004:
            silent_until = now + timedelta(hours=chance.randrange(2, 30))
        if utc_day(now) == date(2027, 2, 22):
            silent_until = now + timedelta(days=6)
        if now >= silent_until:
            yield now
        now += HOUR


def people(year: Year, incident_key: IncidentKey, incident: Incident, now: datetime, chance: random.Random) -> None:
    """Now and then somebody acknowledges, snoozes or undoes; never for the rules whose messages are foretold."""
    if incident_key[0] in ("Quiet", "calls per day") or incident.closed:
        return
    luck = chance.random()
    if luck < 0.05:
        year.incidents[incident_key] = replace(incident, acknowledged=Acknowledgement("U0ADMIN01", now))
    elif luck < 0.07:
        year.incidents[incident_key] = replace(incident, snooze=Snooze("U0ADMIN01", now, "later", until=now + 5 * HOUR))
    elif luck < 0.09:
        amount = Decimal(int(incident.value * 11 / 10) + 1)
        year.incidents[incident_key] = replace(incident, snooze=Snooze("U0ADMIN01", now, "more", amount=amount))
    elif luck < 0.10:
        year.incidents[incident_key] = replace(incident, snooze=None, acknowledged=None)


@pytest.fixture(scope="module")
def year() -> Year:
    """The whole of it, by the functions that run in production."""
    result, rules = Year(), many_rules()
    start = midnight(FIRST)
    since = {each.name: start for each in rules.rules}
    chance, today = random.Random(11), FIRST  # noqa: S311
    for now in moments():
        if utc_day(now) != today:
            today = utc_day(now)
            rules = edited(rules, today, since, now)
        one_check(result, read(now), rules, since, now)
        for incident_key in list(result.open):
            if incident_key[1].end > today:
                people(result, incident_key, result.incidents[incident_key], now, chance)
    return result


def one_check(year: Year, reading: Reading, rules: Rules, since: dict[str, datetime], now: datetime) -> None:
    year.checks += 1
    year.readings.keep(reading)
    inputs = Inputs(Sums(reading), year.readings.curves(now), rules.expected_in)
    gone = {
        incident_key: found
        for incident_key in year.open
        if (
            found := rules.named(incident_key[0])
            if rules.watches(*incident_key)
            else year.origins[incident_key].named(incident_key[0])
        )
    }
    for decision in judge(rules, since, inputs, year.incidents, gone, now):
        incident_key = (decision.standing.rule.name, decision.standing.window)
        if decision.standing.value is not None:
            year.seen.setdefault(incident_key, []).append(Fraction(decision.standing.value))
        if decision.reason.speaks:
            by = year.origins[incident_key] if decision.standing.removed else rules
            year.messages.append(Message(decision, now, reading.read_at, by))
        else:
            year.silent[decision.reason] += 1
        if (state := after(decision, now)) is not None:
            year.incidents[incident_key] = state
            (year.open.discard if state.closed else year.open.add)(incident_key)
        if not decision.standing.removed:
            year.origins[incident_key] = rules


def test_it_was_a_time_with_everything_in_it(year: Year) -> None:
    spoken = Counter(message.decision.reason for message in year.messages)
    print(f"{year.checks} checks, {len(year.messages)} messages: {dict(spoken)}; silent: {dict(year.silent)}")
    assert year.checks > 21 * DAYS
    assert set(spoken) | set(year.silent) == set(Reason)
    assert len(many_rules().rules) == 30


def test_every_message_is_decided_again_from_what_was_recorded(year: Year) -> None:
    for message in year.messages:
        standing = message.decision.standing
        incident_key = (standing.rule.name, standing.window)
        recorded = message.rules.named(incident_key[0])
        assert recorded is not None
        reading = year.readings.as_of(message.read_at, message.now)
        inputs = Inputs(Sums(reading), year.readings.curves(message.read_at), message.rules.expected_in)
        found = standing_in(recorded, standing.window, inputs)
        assert found is not None
        before = {incident_key: message.decision.before} if message.decision.before else {}
        [again] = decide([replace(found, removed=standing.removed)], before, message.now)
        assert (again.reason, again.tells) == (message.decision.reason, message.decision.tells), (
            incident_key,
            message.now,
        )


def test_no_level_is_told_twice_unless_a_correction_took_it_back(year: Year) -> None:
    told: set[tuple[IncidentKey, object]] = set()
    for message in year.messages:
        decision = message.decision
        incident_key = (decision.standing.rule.name, decision.standing.window)
        if decision.reason is Reason.CORRECTED:
            told = {(other, key) for other, key in told if other != incident_key}
        elif decision.tells:
            assert (incident_key, decision.tells[0]) not in told, (incident_key, message.now)
            told.add((incident_key, decision.tells[0]))


@pytest.mark.parametrize("name", ["calls per day", "calls per week", "calls per month", "cost per week"])
def test_no_level_that_any_reading_showed_is_lost(year: Year, name: str) -> None:
    budget = many_rules().named(name)
    assert isinstance(budget, ThresholdRule)
    for incident_key, figures in year.seen.items():
        if incident_key[0] != name:
            continue
        incident = year.incidents.get(incident_key)
        told = {key.amount for key in incident.told if key.kind is not Severity.COMING} if incident else set()
        quiet = incident is not None and incident.snooze is not None
        reached = {level.amount.normalize() for level in budget.levels if level.amount <= max(figures)}
        assert quiet or told >= reached, (incident_key, max(figures))
        assert bool(incident) == bool(reached) or quiet


def test_every_incident_is_closed_with_the_figure_that_its_window_had_in_the_end(year: Year) -> None:
    looked_at = 0
    for incident_key, incident in year.incidents.items():
        name, window = incident_key
        settled = midnight(window.end + timedelta(days=LATE_DAYS))
        if settled > midnight(FIRST + timedelta(days=DAYS)):
            continue
        assert incident.closed, incident_key
        budget = year.origins[incident_key].named(name)
        last_seen = year.seen[incident_key][-1]
        if isinstance(budget, ThresholdRule) and incident.heard_at >= midnight(window.end):
            assert incident.value == last_seen, incident_key
            looked_at += 1
    assert looked_at > 4 * DAYS


def test_nobody_is_flooded(year: Year) -> None:
    news = Counter(
        (message.now, message.decision.standing.rule.name)
        for message in year.messages
        if message.decision.reason.is_news
    )
    assert max(news.values()) <= LATE_DAYS + 1  # after six days down: what is still within three days, once each
    a_day = Counter(utc_day(message.now) for message in year.messages if message.decision.reason.is_news)
    assert sorted(a_day.values())[len(a_day) // 2] <= 15  # by 30 rules


def test_the_year_begins_without_old_news() -> None:
    assert checked_span(midnight(FIRST)).start < FIRST
    first = Year()
    rules = many_rules()
    now = datetime.combine(FIRST, time(0, 15), tzinfo=UTC)
    one_check(first, read(now), rules, {each.name: midnight(FIRST) for each in rules.rules}, now)
    assert [each.decision.reason for each in first.messages if each.decision.standing.window.period is Period.DAY] == []
