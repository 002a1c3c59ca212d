"""Waiting with a limit never swallows a cancellation, or whoever stops a loop waits for it for ever."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

import bot
from bot.clock import elapsed
from bot.sandbox.changes import Changes
from bot.system.waiting import set_within


async def test_a_cancellation_that_comes_with_the_event_counts() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(set_within(event, 5))
    await asyncio.sleep(0.01)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancellation_that_comes_with_a_change_counts() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.until(lambda: changes.count, 5))
    await asyncio.sleep(0.01)
    changes.note()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_limit_holds() -> None:
    assert await set_within(asyncio.Event(), 0.01) is False
    with pytest.raises(TimeoutError, match="for a change"):
        await Changes().until(lambda: None, 0.01)


async def test_a_wait_is_over_soon_after_a_suspended_machine_wakes() -> None:
    """asyncio's own timers would sleep on for the hour: they stood still meanwhile."""
    clock = iter([0.0, 0.0, 3600.0])
    assert await set_within(asyncio.Event(), 3600, lambda: next(clock), longest=0.01) is False


async def test_a_wait_longer_than_one_sleep_lasts_as_long_as_it_should() -> None:
    began = elapsed()
    assert await set_within(asyncio.Event(), 0.1, longest=0.01) is False
    assert elapsed() - began >= 0.1


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has CLOCK_BOOTTIME")
def test_waits_are_counted_on_the_clock_that_goes_on_while_the_machine_is_suspended() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= elapsed() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_no_wait_is_counted_on_a_clock_that_is_set_or_stands_still_while_the_machine_is_suspended() -> None:
    """The simulated sides are no part of the bot; what time it is comes from bot/cli.py alone.

    slack_sdk wants the time of day for a line of its own, and counts no wait on it.
    """
    files = [file for file in Path(bot.__file__).parent.rglob("*.py") if "sandbox" not in file.parts]
    others = re.compile(r"\btime\.(monotonic|time|perf_counter)\b")
    assert files
    found = [(file.name, clock[0]) for file in files for clock in others.finditer(file.read_text())]
    assert found == [("socket_mode.py", "time.time")]
