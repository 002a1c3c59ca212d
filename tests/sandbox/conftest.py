"""The two simulated servers, started for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.cartesia import SimulatedCartesia
from bot.sandbox.slack import SimulatedSlack

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = NOON
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cartesia(clock: Clock) -> AsyncIterator[SimulatedCartesia]:
    async with SimulatedCartesia(clock.now, "sk_car_admin_sandbox") as server:
        yield server


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(clock.now, clock=clock.monotonic) as server:
        yield server


@pytest.fixture
def client(slack: SimulatedSlack) -> AsyncWebClient:
    """Slack's own client, which here sends nothing twice."""
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=10)


@dataclass
class App:
    """An app that listens over HTTP: answers each request with the next of `answers`, else with an empty 200."""

    url: str = ""
    received: list[tuple[dict[str, str], str]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.received.append((dict(request.headers), await request.text()))
        return self.answers.pop(0) if self.answers else web.Response()


@pytest.fixture
async def app(slack: SimulatedSlack) -> AsyncIterator[App]:
    """An app to which the workspace POSTs."""
    listening = App()
    application = web.Application()
    application.router.add_post("/slack/events", listening.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listening.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    slack.request_url = listening.url
    yield listening
    await runner.cleanup()
