"""What came in vain: one log line a minute, and a warning for as long as it goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.listeners.rejected_requests import RejectedRequests, Rejection

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
def rejected(clock: Clock, caplog: pytest.LogCaptureFixture) -> RejectedRequests:
    caplog.set_level(logging.INFO)
    return RejectedRequests(clock.now, clock.seconds)


async def test_a_warning_says_how_many_since_when(rejected: RejectedRequests, clock: Clock) -> None:
    rejected.note(Rejection.SECRET, "The secret may be wrong.")
    clock.passed = 5
    rejected.note(Rejection.SECRET, "The secret may be wrong.")
    assert await rejected.warnings() == ["The secret may be wrong. 2 requests since 2026-11-23 12:00:00 UTC."]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("\udcff", "\\udcff"), ("\u202e", "\\u202e"), ("\x1b[2J", "\\u001b[2J"), ("xoxb-12345", "xoxb-…")],
    ids=["half a character", "another order", "a command to the terminal", "a token"],
)
async def test_what_strangers_wrote_is_shown_harmless(rejected: RejectedRequests, sent: str, shown: str) -> None:
    rejected.note(Rejection.UNREADABLE, f"Slack sent text/{sent}.")
    [warning] = await rejected.warnings()
    assert warning.startswith(f"Slack sent text/{shown}. 1 request")
    assert warning.encode()


async def test_a_warning_speaks_of_the_last_request(rejected: RejectedRequests) -> None:
    rejected.note(Rejection.CLOCK, "400 seconds ahead.")
    rejected.note(Rejection.CLOCK, "401 seconds ahead.")
    assert (await rejected.warnings())[0].startswith("401 seconds ahead.")


async def test_a_good_request_ends_the_warning_and_is_remarked_for_ten_minutes(
    rejected: RejectedRequests, clock: Clock
) -> None:
    rejected.note(Rejection.SECRET, "The secret may be wrong.")
    assert rejected.end(Rejection.SECRET, Rejection.CLOCK)
    assert not rejected.end(Rejection.SECRET, Rejection.CLOCK)
    assert await rejected.warnings() == []
    [(well, remark)] = rejected.remarks()
    assert (well, remark.endswith("That is over.")) == (True, True)
    clock.passed = 600
    assert rejected.remarks() == []


async def test_what_a_good_request_does_not_disprove_stays(rejected: RejectedRequests) -> None:
    rejected.note(Rejection.COMMAND, "Unknown command.")
    rejected.end(Rejection.SECRET, Rejection.CLOCK)
    assert len(await rejected.warnings()) == 1


async def test_a_warning_ends_ten_minutes_after_the_last_request_and_not_the_first(
    rejected: RejectedRequests, clock: Clock
) -> None:
    rejected.note(Rejection.SECRET, "The secret may be wrong.")
    clock.passed = 599
    rejected.note(Rejection.SECRET, "The secret may be wrong.")
    clock.passed = 1198
    assert len(await rejected.warnings()) == 1
    clock.passed = 1199
    assert await rejected.warnings() == []
    rejected.note(Rejection.SECRET, "The secret may be wrong.")
    assert "1 request since 2026-11-23 12:19:59 UTC" in (await rejected.warnings())[0]


@pytest.mark.parametrize("kind", list(Rejection))
def test_a_flood_is_one_line_a_minute(
    rejected: RejectedRequests, clock: Clock, caplog: pytest.LogCaptureFixture, kind: Rejection
) -> None:
    ends = 0
    for second in range(150):
        clock.passed = second
        rejected.note(kind, "Refused.")
        ends += rejected.end(kind)  # not even where good and bad ones alternate
    assert len(caplog.records) == ends == 3


async def test_strangers_are_counted_in_the_log_and_warn_nobody(
    rejected: RejectedRequests, caplog: pytest.LogCaptureFixture
) -> None:
    rejected.note(Rejection.STRANGER, "Refused.")
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert await rejected.warnings() == []
