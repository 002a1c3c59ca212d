"""What came in vain: one log line a minute, and a warning for as long as it goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.listeners.rejected_requests import Kind, Refusals

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    passed: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def seconds(self) -> float:
        return self.passed


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(clock: Clock, caplog: pytest.LogCaptureFixture) -> Refusals:
    caplog.set_level(logging.INFO)
    return Refusals(clock.now, clock.seconds)


async def test_a_warning_says_how_many_since_when(refusals: Refusals, clock: Clock) -> None:
    refusals.note(Kind.SECRET, "The secret may be wrong.")
    clock.passed = 5
    refusals.note(Kind.SECRET, "The secret may be wrong.")
    assert await refusals.warnings() == ["The secret may be wrong. 2 requests since 2026-11-23 12:00:00 UTC."]


async def test_a_warning_speaks_of_the_last_request(refusals: Refusals) -> None:
    refusals.note(Kind.CLOCK, "400 seconds ahead.")
    refusals.note(Kind.CLOCK, "401 seconds ahead.")
    assert (await refusals.warnings())[0].startswith("401 seconds ahead.")


async def test_a_good_request_ends_the_warning_and_is_remarked_for_ten_minutes(
    refusals: Refusals, clock: Clock
) -> None:
    refusals.note(Kind.SECRET, "The secret may be wrong.")
    assert refusals.end(Kind.SECRET, Kind.CLOCK)
    assert not refusals.end(Kind.SECRET, Kind.CLOCK)
    assert await refusals.warnings() == []
    [(well, remark)] = refusals.remarks()
    assert (well, remark.endswith("That is over.")) == (True, True)
    clock.passed = 600
    assert refusals.remarks() == []


async def test_what_a_good_request_does_not_disprove_stays(refusals: Refusals) -> None:
    refusals.note(Kind.COMMAND, "Unknown command.")
    refusals.end(Kind.SECRET, Kind.CLOCK)
    assert len(await refusals.warnings()) == 1


async def test_a_warning_ends_ten_minutes_after_the_last_request_and_not_the_first(
    refusals: Refusals, clock: Clock
) -> None:
    refusals.note(Kind.SECRET, "The secret may be wrong.")
    clock.passed = 599
    refusals.note(Kind.SECRET, "The secret may be wrong.")
    clock.passed = 1198
    assert len(await refusals.warnings()) == 1
    clock.passed = 1199
    assert await refusals.warnings() == []
    refusals.note(Kind.SECRET, "The secret may be wrong.")
    assert "1 request since 2026-11-23 12:19:59 UTC" in (await refusals.warnings())[0]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_flood_is_one_line_a_minute(
    refusals: Refusals, clock: Clock, caplog: pytest.LogCaptureFixture, kind: Kind
) -> None:
    ends = 0
    for second in range(150):
        clock.passed = second
        refusals.note(kind, "Refused.")
        ends += refusals.end(kind)  # not even where good and bad ones alternate
    assert len(caplog.records) == ends == 3


async def test_strangers_are_counted_in_the_log_and_warn_nobody(
    refusals: Refusals, caplog: pytest.LogCaptureFixture
) -> None:
    refusals.note(Kind.STRANGER, "Refused.")
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert await refusals.warnings() == []
