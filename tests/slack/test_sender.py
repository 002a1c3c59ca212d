"""What is made of Slack's answers, also of those that lack what belongs to them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from bot.model import Message
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import GENERAL_CHANNEL, SPEND_CHANNEL
from bot.slack.client import Client
from bot.slack.failures import INCOMPLETE, Failure, Refusal
from bot.slack.sender import EVENT_TYPE, Absent, Channel, Posted, Sender

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("sender")]

UNCLEAR = Refusal(Failure.UNCLEAR, INCOMPLETE)
Call = Callable[[Sender], Awaitable[object]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(lambda: datetime.now(UTC)) as slack:
        yield slack


@pytest.fixture
def sender(slack: SimulatedSlack) -> Sender:
    return Sender(Client(slack.bot_token, base_url=slack.api_url, retry_handlers=[]), lambda: True)


def post(to: str) -> Call:
    return lambda sender: sender.post(to, Message("Told"), "a1", "alert", None)


def find(sender: Sender) -> Awaitable[object]:
    return sender.find(SPEND_CHANNEL, "a1", 1e9, None)


def find_in_thread(sender: Sender) -> Awaitable[object]:
    return sender.find(SPEND_CHANNEL, "a1", 1e9, "1.000001")


async def passing(sender: Sender) -> object:
    listing = await sender.channels()
    return listing.passing


async def names(sender: Sender) -> object:
    return list((await sender.channels()).by_name)


def history(*messages: object) -> object:
    return {"ok": True, "messages": messages}


def named(row_id: object, **more: object) -> object:
    return {"metadata": {"event_type": EVENT_TYPE, "event_payload": {"id": row_id}}, **more}


OK = {"ok": True}
ANSWERS = [
    pytest.param("chat.postMessage", post(SPEND_CHANNEL), OK, UNCLEAR, id="post: nothing"),
    pytest.param("chat.postMessage", post(SPEND_CHANNEL), {**OK, "ts": 1.5}, UNCLEAR, id="post: a ts that is none"),
    pytest.param("chat.postMessage", post(SPEND_CHANNEL), {**OK, "ts": ""}, UNCLEAR, id="post: an empty ts"),
    pytest.param("chat.postMessage", post("#voice-spend"), {**OK, "ts": "1.1"}, UNCLEAR, id="post: no id for a name"),
    pytest.param(
        "chat.postMessage", post(SPEND_CHANNEL), {**OK, "ts": "1.1"}, Posted(SPEND_CHANNEL, "1.1"), id="post: id known"
    ),
    pytest.param("chat.postMessage", post(SPEND_CHANNEL), [1], UNCLEAR, id="post: a list"),
    pytest.param("chat.postMessage", post(SPEND_CHANNEL), "ok", UNCLEAR, id="post: a string"),
    pytest.param("chat.postMessage", post(SPEND_CHANNEL), 5, UNCLEAR, id="post: a number"),
    pytest.param(
        "chat.postMessage", post(SPEND_CHANNEL), None, Refusal(Failure.UNCLEAR, "http_200"), id="post: nothing at all"
    ),
    pytest.param(
        "chat.update",
        lambda sender: sender.edit(SPEND_CHANNEL, "1.1", Message("New")),
        OK,
        Posted(SPEND_CHANNEL, "1.1"),
        id="edit: nothing, and nothing is needed",
    ),
    pytest.param("conversations.join", lambda sender: sender.join(GENERAL_CHANNEL), OK, True, id="join: the same"),
    pytest.param("conversations.history", find, OK, UNCLEAR, id="history: no messages"),
    pytest.param("conversations.replies", find_in_thread, OK, UNCLEAR, id="thread: no messages"),
    pytest.param("conversations.history", find, {**OK, "messages": {}}, UNCLEAR, id="history: messages that are none"),
    pytest.param("conversations.history", find, history(), Absent(), id="history: empty"),
    pytest.param(
        "conversations.history",
        find,
        history(None, 1, {"metadata": "x"}, {"metadata": {"event_type": EVENT_TYPE, "event_payload": []}}, named([])),
        Absent(),
        id="history: messages of any shape",
    ),
    pytest.param(
        "conversations.history", find, history(named("a1")), Posted(SPEND_CHANNEL, ""), id="history: found, no ts"
    ),
    pytest.param("conversations.list", passing, OK, UNCLEAR, id="list: no channels"),
    pytest.param(
        "conversations.list",
        names,
        {**OK, "channels": [None, {"id": "D1"}, {"id": "C1", "name": None}, {"id": "C2", "name": "two"}]},
        ["#two"],
        id="list: channels of any shape",
    ),
    pytest.param("conversations.info", lambda sender: sender.channel("C1"), OK, UNCLEAR, id="info: no channel"),
]


@pytest.mark.parametrize(("method", "call", "answer", "wanted"), ANSWERS)
async def test_an_incomplete_answer_is_unclear_where_what_it_lacks_is_needed(
    slack: SimulatedSlack, sender: Sender, method: str, call: Call, answer: object, wanted: object
) -> None:
    slack.faults.add(method, Fault("answer", body=json.dumps(answer)), times=None)
    try:
        assert await call(sender) == wanted
    finally:
        slack.faults.clear()


async def test_of_a_name_that_two_channels_bear_the_live_one_is_listed(slack: SimulatedSlack, sender: Sender) -> None:
    slack.workspace.add_channel("twice", channel_id="C0DEAD", archived=True)
    slack.workspace.add_channel("twice", channel_id="C0LIVE")
    slack.workspace.add_channel("twice", channel_id="C0ALSO", archived=True)
    listing = await sender.channels()
    assert listing.by_name["#twice"] == Channel("C0LIVE", "#twice", archived=False, entered=False)
    assert listing.complete


async def test_a_list_that_lacks_a_kind_of_channel_is_not_complete(slack: SimulatedSlack, sender: Sender) -> None:
    slack.scopes.discard("groups:read")
    listing = await sender.channels()
    slack.scopes.add("groups:read")
    assert "#general" in listing.by_name
    assert (listing.complete, listing.passing) == (False, None)
    assert sender.scopes is not None
    assert "groups:read" not in sender.scopes
