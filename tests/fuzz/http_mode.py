"""HTTP mode: any bytes on a connection, and any body that Slack has signed, through aiohttp, HttpMode and Bolt."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import re
from collections.abc import AsyncIterator

from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.dispatch import Dispatcher
from bot.listeners.http_connections import Connection
from bot.listeners.http_mode import EVENTS, HttpMode
from bot.listeners.rejected_requests import RejectedRequests
from bot.listeners.unhandled import register_unhandled
from bot.operate.endpoints import Endpoints
from bot.operate.health import Report
from bot.sandbox.slack.http_mode import FORM, JSON_BODY
from bot.sandbox.world import real_now
from bot.slack.connection import bolt_app
from tests.fuzz.finding import Finding, Tried

SECRET = "the-signing-secret"
_TURNS = 12  # of the loop without an answer, after which none is expected
_PIECE = 997  # bytes that arrive together

_POST = f"POST {EVENTS} HTTP/1.1\r\nHost: bot\r\n"
_FORGED = f"X-Slack-Request-Timestamp: 1795773425\r\nX-Slack-Signature: v0={'0' * 64}\r\n"
_CLICK = 'payload={"type":"block_actions","user":{"id":"U1"},"team":{"id":"T1"},"actions":[{"action_id":"a"}]}'
_VIEW = 'payload={"type":"view_submission","view":{"type":"modal","callback_id":"v","state":{"values":{}}}}'
_EVENT = '{"type":"event_callback","team_id":"T1","event":{"type":"app_home_opened","user":"U1"},"authorizations":[{}]}'
_CHALLENGE = '{"type":"url_verification","challenge":"x"}'

_UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"

# The first byte says what the rest is: bytes on the wire, or the body of a signed request in one of Slack's two forms.
SEEDS = (
    b"\0GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\nGET /status HTTP/1.1\r\nHost: bot\r\nExpect: 100-continue\r\n\r\n",
    b"\0HEAD /readyz HTTP/1.0\r\nConnection: keep-alive\r\n\r\nPUT http://bot/x?y=1 HTTP/1.1\r\nHost: bot\r\n\r\n",
    f"\0{_POST}{_FORGED}Content-Type: {FORM}; charset=punycode\r\nContent-Length: 4\r\n\r\na=%6".encode(),
    f"\0{_POST}{_FORGED}Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n[[\r\n0\r\nA: b\r\n\r\n".encode(),
    f"\0{_POST}Content-Encoding: gzip\r\nContent-Type: multipart/form-data\r\nContent-Length: 5\r\n\r\n--x--".encode(),
    f"\0GET /healthz HTTP/1.1\r\nHost: bot\r\n{_UPGRADE}\r\n".encode(),
    b"\x01command=%2Fagent-usage&text=help&user_id=U1&team_id=T1&channel_id=C1&response_url=http%3A%2F%2Fx",
    b"\x01command=/other&text=\xc3\xa9",
    *(f"\x01{body}".encode() for body in (_CLICK, _VIEW, "ssl_check=1&token=x")),
    *(f"\x02{body}".encode() for body in (_EVENT, _CHALLENGE, "[[[[", '{"a":{"b":[1e9,null,true,"\\ud800"]}}')),
)


@contextlib.asynccontextmanager
async def target() -> AsyncIterator[Tried]:
    """The server without a port, and a Bolt app behind it with one command."""
    rejected = RejectedRequests(real_now)
    endpoints = Endpoints("", None, rejected, takes_slack=True)
    endpoints.start(_well, HttpMode(Dispatcher(_app(rejected), rejected), SecretStr(SECRET), rejected, real_now))

    async def tried(given: bytes) -> None:
        wire = Wire(Connection(endpoints.connections, endpoints.server))
        await wire.send(_on_the_wire(given))
        await wire.hang_up()
        if failed := re.search(rb"^HTTP/1.. 5.. .*", wire.written, re.MULTILINE):
            raise Finding(failed[0].decode())

    yield tried
    await endpoints.close()


def _app(rejected: RejectedRequests) -> AsyncApp:
    app = bolt_app(AsyncWebClient("xoxb-of-a-test"))

    @app.command("/agent-usage")
    async def on_command() -> BoltResponse:
        return BoltResponse(status=200, body="taken")

    register_unhandled(app, rejected)
    return app


async def _well() -> Report:
    return Report()


def _on_the_wire(given: bytes) -> bytes:
    """The bytes as they are, or as the body of a request that Slack has signed."""
    if not given or given[0] % 3 == 0:
        return given[1:]
    body, stamp = given[1:], str(int(real_now().timestamp()))
    head = (
        f"{_POST}Content-Type: {FORM if given[0] % 3 == 1 else JSON_BODY}\r\nContent-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: {_signature(stamp, body)}\r\n\r\n"
    )
    return head.encode() + body


def _signature(stamp: str, body: bytes) -> str:
    signed = b"v0:%s:%s" % (stamp.encode(), body)
    return f"v0={hmac.new(SECRET.encode(), signed, 'sha256').hexdigest()}"


class Wire(asyncio.Transport):
    """The client's end of a connection, without a socket."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.written = b""
        self._connection = connection
        self._is_closing = self._is_paused = False
        connection.connection_made(self)

    async def send(self, given: bytes) -> None:
        """The bytes in pieces, as long as the server takes them; then what it has to say."""
        while given and not self._is_closing:
            await self._settle()
            if self._is_paused:
                return
            room = self._connection.get_buffer(-1)
            size = min(len(room), len(given), _PIECE)
            room[:size] = given[:size]
            given = given[size:]
            self._connection.buffer_updated(size)
        await self._settle()

    async def hang_up(self) -> None:
        """Leave without a word."""
        self.close()
        await self._settle()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._is_closing

    def pause_reading(self) -> None:
        self._is_paused = True

    def resume_reading(self) -> None:
        self._is_paused = False

    async def _settle(self) -> None:
        """Until the server has not written for some turns of the loop."""
        seen = -1
        while seen != (seen := len(self.written)):
            for _ in range(_TURNS):
                await asyncio.sleep(0)
