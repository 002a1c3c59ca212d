"""Every kind of alert, edit, reply and modal, as real readings lead to them: Slack would take it, and it reads well.

Each story judges readings one after the other by the very functions that judge in production. The account in it uses
$25.10 on a usual Sunday and $30.00 on other days, in a curve that bends a little from week to week.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget.decide import Reason, after, decide
from bot.budget.evaluate import Inputs, Standing, evaluate, standing_in
from bot.budget.explain import Facts, explain
from bot.budget.forecast import Curve
from bot.budget.incident import Acknowledgement, Incident, LevelKey, Severity, Snooze
from bot.budget.sums import Sums
from bot.model import Message, Metric, Period, Reading, Totals
from bot.rules.models import AboveUsualRule, BelowRule, Escalation, Expected, Rule, Rules, ThresholdRule
from bot.sandbox.slack.blocks import Surface, mistakes, view_mistakes
from bot.slack import alerts, blocks
from bot.windows import Window, checked_span, midnight, utc_day, window_of
from bot.words import alerts as words
from tests.samples.figures import LONG_AGO, MOMENTS, NOON, SUNDAY, rule
from tests.slack.test_blocks import AGES, GOLDEN, NASTY, WIDE, charts, marked_up
from tests.slack.test_blocks import GOLDEN_MESSAGES as OTHERS

HERE, THERE = "#voice-spend", "#finance"
ANNA, BEN = "U0123456789", "U9876543210"
RUNBOOK = "https://example.com/what-to-do?a=1&b=2"
NUMBER = 7

# The account


def usual_day(day: date) -> Totals:
    """$25.10 on Sundays, $30.00 on other days, a little more or less from week to week."""
    week = day.toordinal() // 7 % 5 - 2
    if day.weekday() == 6:
        return Totals(2510 + 60 * week, Decimal(440 + 10 * week), 116 + week)
    return Totals(3000 + 60 * week, Decimal(520 + 10 * week), 140 + week)


def by_then(day: date, moment: datetime) -> Totals:
    """A usual day's figures at a moment within it: evenly, but for a bend that differs from week to week."""
    part = Fraction(int((moment - midnight(day)).total_seconds()), 24 * 3600)
    share = part + Fraction(day.toordinal() // 7 % 5 - 2, 10) * part * (1 - part)
    whole = usual_day(day)
    return Totals(int(whole.cents * share), Decimal(int(int(whole.minutes) * share)), int(whole.calls * share))


def account(now: datetime, days: Mapping[date, Totals]) -> Reading:
    """What is read at this moment: usual days, but for these."""
    span, today = checked_span(now), utc_day(now)
    usual = {day: usual_day(day) for day in span.each_day()}
    return Reading(span, {**usual, today: by_then(today, now), **days}, now)


def curves(now: datetime) -> Mapping[date, Curve]:
    """Every hour of the days before."""
    return _curves_before(utc_day(now))


@cache
def _curves_before(today: date) -> Mapping[date, Curve]:
    found: dict[date, Curve] = {}
    for day in checked_span(midnight(today)).each_day()[:-1]:
        hours = [midnight(day) + timedelta(hours=hour) for hour in range(1, 24)]
        found[day] = [(hour, by_then(day, hour)) for hour in hours]
    return found


def spent(dollars: float, minutes: int = 440, calls: int = 116) -> Totals:
    return Totals(round(dollars * 100), Decimal(minutes), calls)


BREACH = spent(53.20, 887, 212)
WARNING = spent(42, 700, 170)


def at(clock: str, day: date = SUNDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=UTC)


# Stories


@dataclass
class Story:
    """One incident, from reading to reading; `back` counts from the window that is open on the Sunday."""

    budget: Rule
    back: int = 0
    events: tuple[Expected, ...] = ()
    state: Incident | None = None
    said: list[Facts] = field(default_factory=list)

    @property
    def window(self) -> Window:
        window = window_of(self.budget.period, SUNDAY)
        for _ in range(self.back):
            window = window.previous()
        return window

    def read(self, now: datetime, days: Mapping[date, Totals] | Totals, reason: Reason, gone: bool = False) -> Story:
        """Judge one more reading, which must lead to this decision; `days` may be today's figures alone."""
        shown = days if isinstance(days, Mapping) else {utc_day(now): days}
        known = account(now, shown)
        rules = Rules(rules=(self.budget,), expected=self.events)
        standing = standing_in(self.budget, self.window, Inputs(Sums(known), curves(now), rules.expected_in))
        assert standing is not None
        [decision] = decide([replace(standing, removed=gone)], self._known(), now)
        assert decision.reason is reason, decision
        self.state = after(decision, now)
        self.said.append(explain(decision, known, curves(now)))
        return self

    def _known(self) -> Mapping[tuple[str, Window], Incident]:
        return {(self.budget.name, self.window): self.state} if self.state else {}

    def acknowledge(self, now: datetime) -> Story:
        assert self.state is not None
        self.state = replace(self.state, acknowledged=Acknowledgement(ANNA, now))
        return self

    def snooze(self, now: datetime, words: str, **until: Any) -> Story:
        assert self.state is not None
        self.state = replace(self.state, snooze=Snooze(BEN, now, words, **until))
        return self

    @property
    def message(self) -> Message:
        """The incident's message as it stands in the channel."""
        assert self.state is not None
        return alerts.in_state(alerts.base_message(self.said[-1]), self.state, NUMBER)

    @property
    def reply(self) -> Message:
        return alerts.reply(self.said[-1])

    @property
    def copy(self) -> Message:
        return alerts.escalation(self.said[-1], HERE)


def warned(**of_rule: Any) -> Story:
    return Story(rule(**of_rule)).read(NOON, WARNING, Reason.CROSSED)


def broken(**of_rule: Any) -> Story:
    return Story(rule(**of_rule)).read(NOON, BREACH, Reason.CROSSED)


def late() -> Story:
    """Saturday was over when its figure arrived."""
    saturday = SUNDAY - timedelta(days=1)
    return Story(rule(), back=1).read(at("06:00"), {saturday: BREACH}, Reason.CROSSED)


def raised(**of_rule: Any) -> Story:
    return warned(**of_rule).read(at("14:30"), BREACH, Reason.RAISED)


def stepped() -> Story:
    return broken(then_every=Decimal(2500)).read(at("16:00"), spent(78.40, 1290, 310), Reason.STEP)


def foreseen(now: str = "08:00") -> Story:
    return Story(rule(forecast=True)).read(at(now), spent(22.40, 375, 90), Reason.FORECAST)


def foreseen_at_once() -> Story:
    """So near that half an hour is too coarse."""
    return Story(rule(alert_at=(100,), forecast=True)).read(at("12:10"), spent(49.90, 830, 199), Reason.FORECAST)


def foreseen_of_a_month() -> Story:
    budget = rule("Monthly spend", 92_000, (80, 100), period=Period.MONTH, forecast=True)
    return Story(budget).read(
        at("12:00", date(2026, 11, 16)), {date(2026, 11, 14): spent(160, 2660, 640)}, Reason.FORECAST
    )


def unusual() -> Story:
    return Story(AboveUsualRule(name="Unusual day", above_usual=Decimal(2))).read(NOON, BREACH, Reason.UNUSUAL)


def unusual_where_nothing_is_usual() -> Story:
    budget = AboveUsualRule(name="Unusual day", above_usual=Decimal(2), at_least=Decimal(2000))
    return Story(budget).read(NOON, {**UNUSED_SUNDAYS, SUNDAY: BREACH}, Reason.UNUSUAL)


UNUSED_SUNDAYS = {SUNDAY - timedelta(weeks=back): Totals() for back in range(1, 9)}
QUIET = BelowRule(name="Evening calls", metric=Metric.CALLS, below=Decimal(20), by=time(9))


def silent() -> Story:
    return Story(QUIET).read(at("09:05"), Totals(30, Decimal(5), 1), Reason.CROSSED)


def silent_no_longer() -> Story:
    return silent().read(at("10:10"), Totals(700, Decimal(110), 28), Reason.CLOSED)


CALLING: Mapping[str, Any] = {
    "mention": ("@here", ANNA),
    "runbook": RUNBOOK,
    "remind_every": timedelta(hours=2),
    "escalate": Escalation(after=timedelta(minutes=30), channel=THERE),
}


def escalated() -> Story:
    return broken(**CALLING).read(at("12:30"), spent(55.10, 918, 220), Reason.ESCALATED)


def reminded() -> Story:
    return escalated().read(at("14:30"), spent(61, 1010, 243), Reason.REMINDER)


def corrected() -> Story:
    return raised().read(at("15:00"), spent(48.10, 810, 195), Reason.CORRECTED)


def corrected_to_nothing() -> Story:
    return raised().read(at("15:00"), spent(31.10, 520, 126), Reason.CORRECTED)


def over_again() -> Story:
    return corrected_to_nothing().read(at("15:05"), BREACH, Reason.CROSSED)


MONDAY = SUNDAY + timedelta(days=1)


def closed(**of_rule: Any) -> Story:
    return broken(**of_rule).read(at("00:05", MONDAY), {SUNDAY: spent(71.30, 1190, 284)}, Reason.CLOSED)


def corrected_when_over() -> Story:
    """A closed day, still over its threshold."""
    return closed().read(at("09:00", MONDAY), {SUNDAY: spent(69.90, 1170, 279)}, Reason.CORRECTED)


def below_when_over() -> Story:
    return closed().read(at("09:00", MONDAY), {SUNDAY: spent(38.25, 640, 155)}, Reason.CORRECTED)


def closed_week() -> Story:
    budget = rule("Weekly spend", 20_000, period=Period.WEEK)
    return Story(budget).read(NOON, BREACH, Reason.CROSSED).read(at("00:05", MONDAY), {SUNDAY: BREACH}, Reason.CLOSED)


DECEMBER = date(2026, 12, 1)


def closed_month() -> Story:
    budget = rule("Monthly calls", 2500, metric=Metric.CALLS, period=Period.MONTH)
    return Story(budget).read(NOON, BREACH, Reason.CROSSED).read(at("00:05", DECEMBER), {SUNDAY: BREACH}, Reason.CLOSED)


def removed() -> Story:
    return broken().read(at("13:00"), spent(57, 950, 228), Reason.CLOSED, gone=True)


LAUNCH = Expected(first=SUNDAY, last=MONDAY, rule="Daily spend", threshold=Decimal(8000), why="product launch")


def within_an_event() -> Story:
    return Story(rule(), events=(LAUNCH,)).read(NOON, spent(66, 1100, 264), Reason.CROSSED)


def above_an_event() -> Story:
    return within_an_event().read(at("15:00"), spent(84.20, 1400, 335), Reason.RAISED)


def refreshed() -> Story:
    """Nothing to say, but another figure to show."""
    story = broken().read(at("12:40"), spent(56.80, 946, 227), Reason.SAID)
    assert story.said[-1].decision.refreshes
    return story


def of_a(metric: Metric, threshold: float, period: Period = Period.DAY, name: str = "Budget") -> Story:
    budget = rule(name, 1, metric=metric, period=period)
    return Story(replace(budget, threshold=Decimal(str(threshold)))).read(NOON, BREACH, Reason.CROSSED)


def acted(story: Story, *acts: str) -> Message:
    assert story.state is not None
    for act in acts:
        match act:
            case "acknowledged":
                story.acknowledge(at("12:05"))
            case "an hour":
                story.snooze(at("12:06"), "in an hour", until=at("13:06"))
            case "next level":
                story.snooze(at("12:06"), "the next level", above=story.state.gravest)
            case _:
                story.snooze(at("12:06"), act, amount=Decimal(7500))
    return story.message


def told_after_a_snooze() -> Story:
    """Snoozed until $75.00, which is more than any level."""
    story = broken().snooze(at("12:06"), "$75.00", amount=Decimal(7500))
    return story.read(at("15:00"), spent(76.10, 1260, 302), Reason.RAISED)


def closed_and_acknowledged() -> Message:
    story = broken().acknowledge(at("12:05"))
    return story.read(at("00:05", MONDAY), {SUNDAY: spent(71.30, 1190, 284)}, Reason.CLOSED).message


HOUR = Snooze(BEN, NOON, "in an hour", until=at("13:00"))

GOLDEN_MESSAGES: dict[str, Callable[[], Message]] = {
    # what opens an incident
    "alert of a warning": lambda: warned().message,
    "alert of a breach": lambda: broken().message,
    "alert of a breach that came late": lambda: late().message,
    "alert with people and a runbook": lambda: broken(**CALLING).message,
    "alert for a week": lambda: (
        Story(rule("Weekly spend", 20_000, period=Period.WEEK)).read(NOON, BREACH, Reason.CROSSED).message
    ),
    "alert for a month of calls": lambda: of_a(Metric.CALLS, 2500, Period.MONTH, "Monthly calls").message,
    "alert of minutes": lambda: of_a(Metric.MINUTES, 800, name="Daily minutes").message,
    "alert of dollars a call": lambda: of_a(Metric.COST_PER_CALL, 20.5, name="Cost per call").message,
    "alert of dollars a minute": lambda: of_a(Metric.COST_PER_MINUTE, 5, name="Cost per minute").message,
    "alert of minutes a call": lambda: of_a(Metric.MINUTES_PER_CALL, 4, Period.WEEK, "Length of calls").message,
    "alert of a forecast for a day": lambda: foreseen().message,
    "alert of a forecast for the next minutes": lambda: foreseen_at_once().message,
    "alert of a forecast for a month": lambda: foreseen_of_a_month().message,
    "alert of an unusual day": lambda: unusual().message,
    "alert of use where none is usual": lambda: unusual_where_nothing_is_usual().message,
    "alert of silence": lambda: silent().message,
    "alert within a declared event": lambda: within_an_event().message,
    # what becomes of it
    "alert raised": lambda: raised().message,
    "alert raised above a declared event": lambda: above_an_event().message,
    "alert that was snoozed until this amount": lambda: told_after_a_snooze().message,
    "alert a step further": lambda: stepped().message,
    "alert reminded of": lambda: reminded().message,
    "alert escalated": lambda: escalated().message,
    "alert escalated to the other channel": lambda: escalated().copy,
    "alert corrected to a warning": lambda: corrected().message,
    "alert corrected to below every level": lambda: corrected_to_nothing().message,
    "alert over again": lambda: over_again().message,
    "alert closed for a day": lambda: closed().message,
    "alert closed for a week": lambda: closed_week().message,
    "alert closed for a month": lambda: closed_month().message,
    "alert closed as the rule is gone": lambda: removed().message,
    "alert closed as silence ended": lambda: silent_no_longer().message,
    "alert corrected after its day, still over": lambda: corrected_when_over().message,
    "alert corrected after its day, below": lambda: below_when_over().message,
    "alert with a newer figure": lambda: refreshed().message,
    # what people did about it
    "alert acknowledged": lambda: acted(broken(), "acknowledged"),
    "alert snoozed for an hour": lambda: acted(broken(), "an hour"),
    "alert snoozed until the next level": lambda: acted(warned(), "next level"),
    "alert snoozed until an amount": lambda: acted(broken(), "$75.00"),
    "alert acknowledged and snoozed": lambda: acted(broken(), "acknowledged", "an hour"),
    "alert acknowledged and closed": closed_and_acknowledged,
    # the thread
    "reply raised": lambda: raised().reply,
    "reply raised, with people": lambda: raised(**CALLING).reply,
    "reply a step further": lambda: stepped().reply,
    "reply of a forecast": lambda: foreseen_after_a_warning().reply,
    "reply of a reminder": lambda: reminded().reply,
    "reply of an escalation": lambda: escalated().reply,
    "reply of a correction": lambda: corrected().reply,
    "reply of a correction to below every level": lambda: corrected_to_nothing().reply,
    "reply of a correction after its day": lambda: corrected_when_over().reply,
    "reply of a close": lambda: closed().reply,
    "reply of a close as the rule is gone": lambda: removed().reply,
    "reply of a close as silence ended": lambda: silent_no_longer().reply,
    "reply acknowledged": lambda: alerts.acknowledged(ANNA),
    "reply snoozed for an hour": lambda: alerts.snoozed(HOUR),
    "reply snoozed until the next level": lambda: alerts.snoozed(Snooze(BEN, NOON, "the next level")),
    "reply snoozed until an amount": lambda: alerts.snoozed(Snooze(BEN, NOON, "$75.00", amount=Decimal(7500))),
    "reply undone": lambda: alerts.undone(ANNA),
}


def foreseen_after_a_warning() -> Story:
    """A low level is told early, when nothing is foreseen yet."""
    early = Story(rule(forecast=True, alert_at=(10, 100))).read(at("08:00"), spent(5.10, 85, 20), Reason.CROSSED)
    return early.read(at("12:30"), spent(42.50, 705, 171), Reason.FORECAST)


NOT_GOLDEN: dict[str, Callable[[], Message]] = {
    "alert with a runbook": lambda: broken(runbook=RUNBOOK).message,
    "alert of a nasty name": lambda: broken(name=NASTY, mention=("@here",)).message,
    "alert of a wide name": lambda: broken(name=WIDE).message,
    "alert of a name that grows when escaped": lambda: broken(name=AGES).message,
    "alert of a long runbook": lambda: broken(runbook="https://example.com/" + "&" * 500).message,
    "alert for many people": lambda: broken(mention=(ANNA,) * 100).message,
    "alert of an amount beyond reason": lambda: (
        Story(rule(threshold=10**13)).read(NOON, spent(10**13, 10**13, 10**13), Reason.CROSSED).message
    ),
    "alert of a nasty event": lambda: (
        Story(rule(), events=(replace(LAUNCH, why=NASTY),)).read(NOON, spent(66), Reason.CROSSED).message
    ),
    "reply of a nasty name": lambda: raised(name=NASTY, mention=("@here",)).reply,
    "alert of a nasty name, to the other channel": lambda: alerts.escalation(
        broken(**{**CALLING, "name": NASTY}).read(at("12:30"), BREACH, Reason.ESCALATED).said[-1], NASTY
    ),
    "alert closed as the rule is gone, and its figures too": lambda: gone_with_its_figures(),
    "alert with nothing to draw": lambda: alerts.base_message(alone()),
    "alert shared by a rerouting": lambda: blocks.rerouted(broken(name=AGES).message, NASTY, NASTY),
}


def gone_with_its_figures() -> Message:
    story = broken()
    assert story.state is not None
    left = Standing(story.budget, story.window, Totals(), None, None, closed=True, removed=True)
    known = account(at("12:00", DECEMBER), {})
    [decision] = decide([left], {(story.budget.name, story.window): story.state}, known.read_at)
    state = after(decision, known.read_at)
    assert decision.reason is Reason.CLOSED
    assert state is not None
    return alerts.in_state(alerts.base_message(explain(decision, known, {})), state, NUMBER)


def alone() -> Facts:
    """A day without a day before."""
    read = Reading(window_of(Period.DAY, SUNDAY).span, {SUNDAY: BREACH}, NOON)
    [decision] = decide(evaluate([rule()], Inputs(Sums(read)), {}, NOON), {}, NOON)
    return explain(decision, read, {})


MESSAGES = {**GOLDEN_MESSAGES, **NOT_GOLDEN}
EVERY = pytest.mark.parametrize("made", MESSAGES.values(), ids=MESSAGES)
HERE_AND_ANNA = {"<!here>", f"<@{ANNA}>"}
MAY_PING = {
    "alert with people and a runbook": HERE_AND_ANNA,
    "alert reminded of": HERE_AND_ANNA,
    "alert escalated": HERE_AND_ANNA,
    "alert escalated to the other channel": HERE_AND_ANNA,
    "alert of a nasty name, to the other channel": HERE_AND_ANNA,
    "reply raised, with people": HERE_AND_ANNA,
    "reply of a reminder": HERE_AND_ANNA,
    "reply of an escalation": HERE_AND_ANNA,
    "alert of a nasty name": {"<!here>"},
    "reply of a nasty name": {"<!here>"},
    "alert for many people": {f"<@{ANNA}>"},
    "alert acknowledged": {f"<@{ANNA}>"},
    "alert snoozed for an hour": {f"<@{BEN}>"},
    "alert snoozed until the next level": {f"<@{BEN}>"},
    "alert snoozed until an amount": {f"<@{BEN}>"},
    "alert acknowledged and snoozed": {f"<@{ANNA}>", f"<@{BEN}>"},
    "alert acknowledged and closed": {f"<@{ANNA}>"},
    "reply acknowledged": {f"<@{ANNA}>"},
    "reply snoozed for an hour": {f"<@{BEN}>"},
    "reply snoozed until the next level": {f"<@{BEN}>"},
    "reply snoozed until an amount": {f"<@{BEN}>"},
    "reply undone": {f"<@{ANNA}>"},
}


def modal(metric: Metric, stands: Fraction, name: str = "Budget") -> dict[str, object]:
    return alerts.amount_modal(NUMBER, rule(name, metric=metric), stands)


GOLDEN_MODALS: dict[str, Callable[[], dict[str, object]]] = {
    "modal for dollars": lambda: modal(Metric.COST, Fraction(125_320), "Daily spend"),
    "modal for minutes": lambda: modal(Metric.MINUTES, Fraction(887), "Daily minutes"),
    "modal for calls": lambda: modal(Metric.CALLS, Fraction(1), "Daily calls"),
    "modal for dollars a call": lambda: modal(Metric.COST_PER_CALL, Fraction(2509, 100), "Cost per call"),
    "modal for minutes a call": lambda: modal(Metric.MINUTES_PER_CALL, Fraction(418, 100), "Length of calls"),
}
MODALS = {
    **GOLDEN_MODALS,
    "modal for dollars a minute": lambda: modal(Metric.COST_PER_MINUTE, Fraction(6)),
    "modal of a nasty name": lambda: modal(Metric.COST, Fraction(10**14), NASTY),
    "modal of a name that grows": lambda: modal(Metric.COST, Fraction(0), AGES),
}


# What Slack takes


def wrong(message: Message) -> list[object]:
    return list(mistakes([dict(block) for block in message.blocks], Surface.MESSAGE))


@EVERY
def test_slack_would_take_it(made: Callable[[], Message]) -> None:
    message = made()
    assert wrong(message) == []
    assert json.dumps(list(message.blocks), allow_nan=False)
    assert 1 <= len(message.text) <= 4000
    assert message.text == message.text.strip()


@pytest.mark.parametrize("made", MODALS.values(), ids=MODALS)
def test_slack_would_take_the_modal(made: Callable[[], dict[str, object]]) -> None:
    view = made()
    assert view_mistakes(view) == []
    assert view["private_metadata"] == str(NUMBER)


@pytest.mark.parametrize("made", MODALS.values(), ids=MODALS)
def test_a_modal_pings_nobody(made: Callable[[], dict[str, object]]) -> None:
    assert all("<" not in text for text in marked_up(made()))


@EVERY
def test_a_chart_has_a_value_for_every_label_and_fits(made: Callable[[], Message]) -> None:
    for chart in charts(made()):
        labels = chart["chart"]["axis_config"]["categories"]
        assert 2 <= len(labels) == len(set(labels)) <= 20
        for series in chart["chart"]["series"]:
            assert [point["label"] for point in series["data"]] == labels


def controls(message: Message) -> Iterator[set[str]]:
    """What Slack would take for a mention or a link, in the text and in each text of the blocks."""
    for text in (message.text, *marked_up(message.blocks)):
        found = set(re.findall(r"<[^>]*>?", text))
        yield {each for each in found if not each.startswith(("<!date^", "<https://example.com/"))}


@pytest.mark.parametrize("name", MESSAGES)
def test_nobody_is_pinged_but_whom_the_rules_name(name: str) -> None:
    message = MESSAGES[name]()
    for found in controls(message):
        assert found <= MAY_PING.get(name, set())
    assert all(ping in message.text for ping in MAY_PING.get(name, set()))


# Any decision


NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80)
AMOUNTS = st.integers(1, 10**12).map(Decimal) | st.integers(1, 5000).map(Decimal)
PEOPLE = st.lists(st.sampled_from(["@here", ANNA, "S0123456789", "@channel"]), max_size=20).map(tuple)


