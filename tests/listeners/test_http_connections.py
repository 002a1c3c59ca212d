"""The connections of the HTTP server are few and small, and those of strangers never keep others out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.listeners.http_connections import GENUINE, Bounds, Connections
from bot.listeners.http_server import http_server

HEAD = b"GET / HTTP/1.1\r\nHost: bot\r\n"
ASKED = HEAD + b"\r\n"
SIGNED = HEAD + b"Signed: yes\r\n\r\n"


@dataclass
class Hall:
    """A server with room for three connections and 10,000 bytes of requests; its answers wait until they are let go."""

    told: list[str] = field(default_factory=list)
    patience: float = 10.0
    idle: float = 630.0
    clients: list[Client] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.connections = Connections(Bounds(3, 2, 10_000, self.patience, self.idle), self.told.append)
        self.server = http_server(self._serve, self.told.append)
        self.let_go.set()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.connections.around(self._answer, request)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        request[GENUINE] = "Signed" in request.headers
        await self.let_go.wait()
        if request.path == "/fault":
            raise RuntimeError("nobody foresaw it")
        return web.Response(body=bytes(20_000_000 if request.path == "/large" else len(await request.read())))

    async def open(self) -> Hall:
        self.listening = await self.connections.listen(self.server, "127.0.0.1", 0)
        self.port = self.listening.sockets[0].getsockname()[1]
        return self

    async def client(self, first: bytes = b"") -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        client.writer.write(first)
        await asyncio.sleep(0.02)
        return client

    async def close(self) -> None:
        self.let_go.set()
        for client in self.clients:
            client.writer.close()
        self.listening.close()
        self.server.pre_shutdown()
        await self.server.shutdown(1)
        self.connections.close()


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def is_closed(self, within: float = 0.1) -> bool:
        """Whether the server has hung up, with or without a word, or does so within so many seconds."""
        try:
            async with asyncio.timeout(within):
                while await self.reader.read(1000):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    async def answer(self) -> str:
        """The next status line."""
        async with asyncio.timeout(2):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")
            )
            await self.reader.readexactly(length)
        return head.split(b"\r\n")[0].decode()


@pytest.fixture
async def hall(request: pytest.FixtureRequest) -> AsyncIterator[Hall]:
    hall = await Hall(**getattr(request, "param", {})).open()
    yield hall
    await hall.close()


async def test_the_silent_make_room_for_who_comes_the_longest_first(hall: Hall) -> None:
    silent = [await hall.client() for _ in range(3)]
    assert await (await hall.client(ASKED)).answer() == "HTTP/1.1 200 OK"
    assert [await each.is_closed() for each in silent] == [True, False, False]
    assert hall.told == ["More than 3 connections at once: the one that waited longest was closed."]


async def test_who_dribbles_a_head_or_keeps_asking_for_nothing_waits_no_shorter_for_it(hall: Hall) -> None:
    dribbling = await hall.client(HEAD)
    others = [await hall.client(ASKED) for _ in range(2)]
    dribbling.writer.write(b"A: b\r\n")
    assert await (await hall.client(ASKED)).answer() == "HTTP/1.1 200 OK"
    assert [await each.is_closed() for each in (dribbling, *others)] == [True, False, False]


async def test_a_connection_that_slack_has_used_is_the_last_to_go(hall: Hall) -> None:
    slacks = await hall.client(SIGNED)
    assert await slacks.answer() == "HTTP/1.1 200 OK"
    strangers = [await hall.client(ASKED) for _ in range(4)]
    assert [await each.is_closed() for each in (slacks, *strangers)] == [False, True, True, False, False]


async def test_what_slack_has_signed_is_answered_however_many_come(hall: Hall) -> None:
    hall.let_go.clear()
    slacks = [await hall.client(SIGNED) for _ in range(3)]
    strangers = [await hall.client(ASKED) for _ in range(3)]
    assert all([await each.is_closed() for each in strangers])
    hall.let_go.set()
    assert [await each.answer() for each in slacks] == ["HTTP/1.1 200 OK"] * 3


async def test_what_strangers_ask_makes_room_for_slack_while_it_is_answered(hall: Hall) -> None:
    hall.let_go.clear()  # as while the database hangs
    strangers = [await hall.client(ASKED) for _ in range(3)]
    slacks = await hall.client(SIGNED)
    assert [await each.is_closed() for each in strangers] == [True, False, False]
    hall.let_go.set()
    assert await slacks.answer() == "HTTP/1.1 200 OK"


async def test_unfinished_bodies_are_bounded_in_sum(hall: Hall) -> None:
    unfinished = HEAD + b"Content-Length: 9000\r\n\r\n" + b"x" * 6000
    silent, first, second = await hall.client(), await hall.client(unfinished), await hall.client(unfinished)
    assert [await each.is_closed() for each in (silent, first, second)] == [False, True, False]
    second.writer.write(b"x" * 3000)
    assert await second.answer() == "HTTP/1.1 200 OK"
    assert hall.told == ["More than 10,000 bytes of unfinished requests: the one that waited longest was closed."]


@pytest.mark.parametrize("hall", [{"patience": 0.1}], indirect=True, ids=["a tenth of a second"])
@pytest.mark.parametrize(
    "sent",
    [b"", HEAD, b"GET /large HTTP/1.1\r\nHost: bot\r\n\r\n"],
    ids=["a silent one", "half a head", "an answer that is not taken"],
)
async def test_who_does_not_go_on_is_closed(hall: Hall, sent: bytes) -> None:
    client = await hall.client(sent)
    await asyncio.sleep(0.2)
    assert await client.is_closed(within=2)


@pytest.mark.parametrize("hall", [{"patience": 0.1, "idle": 1.0}], indirect=True, ids=["a tenth of a second"])
async def test_a_connection_may_rest_between_two_requests_and_not_within_one(hall: Hall) -> None:
    resting, dawdling = await hall.client(ASKED), await hall.client(ASKED)
    assert await resting.answer() == await dawdling.answer() == "HTTP/1.1 200 OK"
    dawdling.writer.write(HEAD)
    assert await dawdling.is_closed(within=0.7)
    assert not await resting.is_closed()
    assert await resting.is_closed(within=3)


async def test_bytes_that_are_no_http_are_told_and_no_traceback(hall: Hall, caplog: pytest.LogCaptureFixture) -> None:
    for garbage in (b"\x16\x03\x01\r\n\r\n", HEAD + b"no colon\r\n\r\n"):
        assert (await (await hall.client(garbage)).answer()).endswith("400 Bad Request")
    assert hall.told == ["Refused what Slack does not send: bytes that are no HTTP request."] * 2
    assert caplog.messages == []


async def test_a_fault_is_one_traceback_a_minute_however_often_it_is_asked_for(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        client = await hall.client(b"GET /fault HTTP/1.1\r\nHost: bot\r\n\r\n")
        assert await client.answer() == "HTTP/1.1 500 Internal Server Error"
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("descriptors", "connections", "accepted"), [(1_048_576, 128, 11), (1024, 128, 11), (256, 64, 6), (2, 1, 1)]
)
def test_connections_take_a_quarter_of_the_descriptors_at_most(
    descriptors: int, connections: int, accepted: int
) -> None:
    assert Bounds.within(descriptors) == Bounds(connections, accepted)
