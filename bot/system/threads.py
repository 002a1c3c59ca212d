"""Work that takes its time, beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What the work gives, or raises what it raised, done in a thread while the loop goes on.

    Unlike with `asyncio.to_thread`, work that never ends, such as reading from a network's disk that is gone, does not
    keep the program from ending.
    """
    done: Future[T] = Future()
    threading.Thread(target=_run, args=(work, done), name="in_thread", daemon=True).start()
    return await asyncio.wrap_future(done)


def _run(work: Callable[[], T], done: Future[T]) -> None:
    if not done.set_running_or_notify_cancel():
        return  # nobody waits for it any more
    try:
        outcome = work()
    except Exception as error:  # noqa: BLE001 it is raised where it is waited for
        done.set_exception(error)
    else:
        done.set_result(outcome)