@st.composite
def budgets(draw: st.DrawFn) -> Rule:
    """A rule of any kind, metric and period, with or without everything else a rule may have."""
    common: dict[str, Any] = {
        "name": draw(NAMES),
        "mention": draw(PEOPLE),
        "runbook": draw(st.none() | st.just(RUNBOOK)),
        "remind_every": draw(st.none() | st.just(timedelta(hours=1))),
        "escalate": draw(st.none() | st.just(Escalation(after=timedelta(minutes=30), channel=THERE))),
    }
    metric = draw(st.sampled_from(Metric))
    match draw(st.sampled_from(["threshold", "threshold", "unusual", "silence"])):
        case "unusual":
            at_least = draw(st.none() | AMOUNTS)
            return AboveUsualRule(metric=metric, above_usual=Decimal("1.5"), at_least=at_least, **common)
        case "silence":
            common["metric"] = draw(st.sampled_from([each for each in Metric if not each.is_ratio]))
            return BelowRule(below=draw(AMOUNTS), by=draw(st.times()), **common)
    return ThresholdRule(
        metric=metric,
        period=draw(st.sampled_from(Period)),
        threshold=draw(AMOUNTS),
        alert_at=draw(st.sampled_from([(Decimal(100),), (Decimal(1), Decimal("33.33"), Decimal(1000))])),
        then_every=draw(st.none() | AMOUNTS),
        forecast=draw(st.booleans()),
        mention_from=draw(st.sampled_from([Decimal(1), Decimal(100)])),
        **common,
    )


