"""Starts bots that may kill themselves at a point of what they do (points.py)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.crash.points import CHECKING, DELIVERING
from tests.forks import Fork, ForkServer


@dataclass(frozen=True)
class Kill:
    """At which point a bot is to kill itself and where it traces them; which points there are (points.py)."""

    at: str
    trace: Path
    counted: Sequence[str] = (*CHECKING, *DELIVERING)
    armed_by: Sequence[str] = CHECKING


@dataclass
class Forked:
    """One bot from the fork server. `log` is what it said."""

    log: Path
    _fork: Fork

    @property
    def running(self) -> bool:
        return self._fork.returncode is None

    async def stop(self, sign: int = signal.SIGTERM, timeout: float = 20.0) -> int:
        """Send the signal and wait; the exit code, negative where a signal ended it."""
        self._fork.send_signal(sign)
        return await self.ended(timeout)

    async def ended(self, timeout: float = 20.0) -> int:
        async with asyncio.timeout(timeout):
            return await self._fork.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whatever still runs is killed."""
        await self.stop(signal.SIGKILL)
        self._fork.forget()


@dataclass(frozen=True)
class Bots:
    """Starts bots by forking."""

    server: ForkServer

    async def serve(self, environment: Mapping[str, str], folder: Path, kill: Kill | None = None) -> Forked:
        """A bot that was just started."""
        log = folder / "log"
        command = (sys.executable, "-m", "bot", "serve")
        armed = ("tests.crash.bots:arm", _given(kill)) if kill else None
        with log.open("ab") as output:
            return Forked(log, await self.server.start(command, environment, folder, output.fileno(), armed))


def _given(kill: Kill) -> dict[str, Any]:
    return {"at": kill.at, "trace": str(kill.trace), "counted": kill.counted, "armed_by": kill.armed_by}


def arm(at: str, trace: str, counted: Sequence[str], armed_by: Sequence[str]) -> None:
    """In the forked process: let `serve` run its tasks under the eyes of Points."""
    from bot import app
    from tests.crash.points import Points

    serve = app.serve
    points = Points(at, Path(trace), counted, armed_by)

    async def watched(*arguments: Any) -> int:
        asyncio.get_running_loop().set_task_factory(points.task)
        return await serve(*arguments)

    app.serve = watched  # type: ignore[assignment] # the same, watched
