"""What is made of Slack's answers, also of those that lack what belongs to them."""

from __future__ import annotations

import contextlib
import json
import resource
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from bot.model import Message
from bot.sandbox.faults import Fault
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.slack.workspace import GENERAL_CHANNEL, SPEND_CHANNEL
from bot.sandbox.world import real_now
from bot.slack.client import Client
from bot.slack.failures import INCOMPLETE, Failure, Refusal
from bot.slack.sender import EVENT_TYPE, Absent, Channel, Posted, Sender

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("sender")]

UNCLEAR = Refusal(Failure.UNCLEAR, INCOMPLETE)
Call = Callable[[Sender], Awaitable[object]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def slack() -> AsyncIterator[SimulatedSlack]:
    async with SimulatedSlack(real_now) as slack:
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
    pytest.param(
        "chat.postMessage", post(SPEND_CHANNEL), {**OK, "ts": "1.1\0"}, UNCLEAR, id="post: a ts no database keeps"
    ),
    pytest.param(
        "conversations.list",
        names,
        {
            **OK,
            "channels": [{"id": "C1", "name": "a\x1b[2J"}, {"id": "\ud800", "name": "b"}, {"id": "C2", "name": "c"}],
        },
        ["#c"],
        id="list: names and ids that Slack does not give",
    ),
]

Body = bytes | AsyncIterator[bytes]


async def without_end() -> AsyncIterator[bytes]:
    while True:
        yield b"a" * 1_000_000


ENCODED = "application/json; charset=punycode"
HOSTILE = [
    pytest.param(without_end, {}, INCOMPLETE, id="without end"),
    pytest.param(lambda: zlib.compress(b"a" * 20_000_000), {"Content-Encoding": "deflate"}, INCOMPLETE, id="a bomb"),
    pytest.param(lambda: b"[" * 90_000, {}, INCOMPLETE, id="nested too deeply"),
    pytest.param(lambda: b"[" + b"[]," * 1_000_000 + b"[]]", {}, INCOMPLETE, id="a million lists"),
    pytest.param(lambda: b"a" * 1_000_000, {"Content-Type": ENCODED}, "http_200", id="an encoding that takes minutes"),
    pytest.param(lambda: b'{"ok": true, "messages": ["\xff"]}', {}, "broken_answer", id="no UTF-8"),
    pytest.param(lambda: b"a" * 1_000_000, {"Content-Type": "application/gzip"}, "broken_answer", id="no JSON at all"),
]


@pytest.mark.parametrize(("body", "headers", "code"), HOSTILE)
async def test_an_answer_is_read_up_to_a_bound_whatever_it_holds(
    body: Callable[[], Body], headers: Mapping[str, str], code: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body(), headers={"Content-Type": "application/json", **headers})

    async with serving(answer) as url:
        began, memory = time.thread_time(), resident()
        found = await Sender(Client("xoxb-of-a-test", url, retry_handlers=[]), lambda: True).channel("C1")
    assert found == Refusal(Failure.UNCLEAR, code)
    assert time.thread_time() - began < 1
    assert resident() - memory < 60_000_000


@contextlib.asynccontextmanager
async def serving(answer: Handler) -> AsyncIterator[str]:
    """Something that stands where Slack is."""
    application = web.Application()
    application.router.add_route("*", "/{method}", answer)
    server = TestServer(application)
    async with server:
        yield str(server.make_url("/"))


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def test_what_is_passed_over_in_a_list_is_said(
    slack: SimulatedSlack, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    channels = [{"id": "C1"}, None, {"id": "C2", "name": "two"}]
    slack.faults.add("conversations.list", Fault("answer", body=json.dumps({"ok": True, "channels": channels})))
    assert "#two" in (await sender.channels()).by_name
    assert caplog.messages == ["Slack listed 2 items that can't be read among the channels"]


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
