"""Whatever Slack answers: any bytes on the connection, to each call of the bot's; and any frame of Socket Mode."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import WSMessage, WSMsgType
from pydantic import SecretStr
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.app import BackgroundTasks
from bot.clock import elapsed
from bot.errors import StartRefused
from bot.listeners.dispatch import Dispatcher
from bot.listeners.rejected_requests import RejectedRequests
from bot.listeners.socket_mode import SocketMode
from bot.listeners.unhandled import register_unhandled
from bot.model import Message
from bot.redaction import steers
from bot.rules.access import Person, Right
from bot.rules.models import Access
from bot.sandbox.world import real_now
from bot.slack.client import Client
from bot.slack.connection import TokenTrial, bolt_app
from bot.slack.people import People
from bot.slack.sender import EVENT_TYPE, Sender
from bot.store.admissions import Admissions
from bot.store.database import open_database
from tests.fuzz.finding import Finding, Tried

_FUZZED = 3  # requests of one call that get the bytes; what comes after is answered with an empty page
_EMPTY = {"ok": True, "messages": [], "channels": [], "users": []}
_TOLD = Message("Told", ({"type": "divider"},))
_ACCESS = Access(viewers=("everyone",), editors=("S0FINANCE1",))

Call = Callable[[], Awaitable[object]]


def _http(said: object, status: int = 200, **headers: str) -> bytes:
    body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    more = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return f"HTTP/1.1 {status} OK\r\n{head}\r\n".encode() + body


_OURS = {"metadata": {"event_type": EVENT_TYPE, "event_payload": {"id": "a1"}}, "ts": "1.1"}
_LATER = {"response_metadata": {"next_cursor": "x"}}
_USER = {"id": "U1", "team_id": "T1", "is_admin": True, "enterprise_user": {"enterprise_id": "E1", "teams": ["T1"]}}
_TURNED_AWAY = json.dumps({"type": "disconnect", "reason": "link_disabled"})
_FRAME = {"type": "interactive", "envelope_id": "e", "payload": {"type": "block_actions", "user": {"id": "U1"}}}

# The first byte says which call is made, the second whether the rest is a body alone (odd) or all of an answer.
SEEDS = (
    b"\0\0" + _http({"ok": True, "ts": "1.1", "channel": "C1"}, x_oauth_scopes="chat:write, channels:read"),
    b"\0\0" + _http({"ok": False, "error": "invalid_blocks"}),
    b"\x01\0" + _http({"ok": False, "error": "ratelimited"}, 429, Retry_After="1e9"),
    b"\x02\0" + _http({"ok": True, "messages": [None, 1, {}, {"metadata": None}, _OURS], **_LATER}),
    b"\x03\0" + _http("<html>", 502, Content_Type="text/html; charset=punycode"),
    b"\x04\x01" + json.dumps({"ok": True, "channel": {"id": "C1", "name": "x", "is_archived": False}}).encode(),
    b"\x05\x01"
    + json.dumps({"ok": True, "channels": [None, {"id": "C1"}, {"id": "C1", "name": "x"}], **_LATER}).encode(),
    b"\x06\x01" + json.dumps({"ok": True}).encode(),
    b"\x07\x01" + json.dumps({"ok": True, "user": _USER, "users": ["U1", 5, None], "team_id": "T1"}).encode(),
    b"\x08\0" + _http({"ok": False, "error": "missing_scope", "needed": "users:read"}),
    b"\x09\x01" + json.dumps({"ok": True, "team_id": "T1", "url": "wss://x/?ticket=y", "enterprise_id": "E1"}).encode(),
    b"\x0a" + json.dumps({"type": "hello", "num_connections": 2}).encode(),
    b"\x0a" + _TURNED_AWAY.encode(),
    b"\x0a" + json.dumps(_FRAME).encode(),
    b"\x02\x01" + b"[" * 4000,
    b"\x03\0HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n2;x\r\n\x1f\x8b\r\n0\r\n",
)


@contextlib.asynccontextmanager
async def target() -> AsyncIterator[Tried]:
    """A server whose answers are the bytes, and every part of the bot that reads them."""
    wire = _Wire()
    server = await asyncio.start_server(wire.answer, "127.0.0.1", 0)
    client = Client(
        "xoxb-of-a-test", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/", 5, retry_handlers=[]
    )
    calls = _calls(client)
    frames = _Frames()
    await frames.take(_TURNED_AWAY)  # said once, as an error, and rightly

    async def tried(given: bytes) -> None:
        which = given[0] if given else 0
        if which % (len(calls) + 1) == len(calls):
            await frames.take(given[1:].decode(errors="replace"))
            return
        wire.begin(_http(given[2:].decode(errors="replace")) if given[1:2] > b"\0" else given[2:])
        _judge(await calls[which % (len(calls) + 1)]())

    yield tried
    server.close()


def _calls(client: Client) -> tuple[Call, ...]:
    sender = Sender(client, lambda: True)
    return (
        lambda: sender.post("#spend", _TOLD, "a1", "alert", None),
        lambda: sender.edit("C1", "1.1", _TOLD),
        lambda: sender.find("C1", "a1", 1e9, None),
        lambda: sender.find("C1", "a1", 1e9, "1.1"),
        lambda: sender.channel("C1"),
        sender.channels,
        lambda: sender.join("C1"),
        lambda: _people(client).ruling(Person("U1", "T1", None), Right.ASK, _ACCESS),
        lambda: _people(client).ruling(Person("U2", "T1", None), Right.UNDO_OTHERS, _ACCESS),
        lambda: _started(client),
    )


async def _started(client: Client) -> object:
    with contextlib.suppress(StartRefused):
        return await TokenTrial(client, lambda _: None, give_up=elapsed() + 0.5).of(SecretStr("xapp-1-of-a-test"))
    return None


class _Nobody(Admissions):
    """Lets nobody in, and keeps nothing."""

    async def holds(self, user_id: str, access: str, within: float = 0.0) -> bool:  # noqa: ARG002
        return False

    async def note(self, user_id: str, access: str) -> None:
        """Nothing is kept."""

    async def forget(self, user_id: str) -> None:
        """Nothing was kept."""


def _people(client: Client) -> People:
    admissions = _Nobody(open_database("sqlite:///nowhere.db"))
    return People(client, admissions, BackgroundTasks().add)


def _judge(made: object) -> None:
    """What the bot made of it can be kept in a database, and shown."""
    is_ours = dataclasses.is_dataclass(made) and not isinstance(made, type)
    for text in _texts(dataclasses.asdict(made) if is_ours else made):  # type: ignore[call-overload] # it is one
        if steers(text):
            raise Finding(f"{text!r} was taken over")


def _texts(made: Any) -> list[str]:
    match made:
        case str():
            return [made]
        case dict():
            return [text for each in made.values() for text in _texts(each)]
        case list() | tuple() | frozenset():
            return [text for each in made for text in _texts(each)]
    return []


class _Wire:
    """Slack's end: the bytes for the first requests, and then empty pages."""

    def __init__(self) -> None:
        self._said, self._asked = b"", 0

    def begin(self, said: bytes) -> None:
        self._said, self._asked = said, 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self._asked += 1
            writer.write(self._said if self._asked <= _FUZZED else _http(_EMPTY))
            await writer.drain()
        writer.close()


class _Frames:
    """What comes over Socket Mode, to the two that read it."""

    def __init__(self) -> None:
        self._socket = SocketMode(self._replicas)
        self._dispatcher = _dispatcher()

    async def take(self, text: str) -> None:
        await self._socket.hear(WSMessage(WSMsgType.TEXT, text, None))
        with contextlib.suppress(ValueError, RecursionError):
            said = json.loads(text)
            if isinstance(said, dict) and (request := SocketModeRequest.from_dict(said)):
                await self._dispatcher.take(request.payload)

    async def _replicas(self) -> int:
        return 1


def _dispatcher() -> Dispatcher:
    rejected, app = RejectedRequests(real_now), bolt_app(Client("xoxb-of-a-test"))
    register_unhandled(app, rejected)
    return Dispatcher(app, rejected)
