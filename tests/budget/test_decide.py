"""The specification: what was said, what is now → reason.

Amounts are in dollars. What was said is written `$40 near`, `$50 over` or `$50 coming`. A row's moment is an hour and a
minute of Sunday 22 November 2026 (UTC); `+1d 00:05` is five minutes into Monday.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.budget.decide import SHOWN_FOR, Decision, Reason, after, decide
from bot.budget.evaluate import Standing, evaluate, standing_in
from bot.budget.forecast import Forecast
from bot.budget.incident import Acknowledgement, Incident, LevelKey, Severity, Snooze
from bot.model import Metric, Period, Totals
from bot.rules.models import AboveUsualRule, BelowRule, Escalation, Expected, Level, Rule, ThresholdRule
from bot.windows import midnight, window_of
from tests.samples.figures import LONG_AGO, NOON, SUNDAY, cents, inputs, reading, rule

TODAY = window_of(Period.DAY, SUNDAY)
BY = "U0ADMIN01"


def told(words: str) -> frozenset[LevelKey]:
    """Keys from words such as "$40 near, $50 over"."""
    parts = [part.split() for part in words.split(",") if part.strip()]
    return frozenset(
        LevelKey(Severity[kind.upper()], (Decimal(amount.strip("$")) * 100).normalize()) for amount, kind in parts
    )


def at(words: str) -> datetime:
    days, _, clock = words.rpartition(" ")
    return datetime.combine(SUNDAY + timedelta(days=int(days.strip("+d") or 0)), time.fromisoformat(clock), tzinfo=UTC)


@dataclass(frozen=True)
class Was:
    """The incident as it was: what was told, the dollars last said, since when, and what people did."""

    told: str
    said: float
    heard: str = "11:00"
    more: dict[str, Any] = field(default_factory=dict)

    def incident(self) -> Incident:
        heard, value = at(self.heard), Fraction(round(self.said * 100))
        opened = Incident(heard, told(self.told), value, heard, value, heard, called_at=heard)
        return replace(opened, **self.more)


def acknowledged(told: str, said: float, heard: str = "08:00") -> Was:
    return Was(told, said, heard, {"acknowledged": Acknowledgement(BY, at("08:01"))})


def snoozed(told: str, said: float, **until: Any) -> Was:
    heard = until.pop("heard", "08:00")
    return Was(told, said, heard, {"snooze": Snooze(BY, at("08:01"), "later", **until)})


def standing(
    budget: Rule, dollars: float | None, now: datetime, outlook: Forecast | None = None, event: Expected | None = None
) -> Standing:
    """Today's standing as `evaluate` gives it, with a forecast of our choice."""
    spent = round((dollars or 0) * 100)
    read = reading({SUNDAY: Totals(spent, Decimal(spent) / 6, spent // 25)}, read_at=now)
    if dollars is None:
        read = reading({}, read_at=now, zeros=False)
    found = standing_in(budget, TODAY, replace(inputs(read), expected_in=lambda _name, _window: event))
    if found is None:
        return Standing(budget, TODAY, Totals(), None, None, closed=now >= midnight(TODAY.end))
    return replace(found, forecast=outlook)


def decided(budget: Rule, was: Was | None, now: Standing, moment: datetime) -> Decision:
    incidents = {(budget.name, TODAY): was.incident()} if was else {}
    return decide([now], incidents, moment)[0]


LIKELY = Forecast(Fraction(8400), Fraction(7000), Fraction(9000), likely=True, crosses_at=at("19:00"))
POSSIBLE = replace(LIKELY, likely=False, crosses_at=None)
REMINDED: dict[str, Any] = {"remind_every": timedelta(hours=4)}
ESCALATED: dict[str, Any] = {"escalate": Escalation(after=timedelta(minutes=30), channel="#finance")}
TWO, ONE = (80, 100), (100,)

LEVELS_TABLE = [
    # threshold, levels, what was, spent, the reason, what is noted as told
    (50, ONE, None, 0, "BELOW", "", "nothing is spent"),
    (50, ONE, None, 49.99, "BELOW", "", "a cent below"),
    (50, ONE, None, 50, "CROSSED", "$50 over", "at the threshold counts as over"),
    (50, ONE, None, 5000, "CROSSED", "$50 over", "far over is told like over"),
    (50, ONE, Was("$50 over", 50), 50, "SAID", "", "told once"),
    (50, ONE, Was("$50 over", 50), 5000, "SAID", "", "told once, however far over"),
    (50, TWO, None, 39.99, "BELOW", "", "a cent below the first level"),
    (50, TWO, None, 40, "CROSSED", "$40 near", "the first level"),
    (50, TWO, Was("$40 near", 41), 49.99, "SAID", "", "between two levels"),
    (50, TWO, Was("$40 near", 41), 50, "RAISED", "$50 over, $40 near", "the second level"),
    (50, TWO, None, 51, "CROSSED", "$50 over, $40 near", "two levels at once are one message, for the highest"),
    (50, (50, 80, 100), Was("$25 near", 26), 51, "RAISED", "$50 over, $40 near, $25 near", "a level is skipped"),
    (50, (100, 120), Was("$50 over", 51), 60, "RAISED", "$60 over, $50 over", "a level above the threshold"),
    (50, (80,), None, 55, "CROSSED", "$40 near", "a rule that only warns"),
    (50, (33,), None, 16.49, "BELOW", "", "a level that is no whole dollar, a cent below"),
    (50, (33,), None, 16.5, "CROSSED", "$16.5 near", "a level that is no whole dollar"),
    # figures that fall
    (50, ONE, Was("$50 over", 52), 10, "CORRECTED", "", "a figure that falls below again is corrected"),
    (50, TWO, Was("$50 over, $40 near", 51), 45, "CORRECTED", "", "a figure that falls back to a lower level, too"),
    (50, TWO, Was("$50 over, $40 near", 55), 51, "SAID", "", "a smaller figure of the same level is no news"),
    (50, ONE, Was("$50 coming", 30), 20, "BELOW", "", "a figure that falls where a crossing was only foreseen"),
    (50, ONE, Was("", 45), 46, "BELOW", "", "still below after a correction took back what was told"),
    (50, ONE, Was("", 45), 50, "CROSSED", "$50 over", "over again after a correction is heard"),
    (50, TWO, Was("$40 near", 45), 50, "RAISED", "$50 over, $40 near", "over, corrected to near, over again is heard"),
    # thresholds that change
    (100, TWO, Was("$50 over, $40 near", 51), 55, "BELOW", "", "the budget was raised, and is kept again"),
    (100, TWO, Was("$50 over, $40 near", 51), 80, "CROSSED", "$80 near", "a raised budget warns anew"),
    (62.5, TWO, Was("$50 over", 51), 51, "CROSSED", "$50 near", "it warns of the amount that broke the old one"),
    (100, TWO, Was("$50 over, $40 near", 51), 100, "RAISED", "$100 over, $80 near", "a raised budget breaks anew"),
    (60, ONE, Was("$50 over", 51), 60, "RAISED", "$60 over", "a budget raised by a little"),
    (40, TWO, Was("$40 near", 41), 42, "RAISED", "$40 over, $32 near", "a budget lowered to what was warned of"),
    (30, TWO, Was("$50 over, $40 near", 51), 55, "CROSSED", "$30 over, $24 near", "a lowered budget is told once"),
    (30, TWO, Was("$50 over, $40 near, $30 over, $24 near", 55), 56, "SAID", "", "a lowered budget is not told again"),
    (50, TWO, Was("$50 over, $40 near, $30 over, $24 near", 55), 56, "SAID", "", "a budget lowered and put back"),
    (50, ONE, Was("$50.00 over", 50), 50, "SAID", "", "an amount is the same however it is written"),
]


@pytest.mark.parametrize(
    ("threshold", "levels", "was", "spent", "reason", "tells"),
    [pytest.param(*row[:-1], id=str(row[-1])) for row in LEVELS_TABLE],
)
def test_what_is_said_of_a_level(
    threshold: float, levels: tuple[int, ...], was: Was | None, spent: float, reason: str, tells: str
) -> None:
    budget = rule(threshold=round(threshold * 100), alert_at=levels)
    decision = decided(budget, was, standing(budget, spent, NOON), NOON)
    assert decision.reason == reason
    assert set(decision.tells) == told(tells)
    assert decision.reason.speaks == (reason not in ("BELOW", "SAID"))


PEOPLE_TABLE = [
    # rule, what was, spent, now, the reason
    (REMINDED, Was("$50 over", 52, "08:00"), 52, "11:59", "SAID", "before it is time nobody is reminded"),
    (REMINDED, Was("$50 over", 52, "08:00"), 52, "12:00", "REMINDER", "a reminder after four hours"),
    (REMINDED, Was("$50 over", 52, "08:00"), 60, "12:00", "REMINDER", "a reminder whatever the figure"),
    (REMINDED, acknowledged("$50 over", 52), 52, "23:00", "SAID", "acknowledged: no reminder"),
    (REMINDED, snoozed("$50 over", 52, until=at("14:00")), 52, "12:00", "SNOOZED", "snoozed: no reminder"),
    (REMINDED, snoozed("$50 over", 52, until=at("14:00")), 52, "14:00", "REMINDER", "the snooze is over"),
    (REMINDED, Was("$50 coming", 20, "08:00"), 22, "12:00", "BELOW", "what is only foreseen is not reminded of"),
    (REMINDED, Was("", 30, "08:00"), 30, "12:00", "BELOW", "nor what was taken back"),
    (ESCALATED, Was("$50 over", 52), 52, "11:29", "SAID", "before it is time nobody else is called"),
    (ESCALATED, Was("$50 over", 52), 52, "11:30", "ESCALATED", "others are called after half an hour"),
    (ESCALATED, Was("$50 over", 52, more={"escalated": True}), 52, "13:00", "SAID", "others are called once"),
    (ESCALATED, acknowledged("$50 over", 52), 52, "13:00", "SAID", "acknowledged: nobody else is called"),
    (ESCALATED, snoozed("$50 over", 52, until=at("14:00")), 52, "13:00", "SNOOZED", "snoozed: nobody else is called"),
    (ESCALATED, Was("$40 near", 42, more={"called_at": None}), 42, "13:00", "SAID", "a warning calls nobody"),
    ({**REMINDED, **ESCALATED}, Was("$50 over", 52, "08:00"), 52, "12:00", "ESCALATED", "calling others comes first"),
    ({}, snoozed("$40 near", 42, until=at("13:00")), 52, "12:00", "SNOOZED", "snoozed for a time: a level waits"),
    ({}, snoozed("$40 near", 42, until=at("12:00")), 52, "12:00", "RAISED", "and is told when the time is over"),
    ({}, acknowledged("$40 near", 42), 52, "12:00", "RAISED", "acknowledged: a higher level is heard all the same"),
    (
        {},
        snoozed("$40 near", 42, above=LevelKey(Severity.NEAR, Decimal(4000))),
        45,
        "12:00",
        "SAID",
        "until the next level",
    ),
    (
        {},
        snoozed("$40 near", 42, above=LevelKey(Severity.NEAR, Decimal(4000))),
        50,
        "12:00",
        "RAISED",
        "the next level is heard",
    ),
    ({}, snoozed("$50 over", 52, amount=Decimal(7000)), 69.99, "12:00", "SAID", "until an amount, a cent below it"),
    ({}, snoozed("$50 over", 52, amount=Decimal(7000)), 70, "12:00", "RAISED", "the amount asked for is heard"),
    ({}, snoozed("$40 near", 42, amount=Decimal(4500)), 45, "12:00", "RAISED", "an amount below the threshold, too"),
    ({}, snoozed("$40 near", 42, amount=Decimal(6000)), 55, "12:00", "SNOOZED", "until an amount: a level waits"),
    ({}, snoozed("$50 over, $70 over", 72, amount=Decimal(7000)), 72, "12:00", "SAID", "an amount is heard once"),
    ({"then_every": Decimal(1000)}, snoozed("$50 over", 52, until=at("13:00")), 60, "12:00", "SNOOZED", "a step waits"),
    ({}, snoozed("$50 over", 52, until=at("13:00")), 30, "12:00", "CORRECTED", "a correction does not wait"),
]


@pytest.mark.parametrize(
    ("more", "was", "spent", "now", "reason"), [pytest.param(*row[:-1], id=str(row[-1])) for row in PEOPLE_TABLE]
)
def test_what_people_did_decides_whether_they_are_called_again(
    more: dict[str, Any], was: Was, spent: float, now: str, reason: str
) -> None:
    budget = rule(**more)
    assert decided(budget, was, standing(budget, spent, at(now)), at(now)).reason == reason


END_TABLE = [
    # what was, the figure, when it is read, the reason
    (Was("$50 over", 52), 60, "23:59", "SAID", "before midnight the day is open"),
    (Was("$50 over", 52), 60, "+1d 00:00", "CLOSED", "after midnight it is closed with its last figure"),
    (Was("$50 over, $40 near", 52), 45, "+1d 00:00", "CORRECTED", "a last figure below what was told is a correction"),
    (Was("$50 coming", 30), 39, "+1d 00:00", "CLOSED", "what was only foreseen is closed as well"),
    (None, 60, "+1d 00:05", "CROSSED", "a crossing that appears late is told"),
    (None, 45, "+1d 00:05", "CROSSED", "a level that appears late is told"),
    (None, 39, "+1d 00:05", "BELOW", "a closed day below every level is nobody's business"),
    (Was("$40 near", 45, "+1d 00:05", {"closed": True}), 55, "+1d 09:00", "RAISED", "a late higher level is told"),
    (Was("$50 over", 60, "+1d 00:05", {"closed": True}), 60, "+1d 09:00", "SAID", "a closed day is said"),
    (Was("$50 over", 60, "+1d 00:05", {"closed": True}), 61, "+1d 09:00", "CORRECTED", "a closed day that grows"),
    (Was("$50 over", 60, "+1d 00:05", {"closed": True}), 59, "+1d 09:00", "CORRECTED", "a closed day that shrinks"),
    (Was("$50 over", 60, "+1d 00:05", {"closed": True}), 9, "+1d 09:00", "CORRECTED", "and falls below"),
    (acknowledged("$50 over", 52), 60, "+1d 00:00", "CLOSED", "acknowledged or not"),
    (snoozed("$50 over", 52, until=at("+1d 12:00")), 60, "+1d 00:00", "CLOSED", "snoozed or not"),
    (Was("$50 over", 52), None, "+1d 00:00", "TOO_LITTLE_DATA", "no figure closes nothing"),
    (Was("$50 over", 52), None, "12:00", "TOO_LITTLE_DATA", "no figure takes nothing back"),
    (None, None, "12:00", "TOO_LITTLE_DATA", "no figure at all"),
]


@pytest.mark.parametrize(
    ("was", "spent", "now", "reason"), [pytest.param(*row[:-1], id=str(row[-1])) for row in END_TABLE]
)
def test_what_is_said_of_a_window_that_ends(was: Was | None, spent: float | None, now: str, reason: str) -> None:
    budget = rule()
    assert decided(budget, was, standing(budget, spent, at(now)), at(now)).reason == reason


FORECAST_TABLE = [
    (None, 20, LIKELY, "FORECAST", "$50 coming", "a likely crossing is told before it happens"),
    (None, 20, POSSIBLE, "BELOW", "", "a possible one is not"),
    (None, 20, None, "BELOW", "", "too little history says nothing"),
    (Was("$50 coming", 20), 25, LIKELY, "BELOW", "", "foreseen aloud once"),
    (Was("$50 coming", 20), 25, POSSIBLE, "BELOW", "", "and not taken back when it becomes less likely"),
    (Was("$40 near", 42), 43, LIKELY, "FORECAST", "$50 coming", "after a warning it is still worth a word"),
    (None, 42, LIKELY, "CROSSED", "$40 near, $50 coming", "a level that is reached tells what is coming as well"),
    (Was("$50 coming, $40 near", 42), 43, LIKELY, "SAID", "", "so that it is not told once more"),
    (Was("$50 coming", 20), 40, LIKELY, "RAISED", "$40 near", "what was foreseen comes nearer"),
    (Was("$50 coming", 20), 50, LIKELY, "RAISED", "$50 over, $40 near", "what was foreseen has happened"),
    (Was("$50 over, $40 near", 52), 53, LIKELY, "SAID", "", "nothing is foreseen that has happened"),
    (snoozed("$40 near", 42, until=at("13:00")), 43, LIKELY, "SNOOZED", "", "snoozed: it waits"),
    (Was("$60 coming", 20), 25, LIKELY, "FORECAST", "$50 coming", "another threshold is foreseen anew"),
]


@pytest.mark.parametrize(
    ("was", "spent", "outlook", "reason", "tells"), [pytest.param(*row[:-1], id=str(row[-1])) for row in FORECAST_TABLE]
)
def test_what_is_said_of_what_is_coming(
    was: Was | None, spent: float, outlook: Forecast | None, reason: str, tells: str
) -> None:
    budget = rule(forecast=True)
    decision = decided(budget, was, standing(budget, spent, NOON, outlook), NOON)
    assert decision.reason == reason
    assert set(decision.tells) == told(tells)


LAUNCH = Expected(first=SUNDAY, last=SUNDAY, rule="Daily spend", threshold=Decimal(20000), why="product launch")

EVENT_TABLE = [
    (None, 30, "BELOW", "below the rule's own levels it is an ordinary day"),
    (None, 52, "EXPECTED", "above the rule's own threshold and within the declared one"),
    (None, 159.99, "EXPECTED", "a cent below the declared threshold's first level"),
    (None, 160, "CROSSED", "the declared threshold's first level"),
    (None, 200, "CROSSED", "above the declared threshold"),
    (Was("$50 over, $40 near", 52), 53, "EXPECTED", "declared after it had broken the rule's own"),
    (Was("$160 near", 161), 200, "RAISED", "the declared threshold's second level"),
]


@pytest.mark.parametrize(("was", "spent", "reason"), [pytest.param(*row[:-1], id=str(row[-1])) for row in EVENT_TABLE])
def test_what_is_said_on_a_declared_day(was: Was | None, spent: float, reason: str) -> None:
    budget = rule()
    assert decided(budget, was, standing(budget, spent, NOON, event=LAUNCH), NOON).reason == reason


TOO_QUIET = BelowRule(name="Phone line", metric=Metric.CALLS, below=Decimal(3), by=time(12))
DOUBLE = AboveUsualRule(name="Unusual day", above_usual=Decimal(2), at_least=Decimal(2000))
RATIO = rule("Dear minutes", threshold=7, metric=Metric.COST_PER_MINUTE)
STEPPED = rule(then_every=Decimal(2500))

KINDS_TABLE = [
    # rule, what was, calls or cents, now, the reason
    (TOO_QUIET, None, 0, "12:00", "CROSSED", "silence is told"),
    (TOO_QUIET, Was("$0.03 over", 0), 0, "18:00", "SAID", "silence is told once"),
    (TOO_QUIET, Was("$0.03 over", 0), 3, "18:00", "CLOSED", "the end of the silence is told"),
    (TOO_QUIET, Was("$0.03 over", 0.03, "13:00", {"closed": True}), 99, "18:00", "BELOW", "and then nothing more"),
    (TOO_QUIET, Was("$0.03 over", 0.03, "13:00", {"closed": True}), 99, "+1d 00:05", "BELOW", "also at the day's end"),
    (TOO_QUIET, Was("$0.03 over", 0), 0, "+1d 00:05", "CLOSED", "a silent day is closed at its end"),
    (STEPPED, Was("$50 over, $40 near", 52), 7500, "12:00", "STEP", "a step beyond the last level"),
    (STEPPED, Was("$50 over, $40 near, $75 over", 80), 7600, "12:00", "SAID", "within a step"),
    (STEPPED, Was("$100 over, $75 over, $50 over, $40 near", 101), 7600, "12:00", "CORRECTED", "a step taken back"),
]


@pytest.mark.parametrize(
    ("kind", "was", "figure", "now", "reason"), [pytest.param(*row[:-1], id=str(row[-1])) for row in KINDS_TABLE]
)
def test_what_is_said_of_the_other_kinds(kind: Rule, was: Was | None, figure: int, now: str, reason: str) -> None:
    totals = Totals(calls=figure) if isinstance(kind, BelowRule) else Totals(figure, Decimal(figure) / 6, figure // 25)
    read = inputs(reading({SUNDAY: totals}, read_at=at(now)))
    found = standing_in(kind, TODAY, read)
    assert found is not None
    assert decided(kind, was, found, at(now)).reason == reason


def test_a_ratio_that_falls_within_its_window_corrects_nothing() -> None:
    found = standing_in(RATIO, TODAY, inputs(reading({SUNDAY: Totals(500, Decimal(100), 9)})))
    assert found is not None
    assert decided(RATIO, Was("$0.07 over", 0.08), found, NOON).reason is Reason.BELOW


def test_an_unusual_day_that_is_restated_to_a_usual_one_is_corrected() -> None:
    days = {SUNDAY - timedelta(weeks=back): Totals(4000) for back in range(1, 5)}
    found = standing_in(DOUBLE, TODAY, inputs(reading({**days, SUNDAY: Totals(7000)})))
    assert found is not None
    assert decided(DOUBLE, Was("$0.02 over", 89), found, NOON).reason is Reason.CORRECTED


@pytest.mark.parametrize(
    ("was", "reason"),
    [
        pytest.param(Was("$50 over", 52), "CLOSED", id="a removed rule closes its incident"),
        pytest.param(Was("$50 over", 52, more={"closed": True}), "BELOW", id="once"),
        pytest.param(None, "BELOW", id="and opens none"),
    ],
)
def test_what_is_said_of_a_rule_that_is_gone(was: Was | None, reason: str) -> None:
    budget = rule()
    gone = replace(standing(budget, 52, NOON), removed=True)
    assert decided(budget, was, gone, NOON).reason == reason


# The message between two decisions


@pytest.mark.parametrize(
    ("was", "spent", "now", "refreshes"),
    [
        pytest.param(Was("$50 over", 52), 53, "11:14:59", False, id="within a quarter of an hour the message stays"),
        pytest.param(Was("$50 over", 52), 53, "11:15", True, id="after it the message is edited"),
        pytest.param(Was("$50 over", 52), 52, "14:00", False, id="the same figure needs no edit"),
        pytest.param(None, 30, "14:00", False, id="without an incident there is none"),
        pytest.param(
            Was("$50 over", 52, "+1d 00:01", {"closed": True}), 52, "+1d 09:00", False, id="a closed one stays"
        ),
        pytest.param(snoozed("$40 near", 42, until=at("15:00")), 52, "14:00", True, id="a snoozed one is edited"),
    ],
)
def test_an_open_message_shows_a_figure_of_the_last_quarter_of_an_hour(
    was: Was | None, spent: float, now: str, refreshes: bool
) -> None:
    budget = rule()
    decision = decided(budget, was, standing(budget, spent, at(now)), at(now))
    assert decision.refreshes is refreshes
    changed = after(decision, at(now))
    if was and refreshes:
        assert changed == replace(was.incident(), shown=Fraction(round(spent * 100)), shown_at=at(now))
    else:
        assert changed == (was.incident() if was else None)
    assert timedelta(minutes=15) == SHOWN_FOR


# What becomes of an incident


def carried_out(budget: Rule, was: Was | None, spent: float | None, now: str, **more: Any) -> Incident:
    decision = decided(budget, was, standing(budget, spent, at(now), **more), at(now))
    found = after(decision, at(now))
    assert found is not None
    return found


def test_news_opens_an_incident_and_calls_people_from_the_level_that_mentions_them() -> None:
    warned = carried_out(rule(), None, 42, "09:00")
    assert (warned.opened_at, warned.value, warned.called_at) == (at("09:00"), Fraction(4200), None)
    assert carried_out(rule(mention_from=Decimal(80)), None, 42, "09:00").called_at == at("09:00")
    assert carried_out(rule(), None, 52, "09:00").called_at == at("09:00")
    assert carried_out(rule(forecast=True), None, 20, "09:00", outlook=LIKELY).called_at is None


def test_news_ends_a_snooze_and_a_reminder_does_not() -> None:
    until = snoozed("$40 near", 42, until=at("10:00"))
    assert carried_out(rule(), until, 52, "12:00").snooze is None
    reminded = rule(**REMINDED)
    later = carried_out(reminded, snoozed("$50 over", 52, until=at("10:00")), 52, "13:00")
    assert (later.snooze is None, later.heard_at) == (False, at("13:00"))


def test_a_correction_below_every_level_takes_back_and_news_says_it_again() -> None:
    was = Was("$50 over, $40 near, $50 coming", 52)
    back = carried_out(rule(), was, 10, "12:00")
    assert (back.told, back.value) == (told("$50 coming"), Fraction(1000))
    assert carried_out(rule(), was, 45, "12:00").told == told("$40 near, $50 coming")
    assert carried_out(rule(), Was("$50 over, $40 near", 52), 45, "+1d 00:01").told == told("$50 over, $40 near")


def test_a_closed_incident_opens_again_with_news_within_its_window() -> None:
    put_back = Was("$40 near", 42, more={"closed": True})
    assert not carried_out(rule(), put_back, 52, "12:00").closed
    assert not carried_out(rule(), put_back, 42, "12:00").closed
    assert carried_out(rule(), Was("$40 near", 42), 43, "+1d 00:01").closed


def test_an_incident_of_a_removed_rule_without_figures_keeps_the_last_one() -> None:
    gone = replace(standing(rule(), None, NOON), removed=True)
    closed = after(decided(rule(), Was("$50 over", 52), gone, NOON), NOON)
    assert closed is not None
    assert (closed.closed, closed.value) == (True, Fraction(5200))


def test_the_highest_level_is_noted_first() -> None:
    budget = rule(alert_at=(50, 80, 100))
    assert [key.amount for key in decided(budget, None, standing(budget, 60, NOON), NOON).tells] == [5000, 4000, 2500]


def test_what_was_said_of_another_window_or_rule_does_not_count() -> None:
    standings = evaluate([rule()], inputs(cents(5000)), {}, NOON)
    said = Was("$50 over, $40 near", 50).incident()
    for place in (("Daily spend", TODAY.previous()), ("Another", TODAY)):
        assert decide(standings, {place: said}, NOON)[0].reason is Reason.CROSSED


def test_a_ratio_of_nothing_is_too_little_data() -> None:
    [decision] = decide(evaluate([RATIO], inputs(reading({})), {}, NOON), {}, NOON)
    assert (decision.reason, decision.tells) == (Reason.TOO_LITTLE_DATA, ())


def test_each_standing_gets_one_decision_in_its_order() -> None:
    budgets = [rule(f"rule {place}", threshold=1000 + place) for place in range(20)]
    standings = evaluate(budgets, inputs(cents(1010)), {budget.name: LONG_AGO for budget in budgets}, NOON)
    assert [decision.standing for decision in decide(standings, {}, NOON)] == standings


LEVELS = st.lists(st.integers(1, 300), min_size=1, max_size=4, unique=True).map(lambda found: tuple(sorted(found)))


@given(levels=LEVELS, threshold=st.integers(1, 10**6), figures=st.lists(st.integers(0, 10**7), min_size=1, max_size=12))
def test_over_any_rising_course_of_figures_each_level_is_told_once_and_only_when_reached(
    levels: tuple[int, ...], threshold: int, figures: list[int]
) -> None:
    budget = rule(threshold=threshold, alert_at=levels)
    incident: Incident | None = None
    spoken: list[LevelKey] = []
    for figure in sorted(figures):
        now = Standing(budget, TODAY, Totals(figure), figure, reached_by_hand(budget, figure), closed=False)
        [decision] = decide([now], {(budget.name, TODAY): incident} if incident else {}, NOON)
        spoken += decision.tells[:1]
        incident = after(decision, NOON)
    reached = [level for level in budget.levels if level.amount <= max(figures)]
    assert len(spoken) == len(set(spoken))
    assert (incident.told if incident else set()) == {LevelKey.of(level) for level in reached}
    assert spoken == sorted(spoken)


@given(figures=st.lists(st.integers(0, 10_000), min_size=1, max_size=20))
def test_whoever_reads_the_channel_last_knows_on_which_side_of_the_threshold_it_stands(figures: list[int]) -> None:
    budget, incident, heard = rule(alert_at=ONE), None, False
    for figure in figures:
        [decision] = decide([standing(budget, figure / 100, NOON)], _by_place(budget, incident), NOON)
        if decision.reason.speaks:
            heard = decision.standing.level is not None
        incident = after(decision, NOON)
        assert heard == (figure >= 5000)


def _by_place(budget: ThresholdRule, incident: Incident | None) -> dict[Any, Incident]:
    return {(budget.name, TODAY): incident} if incident else {}


def reached_by_hand(budget: ThresholdRule, figure: int) -> Level | None:
    return max(
        (level for level in budget.levels if level.amount <= figure), key=lambda level: level.amount, default=None
    )


def rows(*tables: Iterable[Any]) -> set[str]:
    return {str(each) for table in tables for row in table for each in row if str(each) in set(Reason)}


def test_the_tables_hold_every_reason() -> None:
    tables = (LEVELS_TABLE, PEOPLE_TABLE, END_TABLE, FORECAST_TABLE, EVENT_TABLE, KINDS_TABLE)
    assert rows(*tables) | {"UNUSUAL"} == {str(reason) for reason in Reason}  # UNUSUAL is in test_kinds.py
