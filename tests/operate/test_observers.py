"""What the log and the dead-man service are told of events."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Sequence
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bot.errors import StoreError
from bot.events import Checked, Enqueued, Event, JobDone, JobFailed, Observers
from bot.operate.event_log import EventLog
from bot.operate.heartbeat import Heartbeat

LOST = StoreError("The database did not do its part: gone.")


class Noted:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, event: Event) -> None:
        self.events.append(event)


def test_each_observer_is_told_of_each_event_in_turn() -> None:
    observers, first, second = Observers(), Noted(), Noted()
    observers.add(first)
    observers.add(second)
    observers.observe(Enqueued())
    observers.observe(Checked())
    assert first.events == second.events == [Enqueued(), Checked()]


def test_the_trouble_of_a_job_and_its_end_are_logged_under_its_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    EventLog().observe(JobFailed("the check", LOST))
    EventLog().observe(JobDone("the check"))
    failed, done = caplog.records
    assert (failed.levelname, failed.getMessage()) == ("ERROR", str(LOST))
    assert failed.__dict__["topic"] == done.__dict__["ended"] == "the check"


async def fetched(event: Event, *cannot_tell: str, lost: bool = False) -> list[str]:
    """What is fetched after this event, while it is said why nobody could be told."""
    asked: list[str] = []
    begun: list[Coroutine[Any, Any, None]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200)

    async def warnings() -> Sequence[str]:
        if lost:
            raise LOST
        return cannot_tell

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        Heartbeat(http, SecretStr("https://hc.example/x"), warnings, begun.append).observe(event)
        for work in begun:
            await work
    return asked


async def test_the_dead_man_service_hears_of_a_good_check() -> None:
    assert await fetched(Checked()) == ["https://hc.example/x"]


@pytest.mark.parametrize(
    "event",
    [Enqueued(), JobDone("the check"), JobFailed("the check", LOST)],
    ids=["a message", "a turn", "a turn that failed"],
)
async def test_it_hears_of_nothing_else(event: Event) -> None:
    assert await fetched(event) == []


async def test_it_hears_nothing_while_nobody_could_be_told_what_a_check_found() -> None:
    assert await fetched(Checked(), "Slack takes no message") == []


async def test_it_hears_nothing_while_the_database_does_not_say_whether_somebody_could(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await fetched(Checked(), lost=True) == []
    assert caplog.messages == [f"{LOST} HEARTBEAT_URL was not fetched."]
