"""Channels that are renamed, archived and made anew: what is said of a name goes to the channel that bears it now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from bot.model import Message
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import BOT_USER_ID, OPERATIONS_CHANNEL, SPEND_CHANNEL, Channel
from bot.store.tables import outbox
from tests.jobs.delivery.conftest import Post, delivering

POST = "chat.postMessage"
LIST = "conversations.list"
ARCHIVED = "it is archived: unarchive it, or name another channel in rules.yaml."
MISSING = (
    "it does not exist, or is private and the bot is not in it: create it, invite the bot there with /invite, "
    "or name another channel in rules.yaml."
)


@pytest.fixture
async def post(sqlite_url: str, slack: SimulatedSlack) -> AsyncIterator[Post]:
    async with delivering(sqlite_url, slack) as post:
        yield post


def renamed(slack: SimulatedSlack, archived: bool = True) -> Channel:
    """#voice-spend, which is called #voice-spend-2025 from now on."""
    old = slack.workspace.channels[SPEND_CHANNEL]
    old.name, old.archived = "voice-spend-2025", archived
    return old


def remade(slack: SimulatedSlack, *members: str, private: bool = False) -> Channel:
    """The old #voice-spend renamed and archived, and a new one made."""
    renamed(slack)
    return slack.workspace.add_channel("voice-spend", private=private, members=members)


def texts(slack: SimulatedSlack, channel: Channel) -> list[str]:
    return [each.text for each in slack.messages(channel.id)]


def nothing(_: SimulatedSlack) -> None:
    """Channels can be listed."""


def without_scope(slack: SimulatedSlack) -> None:
    slack.scopes.difference_update({"channels:read", "groups:read"})


def failing(slack: SimulatedSlack) -> None:
    slack.faults.add(LIST, Fault("status", status=503), times=None)


LISTINGS = pytest.mark.parametrize("listing", [nothing, without_scope, failing], ids=["listed", "no scope", "no list"])


@LISTINGS
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_a_channel_made_anew_gets_what_is_said_of_its_name(
    sqlite_url: str, slack: SimulatedSlack, listing: object, restarted: bool
) -> None:
    assert callable(listing)
    listing(slack)
    async with delivering(sqlite_url, slack) as post:
        await post.put("To the old one")
        await post.all_told()
        new = remade(slack, BOT_USER_ID)
        if not restarted:
            await post.put("To the new one")
            await post.all_told()
    if restarted:
        async with delivering(sqlite_url, slack) as post:
            await post.put("To the new one")
            await post.all_told()
    assert texts(slack, new) == ["To the new one"]
    assert slack.messages("voice-ops") == []


async def test_of_two_channels_of_one_name_the_live_one_is_meant(post: Post, slack: SimulatedSlack) -> None:
    slack.channel("voice-spend").archived = True
    live = slack.workspace.add_channel("voice-spend", members=(BOT_USER_ID,))
    slack.workspace.add_channel("voice-spend", archived=True, members=(BOT_USER_ID,))
    await post.put("Told")
    await post.all_told()
    assert texts(slack, live) == ["Told"]


async def test_a_renamed_channel_that_lives_is_followed_until_its_name_is_taken(
    sqlite_url: str, slack: SimulatedSlack
) -> None:
    async with delivering(sqlite_url, slack) as post:
        await post.put("Before")
        await post.all_told()
        old = renamed(slack, archived=False)
        await post.put("After")
        await post.all_told()
    async with delivering(sqlite_url, slack) as post:
        await post.put("After a restart")
        await post.all_told()
    new = slack.workspace.add_channel("voice-spend", members=(BOT_USER_ID,))
    async with delivering(sqlite_url, slack) as post:
        await post.put("The name is taken")
        await post.all_told()
    assert texts(slack, old) == ["Before", "After", "After a restart"]
    assert texts(slack, new) == ["The name is taken"]


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        pytest.param(lambda slack: setattr(slack.channel("voice-spend"), "archived", True), ARCHIVED, id="archived"),
        pytest.param(renamed, MISSING, id="renamed and archived"),
        pytest.param(lambda slack: remade(slack, private=True), MISSING, id="a private one made anew"),
    ],
)
async def test_operations_hear_of_the_channel_that_bears_the_name_now(
    post: Post, slack: SimulatedSlack, change: object, mend: str
) -> None:
    assert callable(change)
    await post.put("Before")
    await post.all_told()
    change(slack)
    await post.put("After")
    await post.all_told()
    [message] = slack.messages("voice-ops")
    assert message.text.splitlines() == [f"#voice-spend did not take this message: {mend}", "After"]


async def test_an_operations_channel_made_anew_is_found_as_well(post: Post, slack: SimulatedSlack) -> None:
    await post.put("Before", channel="#voice-ops")
    await post.all_told()
    old = slack.channel("voice-ops")
    old.name, old.archived = "old-ops", True
    new = slack.workspace.add_channel("voice-ops", members=(BOT_USER_ID,))
    slack.channel("voice-spend").archived = True
    await post.put("After")
    await post.all_told()
    [text] = texts(slack, new)
    assert text.endswith("\nAfter")