FIGURES = st.lists(st.integers(-(10**12), 10**12) | st.integers(-100, 10**4), min_size=1, max_size=80)
"""Of each day, the newest first; what was taken back, as the vendor's description allows it, is below zero."""
SNOOZES = st.sampled_from(
    [
        None,
        HOUR,
        Snooze(BEN, NOON, "$1.00", amount=Decimal(100)),
        Snooze(BEN, NOON, "the next level", above=LevelKey(Severity.NEAR, Decimal(1))),
    ]
)


def read_at(now: datetime, figures: Sequence[int]) -> Reading:
    span = checked_span(now)
    days = reversed(span.each_day())
    return Reading(
        span, {day: Totals(n, Decimal(n) / 6, _calls(n)) for day, n in zip(days, figures, strict=False)}, now
    )


def _calls(figure: int) -> int:
    return figure % 997 if figure >= 0 else -(-figure % 997)


def drawn(facts: Facts, state: Incident) -> Iterable[Message]:
    base_message = alerts.base_message(facts)
    yield base_message
    yield alerts.in_state(base_message, state, 10**9)
    yield alerts.reply(facts)
    if facts.decision.standing.rule.escalate:
        yield alerts.escalation(facts, HERE)


@given(
    budget=budgets(),
    now=MOMENTS,
    figures=st.tuples(FIGURES, FIGURES),
    pause=st.integers(0, 4 * 24 * 60),
    taken=st.none() | st.just(Acknowledgement(ANNA, NOON)),
    snooze=SNOOZES,
    event=st.none() | st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80),
    gone=st.booleans(),
)
def test_slack_would_take_whatever_is_decided(
    budget: Rule,
    now: datetime,
    figures: tuple[list[int], list[int]],
    pause: int,
    taken: Acknowledgement | None,
    snooze: Snooze | None,
    event: str | None,
    gone: bool,
) -> None:
    """Two readings of any figures: what opens incidents, and what becomes of them."""
    incidents: dict[tuple[str, Window], Incident] = {}
    declared = Expected(first=SUNDAY, last=SUNDAY, rule=budget.name, threshold=Decimal(10**13), why=event or "")
    for moment, amounts in zip((now, now + timedelta(minutes=pause)), figures, strict=True):
        read = read_at(moment, amounts)
        inputs = Inputs(Sums(read), curves(moment), lambda _name, _window: declared if event else None)
        standings = evaluate([budget], inputs, {budget.name: LONG_AGO}, moment)
        removed = [replace(each, removed=gone and bool(incidents)) for each in standings]
        for decision in decide(removed, incidents, moment):
            state = after(decision, moment) or Incident(moment, frozenset(), Fraction(0), moment, Fraction(0), moment)
            state = replace(state, acknowledged=taken, snooze=snooze)
            incidents[budget.name, decision.standing.window] = state
            adds_up(words.headline(decision.standing).removeprefix(f"{budget.name}: "))
            for message in drawn(explain(decision, read, curves(moment)), state):
                assert wrong(message) == []
                assert 1 <= len(message.text) <= 4000
                assert all(found <= ANYBODY for found in controls(message))


