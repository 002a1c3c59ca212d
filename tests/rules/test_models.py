"""The fingerprint tells a changed rule from one that only speaks otherwise."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.model import Metric, Period
from bot.rules.models import AboveUsualRule, BelowRule, Escalation, Expected, Rule, Rules, ThresholdRule
from bot.windows import window_of

THRESHOLD = ThresholdRule(name="Daily spend", threshold=Decimal(5000))
UNUSUAL = AboveUsualRule(name="Unusual day", above_usual=Decimal(2))
TOO_QUIET = BelowRule(name="Silent", below=Decimal(100), by=time(12))
FINGERPRINTS = ["0c9f114bbc48db1d", "6586f0acf25027a1", "d7173612100023cd"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"channel": "#other"},
        {"mention": ("@here",)},
        {"runbook": "https://example.com"},
        {"remind_every": timedelta(hours=4)},
        {"escalate": Escalation(after=timedelta(hours=1), channel="#finance")},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("rule", [THRESHOLD, UNUSUAL, TOO_QUIET], ids=lambda rule: rule.name)
def test_how_a_rule_speaks_is_not_in_its_fingerprint(rule: Rule, change: dict[str, Any]) -> None:
    assert replace(rule, **change).fingerprint == rule.fingerprint


@pytest.mark.parametrize(
    "change", [{"forecast": True}, {"mention_from": Decimal(80)}], ids=["forecast", "mention_from"]
)
def test_forecast_and_mentions_are_not_in_the_fingerprint_of_a_threshold(change: dict[str, Any]) -> None:
    assert replace(THRESHOLD, **change).fingerprint == THRESHOLD.fingerprint


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (THRESHOLD, {"metric": Metric.MINUTES}),
        (THRESHOLD, {"period": Period.WEEK}),
        (THRESHOLD, {"threshold": Decimal(6000)}),
        (THRESHOLD, {"alert_at": (Decimal(80),)}),
        (THRESHOLD, {"then_every": Decimal(100)}),
        (THRESHOLD, {"at_least_calls": 10}),
        (UNUSUAL, {"metric": Metric.CALLS}),
        (UNUSUAL, {"above_usual": Decimal("2.5")}),
        (UNUSUAL, {"at_least": Decimal(100)}),
        (TOO_QUIET, {"metric": Metric.CALLS}),
        (TOO_QUIET, {"below": Decimal(200)}),
        (TOO_QUIET, {"by": time(13)}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.name,
)
def test_what_a_rule_watches_is_in_its_fingerprint(rule: Rule, change: dict[str, Any]) -> None:
    assert replace(rule, **change).fingerprint != rule.fingerprint


def test_fingerprints_stay_the_same_from_version_to_version() -> None:
    assert [rule.fingerprint for rule in (THRESHOLD, UNUSUAL, TOO_QUIET)] == FINGERPRINTS


def test_the_same_amount_written_otherwise_has_the_same_fingerprint() -> None:
    assert replace(THRESHOLD, threshold=Decimal("5000.00")).fingerprint == THRESHOLD.fingerprint


def test_a_rule_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        THRESHOLD.threshold = Decimal(1)  # type: ignore[misc]


def test_a_rule_can_be_a_key() -> None:
    assert {THRESHOLD: 1}[replace(THRESHOLD)] == 1


def test_rules_without_any_channel_cannot_say_where_a_rule_goes() -> None:
    with pytest.raises(ValueError, match="names a channel"):
        Rules(rules=(THRESHOLD,)).channel_of(THRESHOLD)


def test_the_zone_is_the_timezone() -> None:
    assert Rules(rules=(), timezone="Europe/Berlin").zone == ZoneInfo("Europe/Berlin")


def event(first: str, last: str, threshold: int, rule: str = "Daily spend", why: str = "launch") -> Expected:
    return Expected(
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        rule=rule,
        threshold=Decimal(threshold),
        why=why,
    )


EVENTS = Rules(
    rules=(),
    expected=(
        event("2026-12-01", "2026-12-03", 20000),
        event("2026-12-03", "2026-12-04", 30000),
        event("2026-12-02", "2026-12-02", 90000, rule="Other"),
    ),
)


@pytest.mark.parametrize(
    ("period", "day", "threshold"),
    [
        pytest.param(Period.DAY, "2026-11-30", None, id="the day before"),
        pytest.param(Period.DAY, "2026-12-01", 20000, id="the first day"),
        pytest.param(Period.DAY, "2026-12-02", 20000, id="the event of another rule does not count"),
        pytest.param(Period.DAY, "2026-12-03", 30000, id="the highest of two on one day"),
        pytest.param(Period.DAY, "2026-12-04", 30000, id="the last day"),
        pytest.param(Period.DAY, "2026-12-05", None, id="the day after"),
        pytest.param(Period.WEEK, "2026-11-29", None, id="the week before"),
        pytest.param(Period.WEEK, "2026-12-06", 30000, id="a week that shares days"),
        pytest.param(Period.WEEK, "2026-12-07", None, id="the week after"),
        pytest.param(Period.MONTH, "2026-11-30", None, id="the month before"),
        pytest.param(Period.MONTH, "2026-12-31", 30000, id="a month that shares days"),
        pytest.param(Period.MONTH, "2027-01-01", None, id="the month after"),
    ],
)
def test_an_event_holds_in_each_window_that_shares_a_day_with_it(
    period: Period, day: str, threshold: int | None
) -> None:
    found = EVENTS.expected_in("Daily spend", window_of(period, date.fromisoformat(day)))
    assert (found.threshold if found else None) == threshold


def test_of_two_events_with_one_threshold_the_first_is_named() -> None:
    twins = (event("2026-12-01", "2026-12-01", 200, why="launch"), event("2026-12-01", "2026-12-01", 200, why="test"))
    found = Rules(rules=(), expected=twins).expected_in("Daily spend", window_of(Period.DAY, date(2026, 12, 1)))
    assert found == twins[0]
