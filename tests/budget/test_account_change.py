"""Readings of another account are told from corrections, and from each other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bot.budget.account_change import bears, changed_at_once, mark_of
from bot.model import Reading, Totals
from bot.windows import checked_span, utc_day

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


def days_ago(**figures: int) -> dict[date, Totals]:
    """Cents by the days since: `d1` is yesterday."""
    return {
        TODAY - timedelta(days=int(name[1:])): Totals(cents, Decimal(cents), cents) for name, cents in figures.items()
    }


def reading(days: dict[date, Totals], now: datetime = NOW, *, missing: tuple[int, ...] = ()) -> Reading:
    """As Cartesia answers: a zero for each day without usage, and no bucket for the missing ones."""
    span, gone = checked_span(now), {TODAY - timedelta(days=back) for back in missing}
    return Reading(span, {day: days.get(day, Totals()) for day in span.each_day() if day not in gone}, now)


MONTH = days_ago(**{f"d{back}": 1000 + back for back in range(1, 31)})
OTHERS = days_ago(**{f"d{back}": 7000 + back for back in range(1, 31)})
THREE = days_ago(d1=100, d2=200, d3=300)


def restated(days: dict[date, Totals], **figures: int) -> dict[date, Totals]:
    return {**days, **days_ago(**figures)}


@pytest.mark.parametrize(
    ("known", "read", "changed"),
    [
        pytest.param(MONTH, MONTH, 0, id="nothing changed"),
        pytest.param(MONTH, restated(MONTH, d0=99_999), 0, id="today grew"),
        pytest.param(MONTH, restated(MONTH, d1=1), 0, id="a restated day"),
        pytest.param(MONTH, restated(MONTH, d1=1, d2=2, d3=3, d9=4), 0, id="a few restated days"),
        pytest.param(MONTH, OTHERS, 30, id="another account"),
        pytest.param(MONTH, {}, 30, id="an account without usage"),
        pytest.param(MONTH, restated(OTHERS, d9=1009, d8=1008), 28, id="two days happen to be alike"),
        pytest.param(MONTH, restated(MONTH, **{f"d{back}": 1 for back in range(1, 20)}), 0, id="nineteen of thirty"),
        pytest.param({}, OTHERS, 0, id="nothing was known"),
        pytest.param(days_ago(d0=500), OTHERS, 0, id="no past day was known with usage"),
        pytest.param(days_ago(d1=100, d2=200), {}, 0, id="two days in all"),
        pytest.param(THREE, {}, 3, id="three days in all"),
        pytest.param(THREE, restated(THREE, d1=101, d2=201), 0, id="two of three days"),
    ],
)
def test_another_account_has_changed_nearly_every_past_day_with_usage(
    known: dict[date, Totals], read: dict[date, Totals], changed: int
) -> None:
    assert changed_at_once(known, reading(read)) == changed


def test_a_day_without_a_figure_has_not_changed() -> None:
    assert changed_at_once(MONTH, reading(MONTH, missing=tuple(range(1, 31)))) == 0
    assert changed_at_once(MONTH, reading(OTHERS, missing=(1, 2))) == 28


def test_minutes_and_calls_tell_accounts_apart_too() -> None:
    other = {day: Totals(each.cents, each.minutes + 1, each.calls) for day, each in MONTH.items()}
    assert changed_at_once(MONTH, reading(other)) == 30


@pytest.mark.parametrize(
    ("later", "now", "agrees"),
    [
        (OTHERS, NOW + timedelta(minutes=5), True),
        (restated(OTHERS, d0=900, d1=1, d2=2, d3=3), NOW + timedelta(minutes=5), True),
        (OTHERS, NOW + timedelta(days=1), True),
        (OTHERS, NOW + timedelta(days=30), True),
        (restated(OTHERS, d4=1), NOW + timedelta(minutes=5), False),
        (MONTH, NOW + timedelta(minutes=5), False),
    ],
    ids=["the same", "late calls since", "after midnight", "a month later", "an old day differs", "the one before"],
)
def test_readings_agree_where_their_older_days_do(later: dict[date, Totals], now: datetime, agrees: bool) -> None:
    assert bears(reading(later, now), mark_of(reading(OTHERS))) is agrees


def test_a_mark_fits_its_column() -> None:
    assert len(mark_of(reading(MONTH))) <= 64
    assert utc_day(NOW) == TODAY