def adds_up(headline: str) -> None:
    """The proportion in the first line is that of the figures beside it, and every minus is one."""
    assert not re.search(r"-[$\d]", headline)
    if share := re.fullmatch(r"(.+) of (.+) \((.+)%\)", headline):
        value, whole, percent = map(figure, share.groups())
        assert value * 100 // whole == percent, headline
    if share := re.fullmatch(r"(.+), (.+)× a usual \w+ \((.+)\)", headline):
        value, times, usual = map(figure, share.groups())
        assert value * 10 // usual == times * 10, headline


def figure(text: str) -> Fraction:
    """The first figure in a text, as a reader takes it."""
    return Fraction(re.findall(r"[−\d][\d,.]*", text.replace("$", ""))[0].replace(",", "").replace("−", "-"))


ANYBODY = {"<!here>", "<!channel>", f"<@{ANNA}>", f"<@{BEN}>", "<!subteam^S0123456789>"}


@given(name=NAMES, metric=st.sampled_from(Metric), stands=st.fractions(0, 10**14))
def test_slack_would_take_any_modal(name: str, metric: Metric, stands: Fraction) -> None:
    assert view_mistakes(modal(metric, stands, name)) == []


# How it reads


@pytest.mark.parametrize(
    ("budget", "value", "usual", "line"),
    [
        pytest.param(
            rule(metric=Metric.MINUTES, threshold=100), "79.96", None, "79.96 of 100 minutes (79%)", id="just below 80%"
        ),
        pytest.param(rule(), "-500", None, "−$5.00 of $50.00 (−10%)", id="a credit"),
        pytest.param(
            replace(QUIET, metric=Metric.MINUTES),
            "19.96",
            None,
            "19.96 minutes, at least 20 minutes expected by 09:00 UTC",
            id="just below what is expected",
        ),
        pytest.param(
            AboveUsualRule(name="x", above_usual=Decimal(2)),
            "1501",
            "750.5",
            "$15.01, 2× a usual Sunday ($7.505)",
            id="exactly twice a median between two cents",
        ),
    ],
)
def test_the_first_line_adds_up(budget: Rule, value: str, usual: str | None, line: str) -> None:
    standing = Standing(
        budget,
        window_of(Period.DAY, SUNDAY),
        Totals(),
        Decimal(value),
        None,
        closed=False,
        usual=Decimal(usual) if usual else None,
    )
    assert words.headline(standing) == f"{budget.name}: {line}"


