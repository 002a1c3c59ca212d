"""Starts the bot by forking a process that has imported it already: the same program, ready in a fifth of the time.

Each connection to the fork server's socket is one bot: it takes one line of JSON, answers with the process's number,
and at its end with the exit code. A connection that closes ends its bot; the fork server ends with whoever started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

from tests.crash.points import CHECKING, DELIVERING

REPOSITORY = Path(__file__).parents[2]
WARM = (
    *("aiosqlite", "anyio._backends._asyncio", "bot.app", "bot.cli", "httpcore", "psycopg", "tests.crash.points"),
    *("sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.aiosqlite"),
)


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

    number: int
    log: Path
    _ended: asyncio.Task[int]
    _connection: asyncio.StreamWriter

    @property
    def running(self) -> bool:
        return not self._ended.done()

    async def stop(self, sign: int = signal.SIGTERM, timeout: float = 20.0) -> int:
        """Send the signal and wait; the exit code, negative where a signal ended it."""
        if self.running:
            os.kill(self.number, sign)
        return await self.ended(timeout)

    async def ended(self, timeout: float = 20.0) -> int:
        async with asyncio.timeout(timeout):
            return await asyncio.shield(self._ended)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Whatever still runs is killed."""
        await self.stop(signal.SIGKILL)
        self._connection.close()


class ForkServer:
    """The process that forks, for as long as the context lasts."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="agent-usage-fork-server-")
        self._address = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.fork_server", self._address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise RuntimeError("the fork server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)
        self._folder.cleanup()

    async def serve(self, environment: Mapping[str, str], folder: Path, kill: Kill | None = None) -> Forked:
        """A bot that was just started."""
        reader, writer = await asyncio.open_unix_connection(self._address)
        log = folder / "log"
        wanted: dict[str, Any] = {"environment": dict(environment), "folder": str(folder), "log": str(log)}
        if kill:
            wanted["kill"] = {**asdict(kill), "trace": str(kill.trace)}
        writer.write(json.dumps(wanted).encode() + b"\n")

        async def ended() -> int:
            return int(await reader.readline())

        number = int(await reader.readline())
        return Forked(number, log, asyncio.create_task(ended()), writer)


def main(address: str) -> None:
    """Fork at each connection until standard input ends."""
    for module in WARM:
        importlib.import_module(module)
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    heard, hear = socket.socketpair()
    hear.setblocking(False)
    signal.set_wakeup_fd(hear.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ready: dict[int, socket.socket] = {}  # by the number of the process
    with selectors.DefaultSelector() as selector:
        for source in (sys.stdin, listener, heard):
            selector.register(source, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in selector.select():
                source = key.fileobj
                if source is sys.stdin:
                    _end(ready)
                    return
                if source is listener:
                    connection = listener.accept()[0]
                    number = _fork(connection)
                    ready[number] = connection
                    selector.register(connection, selectors.EVENT_READ, number)
                elif source is heard:
                    heard.recv(1000)
                    _reap(ready, selector)
                elif key.data in ready:
                    os.kill(key.data, signal.SIGKILL)  # nobody waits for it any more
                    selector.unregister(source)


def _fork(connection: socket.socket) -> int:
    wanted = json.loads(connection.makefile("rb").readline())
    number = os.fork()
    if number == 0:
        _become(wanted)
    connection.sendall(f"{number}\n".encode())
    return number


def _reap(ready: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    """Tell of the processes that have ended."""
    while ready:
        number, status = os.waitpid(-1, os.WNOHANG)
        if number == 0:
            return
        connection = ready.pop(number)
        with contextlib.suppress(OSError):
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        with contextlib.suppress(KeyError):
            selector.unregister(connection)
        connection.close()


def _end(ready: dict[int, socket.socket]) -> None:
    for number in ready:
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)


def _become(wanted: Mapping[str, Any]) -> NoReturn:
    """In the forked process: be the bot."""
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for old, new in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(old, new)
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(wanted["environment"])
        os.chdir(wanted["folder"])
        sys.argv = ["bot", "serve"]
        if kill := wanted.get("kill"):
            _arm(Kill(**{**kill, "trace": Path(kill["trace"])}))
        from bot.cli import main as bot_main

        bot_main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(code)


def _arm(kill: Kill) -> None:
    """Let `serve` run its tasks under the eyes of Points."""
    from bot import app
    from tests.crash.points import Points

    serve = app.serve
    points = Points(kill.at, kill.trace, kill.counted, kill.armed_by)

    async def watched(*arguments: Any) -> int:
        asyncio.get_running_loop().set_task_factory(points.task)
        return await serve(*arguments)

    app.serve = watched  # type: ignore[assignment] # the same, watched


if __name__ == "__main__":
    main(sys.argv[1])
