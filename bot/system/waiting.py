"""Waiting for an event, but not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.clock import elapsed

LONGEST_SLEEP = 30.0  # seconds; asyncio's timers stand still while the machine is suspended, and are late by as much

LONGEST_ASKED = 3600.0  # seconds; whoever asks to wait for longer, by a Retry-After, is asked again after these


async def set_within(
    event: asyncio.Event, seconds: float, clock: Callable[[], float] = elapsed, longest: float = LONGEST_SLEEP
) -> bool:
    """Whether the event is set within so many seconds of `clock`, which is looked at every `longest` seconds."""
    until = clock() + seconds
    while not event.is_set():
        try:
            async with asyncio.timeout(min(max(until - clock(), 0.0), longest)):
                return await event.wait()
        except TimeoutError:
            if clock() >= until:
                return False
    return True


async def sleep(seconds: float) -> None:
    """Wait so many seconds, of which a suspended machine's count."""
    await set_within(asyncio.Event(), seconds)
