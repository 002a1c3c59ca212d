"""Until when somebody wants quiet, as people type it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.typed.snooze_end import (
    CHOICES,
    Lasting,
    MinutesOrAmount,
    NextLevel,
    Reaching,
    Tomorrow,
    Until,
    parse_until,
    tomorrow_from,
    typed_amount,
)
from bot.commands.typed.user_input import words_of
from bot.model import Metric
from bot.money import set_amount
from bot.slack.alerts import SNOOZES
from tests.samples.figures import MOMENTS


def minutes(count: float) -> Lasting:
    return Lasting(timedelta(minutes=count))


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("1 hour", minutes(60)),
        ("an hour", minutes(60)),
        ("hour", minutes(60)),
        ("for one hour.", minutes(60)),
        ("— 2 hours", minutes(120)),
        ("til tomorrow", CHOICES["tomorrow"]),
        ("the next hour", minutes(60)),
        ("2 hours", minutes(120)),
        ("until 2 hours", minutes(120)),
        ("3h", minutes(180)),
        ("3 h", minutes(180)),
        ("2 hrs", minutes(120)),
        ("1.5 hours", minutes(90)),
        ("1,5 hours", minutes(90)),
        ("half an hour", minutes(30)),
        ("half a day", minutes(720)),
        ("90m", minutes(90)),
        ("for 30 min", minutes(30)),
        ("for 90 minutes", minutes(90)),
        ("1h30m", minutes(90)),
        ("1 hour and 30 minutes", minutes(90)),
        ("1 day", minutes(1440)),
        ("２ days", minutes(2880)),
        ("a week", minutes(7 * 1440)),
        ("0 hours", minutes(0)),
        ("tomorrow", Tomorrow()),
        ("until “tomorrow”", Tomorrow()),
        ("level", NextLevel()),
        ("until the next level", NextLevel()),
        ("30 min", MinutesOrAmount(timedelta(minutes=30), "30 min")),
        ("90 Minutes", MinutesOrAmount(timedelta(minutes=90), "90 Minutes")),
        ("until 90 minutes", Reaching("90 minutes")),
        ("75", Reaching("75")),
        ("until $75", Reaching("$75")),
        ("“$75”", Reaching("“$75”")),
        ("75 $", Reaching("75 $")),
        ("75,00", Reaching("75,00")),
        ("€75", Reaching("€75")),
        ("-5", Reaching("-5")),
        ("500 calls", Reaching("500 calls")),
        ("$0.07 a minute", Reaching("$0.07 a minute")),
    ],
)
def test_a_time_a_level_and_an_amount_are_understood(typed: str, until: Until) -> None:
    assert parse_until(words_of(typed)) == until


@pytest.mark.parametrize(
    "typed", ["", "for", "until", "forever", "until 15:00", "until Monday", "2026-11-30", "½ hour", "1²h", "hours", "m"]
)
def test_what_says_no_time_is_not_guessed(typed: str) -> None:
    assert parse_until(words_of(typed)) is None


def test_every_option_of_the_menu_is_known() -> None:
    assert {*CHOICES, "amount"} == set(SNOOZES)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-22T12:00", "2026-11-23T00:00"),
        ("2026-11-22T18:00", "2026-11-24T00:00"),
        ("2026-11-22T17:59", "2026-11-23T00:00"),
        ("2026-11-22T23:37", "2026-11-24T00:00"),
        ("2026-11-22T00:00", "2026-11-23T00:00"),
    ],
)
def test_tomorrow_is_a_night_away(now: str, until: str) -> None:
    assert tomorrow_from(datetime.fromisoformat(now).replace(tzinfo=UTC)).isoformat()[:16] == until


@given(now=MOMENTS)
def test_a_snooze_until_tomorrow_is_never_over_within_the_evening(now: datetime) -> None:
    assert timedelta(hours=6) <= tomorrow_from(now) - now <= timedelta(hours=30)


@pytest.mark.parametrize(
    ("metric", "typed", "value"),
    [
        (Metric.COST, "75", 7500),
        (Metric.COST, "$75", 7500),
        (Metric.COST, "75 $", 7500),
        (Metric.COST, "“$75”", 7500),
        (Metric.COST, "*$75.*", 7500),
        (Metric.COST, "＄７５", 7500),
        (Metric.COST, "US$ 75", 7500),
        (Metric.COST, "75 USD", 7500),
        (Metric.COST, "75 dollars", 7500),
        (Metric.COST, "7500 cents", 7500),
        (Metric.COST, "75,00", 7500),
        (Metric.COST, "$1,250.50", 125_050),
        (Metric.COST, "1.250,50 $", 125_050),
        (Metric.COST, "1’250.50", 125_050),
        (Metric.COST, "1,250", 125_000),
        (Metric.COST, "$.50", 50),
        (Metric.COST_PER_MINUTE, "0,065", "6.5"),
        (Metric.COST_PER_MINUTE, "$0.065 a minute", "6.5"),
        (Metric.COST_PER_CALL, "25 cents per call", 25),
        (Metric.MINUTES, "1,240.5 minutes", "1240.5"),
        (Metric.MINUTES, "90 min", 90),
        (Metric.CALLS, "500 calls", 500),
        (Metric.MINUTES_PER_CALL, "5.67 minutes a call", "5.67"),
    ],
)
def test_an_amount_is_read_however_it_is_typed(metric: Metric, typed: str, value: int | str) -> None:
    assert typed_amount(metric, typed) == Decimal(value)


@pytest.mark.parametrize(
    ("metric", "typed", "words"),
    [
        (Metric.COST, "€75", "in another currency"),
        (Metric.COST, "75 EUR", "in another currency"),
        (Metric.COST, "60 minutes", "`60 minutes` is not an amount of money"),
        (Metric.COST, "$75 a call", "`$75 a call` is not an amount of money"),
        (Metric.COST_PER_MINUTE, "$0.07 a call", "is not an amount of money"),
        (Metric.COST, "7²", "`7²` is not an amount of money"),
        (Metric.COST, "-5", "must be more than zero"),
        (Metric.COST, " ", "There is no value here"),
        (Metric.MINUTES, "$5", "is money"),
        (Metric.CALLS, "1.5", "calls are counted whole"),
    ],
)
def test_what_is_no_amount_of_this_metric_is_explained(metric: Metric, typed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("$", "[$]")):
        typed_amount(metric, typed)


@given(metric=st.sampled_from(Metric), value=st.integers(1, 10**8))
def test_what_the_bot_prints_can_be_typed(metric: Metric, value: int) -> None:
    exact = Decimal(value) if metric in (Metric.COST, Metric.CALLS) else Decimal(value).scaleb(-2)
    assert Fraction(typed_amount(metric, set_amount(metric, exact))) == Fraction(exact)
