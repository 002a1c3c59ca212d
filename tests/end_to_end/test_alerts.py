"""A crossing becomes one message, on real sockets, through restarts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.slack.workspace import Message
from bot.sandbox.world import World
from bot.windows import utc_day

CHANNEL = "voice-spend"


@pytest.fixture(autouse=True)
def on_both_databases(world: World, database_url: str) -> None:
    """Each test here runs on SQLite and on PostgreSQL."""
    world.database_url = database_url


def spend(world: World, cents: int) -> None:
    world.cartesia.set_day(utc_day(world.now()), cents=cents, minutes=cents // 6, calls=cents // 25)


async def posted(world: World, count: int, channel: str = CHANNEL) -> list[Message]:
    """The channel's messages, once there are so many."""

    def enough() -> list[Message] | None:
        found = world.slack.messages(channel)
        return found if len(found) >= count else None

    return await world.slack.until(enough, 10, f"{count} messages in #{channel}")


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_crossing_is_posted_once_with_the_right_figure(world: World, mode: str) -> None:
    spend(world, 5320)
    await (world.run() if mode == "socket" else world.run_http())
    messages = await posted(world, 1)
    await world.checks(2)
    assert [message.text.splitlines()[0] for message in messages] == ["🔴 Daily spend: $53.20 of $50.00 (106%)"]
    assert len(world.slack.messages(CHANNEL)) == 1


async def test_exactly_at_the_threshold_counts_as_over(world: World) -> None:
    spend(world, 5000)
    await world.run()
    assert (await posted(world, 1))[0].text.startswith("🔴 Daily spend: $50.00 of $50.00 (100%)")


async def test_a_cent_below_every_level_is_silent(world: World) -> None:
    spend(world, 3999)
    await world.run()
    await world.checks(3)
    assert world.slack.messages(CHANNEL) == []


async def test_a_higher_level_edits_the_message_and_is_told_in_its_thread_and_in_the_channel(world: World) -> None:
    spend(world, 4200)
    await world.run()
    [warning] = await posted(world, 1)
    assert warning.text.startswith("🟡 Daily spend: $42.00 of $50.00 (84%)")
    spend(world, 5100)
    first, reply = await posted(world, 2)
    assert reply.thread_ts == first.ts
    assert reply.reply_broadcast
    raised = "🔴 Daily spend: $51.00 of $50.00 (102%)"
    assert reply.text.startswith(raised)
    await world.slack.until(lambda: first.text.startswith(raised), 10, "the message's own edit")


async def test_five_restarts_post_nothing_new(world: World) -> None:
    spend(world, 5320)
    for _ in range(6):
        bot = await world.run()
        await posted(world, 1)
        await world.checks()
        assert await bot.stop() == 0
    assert len(world.slack.calls_of("chat.postMessage")) == 1


async def test_a_message_bears_its_id_and_kind_in_the_metadata(world: World) -> None:
    spend(world, 5320)
    await world.run()
    [message] = await posted(world, 1)
    assert message.metadata is not None
    assert message.metadata["event_type"] == "agent_usage_bot"
    assert message.metadata["event_payload"]["kind"] == "alert"
    assert world.slack.posts_with_id(message.metadata["event_payload"]["id"]) == [message]


async def test_several_rules_that_cross_in_one_check_are_each_told_after_one_request(world: World) -> None:
    world.rules_file.write_text(
        'channel: "#voice-spend"\nrules:\n'
        "  - {name: Day, threshold: $50}\n"
        "  - {name: Week, per: week, threshold: $60}\n"
        "  - {name: Month, per: month, threshold: $70}\n"
        "  - {name: Calls, metric: calls, threshold: 100}\n"
        "  - {name: Minutes, metric: minutes, threshold: 10}\n"
        "  - {name: Price, metric: cost_per_minute, threshold: 5 cents}\n"
    )
    spend(world, 9000)
    await world.run()
    messages = await posted(world, 6)
    names = sorted(message.text.split(":")[0].removeprefix("🔴 ") for message in messages)
    assert names == ["Calls", "Day", "Minutes", "Month", "Price", "Week"]


async def test_closed_days_are_history_for_a_bot_that_starts_for_the_first_time(world: World) -> None:
    world.cartesia.set_day(utc_day(world.now()) - timedelta(days=1), cents=9900)
    await world.run()
    await world.checks(2)
    assert world.slack.messages(CHANNEL) == []


async def test_nothing_is_posted_at_start(world: World) -> None:
    await world.run()
    await world.checks(2)
    assert world.slack.calls_of("chat.postMessage") == []


async def test_a_check_reads_once_for_all_windows_and_every_interval(world: World) -> None:
    await world.run(CHECK_INTERVAL="2s")
    await world.checks(2)
    gaps = [
        (later.at - earlier.at).total_seconds()
        for earlier, later in zip(world.cartesia.requests, world.cartesia.requests[1:], strict=False)
    ]
    assert all(1.5 < gap < 3 for gap in gaps), gaps
    assert all(request.params["interval"] == "day" for request in world.cartesia.requests)
