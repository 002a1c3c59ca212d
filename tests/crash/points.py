"""Inside the process that is to die: where it awaits the database or the network, and the kill at one such point.

Every task's coroutine is driven step by step. A step that ends in one of the libraries that do I/O, called for a check,
a delivery or a click, gives three points: `begun` (the operation was handed over), `unseen` (50 ms later: the other
side has done it, the bot does not know) and `done` (the bot is about to go on). Which of the three count, and from
which on, is told; `armed_by` nothing, they count from the start.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Coroutine, Generator, Iterator, Sequence
from pathlib import Path
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType, coroutine
from typing import Any

LIBRARIES = frozenset({"aiohttp", "aiosqlite", "anyio", "httpcore", "httpx", "psycopg", "slack_sdk", "sqlalchemy"})
CHECKING = ("ScheduledCheck._check_once", "Checker.check")
DELIVERING = ("Deliveries.run", "Deliveries._deliver")
CLICKING = ("IncidentStore.act",)
UNSEEN = 0.05  # seconds that the other side has for what was begun

_BOT = str(Path(__file__).parents[2] / "bot") + os.sep
_WATCHED = frozenset({*CHECKING, *DELIVERING, *CLICKING})
_OPAQUE = frozenset({"async_generator_asend", "async_generator_athrow", "coroutine_wrapper", "anext_awaitable"})
_SUSPENDABLE = (CoroutineType, GeneratorType, AsyncGeneratorType)


class Points:
    """Counts the points and kills this process at one: a number, "words & words" of its kind and place, or none (0).

    Each point is written to the trace before it can kill: "number kind place".
    """

    def __init__(self, kill_at: str, trace: Path, counted: Sequence[str], armed_by: Sequence[str]) -> None:
        self._number = 0
        self._kill_at = kill_at
        self._trace = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._armed_by = armed_by
        self._armed = not armed_by
        self._counted = counted

    def task(self, loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
        """The loop's task factory."""
        return asyncio.Task(self._watched(work, _born_for(sys._getframe())), loop=loop, **more)

    async def _watched(self, work: Coroutine[Any, Any, Any], born_for: str) -> Any:
        return await self._driven(work, born_for)

    @coroutine
    def _driven(self, work: Coroutine[Any, Any, Any], born_for: str) -> Generator[Any, Any, Any]:
        answer: Any = None
        thrown: BaseException | None = None
        while True:
            try:
                awaited = work.send(answer) if thrown is None else work.throw(thrown)
            except StopIteration as end:
                return end.value
            place = self._place(work, born_for)
            if place:
                self._pass("begun", place)
                self._pass("unseen", place)
            answer = thrown = None
            try:
                answer = yield awaited
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:  # noqa: BLE001 whatever is thrown into the task belongs to its work
                thrown = error
            if place:
                self._pass("done", place)

    def _place(self, work: Any, born_for: str) -> str | None:
        """Where the work awaits, as "bot frames | library frame"; None where that is not one of our points."""
        ours: list[str] = []
        library = ""
        served = born_for
        for frame in _frames(work):
            name, file = frame.f_code.co_qualname, frame.f_code.co_filename
            if file.startswith(_BOT):
                served = name if not served and name in _WATCHED else served
                ours.append(f"{file.removeprefix(_BOT)}:{frame.f_lineno}:{name}")
                library = ""
            elif _library(file) in LIBRARIES:
                library = f"{file.rpartition('site-packages' + os.sep)[2]}:{frame.f_lineno}:{name}"
        self._armed = self._armed or served in self._armed_by
        if not (served in self._counted and library and self._armed):
            return None
        return f"{' > '.join(ours) or born_for} | {library}"

    def _pass(self, kind: str, place: str) -> None:
        self._number += 1
        os.write(self._trace, f"{self._number} {kind} {place}\n".encode())
        if self._is_wanted(f"{kind} {place}"):
            if kind == "unseen":
                time.sleep(UNSEEN)  # other threads and processes go on
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_wanted(self, point: str) -> bool:
        if self._kill_at.isdecimal():
            return self._number == int(self._kill_at)
        return all(words in point for words in self._kill_at.split(" & "))


def _frames(awaited: Any) -> Iterator[FrameType]:
    """The frames that a suspended coroutine waits through, outermost first."""
    while awaited is not None:
        frame, further = None, None
        if isinstance(awaited, CoroutineType):
            frame, further = awaited.cr_frame, awaited.cr_await
        elif isinstance(awaited, GeneratorType):
            frame, further = awaited.gi_frame, awaited.gi_yieldfrom
        elif isinstance(awaited, AsyncGeneratorType):
            frame, further = awaited.ag_frame, awaited.ag_await
        elif type(awaited).__name__ in _OPAQUE:  # these show what they wait for to the garbage collector only
            further = next((each for each in gc.get_referents(awaited) if isinstance(each, _SUSPENDABLE)), None)
        if frame is not None:
            yield frame
        awaited = further


def _born_for(frame: FrameType | None) -> str:
    """For which check, delivery or click a task is begun, from the stack that begins it; empty for none."""
    while frame is not None:
        name = frame.f_code.co_qualname
        if name in _WATCHED and frame.f_code.co_filename.startswith(_BOT):
            return name
        frame = frame.f_back
    return ""


def _library(file: str) -> str:
    return file.rpartition(f"site-packages{os.sep}")[2].partition(os.sep)[0] if "site-packages" in file else ""
