"""The Socket Mode connection: what Slack says about it is said to people, and never hammered at."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import StoreError
from bot.listeners.dispatch import Dispatcher
from bot.listeners.rejected_requests import RejectedRequests
from bot.listeners.socket_mode import SocketMode
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.socket_mode import SOCKET
from bot.sandbox.world import real_now
from bot.slack.connection import bolt_app


@pytest.fixture
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(real_now) as server:
        yield server


@contextlib.asynccontextmanager
async def connected(slack: SimulatedSlack, replicas: int | None = 1) -> AsyncIterator[SocketMode]:
    """One process of so many replicas; None where the database can't tell."""

    async def alive() -> int:
        if replicas is None:
            raise StoreError("The database did not do its part: gone.")
        return replicas

    socket = SocketMode(alive)
    dispatcher = Dispatcher(
        bolt_app(AsyncWebClient(slack.bot_token, base_url=slack.api_url)), RejectedRequests(real_now)
    )
    async with socket.open(dispatcher, SecretStr(slack.app_token)):
        yield socket


async def until(true: Callable[[], object], timeout: float = 8.0) -> None:
    async with asyncio.timeout(timeout):
        while not true():
            await asyncio.sleep(0.01)


def crowded(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if "another process takes part" in line]


async def reconnect(slack: SimulatedSlack) -> None:
    """Let Slack refresh the last connection, as it does every few hours."""
    opened = slack.socket.opened
    await slack.socket.connections[-1].socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
    await until(lambda: slack.socket.opened > opened)
    await asyncio.sleep(0.05)


async def test_a_wait_that_slack_asks_for_is_told_and_believed_for_an_hour(
    slack: SimulatedSlack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.faults.add("apps.connections.open", Fault("status", status=429, retry_after=1e9), times=None)
    async with connected(slack) as socket:
        await until(lambda: "Slack asks to wait 3600 s before it gives a connection" in caplog.messages)
        assert await socket.reasons() == ["Slack is not connected: Slack asks to wait, for 3600 s more"]


async def test_a_connection_that_slack_turns_away_says_why_once_and_is_not_tried_without_end(
    slack: SimulatedSlack, caplog: pytest.LogCaptureFixture
) -> None:
    slack.faults.add(SOCKET, Fault("refuse"), times=None)
    async with connected(slack) as socket:
        await asyncio.sleep(1.2)
        [reason] = await socket.reasons()
    assert reason.startswith("Slack is not connected: Socket Mode is switched off for this app: switch it on")
    assert sum("turns the connection away" in line for line in caplog.messages) == 1
    assert len(slack.calls_of("apps.connections.open")) <= 4


async def test_a_connection_that_slack_takes_again_is_up_again(slack: SimulatedSlack) -> None:
    slack.faults.add(SOCKET, Fault("refuse"), times=1)
    async with connected(slack) as socket:
        await until(lambda: slack.socket.opened == 1)
        await slack.socket.wait_connected()
        async with asyncio.timeout(10):
            while await socket.reasons():
                await asyncio.sleep(0.01)


async def test_what_slack_says_without_end_or_meaning_of_the_connection_is_passed_over(slack: SimulatedSlack) -> None:
    async with connected(slack) as socket:
        await slack.socket.wait_connected()
        said = slack.socket.connections[-1].socket
        for frame in ("[" * 900_000, "[" * 5_000, "{", "null", '{"type": "hello", "num_connections": "many"}'):
            await said.send_str(frame)
        await reconnect(slack)
        assert (await socket.reasons(), await socket.warnings(), socket.remarks()) == ([], [], [])


async def test_another_process_with_the_token_is_said_once_and_warned_of_when_seen_twice(
    slack: SimulatedSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="bot")
    async with connected(slack) as first:
        await slack.socket.wait_connected()
        assert (await first.warnings(), first.remarks()) == ([], [])
        slack.socket.connections.insert(0, slack.socket.connections[0])  # as if another process had one
        await reconnect(slack)
        await until(lambda: crowded(caplog))
        assert await first.warnings() == []
        [(well, remark)] = first.remarks()
        assert not well
        assert remark.startswith("Slack counts 2 connections with SLACK_APP_TOKEN, and this bot has 1: ")
        await reconnect(slack)
        assert await first.warnings() == [remark]
        assert first.remarks() == []
    assert len(crowded(caplog)) == 1


async def test_replicas_of_this_bot_are_no_crowd(slack: SimulatedSlack, caplog: pytest.LogCaptureFixture) -> None:
    async with connected(slack, 2), connected(slack, 2) as second:
        await slack.socket.wait_connected(2)
        await asyncio.sleep(0.05)
        assert second.remarks() == []
    assert crowded(caplog) == []


async def test_where_the_database_cannot_tell_how_many_replicas_there_are_nothing_is_held_against_it(
    slack: SimulatedSlack, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(slack, None) as socket:
        await until(lambda: any("were not counted" in line for line in caplog.messages))
        assert (await socket.reasons(), await socket.warnings(), socket.remarks()) == ([], [], [])


async def test_in_http_mode_there_is_no_connection_to_lack() -> None:
    async def one() -> int:
        return 1

    assert await SocketMode(one).reasons() == []
