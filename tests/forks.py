"""Starts programs by forking a process that has imported them already: the same program, ready in a fifth of the time.

Each connection to the server's socket is one program: it takes one line of JSON and the file that the program writes
to, answers with the process's number, and at its end with the exit code. A connection that closes ends its program; the
server ends with whoever started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, Self

REPOSITORY: Final = Path(__file__).parents[1]
WARM: Final = (
    *("aiosqlite", "alembic.command", "anyio._backends._asyncio", "bot.app", "bot.cli", "bot.sandbox.process"),
    *("httpcore", "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.aiosqlite"),
)
LONGEST: Final = 1 << 16  # bytes of one request


@dataclass
class Fork:
    """One program, with what the tests use of an `asyncio.subprocess.Process`."""

    pid: int
    stdout: asyncio.StreamReader | None
    _ended: asyncio.Task[int]
    _connection: asyncio.StreamWriter

    @property
    def returncode(self) -> int | None:
        """Negative where a signal ended it; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    def send_signal(self, signal: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    def forget(self) -> None:
        """Close what leads to it; what still runs is killed."""
        self._connection.close()


class ForkServer:
    """The process that forks, for as long as the context lasts."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="agent-usage-forks-")
        self._address = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks", self._address],
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

    async def spawn(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Fork:
        """What `World` starts its programs with: what it writes is read from `stdout`."""
        reading, writing = os.pipe()
        try:
            fork = await self.start(command, environment, folder, writing)
        finally:
            os.close(writing)
        fork.stdout = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(fork.stdout)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb"))
        return fork

    async def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        output: int,
        prepare: tuple[str, Mapping[str, Any]] | None = None,
    ) -> Fork:
        """A program that was just started, `command` being [python, "-m", module, *arguments]; `output` is where it
        writes to. `prepare` is a function as "module:name" with what it is given before the program begins."""
        _python, _m, module, *arguments = command
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        wanted = {"module": module, "arguments": arguments, "environment": dict(environment), "folder": str(folder)}
        socket.send_fds(connection, [json.dumps(wanted | {"prepare": prepare}).encode() + b"\n"], [output])
        reader, writer = await asyncio.open_unix_connection(sock=connection)

        async def ended() -> int:
            code = int(await reader.readline())
            writer.close()
            return code

        pid = int(await reader.readline())
        return Fork(pid, None, asyncio.create_task(ended()), writer)


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
    running: dict[int, socket.socket] = {}  # by the number of the process
    with selectors.DefaultSelector() as selector:
        for source in (sys.stdin, listener, heard):
            selector.register(source, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in selector.select():
                source = key.fileobj
                if source is sys.stdin:
                    _end(running)
                    return
                if source is listener:
                    connection = listener.accept()[0]
                    number = _fork(connection)
                    running[number] = connection
                    selector.register(connection, selectors.EVENT_READ, number)
                elif source is heard:
                    heard.recv(1000)
                    _reap(running, selector)
                elif key.data in running:
                    os.kill(key.data, signal.SIGKILL)  # nobody waits for it any more
                    selector.unregister(source)


def _fork(connection: socket.socket) -> int:
    text, [output], _flags, _address = socket.recv_fds(connection, LONGEST, 1)
    while not text.endswith(b"\n"):
        text += connection.recv(LONGEST)
    number = os.fork()
    if number == 0:
        _become(json.loads(text), output)
    os.close(output)
    connection.sendall(f"{number}\n".encode())
    return number


def _reap(running: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    """Tell of the processes that have ended."""
    while running:
        number, status = os.waitpid(-1, os.WNOHANG)
        if number == 0:
            return
        connection = running.pop(number)
        with contextlib.suppress(OSError):
            connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        with contextlib.suppress(KeyError):
            selector.unregister(connection)
        connection.close()


def _end(running: dict[int, socket.socket]) -> None:
    for number in running:
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)


def _become(wanted: Mapping[str, Any], output: int) -> NoReturn:
    """In the forked process: be the program, and end as Python ends it."""
    code = 1
    try:
        _begin_anew(wanted, output)
        if wanted["prepare"]:
            name, given = wanted["prepare"]
            module, _, function = name.partition(":")
            getattr(importlib.import_module(module), function)(**given)
        runpy.run_module(wanted["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)


def _begin_anew(wanted: Mapping[str, Any], output: int) -> None:
    """Nothing but what was imported is left of the server."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(old, new)
    os.closerange(3, 1024)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False, errors="backslashreplace")
    os.environ.clear()  # noqa: TID251 the environment of the program that is forked
    os.environ.update(wanted["environment"])  # noqa: TID251 the same
    os.chdir(wanted["folder"])
    sys.argv = [wanted["module"], *wanted["arguments"]]


if __name__ == "__main__":
    main(sys.argv[1])
