"""Waiting with a limit never swallows a cancellation, or whoever stops a loop waits for it for ever."""

from __future__ import annotations

import asyncio

import pytest

from bot.sandbox.changes import Changes
from bot.waiting import set_within


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
