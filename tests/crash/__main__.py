"""The long form, `make crash`: every point on both databases, then kills at random moments, then a true lease."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from tests.crash.bots import Bots
from tests.crash.random_kills import kill_at_random, true_lease
from tests.crash.stores import Postgresql, Sqlite, Store
from tests.crash.trial import FIRST, RECOVERY, SCENARIOS, Outcome, Prepared, Scenario, prepare, today, trial
from tests.databases import Postgres, find_binaries
from tests.forks import ForkServer

PAST_THE_END = 3  # bots in a row that found no such point, until there are no more points
SECOND_CHANCES = 3  # rounds for places that depend on timing
RANDOM_KILLS = 30
DATABASES = ["sqlite", "postgresql"]
NAMES = [*(scenario.name for scenario in SCENARIOS), "random", "lease"]

Item = TypeVar("Item")
NewStore = Callable[[], Store]


@dataclass
class Tally:
    """One line of the table."""

    database: str
    scenario: str
    points: int = 0
    killed: int = 0
    looked: int = 0
    lost: int = 0
    doubled: int = 0
    troubles: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    died_at: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def take(self, outcome: Outcome) -> None:
        """Count what came of one bot."""
        self.points = max(self.points, outcome.points)
        self.looked += outcome.died and outcome.looked
        self.lost += len(outcome.verdict.lost)
        self.doubled += len(outcome.verdict.doubled)
        self.passed |= {_without_number(line) for line in outcome.passed}
        if outcome.died:
            self.died_at.add(_without_number(outcome.place))
        if not outcome.good:
            self.troubles.append(f"{outcome.place}\n{outcome.verdict} {outcome.trouble}")
            print(f"{self.database}, {self.scenario}: {self.troubles[-1]}", file=sys.stderr, flush=True)

    @property
    def not_yet(self) -> list[str]:
        """Places that bots have passed and none has died at."""
        return sorted(self.passed - self.died_at)

    @property
    def bad(self) -> bool:
        return bool(self.lost or self.doubled or self.troubles)


@dataclass
class Trials:
    """Where the trials are run, so many at once."""

    bots: Bots
    at_once: int
    every: int
    stores: dict[str, NewStore]

    async def every_point(self, database: str, scenario: Scenario) -> Tally:
        """Number 1, 2, 3 … until there is no such point; then the places that the numbers have missed."""
        tally = Tally(database, scenario.name)
        prepared = await self.prepared(database, scenario)
        past_the_end = 0

        def numbers() -> Iterator[str]:
            number = 1
            while past_the_end < PAST_THE_END:
                yield str(number)
                number += self.every

        async def one(kill_at: str) -> None:
            nonlocal prepared, past_the_end
            outcome = await trial(prepared, self.bots, kill_at)
            if prepared.day != today():  # what was used then, was used yesterday
                prepared = await self.prepared(database, scenario)
                outcome = await trial(prepared, self.bots, kill_at)
            past_the_end = 0 if outcome.died else past_the_end + 1
            tally.killed += outcome.died
            tally.take(outcome)

        await self._each(numbers(), one)
        for _ in range(SECOND_CHANCES if self.every == 1 else 0):
            await self._each(tally.not_yet, one)
        tally.seconds = time.monotonic() - tally.began
        return tally

    async def random_kills(self, database: str, worlds: int) -> Tally:
        """So many worlds with twenty crossings, each with five kills; its points are the kills amidst the telling."""
        tally = Tally(database, "random moments")

        async def one(seed: int) -> None:
            found = await kill_at_random(self.stores[database], self.bots, seed)
            tally.points += found.in_the_midst
            tally.killed += found.killed
            tally.take(found.outcome)

        await self._each((random.getrandbits(32) for _ in range(worlds)), one)
        tally.seconds = time.monotonic() - tally.began
        return tally

    async def lease(self) -> Tally:
        """PostgreSQL, and nobody ends the dead one's lease: others wait for it."""
        tally = Tally("postgresql", "true lease")
        prepared = await self.prepared("postgresql", FIRST)
        outcome, tally.seconds = await true_lease(prepared, self.bots, RECOVERY.first_kill)
        tally.points = tally.killed = int(outcome.died)
        tally.take(outcome)
        return tally

    async def prepared(self, database: str, scenario: Scenario) -> Prepared:
        return await prepare(scenario, self.stores[database](), self.bots)

    async def _each(self, items: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
        left = iter(items)

        async def take() -> None:
            for item in left:
                await work(item)

        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(take())


def _without_number(line: str) -> str:
    return line.partition(" ")[2]


def show(tallies: list[Tally]) -> None:
    """The table."""
    table = Table()
    for heading in ("database", "scenario"):
        table.add_column(heading)
    for heading in ("points", "killed", "looked for", "places left", "lost", "doubled", "troubles", "seconds"):
        table.add_column(heading, justify="right")
    for tally in tallies:
        figures = (tally.points, tally.killed, tally.looked, len(tally.not_yet), tally.lost, tally.doubled)
        table.add_row(
            tally.database, tally.scenario, *map(str, figures), str(len(tally.troubles)), f"{tally.seconds:.1f}"
        )
    Console(width=130).print(table)


async def run(server: Postgres, folder: Path, options: argparse.Namespace) -> int:
    """The whole; 1 where a message was lost or doubled, or a bot got stuck."""
    scenarios = options.scenario or NAMES
    numbers = count()
    stores: dict[str, NewStore] = {
        "sqlite": lambda: Sqlite(folder / f"{next(numbers)}.db"),
        "postgresql": lambda: Postgresql(server, server.new_database()),
    }
    tallies: list[Tally] = []

    def add(tally: Tally) -> None:
        tallies.append(tally)
        print(
            f"{tally.database}, {tally.scenario}: {tally.killed} killed in {tally.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    with ForkServer() as forks:
        trials = Trials(Bots(forks), options.at_once, options.every, stores)
        for database in options.database or DATABASES:
            for scenario in SCENARIOS:
                if scenario.name in scenarios:
                    add(await trials.every_point(database, scenario))
            if "random" in scenarios:
                add(await trials.random_kills(database, RANDOM_KILLS))
        if "postgresql" in (options.database or DATABASES) and "lease" in scenarios:
            add(await trials.lease())
    show(tallies)
    return int(any(tally.bad for tally in tallies))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--at-once", type=int, default=6, help="trials at the same time")
    parser.add_argument("--every", type=int, default=1, help="only every Nth point")
    parser.add_argument("--database", action="append", choices=DATABASES)
    parser.add_argument("--scenario", action="append", choices=NAMES)
    options = parser.parse_args()
    binaries = find_binaries()
    if binaries is None:
        print("There is no PostgreSQL (initdb) on this machine: apt-get install postgresql.", file=sys.stderr)
        return 2
    server = Postgres(binaries)
    try:
        server.create()
        with tempfile.TemporaryDirectory(prefix="agent-usage-crash-") as folder:
            return asyncio.run(run(server, Path(folder), options))
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
