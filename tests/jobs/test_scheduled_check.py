"""When a process checks that has just started, and one that takes over from another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from bot.errors import StoreError
from bot.jobs.check import Checker
from bot.jobs.runner import Timer
from bot.jobs.scheduled_check import START, ScheduledCheck
from bot.store.leases import Lease


@dataclass
class Process:
    """A process whose clock stands until it is moved; by what another one read, it is to read in `left` seconds."""

    left: float = 0.0
    lost: bool = False
    seconds: float = 0.0
    checks: list[float] = field(default_factory=list)
    noted: list[float] = field(default_factory=list)

    def scheduled(self) -> ScheduledCheck:
        timer = Timer(every=300.0, first=0.0, clock=lambda: self.seconds)
        return ScheduledCheck(cast("Checker", self), cast("Lease", self), timer, lambda: self.seconds)

    async def check(self) -> None:
        self.checks.append(self.seconds)

    async def note_reading(self, interval: float) -> None:
        self.noted.append(interval)

    async def until_next_reading(self, _interval: float) -> float:
        if self.lost:
            raise StoreError("The database did not do its part: gone.")
        return self.left


async def test_a_start_checks_at_once_though_another_process_has_just_read() -> None:
    process = Process(left=200.0)
    scheduled = process.scheduled()
    assert scheduled.timer.is_due()
    await scheduled.turn()
    assert (process.checks, process.noted) == ([0.0], [300.0])


async def test_who_takes_over_goes_on_at_the_pace_of_whoever_read_before() -> None:
    process = Process(left=200.0)
    scheduled = process.scheduled()
    scheduled.stand_by()
    process.seconds = START + 1.0
    await scheduled.turn()
    assert process.checks == []
    process.seconds += 199.0
    assert not scheduled.timer.is_due()
    process.seconds += 1.0
    assert scheduled.timer.is_due()
    await scheduled.turn()
    assert process.checks == [START + 201.0]


@pytest.mark.parametrize("lost", [False, True], ids=["its time has come", "the database does not say"])
async def test_who_takes_over_checks_at_once_where_nothing_says_that_it_should_wait(lost: bool) -> None:
    process = Process(lost=lost)
    scheduled = process.scheduled()
    scheduled.stand_by()
    process.seconds = START + 1.0
    await scheduled.turn()
    assert process.checks == [START + 1.0]


async def test_who_stands_by_again_asks_again_before_it_checks() -> None:
    process = Process()
    scheduled = process.scheduled()
    await scheduled.turn()
    scheduled.stand_by()
    process.seconds, process.left = 3600.0, 100.0
    assert scheduled.timer.is_due()
    await scheduled.turn()
    assert process.checks == [0.0]
