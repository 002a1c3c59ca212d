"""The kinds of rules: that all are listed; and of steps beyond the last level, days far above the usual, and silence,
what calls for which decision."""

from __future__ import annotations

import pkgutil
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from bot.budget import kinds
from bot.budget.decide import Decision, Reason, decide
from bot.budget.evaluate import evaluate
from bot.budget.incident import Incident, LevelKey, Severity
from bot.budget.sums import Sums
from bot.budget.usual import usual
from bot.model import Metric, Period, Reading, Totals
from bot.rules.models import KINDS, AboveUsualRule, BelowRule, Rule
from bot.windows import Window
from tests.samples.figures import LONG_AGO, NOON, SUNDAY, inputs, reading, rule

TODAY = Window(SUNDAY, Period.DAY)


def test_each_file_of_the_room_is_a_kind_and_each_kind_is_listed() -> None:
    files = {module.name for module in pkgutil.iter_modules(kinds.__path__)} - {"protocol"}
    assert {type(kind).__module__.rpartition(".")[2] for kind in kinds.KINDS} == files
    assert len(kinds.KINDS) == len(files)


def test_each_class_of_rules_has_its_kind() -> None:
    assert tuple(kind.rule for kind in kinds.KINDS) == KINDS


def decision(kind: Rule, read: Reading, told: frozenset[LevelKey] = frozenset(), now: datetime = NOON) -> Decision:
    """The decision on today, where these keys were told and no greater figure was said."""
    said = Incident(now, told, Fraction(0), now, Fraction(0), now)
    standings = evaluate([kind], inputs(read), {kind.name: LONG_AGO}, now)
    return next(
        each
        for each in decide(standings, {(kind.name, TODAY): said} if told else {}, now)
        if each.standing.window == TODAY
    )


def spent(cents: int, sundays: tuple[int, ...] = ()) -> Reading:
    """So much today, and so much on the Sundays before, the last one first."""
    days = {SUNDAY - timedelta(weeks=back): Totals(value) for back, value in enumerate(sundays, start=1)}
    return reading({**days, SUNDAY: Totals(cents)})


STEPPED = rule(threshold=5000, alert_at=(80, 100), then_every=Decimal(2500))
B50, B75, B100 = (LevelKey(Severity.OVER, Decimal(cents).normalize()) for cents in (5000, 7500, 10000))
WARNED = LevelKey(Severity.NEAR, Decimal(4000).normalize())


@pytest.mark.parametrize(
    ("cents", "told", "reason", "key"),
    [
        pytest.param(7499, {B50, WARNED}, Reason.SAID, None, id="a cent below the first step is silent"),
        pytest.param(7500, {B50, WARNED}, Reason.STEP, B75, id="at the first step it is told"),
        pytest.param(9999, {B75, B50, WARNED}, Reason.SAID, None, id="within a step it is silent"),
        pytest.param(10000, {B75, B50, WARNED}, Reason.STEP, B100, id="each further step is told"),
        pytest.param(12345, set(), Reason.STEP, B100, id="several at once are told as the highest"),
        pytest.param(7600, {B100, B75, B50, WARNED}, Reason.SAID, None, id="a figure that falls tells no lower step"),
    ],
)
def test_beyond_the_last_level_each_further_amount_is_told_once(
    cents: int, told: set[LevelKey], reason: Reason, key: LevelKey | None
) -> None:
    decided = decision(STEPPED, spent(cents), frozenset(told))
    assert decided.reason is reason
    assert (decided.tells[0] if decided.tells else None) == key


def test_the_steps_and_levels_below_the_one_told_count_as_told() -> None:
    assert decision(STEPPED, spent(12345)).tells == (B100, B75, B50, WARNED)


DOUBLE = AboveUsualRule(name="Unusual day", above_usual=Decimal(2), at_least=Decimal(2000))


