"""The simulated pair with the real bot between them, as a process of its own: what the sandbox and the tests run."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from bot.sandbox.cartesia import SimulatedCartesia
from bot.sandbox.slack.server import SimulatedSlack

RULES = """\
channel: "#voice-spend"
operations_channel: "#voice-ops"
rules:
  - name: Daily spend
    threshold: $50
    alert_at: [80%, 100%]
"""


class Process(Protocol):
    """What is used of an `asyncio.subprocess.Process`."""

    pid: int
    stdout: asyncio.StreamReader | None

    @property
    def returncode(self) -> int | None: ...

    def send_signal(self, signal: int) -> None: ...

    def kill(self) -> None: ...

    async def wait(self) -> int: ...


Spawn = Callable[[Sequence[str], Mapping[str, str], Path], Awaitable[Process]]


async def execute(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Process:
    """Start the command in the folder, with no environment but this."""
    return await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@dataclass
class BotProcess:
    """One run of the program. `lines` is what it logged."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    spawn: Spawn = execute
    process: Process | None = None
    lines: list[str] = field(default_factory=list)
    _reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it, with no environment but its own."""
        self.process = await self.spawn(self.command, self.environment, self.folder)
        self._reading = asyncio.create_task(self._read())

    async def said(self, words: str, timeout: float = 10.0) -> str:
        """The first logged line with these words; waits for it. TimeoutError with the log where it does not come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while True:
                    if found := next((line for line in self.lines if words in line), None):
                        return found
                    if self._reading and self._reading.done():
                        break
                    await asyncio.sleep(0.02)
        raise TimeoutError(f"{words!r} was not said:\n" + "\n".join(self.lines))

    async def stop(self, number: int = signal.SIGTERM, timeout: float = 20.0) -> int:
        """Send the signal and wait; its exit code, negative where a signal ended it."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.ended(timeout)

    async def ended(self, timeout: float = 20.0) -> int:
        """Its exit code, once it has ended; it is killed where it does not end in time, and TimeoutError raised."""
        assert self.process is not None
        try:
            async with asyncio.timeout(timeout):
                code = await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
            raise
        finally:
            if self._reading:
                await asyncio.wait({self._reading}, timeout=1)
        return code

    async def _read(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip())


def real_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 the clock of both simulated sides


class World:
    """Both simulated servers and a folder with rules and a database; `program()` gives a process to start."""

    def __init__(
        self, folder: Path, now: Callable[[], datetime] = real_now, rules: str = RULES, spawn: Spawn = execute
    ) -> None:
        self.folder = folder
        self.now = now
        self.spawn = spawn
        self.cartesia = SimulatedCartesia(now)
        self.slack = SimulatedSlack(now)
        self.processes: list[BotProcess] = []
        self.rules_file = folder / "rules.yaml"
        self.rules_file.write_text(rules)
        self.database_url = f"sqlite:///{folder / 'agent-usage.db'}"

    def environment(self, **more: str) -> dict[str, str]:
        """What the bot is started with: Socket Mode between the simulated pair, a check every second."""
        return {
            "PATH": os.environ.get("PATH", ""),  # noqa: TID251 its bot needs it
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONUNBUFFERED": "1",
            "CARTESIA_ADMIN_API_KEY": self.cartesia.admin_key,
            "CARTESIA_API_URL": self.cartesia.url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "CHECK_INTERVAL": "1s",
            "RULES_FILE": str(self.rules_file),
            "DATABASE_URL": self.database_url,
        } | more

    def program(self, *arguments: str, module: str = "bot", **more: str) -> BotProcess:
        """The program with these arguments, not started yet; ended with this world at the latest."""
        command = (sys.executable, "-m", module, *arguments)
        process = BotProcess(command, self.environment(**more), self.folder, self.spawn)
        self.processes.append(process)
        return process

    async def run(self, *arguments: str, **more: str) -> BotProcess:
        """The bot, started and running."""
        process = self.program("serve", *arguments, **more)
        await process.start()
        await process.said("connected to Slack", 30)
        return process

    async def run_http(self, **more: str) -> BotProcess:
        """The bot in HTTP mode on a free port, with Slack's requests going there."""
        secret = self.slack.signing_secret
        process = self.program("serve", "--http", SLACK_SIGNING_SECRET=secret, HOST="127.0.0.1", PORT="0", **more)
        await process.start()
        port = (await process.said("listening on port")).split()[-1]
        self.slack.request_url = f"http://127.0.0.1:{port}/slack/events"
        await process.said("running in HTTP mode")
        return process

    async def checks(self, count: int = 1, timeout: float = 10.0) -> None:
        """Wait until Cartesia has been asked so many times more, and the last answer could be judged."""
        wanted = len(self.cartesia.requests) + count + 1
        await self.cartesia.arrived(wanted, timeout)

    async def __aenter__(self) -> Self:
        await self.cartesia.start()
        await self.slack.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self.processes:
            if each.process and each.process.returncode is None:
                await each.stop(signal.SIGKILL)
        await self.slack.stop()
        await self.cartesia.stop()