# Incidents


async def test_an_incident_whose_channel_was_made_anew_goes_on_there_in_a_message_of_its_own(
    post: Post, slack: SimulatedSlack
) -> None:
    number = await post.opened("Warned")
    await post.all_told()
    new = remade(slack, BOT_USER_ID)
    await post.raised(number, "Broken")
    await post.all_told()
    await post.raised(number, "Doubled")
    await post.all_told()
    root, reply = slack.messages(new.id)
    assert not root.is_reply
    assert root.text == "Doubled, shown"
    assert (reply.text, reply.thread_ts) == ("Doubled", root.ts)
    assert texts(slack, slack.channel("voice-spend-2025")) == ["Warned"]


async def test_the_edit_that_comes_with_the_reply_finds_the_message_it_became(
    post: Post, slack: SimulatedSlack
) -> None:
    number = await post.opened("Warned")
    await post.all_told()
    new = remade(slack, BOT_USER_ID)
    await post.raised(number, "Broken")
    await post.all_told()
    assert texts(slack, new) == ["Broken, shown"]


async def test_an_incident_whose_channel_is_archived_goes_on_in_operations(post: Post, slack: SimulatedSlack) -> None:
    number = await post.opened("Warned")
    await post.all_told()
    slack.channel("voice-spend").archived = True
    for text in ("Broken", "Doubled"):
        await post.raised(number, text)
        await post.all_told()
    root, reply = slack.messages("voice-ops")
    assert root.text.splitlines() == [f"#voice-spend did not take this message: {ARCHIVED}", "Doubled, shown"]
    assert (reply.text, reply.thread_ts) == ("Doubled", root.ts)