def test_a_correction_that_rounding_would_hide_is_shown() -> None:
    story = of_a(Metric.COST_PER_MINUTE, 5).read(at("00:05", MONDAY), {SUNDAY: BREACH}, Reason.CLOSED)
    corrected = story.read(at("09:00", MONDAY), {SUNDAY: replace(BREACH, minutes=Decimal("887.001"))}, Reason.CORRECTED)
    assert "corrected: was $0.0599775 a minute, now $0.0599774 a minute" in corrected.message.text


@EVERY
def test_it_reads_calmly(made: Callable[[], Message]) -> None:
    text = re.sub(r"<!(here|channel|date)", "", made().text).replace("&lt;!channel", "")
    assert "!" not in text
    assert "  " not in text
    assert not re.search(r"\b[A-Z]{4,}\b", text)
    assert "_" not in text.replace(RUNBOOK, "")


@EVERY
def test_every_time_has_its_zone_and_every_amount_its_cents(made: Callable[[], Message]) -> None:
    message = made()
    for text in (message.text, *marked_up(message.blocks)):
        for clock in re.finditer(r"(?<![\d:])\d\d:\d\d(?![\d:])", text):
            assert text[clock.end() :].startswith(" UTC"), text
        for amount in re.finditer(r"\$[\d,.]*\d", text):
            assert re.fullmatch(r"\$\d{1,3}(,\d{3})*\.\d{2,5}", amount[0]), amount[0]
        for day in re.finditer(r"\d{4}-\d\d-\d\d", text):
            assert re.match(r"( \d\d:\d\d)? (UTC|\(UTC\))", text[day.end() :]), text


