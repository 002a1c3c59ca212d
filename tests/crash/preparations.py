"""What the trials of one test process share."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.crash.bots import Bots
from tests.crash.stores import Postgresql, Sqlite, Store
from tests.crash.trial import Prepared, Scenario, Usage, prepare, today, trial
from tests.databases import Postgres


class Preparations:
    """The world before each crossing, prepared once for each test process, and how many points there are to die at."""

    def __init__(self, folder: Path, shared: Path, bots: Bots, postgres: Callable[[], Postgres]) -> None:
        self._folder = folder
        self._shared = shared
        self._bots = bots
        self._postgres = postgres
        self._prepared: dict[tuple[str, Usage], Prepared] = {}

    async def of(self, database: str, scenario: Scenario) -> Prepared:
        """Prepared today: what was used before midnight, was used yesterday."""
        key = (database, scenario.usage_before)
        if key not in self._prepared or self._prepared[key].day != today():
            self._prepared[key] = await prepare(scenario, self._empty(database, scenario.name), self._bots)
        return replace(self._prepared[key], scenario=scenario)

    async def points(self, database: str, scenario: Scenario) -> int:
        """Counted once for all test processes, in a run without a kill."""
        with (self._shared / f"points {database} {scenario.name}").open("a+") as known:
            fcntl.flock(known, fcntl.LOCK_EX)
            known.seek(0)
            if not (text := known.read()):
                outcome = await trial(await self.of(database, scenario), self._bots, "0")
                assert outcome.good, outcome
                text = str(outcome.points)
                known.write(text)
            return int(text)

    def _empty(self, database: str, scenario: str) -> Store:
        if database == "sqlite":
            return Sqlite(self._folder / f"{scenario}.db")
        server = self._postgres()
        return Postgresql(server, server.new_database())
