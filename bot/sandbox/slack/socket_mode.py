"""Socket Mode: up to ten WebSocket connections, each envelope to one of them, acknowledged within three seconds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import token_hex

from aiohttp import WSMsgType, web

from bot.sandbox.faults import Answering, Fault, FaultKind, answer_under, drop
from bot.sandbox.slack.deliveries import ACK_SECONDS, Delivery
from bot.sandbox.slack.platform import Platform
from bot.sandbox.slack.workspace import APP_ID, Json
from bot.sandbox.waiting import set_within

SOCKET = "socket"
MOST_CONNECTIONS = 10
CONNECTION_SECONDS = 3600


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket. A `deaf` one stays open but gets no envelope; a `leaving` one was told to disconnect."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    deaf: bool = False
    leaving: bool = False


@dataclass(slots=True)
class SocketMode:
    """`url` gives the server's base address. `deliveries` records every envelope, `connections` the open sockets."""

    platform: Platform
    stopping: asyncio.Event
    url: Callable[[], str]
    ack_seconds: float = ACK_SECONDS
    connections: list[Connection] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    opened: int = 0
    _tickets: set[str] = field(default_factory=set)
    _turn: int = 0

    def open_url(self) -> str:
        """The address of one new connection, as apps.connections.open gives it."""
        ticket = token_hex(16)
        self._tickets.add(ticket)
        return f"{self.url().replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={APP_ID}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one attempt to connect."""
        fault = self.platform.faults.next(SOCKET)
        if fault is not None and fault.kind in (
            FaultKind.ACCEPT_THEN_DROP,
            FaultKind.ACCEPT_THEN_HANG,
            FaultKind.REFUSE,
            FaultKind.GARBAGE,
        ):
            return await self._serve(request, fault)

        async def perform() -> web.StreamResponse:
            return await self._serve(request, None)

        return await answer_under(fault, request, Answering(perform, _failure, _failure), self.stopping)

    async def deliver(self, delivery: Delivery, retry: Json | None = None) -> None:
        """Send an envelope through one of the connections, in turn, and wait for its acknowledgement."""
        self.deliveries.append(delivery)
        listening = [each for each in self.connections if not each.deaf and not each.leaving]
        if not listening:
            delivery.error = "operation_timeout" if self.connections else "dispatch_failed"
            return
        self._turn += 1
        connection = listening[self._turn % len(listening)]
        delivery.connection = connection.number
        with suppress(ConnectionError):
            await connection.socket.send_json(_envelope(delivery, retry))
        if not await set_within(delivery.acked, self.ack_seconds):
            delivery.error = "operation_timeout"

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every client to leave: "warning", "refresh_requested" or "link_disabled"; no more envelopes go there."""
        for connection in list(self.connections):
            connection.leaving = connection.leaving or reason != "warning"
            with suppress(ConnectionError):
                await connection.socket.send_json(_disconnect(reason))

    def drop_all(self) -> None:
        """Break every connection without a word."""
        for connection in list(self.connections):
            drop(connection.request)

    async def wait_connected(self, at_least: int = 1, timeout: float = 10.0) -> None:
        """Wait until so many connections can take envelopes."""

        def enough() -> bool:
            return sum(1 for each in self.connections if not each.deaf and not each.leaving) >= at_least

        await self.platform.changes.until(enough, timeout, f"{at_least} Socket Mode connections")

    async def _serve(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=404, text="unknown ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.opened += 1
        refusal = self._refusal(fault)
        if refusal is not None:
            await socket.send_json(_disconnect(refusal))
            await socket.close()
            return socket
        connection = Connection(self.opened, socket, request)
        self.connections.append(connection)
        try:
            await self._greet(connection, fault)
            self.platform.changes.note()
            async for message in socket:
                if message.type is WSMsgType.TEXT and not connection.deaf:
                    self._hear(str(message.data))
        finally:
            self.connections.remove(connection)
            self.platform.changes.note()
        return socket

    def _refusal(self, fault: Fault | None) -> str | None:
        if fault is not None and fault.kind is FaultKind.REFUSE:
            return "link_disabled"
        return "too_many_websockets" if len(self.connections) >= MOST_CONNECTIONS else None

    async def _greet(self, connection: Connection, fault: Fault | None) -> None:
        """Say hello; a faulty connection then breaks, goes deaf, or speaks nonsense first."""
        kind = None if fault is None else fault.kind
        connection.deaf = kind is FaultKind.ACCEPT_THEN_HANG
        if fault is not None and kind is FaultKind.GARBAGE:
            await connection.socket.send_str(fault.body)
        await connection.socket.send_json(self._hello(connection))
        if kind is FaultKind.ACCEPT_THEN_DROP:
            drop(connection.request)

    def _hello(self, connection: Connection) -> Json:
        seconds = 360 if connection.request.query.get("debug_reconnects") == "true" else CONNECTION_SECONDS
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": seconds},
        }

    def _hear(self, text: str) -> None:
        """Take an acknowledgement; anything else is ignored, as is one that comes twice."""
        try:
            message = json.loads(text)
        except ValueError:
            return
        envelope_id = message.get("envelope_id") if isinstance(message, dict) else None
        for delivery in reversed(self.deliveries):
            if delivery.id == envelope_id and delivery.acked_at is None:
                delivery.acknowledge(self.platform.clock(), message.get("payload") or None)
                self.platform.changes.note()
                return


def _envelope(delivery: Delivery, retry: Json | None) -> Json:
    return {
        "envelope_id": delivery.id,
        "type": delivery.kind,
        "accepts_response_payload": delivery.kind != "events_api",
        "payload": delivery.payload,
        **(retry or {}),
    }


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}


def _failure(fault: Fault) -> web.Response:
    return web.Response(status=fault.status, headers=fault.headers)