@pytest.mark.parametrize(
    ("cents", "sundays", "reason"),
    [
        pytest.param(8000, (4000, 4000, 4000), Reason.UNUSUAL, id="at twice the usual it is unusual"),
        pytest.param(7999, (4000, 4000, 4000), Reason.BELOW, id="a cent below twice the usual it is not"),
        pytest.param(8000, (100, 4000, 4000, 4000, 90000), Reason.UNUSUAL, id="one odd Sunday moves nothing"),
        pytest.param(1999, (500, 500, 500), Reason.BELOW, id="below at_least nothing is worth a word"),
        pytest.param(2000, (500, 500, 500), Reason.UNUSUAL, id="at at_least it is"),
        pytest.param(9000, (4000, 4000), Reason.TOO_LITTLE_DATA, id="two Sundays are too little history"),
        pytest.param(2000, (), Reason.TOO_LITTLE_DATA, id="no history is too little"),
        pytest.param(2000, (-100, -100, -100), Reason.UNUSUAL, id="where money usually comes back, at_least decides"),
    ],
)
def test_a_day_far_above_the_usual_is_told(cents: int, sundays: tuple[int, ...], reason: Reason) -> None:
    assert decision(DOUBLE, spent(cents, sundays)).reason is reason


@pytest.mark.parametrize("usually", [0, -100])
def test_a_multiple_of_nothing_or_less_is_not_exceeded(usually: int) -> None:
    plain = AboveUsualRule(name="Unusual day", above_usual=Decimal(2))
    assert decision(plain, spent(2000, (usually, usually, usually, 1))).reason is Reason.TOO_LITTLE_DATA


def test_an_unusual_day_is_told_once_however_it_grows() -> None:
    told = frozenset(decision(DOUBLE, spent(8000, (4000,) * 3)).tells)
    assert decision(DOUBLE, spent(50000, (4000,) * 3), told).reason is Reason.SAID


def test_days_before_the_first_use_are_no_history() -> None:
    young = reading({SUNDAY - timedelta(weeks=2): Totals(4000), SUNDAY - timedelta(weeks=1): Totals(4000)})
    assert usual(Metric.COST, SUNDAY, Sums(young)) is None


def test_quiet_weekdays_after_the_first_use_are_history() -> None:
    days = {SUNDAY - timedelta(weeks=4): Totals(4000), SUNDAY: Totals(100)}
    assert usual(Metric.COST, SUNDAY, Sums(reading(days))) == 0


TOO_QUIET = BelowRule(name="Phone line", metric=Metric.CALLS, below=Decimal(1), by=time(12))


@pytest.mark.parametrize(
    ("calls", "read_at", "reason"),
    [
        pytest.param(0, "11:59:59", Reason.BELOW, id="before the time nothing is expected"),
        pytest.param(0, "12:00:00", Reason.CROSSED, id="from the time on silence is told"),
        pytest.param(1, "12:00:00", Reason.BELOW, id="at the amount it is no silence"),
        pytest.param(0, "23:59:59", Reason.CROSSED, id="late in the day still"),
        pytest.param(-1, "12:00:00", Reason.CROSSED, id="fewer than none, where a call is taken back"),
    ],
)
def test_too_little_by_a_time_of_day_is_told(calls: int, read_at: str, reason: Reason) -> None:
    now = datetime.combine(SUNDAY, time.fromisoformat(read_at), tzinfo=UTC)
    read = reading({SUNDAY: Totals(calls=calls)}, read_at=now)
    assert decision(TOO_QUIET, read, now=now).reason is reason


def test_a_reading_from_before_the_time_tells_no_silence_however_late_it_is_now() -> None:
    read = reading({SUNDAY: Totals()}, read_at=NOON - timedelta(hours=1))
    assert decision(TOO_QUIET, read, now=NOON + timedelta(hours=9)).reason is Reason.BELOW


def test_silence_is_told_once_a_day() -> None:
    told = frozenset(decision(TOO_QUIET, reading({SUNDAY: Totals()})).tells)
    assert decision(TOO_QUIET, reading({SUNDAY: Totals()}), told).reason is Reason.SAID
