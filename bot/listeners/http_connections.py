"""The connections of the HTTP server, bounded: whoever reaches the port may open them.

A connection that waits for its client has a deadline. Where there are too many of them, or where too many bytes wait
for the rest of their request, the one is closed that has gone longest without a step from one request to the next: a
good client is never long about it, and who came early can't keep others out. What Slack has signed is left alone.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import cast

from aiohttp import web

from bot.listeners.http_server import Handler
from bot.money import count, number

_MOST_CONNECTIONS = 128
_TURN = 2**14  # bytes that all connections together bring in one turn of the loop: some cost it much, as tiny chunks do
_PIECE, _LEAST = 2**12, 2**9  # bytes that one of them brings then, at most and at least
_QUEUE = 1024  # connections that wait for being accepted

GENUINE = web.RequestKey("genuine", bool)  # whoever has found that Slack signed a request says so with this

Server = Callable[[], asyncio.Protocol]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections at once; how many are accepted in one turn of the loop; how many bytes of requests that are
    not answered yet, over all of them; seconds for a head to come and for an answer to be taken; and between requests.

    Balancers must be the first to close an idle connection: Heroku's does after 90 s, Google's after 600 s.
    https://devcenter.heroku.com/articles/http-routing, https://cloud.google.com/load-balancing/docs/https
    """

    connections: int
    accepted: int
    received: int = 8_000_000
    patience: float = 10.0
    idle: float = 630.0

    @classmethod
    def within(cls, descriptors: int) -> Bounds:
        """A quarter of the process's descriptors: what is accepted and not counted yet has another one, and the bot's
        own calls and files the rest."""
        quarter = max(1, min(descriptors // 4, _MOST_CONNECTIONS))
        return cls(quarter, quarter // 12 + 1)

    @classmethod
    def of_this_process(cls) -> Bounds:
        """Within the soft limit of descriptors."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return cls.within(_MOST_CONNECTIONS * 4 if soft == resource.RLIM_INFINITY else soft)


class Connections:
    """Every connection of a server. `on_problem` takes a sentence where one had to be closed to make room."""

    def __init__(self, bounds: Bounds, on_problem: Callable[[str], None]) -> None:
        self.bounds = bounds
        self._on_problem = on_problem
        self._open: dict[Connection, None] = {}  # the one longest without a step first
        self._of: dict[asyncio.Protocol, Connection] = {}  # by the server's own protocol
        self._received = 0
        self._buffer = memoryview(bytearray(_PIECE))  # one for all: what comes is taken out of it at once
        self._share = _PIECE
        self._bringing = 0  # connections in this turn of the loop

    async def listen(self, server: Server, host: str, port: int) -> asyncio.Server:
        """Listen, and give each connection to a protocol of the server's. Raises OSError."""
        loop, at_a_time = asyncio.get_running_loop(), self.bounds.accepted
        listening = await loop.create_server(partial(Connection, self, server), host, port, backlog=at_a_time)
        for each in listening.sockets:
            _lengthen_queue(each)
        return listening

    def close(self) -> None:
        """Close what is open."""
        for each in list(self._open):
            each.close()

    async def around(self, answer: Handler, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request that has come; its connection is busy with it until then."""
        if (connection := self._of.get(request.protocol)) is None:
            return web.Response(status=503)  # closed meanwhile: nobody takes an answer
        connection.begin(request)
        try:
            return await answer(request)
        finally:
            connection.end()

    def room(self) -> memoryview:
        """For what a connection brings in this turn of the loop: the more of them bring something, the less each."""
        if not self._bringing:
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._bringing += 1
        return self._buffer[: self._share]

    def take(self, size: int) -> bytes:
        """The first bytes of what was brought."""
        return bytes(self._buffer[:size])

    def add(self, connection: Connection) -> None:
        """One more, which may cost the one longest without a step."""
        self._open[connection] = None
        if len(self._open) > self.bounds.connections:
            self._give_up(f"More than {count(self.bounds.connections, 'connection')} at once", self._open)

    def serve(self, protocol: asyncio.Protocol, connection: Connection) -> None:
        """The server's own protocol takes what it brings."""
        self._of[protocol] = connection

    def receive(self, connection: Connection, size: int) -> None:
        """So many bytes more, which may cost the connection that has brought some and is longest without a step."""
        connection.received += size
        self._received += size
        if self._received > self.bounds.received:
            what = f"More than {number(self.bounds.received)} bytes of unfinished requests"
            self._give_up(what, (each for each in self._open if each.received))

    def step(self, connection: Connection) -> None:
        """It has made a step: a request has come, or was answered."""
        if connection in self._open:
            del self._open[connection]
            self._open[connection] = None

    def forget(self, connection: Connection) -> None:
        """What it brought is no longer kept."""
        self._received -= connection.received
        connection.received = 0

    def remove(self, connection: Connection, protocol: asyncio.Protocol | None) -> None:
        """It is closed."""
        self._open.pop(connection, None)
        if protocol is not None:
            self._of.pop(protocol, None)
        self.forget(connection)

    def _end_turn(self) -> None:
        self._share = min(_PIECE, max(_LEAST, _TURN // self._bringing))
        self._bringing = 0

    def _give_up(self, why: str, of: Iterable[Connection]) -> None:
        """Close the one longest without a step; one that has brought what Slack signed only if there is no other."""
        by_rank = sorted((each for each in of if not each.is_answering_slack), key=lambda each: each.is_slacks)
        if by_rank:
            self._on_problem(f"{why}: the one that waited longest was closed.")
            by_rank[0].close()


def _lengthen_queue(listening: socket.socket) -> None:
    """Let more wait than asyncio accepts in one turn: who is dropped comes again after a second."""
    with socket.fromfd(listening.fileno(), listening.family, listening.type) as same:
        same.listen(_QUEUE)


class Connection(asyncio.BufferedProtocol):
    """One connection, between the socket and the server's own protocol, which is made when the first byte comes."""

    def __init__(self, all_of_them: Connections, server: Server) -> None:
        self.received = 0  # bytes that came since the last answer
        self.is_slacks = False  # it has brought a request that Slack had signed
        self._all = all_of_them
        self._server = server
        self._protocol: asyncio.Protocol | None = None
        self._request: web.BaseRequest | None = None
        self._is_idle = False
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_answering_slack(self) -> bool:
        return self._request is not None and self._request.get(GENUINE, False)

    def begin(self, request: web.BaseRequest) -> None:
        """The head of a request has come."""
        self._request, self._is_idle = request, False
        self._cancel_deadline()
        self._all.step(self)

    def end(self) -> None:
        """The request is answered, though the answer is not sent yet."""
        self.is_slacks |= self.is_answering_slack
        self._request, self._is_idle = None, True
        self._wait(self._all.bounds.idle)
        self._all.step(self)
        self._all.forget(self)

    def close(self) -> None:
        """Close it at once, whatever is on the way."""
        self._cancel_deadline()
        self._all.remove(self, self._protocol)
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._wait(self._all.bounds.patience)
        self._all.add(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 asyncio gives it
        return self._all.room()

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_idle:
            self._is_idle = False
            self._wait(self._all.bounds.patience)
        self._all.receive(self, nbytes)
        if not self._transport.is_closing():
            self._served().data_received(self._all.take(nbytes))

    def eof_received(self) -> bool | None:
        return self._protocol.eof_received() if self._protocol else None

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()
        self._all.remove(self, self._protocol)
        if self._protocol:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._wait(self._all.bounds.patience)
        self._served().pause_writing()

    def resume_writing(self) -> None:
        self._wait(self._all.bounds.idle)
        self._served().resume_writing()

    def _served(self) -> asyncio.Protocol:
        if self._protocol is None:
            self._protocol = self._server()
            self._all.serve(self._protocol, self)
            self._protocol.connection_made(self._transport)
        return self._protocol

    def _wait(self, seconds: float) -> None:
        self._cancel_deadline()
        if not self._transport.is_closing():
            self._deadline = asyncio.get_running_loop().call_later(seconds, self.close)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
