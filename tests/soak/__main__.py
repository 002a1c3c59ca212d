"""The soak, `make soak`: an hour at a check a second, with faults and commands all the while, in Socket Mode.

It prints what the process holds, sampled by the system's own account, and ends with 1 where the second half creeps.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from bot.sandbox.cartesia import USAGE
from bot.sandbox.faults import Fault
from bot.sandbox.slack.workspace import ADMIN, MEMBER
from bot.sandbox.world import BotProcess, World
from bot.windows import utc_day

SAMPLE = 5.0  # seconds between two samples
EVERY = 3.0  # seconds between two faults
SIZES = ("memory", "wal", "database")
MEGABYTE = 1024 * 1024
CREEP = 0.05  # more than that from the third quarter to the last is growth, beyond what comes and goes:
COMES_AND_GOES = {"memory": MEGABYTE, "descriptors": 3, "threads": 1, "wal": 5 * MEGABYTE}
TYPED = (
    "", "today", "yesterday", "7d by day", "budgets", "forecast", "alerts", "why 1", "status", "restatements", "help",
    "busgets", "last month by week", "2026-03-05", "why Daily spend", "last 30 days by day", "month", "check",
)  # fmt: skip
FAULTS = (
    (USAGE, Fault("status", status=503)),
    (USAGE, Fault("status", status=429, retry_after=1)),
    (USAGE, Fault("drop")),
    (USAGE, Fault("slow", seconds=1.5)),
    (USAGE, Fault("garbage")),
    ("chat.postMessage", Fault("accept_then_drop")),
    ("chat.postMessage", Fault("status", status=429, retry_after=1)),
    ("chat.update", Fault("status", status=500)),
    ("chat.update", Fault("drop")),
    ("conversations.history", Fault("status", status=503)),
    ("conversations.list", Fault("drop")),
    ("users.info", Fault("slow", seconds=1)),
    ("users.info", Fault("status", status=503)),
    ("response_url", Fault("status", status=500)),
    ("socket", Fault("accept_then_drop")),
)


@dataclass(frozen=True)
class Sample:
    """What the process holds at one moment; sizes in bytes."""

    seconds: float
    memory: int
    descriptors: int
    threads: int
    wal: int
    database: int


def sample(pid: int, database: Path, began: float) -> Sample:
    """By /proc and the file system."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    wal = database.with_name(database.name + "-wal")
    return Sample(
        time.monotonic() - began,
        int(status["VmRSS"].split()[0]) * 1024,
        len(os.listdir(f"/proc/{pid}/fd")),
        int(status["Threads"]),
        wal.stat().st_size if wal.exists() else 0,
        database.stat().st_size,
    )


def forget(world: World) -> None:
    """The simulated pair remembers everything, which tests want and an hour does not."""
    posted = world.slack.workspace.posted
    posted[:] = [each for each in posted if each.visible_to is None]
    for kept in (world.slack.api.calls, world.slack.socket.deliveries, world.slack.response_urls.received):
        del kept[:-200]
    world.slack.response_urls.forget(200)


async def ask(world: World, per_second: float, until: float, waits: list[float], failed: list[str]) -> None:
    """Commands at this rate, by two people; how long each acknowledgement took."""
    moments, under_way = random.Random(1), set()  # noqa: S311 a choice, no secret

    async def one() -> None:
        typed = await world.slack.command("/agent-usage", moments.choice(TYPED), user=moments.choice((ADMIN, MEMBER)))
        if typed.error:
            failed.append(typed.error)
        elif typed.ack_seconds is not None:
            waits.append(typed.ack_seconds)

    following = time.monotonic()
    while time.monotonic() < until:
        task = asyncio.create_task(one())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        following += 1 / per_second
        await asyncio.sleep(max(0.0, following - time.monotonic()))
    await asyncio.gather(*under_way)


async def suffer(world: World, every: float, until: float) -> None:
    """A fault every few seconds, and spending that goes up."""
    moments = random.Random(2)  # noqa: S311 a choice, no secret
    while time.monotonic() < until:
        world.slack.faults.clear()
        world.cartesia.faults.clear()
        endpoint, fault = moments.choice(FAULTS)
        (world.cartesia if endpoint == USAGE else world.slack).faults.add(endpoint, fault, times=moments.randint(1, 3))
        world.cartesia.add(utc_day(world.now()), cents=moments.randint(0, 40), minutes=1, calls=1)
        await asyncio.sleep(every)