@pytest.mark.parametrize("name", [name for name in MESSAGES if name.startswith("alert")])
def test_it_has_one_marker(name: str) -> None:
    assert len(re.findall("[🟡🔴✅⚪🟢]", MESSAGES[name]().text)) == 1


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("alert of a warning", "🟡"),
        ("alert of a breach", "🔴"),
        ("alert of a forecast for a day", "🟡"),
        ("alert of an unusual day", "🔴"),
        ("alert of silence", "🔴"),
        ("alert within a declared event", "🟡"),
        ("alert raised above a declared event", "🔴"),
        ("alert corrected to below every level", "⚪"),
        ("alert over again", "🔴"),
        ("alert closed for a day", "✅"),
        ("alert closed as silence ended", "✅"),
        ("alert corrected after its day, still over", "⚪"),
    ],
)
def test_the_marker_says_how_it_stands(name: str, marker: str) -> None:
    assert MESSAGES[name]().text.startswith(marker)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in GOLDEN_MESSAGES
        if re.match(
            "alert (of a (warning|breach)|with|raised|a step|reminded|escalated|corrected|closed for a day)", name
        )
    ],
)
def test_an_alert_begins_with_what_where_and_how_much(name: str) -> None:
    first = MESSAGES[name]().text.splitlines()[0]
    assert re.fullmatch(r"(🔴|🟡|⚪|✅) Daily spend: \$\d\d\.\d\d of \$\d0\.00 \(\d+%\)", first)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_blocks_say_what_the_text_says(name: str) -> None:
    """Line by line, but for times, which Slack shows in the reader's zone, and links."""
    message = MESSAGES[name]()
    shown = "\n".join(marked_up(message.blocks))
    plain = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", re.sub(r"<(https:[^>]*)>", r"\1", shown))
    if "rerouting" in name:
        return  # a notice comes first
    for line in message.text.splitlines():
        assert line in plain or line in plain.replace(" · What to do", "\nWhat to do"), line


