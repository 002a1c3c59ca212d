"""What takes its time is done beside the loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

import pytest

from bot.system.threads import in_thread


async def test_what_the_work_gives_or_raises_reaches_whoever_waits() -> None:
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)


async def test_the_loop_goes_on_meanwhile() -> None:
    may_end = threading.Event()
    work = asyncio.create_task(in_thread(may_end.wait))
    await asyncio.sleep(0.01)
    assert not work.done()
    may_end.set()
    assert await work


def test_work_that_never_ends_does_not_keep_the_program_from_ending() -> None:
    never = threading.Event()

    async def program() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_thread(lambda: never.wait(20))

    begun = time.monotonic()
    asyncio.run(program())
    assert time.monotonic() - begun < 5
    never.set()