async def watch(world: World, bot: BotProcess, until: float, samples: list[Sample]) -> None:
    """A sample every few seconds, a line every minute."""
    assert bot.process is not None
    began, lines = time.monotonic(), 0
    while time.monotonic() < until:
        samples.append(sample(bot.process.pid, world.folder / "agent-usage.db", began))
        forget(world)
        if samples[-1].seconds >= lines * 60:
            lines += 1
            last = samples[-1]
            print(
                f"{last.seconds / 60:5.1f} min  {last.memory / MEGABYTE:6.1f} MB  {last.descriptors} descriptors  "
                f"{last.threads} threads  WAL {last.wal / MEGABYTE:.1f} MB  database {last.database / MEGABYTE:.1f} MB",
                flush=True,
            )
        await asyncio.sleep(SAMPLE)


def quarters(samples: list[Sample]) -> Iterator[tuple[str, dict[str, float]]]:
    """The middle of each figure, a quarter of the time at a time."""
    size = max(1, len(samples) // 4)
    for number in range(4):
        part = samples[number * size : (number + 1) * size]
        names = [name for name in asdict(part[0]) if name != "seconds"]
        yield f"quarter {number + 1}", {name: statistics.median(getattr(each, name) for each in part) for name in names}


def grew(found: list[tuple[str, dict[str, float]]]) -> list[str]:
    """What the last quarter holds more of than the third one did, beyond what a sample may differ by."""
    (_, before), (_, after) = found[-2:]
    return [name for name, room in COMES_AND_GOES.items() if after[name] > before[name] * (1 + CREEP) + room]


RULES = """\
channel: "#voice-spend"
operations_channel: "#voice-ops"
rules:
  - {name: Daily spend, threshold: $50, alert_at: [50%, 80%, 100%], then_every: $5, forecast: true}
  - {name: Month, per: month, threshold: "$1,000", alert_at: [10%, 50%, 100%], then_every: $20}
  - {name: Unusual day, above_usual: 2x, at_least: $5}
  - {name: Calls, metric: calls, threshold: 500, then_every: 50}
  - {name: Long calls, metric: minutes_per_call, threshold: 6, at_least_calls: 50}
"""


async def soak(minutes: float, per_second: float) -> int:
    """The whole; 1 where something crept, a command failed, or the bot died."""
    waits: list[float] = []
    failed: list[str] = []
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="agent-usage-soak-") as folder:
        async with World(Path(folder), rules=RULES) as world:
            for days in range(1, 60):
                world.cartesia.set_day(
                    utc_day(world.now()) - timedelta(days=days), cents=900 + days, minutes=90, calls=30
                )
            bot = await world.run()
            assert bot.process is not None
            until = time.monotonic() + minutes * 60
            await asyncio.gather(
                ask(world, per_second, until, waits, failed),
                suffer(world, EVERY, until),
                watch(world, bot, until, samples),
            )
            code = await bot.stop()
    found = list(quarters(samples))
    for name, figures in found:
        print(
            f"{name}: "
            + ", ".join(
                f"{figure} {value / MEGABYTE if figure in SIZES else value:,.1f}" for figure, value in figures.items()
            )
        )
    waits.sort()
    print(
        f"{len(waits):,} commands acknowledged, median {statistics.median(waits) * 1000:.1f} ms, "
        f"99% within {waits[int(len(waits) * 0.99)] * 1000:.0f} ms; {len(failed)} failed: {Counter(failed)}"
    )
    print(f"the log: {sum(map(len, bot.lines)) / MEGABYTE:.2f} MB in {len(bot.lines):,} lines; exit code {code}")
    crept = grew(found)
    print(f"grew in the second half: {', '.join(crept) or 'nothing'}")
    return int(bool(crept or code))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--per-second", type=float, default=20.0, help="commands")
    options = parser.parse_args()
    return asyncio.run(soak(options.minutes, options.per_second))


if __name__ == "__main__":
    sys.exit(main())