@pytest.mark.parametrize("name", GOLDEN_MESSAGES)
def test_it_is_word_for_word_the_message_in_the_samples(name: str) -> None:
    """A change of words is made in the sample as well, where it can be read as people will."""
    message = GOLDEN_MESSAGES[name]()
    assert {"text": message.text.splitlines(), "blocks": json.loads(json.dumps(message.blocks))} == golden(name)


@pytest.mark.parametrize("name", GOLDEN_MODALS)
def test_it_is_word_for_word_the_modal_in_the_samples(name: str) -> None:
    assert GOLDEN_MODALS[name]() == golden(name)


def golden(name: str) -> object:
    return json.loads((GOLDEN / f"{name.replace(' ', '_').replace(',', '')}.json").read_text(encoding="utf-8"))


def test_every_sample_is_somebodys() -> None:
    names = [*GOLDEN_MESSAGES, *GOLDEN_MODALS, *OTHERS]
    files = {path.stem for path in GOLDEN.glob("*.json")}
    assert files == {name.replace(" ", "_").replace(",", "") for name in names}


# What the text alone says


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("alert of a breach", ["$53.20 of $50.00 (106%)", "Sunday 2026-11-22 (UTC)", "read 12:00 UTC", "Alert 7"]),
        ("alert of a breach", ["on course for $95.00 by midnight UTC ($90.00 to $105.00)", "2× a usual Sunday"]),
        ("alert of a breach", ["+$27.80 against usual: 81% more calls +$20.62, longer calls +$4.61, price +$2.57"]),
        ("alert of a breach that came late", ["late: the day was over before the figure arrived"]),
        ("alert of a breach that came late", ["read 2026-11-22 06:00 UTC"]),
        ("alert with people and a runbook", ["What to do: https://example.com/what-to-do?a=1&amp;b=2"]),
        ("alert for a week", ["Week of 2026-11-16 (UTC)", "by the end of Sunday 2026-11-22 UTC"]),
        ("alert for a month of calls", ["November 2026 (UTC)", " calls by the end of Monday 2026-11-30 UTC"]),
        ("alert of minutes", ["887 of 800 minutes (110%)"]),
        ("alert of a forecast for a day", ["likely to cross the threshold at about "]),
        ("alert of a forecast for the next minutes", ["likely to cross the threshold within the next half hour"]),
        ("alert of a forecast for a month", ["likely to cross the threshold around "]),
        ("alert of an unusual day", ["$53.20, 2× a usual Sunday ($25.40)"]),
        ("alert of silence", ["1 call, at least 20 calls expected by 09:00 UTC"]),
        ("alert within a declared event", ["within the declared event: product launch"]),
        ("alert raised above a declared event", ["above the declared event: product launch"]),
        ("alert reminded of", ["reminder: nobody has acknowledged this yet"]),
        ("alert escalated", ["nobody acknowledged it; #finance is told as well"]),
        ("alert escalated to the other channel", ["Nobody acknowledged this in #voice-spend"]),
        ("alert corrected to below every level", ["corrected: was $53.20, now $31.10"]),
        ("alert corrected after its day, still over", ["corrected: was $71.30, now $69.90"]),
        ("alert that was snoozed until this amount", ["it reached $75.00, until which it was snoozed"]),
        ("alert closed for a day", ["closed: the day is over, and this is its figure"]),
        ("alert closed as the rule is gone", ["closed: no rule watches this any more"]),
        ("alert closed as silence ended", ["closed: the silence has ended"]),
        ("alert acknowledged", [f"acknowledged by <@{ANNA}>, 2026-11-22 12:05 UTC"]),
        ("alert snoozed for an hour", [f"snoozed by <@{BEN}> until 2026-11-22 13:06 UTC"]),
        ("alert snoozed until the next level", [f"snoozed by <@{BEN}> until the next level"]),
        ("alert snoozed until an amount", [f"snoozed by <@{BEN}> until $75.00"]),
    ],
)
def test_the_text_alone_says(name: str, parts: list[str]) -> None:
    for part in parts:
        assert part in MESSAGES[name]().text


