"""HEARTBEAT_URL is fetched after each good check while messages can be delivered, and at no other time."""

from __future__ import annotations

import asyncio

from bot.sandbox.faults import Fault
from bot.sandbox.world import World
from bot.windows import utc_day


async def test_a_good_check_is_heard_and_not_one_that_failed_or_that_nobody_can_be_told_of(world: World) -> None:
    beats: list[bytes] = []
    left: list[bool] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beats.append(await reader.readline())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        try:
            for _ in range(1_000):
                writer.write(bytes(100_000))
                await writer.drain()
            left.append(False)
        except ConnectionError:
            left.append(True)
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        bot = await world.run(HEARTBEAT_URL=f"http://127.0.0.1:{port}/ping/secret-id")
        await world.checks(2)
        assert beats[0] == b"GET /ping/secret-id HTTP/1.1\r\n"
        assert left
        assert all(left), "what the service says besides is not read"
        world.cartesia.faults.add("usage", Fault("status", status=500), times=None)
        await asyncio.sleep(1.2)
        heard = len(beats)
        await asyncio.sleep(1.2)
        assert len(beats) == heard
        world.cartesia.faults.clear()
        world.slack.revoke(world.slack.bot_token)
        world.cartesia.set_day(utc_day(world.now()), cents=9000)
        await bot.said("Slack refuses SLACK_BOT_TOKEN")
        heard = len(beats)
        await world.checks(1)
        assert len(beats) == heard
        assert not any("secret-id" in line for line in bot.lines)


async def test_a_heartbeat_that_hangs_does_not_slow_the_checks(world: World) -> None:
    over, hanging = asyncio.Event(), 0

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal hanging
        hanging += 1
        await over.wait()
        writer.close()
        await writer.wait_closed()
        hanging -= 1

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await world.run(HEARTBEAT_URL=f"http://127.0.0.1:{port}/")
        await world.checks(3, timeout=6)
        assert hanging
        over.set()
        while hanging:
            await asyncio.sleep(0.01)
