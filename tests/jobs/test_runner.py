"""Turns of jobs: when they come, who takes them, and what becomes of one that goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from bot.errors import StoreError
from bot.events import Event, JobDone, JobFailed
from bot.jobs.prune import pruning
from bot.jobs.runner import Job, Runner, Timer
from bot.store.ledger import Ledger

AT_ONCE = 0.01  # seconds


@dataclass
class Noted:
    """An observer that keeps what it is told."""

    events: list[Event] = field(default_factory=list)

    def observe(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Turns:
    """What a job does in each turn; after the last it stops."""

    stop: asyncio.Event
    outcomes: list[Exception | None]

    async def take(self) -> None:
        outcome = self.outcomes.pop(0)
        if not self.outcomes:
            self.stop.set()
        if outcome:
            raise outcome


def quick() -> Timer:
    return Timer(AT_ONCE, poll=AT_ONCE)


async def run(job: Job, stop: asyncio.Event, may_read: Callable[[], bool] = lambda: True) -> list[Event]:
    noted = Noted()
    async with asyncio.timeout(5):
        await Runner((job,), may_read, stop, noted).repeat(job)
    return noted.events


async def test_a_turn_that_meets_foreseen_trouble_is_told_and_the_next_one_comes() -> None:
    stop, lost = asyncio.Event(), StoreError("The database did not do its part: gone.")
    turns = Turns(stop, [None, lost, None])
    done, failed = JobDone("the look"), JobFailed("the look", lost)
    assert await run(Job("the look", turns.take, quick()), stop) == [done, failed, done]


async def test_what_nobody_foresaw_ends_the_runner() -> None:
    stop = asyncio.Event()
    turns = Turns(stop, [KeyError("x")])
    with pytest.raises(KeyError):
        await run(Job("the look", turns.take, quick()), stop)


async def test_a_job_of_the_reader_stands_by_in_every_other_process_until_it_is_the_reader() -> None:
    stop, reading = asyncio.Event(), iter([False, False, True])
    stood_by: list[None] = []
    turns = Turns(stop, [None])
    job = Job("the look", turns.take, quick(), only_reader=True, stand_by=lambda: stood_by.append(None))
    assert await run(job, stop, lambda: next(reading)) == [JobDone("the look")]
    assert len(stood_by) == 2


async def test_a_turn_under_way_when_the_bot_stops_is_ended() -> None:
    stop = asyncio.Event()

    async def turn() -> None:
        stop.set()
        await asyncio.sleep(AT_ONCE)

    assert await run(Job("the look", turn, quick()), stop) == [JobDone("the look")]


def test_turns_are_counted_from_the_beginning_of_one_to_the_next() -> None:
    seconds = 0.0
    timer = Timer(every=300.0, first=0.0, clock=lambda: seconds, poll=0.25)
    assert timer.is_due()
    timer.begin()
    seconds = 299.9
    timer.end()
    assert not timer.is_due()
    assert timer.pause() == pytest.approx(0.1)
    seconds = 300.0
    assert timer.is_due()


def test_a_turn_is_at_hand_once_it_is_due_and_for_a_while_after_it_began() -> None:
    timer = Timer(every=300.0, first=0.0, clock=lambda: 0.0)
    assert timer.is_at_hand(patience=60.0)
    timer.begin()
    assert timer.is_at_hand(patience=60.0)
    assert not timer.is_at_hand(patience=0.0)
    timer.end()
    assert not timer.is_at_hand(patience=60.0)


async def test_nothing_is_let_go_of_before_a_clock_that_was_wrong_at_boot_has_been_set() -> None:
    passed, pruned, now = 0.0, list[datetime](), datetime(2026, 11, 23, tzinfo=UTC)

    async def prune(before: datetime) -> None:
        pruned.append(before)

    ledger = cast("Ledger", SimpleNamespace(prune=cast("Callable[[datetime], Awaitable[None]]", prune)))
    job = pruning(ledger, timedelta(days=403), lambda: now, lambda: passed)
    due = []
    for moment in (3599.0, 3600.0):
        passed = moment
        due.append(job.timer.is_due())
    await job.turn()
    assert (due, pruned) == ([False, True], [now - timedelta(days=403)])