@pytest.mark.parametrize(
    "name", ["alert of a breach that came late", "alert closed for a day", "alert closed as the rule is gone"]
)
def test_what_is_over_is_on_course_for_nothing(name: str) -> None:
    assert "on course" not in MESSAGES[name]().text


def test_the_copy_for_the_other_channel_does_not_say_that_it_is_told() -> None:
    assert THERE not in escalated().copy.text


def test_a_forecast_is_never_below_what_is_used_already() -> None:
    """In whole dollars, $53.20 would be $53.00."""
    text = Story(rule()).read(at("23:59"), BREACH, Reason.CROSSED).message.text
    assert "on course for $53.20 by midnight UTC ($53.20 to $53.20)" in text


def test_a_crossing_near_midnight_is_at_about_midnight() -> None:
    story = Story(rule(threshold=2600, alert_at=(100,), forecast=True))
    text = story.read(at("22:00"), spent(24.05), Reason.FORECAST).message.text
    assert "at about midnight UTC" in text


def test_people_are_called_by_replies_that_call_and_not_by_others() -> None:
    assert "<!here>" in reminded().reply.text
    assert "<!here>" not in closed(**CALLING).reply.text
    assert "<!here>" not in closed(**CALLING).message.text


def test_a_warning_mentions_nobody_before_its_time() -> None:
    assert "<!here>" not in warned(mention=("@here",)).message.text
    assert "<!here>" in warned(mention=("@here",), mention_from=Decimal(80)).message.text


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("@here", "<!here>"),
        ("@channel", "<!channel>"),
        ("@everyone", "<!everyone>"),
        ("U0123456789", "<@U0123456789>"),
        ("W0123456789", "<@W0123456789>"),
        ("S0123456789", "<!subteam^S0123456789>"),
        ("U01", "<@U01>"),
    ],
)
def test_a_mention_is_written_as_slack_reads_it(written: str, sent: str) -> None:
    assert broken(mention=(written,)).reply.text.splitlines()[-1] == sent


# Buttons


def offered(message: Message) -> list[str]:
    """The actions of the last block."""
    actions: Any = message.blocks[-1]
    assert actions["type"] == "actions"
    return [element["action_id"] for element in actions["elements"]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alert of a breach", ["acknowledge", "snooze", "show_usage"]),
        ("alert acknowledged", ["snooze", "undo", "show_usage"]),
        ("alert snoozed for an hour", ["acknowledge", "undo", "show_usage"]),
        ("alert acknowledged and snoozed", ["undo", "show_usage"]),
        ("alert closed for a day", ["show_usage"]),
        ("alert acknowledged and closed", ["show_usage"]),
    ],
)
def test_the_buttons_are_for_what_can_be_done(name: str, expected: list[str]) -> None:
    assert offered(MESSAGES[name]()) == expected


def test_the_buttons_know_the_alert_by_its_number() -> None:
    actions: Any = broken().message.blocks[-1]
    acknowledge, snooze, usage = actions["elements"]
    assert acknowledge["value"] == usage["value"] == "7"
    assert [option["value"] for option in snooze["options"]] == ["hour:7", "tomorrow:7", "level:7", "amount:7"]


@pytest.mark.parametrize("name", [name for name in GOLDEN_MESSAGES if name.startswith("reply")])
def test_a_reply_has_no_buttons_and_no_chart(name: str) -> None:
    assert {block["type"] for block in MESSAGES[name]().blocks} <= {"section", "context"}


# The chart


def test_the_chart_shows_the_recent_days_and_the_threshold() -> None:
    [chart] = charts(broken().message)
    days = [SUNDAY - timedelta(days=back) for back in reversed(range(14))]
    assert chart["chart"]["axis_config"]["categories"] == [f"{day:%b %d}" for day in days]
    used, threshold = chart["chart"]["series"]
    assert used["data"][-1] == {"label": "Nov 22", "value": 53.2}
    assert {point["value"] for point in threshold["data"]} == {50.0}


def test_the_chart_of_an_event_shows_the_raised_threshold() -> None:
    [chart] = charts(within_an_event().message)
    assert {point["value"] for point in chart["chart"]["series"][1]["data"]} == {80.0}


def test_where_there_is_one_window_there_is_no_chart() -> None:
    assert charts(MESSAGES["alert with nothing to draw"]()) == []


def test_a_ratio_is_watched_under_its_name_in_words() -> None:
    watched, _ = words.watched(rule(threshold=30, metric=Metric.COST_PER_CALL))
    assert watched == "cost per call per day, threshold $0.30 a call"
