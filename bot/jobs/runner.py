"""The one runner of everything that repeats until the bot stops. A job is a value; app.py has the list of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.clock import elapsed
from bot.errors import CartesiaError, StoreError
from bot.events import JobDone, JobFailed, Observer
from bot.system.waiting import set_within

LOOK = 1.0  # seconds between two turns of what only looks whether there is something to do


@dataclass
class Timer:
    """When a job's turns are due: each `every` seconds of `clock`, counted from the beginning of one to the next.

    `first` is when the first one is due, `every` where it is not given. Whether one is due is looked at each `poll`
    real seconds, since `clock` may be simulated and leap; other parts may ask it meanwhile.
    """

    every: float = LOOK
    first: float | None = None
    clock: Callable[[], float] = elapsed
    poll: float = LOOK
    _due_at: float = field(init=False)
    _began_at: float | None = None  # by the clock that never leaps, as whatever else takes real time

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Count from now on: a bot may wait long between being put together and running."""
        self.due_in(self.every if self.first is None else self.first)

    def due_in(self, seconds: float) -> None:
        """Let the next turn be so far away."""
        self._due_at = self.clock() + seconds

    def pause(self) -> float:
        """Real seconds until the next look at whether a turn is due."""
        return min(self.poll, max(0.0, self._due_at - self.clock()))

    def is_due(self) -> bool:
        return self.clock() >= self._due_at

    def is_at_hand(self, patience: float) -> bool:
        """Whether a turn is due, or has begun less than `patience` real seconds ago and goes on."""
        if self._began_at is None:
            return self.is_due()
        return elapsed() - self._began_at < patience

    def begin(self) -> None:
        """A turn begins."""
        self._began_at = elapsed()
        self.due_in(self.every)

    def end(self) -> None:
        """It has ended."""
        self._began_at = None


@dataclass(frozen=True)
class Job:
    """Something that repeats: its name in the log, what one turn does, and when.

    A job `only_reader` takes its turns in the one process that reads usage; the others `stand_by` at each look. What a
    turn raises is foreseen as CartesiaError or StoreError. The next turn comes at its time then as ever; anything else
    ends the process.
    """

    name: str
    turn: Callable[[], Awaitable[None]]
    timer: Timer = field(default_factory=Timer)
    only_reader: bool = False
    stand_by: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Runner:
    """Takes the jobs' turns in this process until `stop` is set, and tells `observer` how each turn ended."""

    jobs: tuple[Job, ...]
    may_read: Callable[[], bool]
    stop: asyncio.Event
    observer: Observer

    async def repeat(self, job: Job) -> None:
        """The turns of one job; a turn that has begun when the bot stops is ended."""
        job.timer.start()
        while not await set_within(self.stop, job.timer.pause()):
            if job.only_reader and not self.may_read():
                job.stand_by()
                await set_within(self.stop, job.timer.poll)
            elif job.timer.is_due():
                job.timer.begin()
                await self._take_turn(job)
                job.timer.end()

    async def _take_turn(self, job: Job) -> None:
        try:
            await job.turn()
        except (CartesiaError, StoreError) as error:
            self.observer.observe(JobFailed(job.name, error))
        else:
            self.observer.observe(JobDone(job.name))
