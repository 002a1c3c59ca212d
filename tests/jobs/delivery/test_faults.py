"""Every fault on chat.postMessage, at every position in a run of 20 crossings: exactly one message each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.model import Message
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from tests.jobs.delivery.conftest import Post, delivering

CROSSINGS = 20
FAULTS = {
    "accepted_then_dropped": Fault("accept_then_drop"),
    "accepted_then_500": Fault("accept_then_status", status=500),
    "accepted_then_hang": Fault("accept_then_hang"),
    "too_many_requests": Fault("status", status=429, retry_after=1),
    "dropped_before_acceptance": Fault("drop"),
    "internal_error_after_acceptance": Fault("accept_then_refuse", error="internal_error"),
    "internal_error_before_acceptance": Fault("refuse", error="internal_error"),
    "unavailable": Fault("status", status=503),
    "garbage": Fault("garbage"),
}


def crossings(first: int, end: int) -> list[Message]:
    return [Message(f"Crossing {number}", ()) for number in range(first, end)]


@pytest.mark.parametrize("position", range(CROSSINGS))
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_at_any_position_leaves_exactly_one_message_each(
    sqlite_url: str, slack: SimulatedSlack, name: str, position: int
) -> None:
    slack.faults.add("chat.postMessage", FAULTS[name], after=position)
    async with delivering(sqlite_url, slack) as post:
        ids = await post.put_all(*crossings(0, CROSSINGS))
        await post.all_told()
        assert sorted(post.told()) == sorted(f"Crossing {number}" for number in range(CROSSINGS))
        assert all(len(slack.posts_with_id(row_id)) == 1 for row_id in ids)
    assert not any("may stand here twice" in message.text for message in post.messages())


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_at_every_post_leaves_exactly_one_message_each_on_both_databases(
    post: Post, slack: SimulatedSlack, name: str
) -> None:
    for position in range(5):
        slack.faults.add("chat.postMessage", FAULTS[name], after=position)
    await post.put_all(*crossings(0, 5))
    await post.all_told(20)
    assert sorted(post.told()) == [f"Crossing {number}" for number in range(5)]


@pytest.mark.parametrize("position", range(CROSSINGS))
async def test_a_token_revoked_for_a_while_loses_and_doubles_nothing(
    post: Post, slack: SimulatedSlack, position: int
) -> None:
    await post.put_all(*crossings(0, CROSSINGS))
    await slack.until(lambda: len(post.messages()) >= position or None, 10, "the first messages")
    slack.revoke(slack.bot_token)
    await until(lambda: post.deliveries.trouble is not None)
    assert "SLACK_BOT_TOKEN" in str(post.deliveries.trouble)
    slack.restore(slack.bot_token)
    await post.all_told()
    assert sorted(post.told()) == sorted(f"Crossing {number}" for number in range(CROSSINGS))
    assert post.deliveries.trouble is None


@pytest.mark.parametrize("position", range(CROSSINGS))
async def test_a_channel_archived_midway_sends_the_rest_to_operations_once_each_and_names_it(
    post: Post, slack: SimulatedSlack, position: int
) -> None:
    await post.put_all(*crossings(0, position))
    await post.all_told()
    slack.channel("voice-spend").archived = True
    await post.put_all(*crossings(position, CROSSINGS))
    await post.all_told()
    assert post.told() == [f"Crossing {number}" for number in range(position)]
    rerouted = [message.text for message in post.messages("voice-ops")]
    assert len(rerouted) == CROSSINGS - position
    assert all(text.startswith("#voice-spend did not take this message: it is archived") for text in rerouted)
    assert sorted(text.splitlines()[1] for text in rerouted) == sorted(
        f"Crossing {number}" for number in range(position, CROSSINGS)
    )


async def test_a_healed_channel_gets_the_next_alert_and_not_the_old_one_again(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.channel("voice-spend").archived = True
    await post.put("While it was archived")
    await post.all_told()
    slack.channel("voice-spend").archived = False
    await post.put("Afterwards")
    await post.all_told()
    assert post.told() == ["Afterwards"]
    assert len(post.messages("voice-ops")) == 1


async def test_a_thread_that_went_to_operations_keeps_its_notice_and_the_healed_channel_gets_the_next_alert(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.channel("voice-spend").archived = True
    await post.incident("Broken", "Broken further")
    await post.all_told()
    root, reply = post.messages("voice-ops")
    assert reply.thread_ts == root.ts
    assert root.text.splitlines() == [
        "#voice-spend did not take this message: it is archived: unarchive it, or name another channel in rules.yaml.",
        "Broken further, shown",
    ]
    slack.channel("voice-spend").archived = False
    await post.put("Afterwards")
    await post.all_told()
    assert post.told() == ["Afterwards"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=500),
        Fault("hang"),
        Fault("status", status=429, retry_after=30),
        Fault("refuse", error="unknown_method"),
        Fault("refuse", error="internal_error"),
    ],
    ids=["500", "hangs", "30 seconds off", "unknown method", "internal error"],
)
async def test_an_edit_that_fails_holds_back_neither_its_thread_nor_the_channel(
    post: Post, slack: SimulatedSlack, fault: Fault
) -> None:
    slack.faults.add("chat.update", fault, times=None)
    await post.incident("Warned", "Broken")
    await post.put("Another")
    await slack.until(lambda: len(post.messages()) == 3 or None, 3, "the reply and the other message")
    assert sorted(post.told()) == ["Another", "Broken", "Warned"]
    slack.faults.clear()


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("conversations.list", Fault("slow", seconds=0.3)),
        ("conversations.list", Fault("status", status=503)),
        ("conversations.list", Fault("status", status=429, retry_after=1)),
        ("conversations.list", Fault("hang")),
        ("conversations.history", Fault("drop")),
    ],
    ids=["slow listing", "failed listing", "throttled listing", "hanging listing", "dropped history"],
)
async def test_unconfirmed_posts_in_several_channels_are_found_however_their_ids_are_learned(
    migrated_url: str, slack: SimulatedSlack, method: str, fault: Fault
) -> None:
    slack.faults.add("chat.postMessage", Fault("accept_then_drop"), times=2)
    slack.faults.add(method, fault)
    async with delivering(migrated_url, slack) as post:
        await post.put("One")
        await post.put("Two", channel="#voice-ops")
        await post.all_told()
        assert (post.told(), post.told("voice-ops")) == (["One"], ["Two"])


async def test_without_the_scope_for_private_channels_public_ones_are_found(post: Post, slack: SimulatedSlack) -> None:
    slack.scopes.discard("groups:read")
    slack.faults.add("chat.postMessage", Fault("accept_then_drop"))
    await post.put("Once")
    await post.all_told()
    assert post.told() == ["Once"]


async def test_a_hanging_listing_does_not_keep_an_alert_from_its_channel(post: Post, slack: SimulatedSlack) -> None:
    slack.faults.add("conversations.list", Fault("hang"), times=None)
    await post.put("Soon")
    await slack.until(lambda: post.messages() or None, 3, "the alert")


@pytest.mark.parametrize("word", ["invalid_metadata_format", "metadata_too_large"])
async def test_refused_metadata_is_left_out(post: Post, slack: SimulatedSlack, word: str) -> None:
    slack.faults.add(
        "chat.postMessage", Fault("refuse", error=word), times=None, where=lambda args: bool(args.get("metadata"))
    )
    await post.put("Without")
    await post.all_told()
    assert post.told() == ["Without"]


async def test_a_secret_in_slacks_error_is_not_kept(post: Post, slack: SimulatedSlack) -> None:
    slack.faults.add("chat.postMessage", Fault("refuse", error=f"invalid token {slack.bot_token}"))
    await post.put("Told")
    await until(lambda: len(slack.calls_of("chat.postMessage")) == 1)
    await asyncio.sleep(0.05)
    assert slack.bot_token not in str((await post.deliveries.backlog()).problem)
    await post.all_told()


async def test_where_every_channel_fails_rows_wait_and_it_is_said_and_told_when_one_heals(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.channel("voice-spend").archived = True
    slack.channel("voice-ops").archived = True
    await post.put("Kept")
    await until(lambda: post.deliveries.trouble is not None)
    assert await post.deliveries.pending() == 1
    slack.channel("voice-ops").archived = False
    await post.all_told()
    assert len(post.messages("voice-ops")) == 1


async def test_a_lost_answer_in_the_operations_channel_is_found_there(post: Post, slack: SimulatedSlack) -> None:
    slack.channel("voice-spend").archived = True
    slack.faults.add("chat.postMessage", Fault("accept_then_drop"), where=lambda args: "OPS" in str(args["channel"]))
    await post.put("Rerouted")
    await post.all_told()
    assert len(post.messages("voice-ops")) == 1


async def test_a_public_channel_the_bot_is_not_in_is_joined_to_look_for_an_unconfirmed_post(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.faults.add("chat.postMessage", Fault("accept_then_drop"))
    await post.put("In a channel I am not in", channel="#general")
    await post.all_told()
    assert len(post.messages("general")) == 1
    assert slack.channel("general").has_bot()


async def test_without_the_scope_for_public_channels_the_bot_joins_and_then_posts(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.scopes.discard("chat:write.public")
    await post.put("Joined first", channel="#general")
    await post.all_told()
    assert post.told("general") == ["Joined first"]


async def test_where_history_cannot_be_read_the_repeat_says_so_with_its_id(post: Post, slack: SimulatedSlack) -> None:
    slack.scopes.discard("channels:history")
    slack.faults.add("chat.postMessage", Fault("accept_then_drop"))
    row_id = await post.put("Unsure")
    await post.all_told()
    first, second = post.messages()
    assert (first.text, second.text.splitlines()[0]) == ("Unsure", "Unsure")
    assert f"Message {row_id}: Slack did not confirm it" in second.text


async def test_an_unreadable_history_is_waited_for_before_anything_is_sent_again(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.faults.add("chat.postMessage", Fault("accept_then_drop"))
    slack.faults.add("conversations.history", Fault("status", status=503), times=3)
    await post.put("Once")
    await post.all_told()
    assert post.told() == ["Once"]


async def test_refused_blocks_walk_down_to_simpler_ones_and_at_last_to_text(post: Post, slack: SimulatedSlack) -> None:
    chart: dict[str, object] = {"type": "data_visualization", "title": "x" * 99, "chart": {"type": "pie"}}
    section: dict[str, object] = {"type": "section", "text": {"type": "mrkdwn", "text": "Kept"}}
    await post.put("With a bad chart", blocks=(section, chart))
    await post.put("With a bad section", blocks=({"type": "section"},))
    await post.all_told()
    assert sorted((message.text, len(message.blocks)) for message in post.messages()) == [
        ("With a bad chart", 1),
        ("With a bad section", 0),
    ]


async def test_a_hanging_channel_holds_up_no_other(post: Post, slack: SimulatedSlack) -> None:
    slack.workspace.add_channel("other", channel_id="C0OTHER001", members=(slack.workspace.users["U0ADMIN01"].id,))
    slack.faults.add("chat.postMessage", Fault("hang"), times=None, where=lambda args: "SPEND" in str(args["channel"]))
    await post.put("Stuck")
    began = asyncio.get_running_loop().time()
    for number in range(5):
        await post.put(f"Free {number}", channel="#other")
    await slack.until(lambda: len(post.messages("other")) == 5 or None, 5, "the other channel's messages")
    assert asyncio.get_running_loop().time() - began < 1
    slack.faults.clear()
    await post.all_told()
    assert post.told() == ["Stuck"]


async def test_retry_after_is_honoured_for_its_channel_alone(post: Post, slack: SimulatedSlack) -> None:
    slack.faults.add(
        "chat.postMessage",
        Fault("status", status=429, retry_after=1.5),
        where=lambda args: "SPEND" in str(args["channel"]),
    )
    await post.put("Later")
    await until(lambda: len(slack.calls_of("chat.postMessage")) == 1)
    for number in range(3):
        await post.put(f"More {number}")
    await post.put("Now", channel="#voice-ops")
    await slack.until(lambda: post.messages("voice-ops") or None, 1, "the other channel's message")
    await post.all_told()
    calls = [call for call in slack.calls_of("chat.postMessage") if "SPEND" in str(call.args["channel"])]
    assert (calls[1].at - calls[0].at).total_seconds() > 1.4
    assert len(post.told()) == 4


async def until(ready: Callable[[], bool], timeout: float = 5.0) -> None:
    async with asyncio.timeout(timeout):
        while not ready():
            await asyncio.sleep(0.01)