async def test_an_edit_of_a_message_in_a_dead_channel_is_given_up_and_not_called_delivered(
    post: Post, slack: SimulatedSlack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    number = await post.opened("Warned")
    await post.all_told()
    slack.channel("voice-spend").archived = True
    slack.faults.add(POST, Fault("status", status=503), times=None)
    await post.raised(number, "Broken")
    await slack.until(lambda: len(slack.calls_of("chat.update")) == 3 or None, what="the third attempt")
    await asyncio.sleep(0.3)
    assert len(slack.calls_of("chat.update")) == 3
    assert await post.deliveries.pending() == 1
    assert "can't be edited (is_inactive)" in caplog.text
    assert "delivered alert" not in caplog.text.split("not delivered yet")[-1]
    assert "edits in #voice-spend are delivered again" not in caplog.text
    slack.faults.clear()
    await post.all_told()


@pytest.mark.parametrize("word", ["thread_not_found", "restricted_action_thread_locked", "cannot_reply_to_message"])
async def test_what_its_thread_does_not_take_is_told_in_the_channel_once(
    post: Post, slack: SimulatedSlack, word: str
) -> None:
    slack.faults.add(POST, Fault("refuse", error=word), times=None, where=lambda args: bool(args.get("thread_ts")))
    slack.faults.add(POST, Fault("accept_then_drop"), where=lambda args: args.get("text") == "Broken")
    await post.incident("Warned", "Broken")
    await post.all_told()
    assert texts(slack, slack.channel("voice-spend")) == ["Broken, shown", "Broken"]


# Answers that were lost


async def test_a_lost_answer_is_looked_for_in_the_channel_that_the_message_went_to(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.faults.add(POST, Fault("accept_then_drop"))
    slack.faults.add("conversations.history", Fault("status", status=503), times=2)
    await post.put("Once")
    await slack.until(lambda: slack.calls_of("conversations.history") or None, what="a look")
    new = remade(slack, BOT_USER_ID)
    await post.all_told()
    assert texts(slack, new) == []
    assert texts(slack, slack.channel("voice-spend-2025")) == ["Once"]


@LISTINGS
async def test_a_lost_answer_of_the_new_channel_is_looked_for_there(
    sqlite_url: str, slack: SimulatedSlack, listing: object
) -> None:
    assert callable(listing)
    async with delivering(sqlite_url, slack) as post:
        await post.put("Before")
        await post.all_told()
    new = remade(slack, BOT_USER_ID)
    listing(slack)
    slack.faults.add(POST, Fault("accept_then_drop"), after=1)  # after the refusal of the old one
    async with delivering(sqlite_url, slack) as post:
        await post.put("Once")
        await slack.until(lambda: texts(slack, new) or None, what="the message")
    slack.faults.clear()
    slack.scopes.update({"channels:read", "groups:read"})
    async with delivering(sqlite_url, slack) as post:
        await post.all_told()
    assert texts(slack, new) == ["Once"]


async def test_a_lost_answer_is_looked_for_in_the_operations_channel_of_then(post: Post, slack: SimulatedSlack) -> None:
    slack.channel("voice-spend").archived = True
    slack.faults.add(POST, Fault("accept_then_drop"), where=lambda args: args.get("channel") == OPERATIONS_CHANNEL)
    slack.faults.add("conversations.history", Fault("status", status=503), times=2)
    await post.put("Once")
    await slack.until(lambda: slack.messages("voice-ops") or None, what="the message")
    post.operations[:] = ["#general"]
    await post.all_told()
    assert (len(slack.messages("voice-ops")), slack.messages("general")) == (1, [])


# Answers that are incomplete

INCOMPLETE = Fault("accept_then_answer", body='{"ok": true}')


async def test_an_answer_without_a_place_is_found_in_the_history(post: Post, slack: SimulatedSlack) -> None:
    slack.faults.add(POST, INCOMPLETE, times=2)
    await post.incident("Warned", "Broken")
    await post.all_told()
    root, reply = post.messages()
    assert (root.text, reply.text, reply.thread_ts) == ("Broken, shown", "Broken", root.ts)


async def test_answers_without_a_place_end_where_no_history_can_be_read(post: Post, slack: SimulatedSlack) -> None:
    slack.scopes.discard("channels:history")
    slack.faults.add(POST, INCOMPLETE, times=None)
    number = await post.opened("Warned")
    await post.all_told()
    first, second = post.messages()
    assert (first.text, second.text.splitlines()[0]) == ("Warned", "Warned")
    assert "may stand here twice" in second.text
    slack.faults.clear()
    await post.raised(number, "Broken")
    await post.all_told()
    assert post.told() == ["Warned", "Warned", "Broken, shown"]


async def test_answers_without_a_place_end_where_the_history_is_empty(post: Post, slack: SimulatedSlack) -> None:
    slack.faults.add(POST, Fault("answer", body='{"ok": true}'), times=None)
    await post.put("Gone")
    await post.all_told()
    assert len(slack.calls_of(POST)) == 2


# Lanes

BAD = ("Bad", "Worse")


async def test_one_message_finds_out_whether_a_dead_channel_is_well_again_and_the_others_wait_in_order(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.channel("voice-spend").archived = slack.channel("voice-ops").archived = True
    for number in range(10):
        await post.put(f"Message {number}")
    await slack.until(lambda: post.deliveries.trouble, what="the trouble")
    assert post.deliveries.trouble == (
        f"#voice-spend takes no messages (is_archived): {ARCHIVED} "
        f"#voice-ops takes no messages (is_archived): {ARCHIVED.removesuffix('.')}"
    )
    await asyncio.sleep(1)
    asked = [each.args["text"] for each in slack.calls_of(POST) if str(each.args["channel"]) == SPEND_CHANNEL]
    assert set(asked) == {"Message 0"}
    assert len(asked) < 10
    slack.channel("voice-spend").archived = False
    await post.all_told()
    assert post.told() == [f"Message {number}" for number in range(10)]
    assert post.deliveries.trouble is None


async def test_a_long_wait_that_slack_asks_for_is_a_trouble_until_something_is_taken(
    post: Post, slack: SimulatedSlack
) -> None:
    slack.faults.add(POST, Fault("status", status=429, retry_after=1e9))
    await post.put("Kept")
    async with asyncio.timeout(10):
        while not post.deliveries.trouble:
            await asyncio.sleep(0.02)
    assert post.deliveries.trouble == "Slack asks to wait 3600 s before #voice-spend takes another message"


async def test_messages_that_slack_never_takes_hold_up_no_other(post: Post, slack: SimulatedSlack) -> None:
    slack.faults.add(POST, Fault("status", status=500), times=None, where=lambda args: args.get("text") in BAD)
    await post.put_all(*(Message(text) for text in (*BAD, "Good", "Better")))
    await slack.until(lambda: len(post.messages()) == 2 or None, 3, "the good ones")
    slack.faults.clear()
    await post.all_told()
    assert sorted(post.told()) == sorted([*BAD, "Good", "Better"])


@pytest.mark.parametrize("meanwhile", [False, True], ids=["the only one", "beside one that is taken"])
async def test_what_another_process_delivered_is_no_trouble_of_this_one(
    slack: SimulatedSlack, post: Post, meanwhile: bool
) -> None:
    slack.channel("voice-spend").archived = slack.channel("voice-ops").archived = True
    await post.put("Kept")
    await slack.until(lambda: post.deliveries.trouble, what="the trouble")
    if meanwhile:
        await post.put("Taken", channel="#general")
        await slack.until(lambda: post.deliveries.has_delivered or None, what="the delivery")
        assert post.deliveries.trouble
    async with post.database.writing() as connection:
        await connection.execute(update(outbox).values(state="delivered"))
    async with asyncio.timeout(5):
        while post.deliveries.trouble or post.deliveries.outage:
            await asyncio.sleep(0.02)
    assert post.deliveries.has_delivered
