"""When Slack takes no message for too long, monitors are told, and the operations channel hears of it afterwards."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from bot.sandbox.faults import Fault
from bot.sandbox.world import BotProcess, World
from bot.windows import utc_day

POST = "chat.postMessage"
PATIENCE = {"BLIND_AFTER": "2s"}  # in force is three intervals, 3 s


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def spend(world: World, cents: int) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=cents)


def operations(world: World) -> list[str]:
    return [message.text for message in world.slack.messages("voice-ops")]


async def told(world: World, timeout: float = 15.0) -> str:
    """What the operations channel hears, and that it hears it once."""
    await world.slack.until(lambda: operations(world), timeout, "the word in the operations channel")
    await world.checks(2)
    [only] = operations(world)
    return only


async def warnings(port: str, wanted: str, timeout: float = 12.0) -> list[str]:
    """What `/status` warns of, once one of the warnings has these words; the bot is ready all the same."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http, asyncio.timeout(timeout):
        while True:
            status, ready = await http.get("/status"), await http.get("/readyz")
            found: list[str] = status.json()["warnings"]
            if status.status_code == 503 and any(wanted in warning for warning in found):
                assert ready.status_code == 200
                return found
            await asyncio.sleep(0.1)


async def well(port: str, timeout: float = 10.0) -> None:
    """Wait until `/status` has nothing to say."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http, asyncio.timeout(timeout):
        while (await http.get("/status")).status_code != 200:
            await asyncio.sleep(0.1)


async def in_vain(world: World, bot: BotProcess) -> None:
    """Let a crossing be decided that Slack does not take, for longer than the patience."""
    spend(world, 5300)
    await bot.said("no message is taken since", 15)


async def test_a_revoked_token_is_warned_of_and_told_from_when_to_when_once_it_works_again(world: World) -> None:
    port = free_port()
    bot = await world.run(PORT=port, HOST="127.0.0.1", **PATIENCE)
    await well(port)
    world.slack.revoke(world.slack.bot_token)
    await in_vain(world, bot)
    [warning] = await warnings(port, "SLACK_BOT_TOKEN")
    assert "kept for delivery: 1 message" in warning
    world.slack.restore(world.slack.bot_token)
    message = await told(world)
    today = f"{utc_day(world.now())}"
    assert message.startswith(f"Messages could not be delivered from {today} ")
    assert message.count(" UTC") == 2
    assert "token_revoked" in message
    assert [each.text.partition("\n")[0] for each in world.slack.messages("voice-spend")] == [
        "🔴 Daily spend: $53.00 of $50.00 (106%)"
    ]
    await well(port)


async def test_an_outage_that_ended_while_the_bot_was_restarted_is_told_once(world: World) -> None:
    bot = await world.run(**PATIENCE)
    world.slack.revoke(world.slack.bot_token)
    await in_vain(world, bot)
    assert await bot.stop() == 0
    world.slack.restore(world.slack.bot_token)
    bot = await world.run(**PATIENCE)
    assert (await told(world)).startswith("Messages could not be delivered from ")
    assert await bot.stop() == 0
    await world.run(**PATIENCE)
    await world.checks(2)
    assert len(operations(world)) == 1


async def test_an_outage_that_lasts_through_a_restart_is_one_outage(world: World) -> None:
    port = free_port()
    bot = await world.run(**PATIENCE)
    world.slack.faults.add(POST, Fault("status", status=503), times=None)
    await in_vain(world, bot)
    began = (await bot.said("no message is taken since")).split("since ")[1][:16].replace("T", " ")
    assert await bot.stop() == 0
    bot = await world.run(PORT=port, HOST="127.0.0.1", **PATIENCE)
    await warnings(port, "Slack takes no message since")
    await bot.said("no message is taken since", 15)
    world.slack.faults.clear()
    assert (await told(world, 40)).startswith(f"Messages could not be delivered from {began} UTC to ")
    await well(port)


async def test_a_second_outage_is_told_as_well(world: World) -> None:
    bot = await world.run(**PATIENCE)
    for cents, count in ((4200, 1), (5300, 2)):
        world.slack.revoke(world.slack.bot_token)
        bot.lines.clear()
        spend(world, cents)
        await bot.said("no message is taken since", 15)
        world.slack.restore(world.slack.bot_token)
        await world.slack.until(lambda count=count: len(operations(world)) == count or None, 15, f"word {count}")  # type: ignore[misc]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_short_hiccup_is_nobodys_business(world: World, times: int) -> None:
    bot = await world.run(BLIND_AFTER="8s")
    world.slack.faults.add(POST, Fault("status", status=503), times=times)
    spend(world, 5300)
    await world.slack.until(lambda: world.slack.messages("voice-spend"), 12, "the alert after all")
    await world.checks(2)
    assert any("not delivered yet" in line for line in bot.lines)
    assert operations(world) == []
    assert not any("no message is taken" in line for line in bot.lines)
