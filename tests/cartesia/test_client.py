"""The client asks again where that may help, never otherwise, and never for longer than it may."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from pydantic import SecretStr

from bot.cartesia.client import CartesiaClient
from bot.errors import CartesiaError, CartesiaUnavailable, KeyRefused, RequestRefused, Throttled, UnreadableAnswer
from bot.logs import Repeats
from bot.model import Totals
from bot.sandbox.cartesia import SimulatedCartesia
from bot.sandbox.faults import Fault
from bot.system.network import http_client
from tests.samples.answers import streamed
from tests.samples.figures import span

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = span("2026-03-10", "2026-03-10")
KEY = "sk_car_admin_sandbox"


class Asked(list[CartesiaError]):
    """Every failure the client told of, in order."""


@pytest.fixture
async def cartesia() -> AsyncIterator[SimulatedCartesia]:
    async with SimulatedCartesia(lambda: NOON, KEY) as server:
        server.set_day(DAY.start, cents=4210, minutes="61.5", calls=12)
        yield server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with http_client() as client:
        yield client


def client_for(http: httpx.AsyncClient, url: str, key: str = KEY) -> CartesiaClient:
    return CartesiaClient(http, url, SecretStr(key), lambda: NOON)


@pytest.mark.parametrize("slashes", ["", "/", "//"])
async def test_a_reading_bears_the_figures_and_the_moment_it_was_asked_for(
    cartesia: SimulatedCartesia, http: httpx.AsyncClient, slashes: str
) -> None:
    reading = await client_for(http, cartesia.url + slashes).read(DAY, 5, Asked().append)
    assert reading.days == {date(2026, 3, 10): Totals(4210, Decimal("61.5"), 12)}
    assert reading.read_at == NOON


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(Fault("drop"), CartesiaUnavailable, id="a dropped connection"),
        pytest.param(Fault("status", status=500), CartesiaUnavailable, id="500"),
        pytest.param(Fault("status", status=502), CartesiaUnavailable, id="502"),
        pytest.param(Fault("status", status=503), CartesiaUnavailable, id="503"),
        pytest.param(Fault("status", status=408), CartesiaUnavailable, id="408"),
        pytest.param(Fault("status", status=429), Throttled, id="429"),
        pytest.param(Fault("status", status=429, retry_after=0), Throttled, id="429 with no time to wait"),
    ],
)
async def test_what_may_pass_is_asked_again(
    cartesia: SimulatedCartesia, http: httpx.AsyncClient, fault: Fault, kind: type[CartesiaError]
) -> None:
    cartesia.faults.add("usage", fault)
    failures = Asked()
    reading = await client_for(http, cartesia.url).read(DAY, 5, failures.append)
    assert reading.days[DAY.start].cents == 4210
    assert [type(failure) for failure in failures] == [kind]
    assert len(cartesia.requests) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(Fault("refuse", status=400), RequestRefused, id="400"),
        pytest.param(Fault("refuse", status=401), KeyRefused, id="401"),
        pytest.param(Fault("refuse", status=403), KeyRefused, id="403"),
        pytest.param(Fault("refuse", status=404), RequestRefused, id="404"),
        pytest.param(Fault("refuse", status=422), RequestRefused, id="422"),
        pytest.param(Fault("garbage"), UnreadableAnswer, id="a web page where figures belong"),
    ],
)
async def test_what_cannot_pass_is_asked_once(
    cartesia: SimulatedCartesia, http: httpx.AsyncClient, fault: Fault, kind: type[CartesiaError]
) -> None:
    cartesia.faults.add("usage", fault, times=None)
    failures = Asked()
    with pytest.raises(kind):
        await client_for(http, cartesia.url).read(DAY, 5, failures.append)
    assert [type(failure) for failure in failures] == [kind]
    assert len(cartesia.requests) == 1


async def test_another_key_is_refused_and_appears_in_no_error(
    cartesia: SimulatedCartesia, http: httpx.AsyncClient
) -> None:
    with pytest.raises(KeyRefused) as caught:
        await client_for(http, cartesia.url, "sk_car_admin_another").read(DAY, 5, Asked().append)
    assert "another" not in f"{caught.value!r} {caught.value}"


async def test_a_retry_after_is_waited_for(cartesia: SimulatedCartesia, http: httpx.AsyncClient) -> None:
    cartesia.faults.add("usage", Fault("status", status=429, retry_after=1))
    begun = time.monotonic()
    await client_for(http, cartesia.url).read(DAY, 5, Asked().append)
    assert time.monotonic() - begun >= 1
    assert len(cartesia.requests) == 2


async def test_a_retry_after_beyond_the_time_left_is_handed_on_at_once(
    cartesia: SimulatedCartesia, http: httpx.AsyncClient
) -> None:
    cartesia.faults.add("usage", Fault("status", status=429, retry_after=3600), times=None)
    begun = time.monotonic()
    with pytest.raises(Throttled) as caught:
        await client_for(http, cartesia.url).read(DAY, 30, Asked().append)
    assert caught.value.retry_after == 3600
    assert time.monotonic() - begun < 1
    assert len(cartesia.requests) == 1


async def test_asking_again_ends_when_its_time_is_up(cartesia: SimulatedCartesia, http: httpx.AsyncClient) -> None:
    cartesia.faults.add("usage", Fault("status", status=503), times=None)
    begun = time.monotonic()
    with pytest.raises(CartesiaUnavailable):
        await client_for(http, cartesia.url).read(DAY, 1, Asked().append)
    assert time.monotonic() - begun < 1.5
    assert len(cartesia.requests) > 1


async def test_an_outage_is_one_line_however_often_it_is_asked_and_one_more_when_it_is_over(
    cartesia: SimulatedCartesia, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bot.cartesia.client")
    once = Repeats(lambda: 0.0)
    cartesia.faults.add("usage", Fault("status", status=503), times=4)
    client = client_for(http, cartesia.url)
    with pytest.raises(CartesiaUnavailable):
        await client.read(DAY, 0.7, Asked().append)
    cartesia.faults.clear()
    for _ in range(2):
        await client.read(DAY, 5, Asked().append)
    asked, again = (record.getMessage() for record in caplog.records if once.filter(record))
    assert re.fullmatch(r"usage: Cartesia is not well \(503\).* \[request .*\]\. Asking again in .* s\.", asked)
    assert again == "usage: it is read again."


async def test_a_retry_after_of_nothing_is_no_leave_to_ask_without_pause(
    cartesia: SimulatedCartesia, http: httpx.AsyncClient
) -> None:
    cartesia.faults.add("usage", Fault("status", status=429, retry_after=0), times=None)
    with pytest.raises(Throttled):
        await client_for(http, cartesia.url).read(DAY, 1, Asked().append)
    assert len(cartesia.requests) < 20


async def test_where_nothing_listens_the_error_says_what_to_check(http: httpx.AsyncClient) -> None:
    with pytest.raises(CartesiaUnavailable, match=r"ConnectError\): check the network and CARTESIA_API_URL"):
        await client_for(http, "http://127.0.0.1:9").read(DAY, 0, Asked().append)


BREAKS = {
    "a refused connection": httpx.ConnectError("refused"),
    "a connection that takes too long": httpx.ConnectTimeout("too long"),
    "an answer that takes too long": httpx.ReadTimeout("too long"),
    "a connection that breaks": httpx.ReadError("reset"),
    "a server that speaks something else": httpx.RemoteProtocolError("not HTTP"),
}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
async def test_whatever_breaks_below_is_an_unavailable_cartesia(broken: Exception) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise broken

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(CartesiaUnavailable, match=type(broken).__name__):
            await client_for(http, "https://cartesia.example").read(DAY, 0, Asked().append)


async def test_the_key_and_the_whole_span_are_sent_with_each_request() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return streamed(httpx.Response(503))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(CartesiaUnavailable):
            await client_for(http, "https://cartesia.example/base/").read(DAY, 0.6, Asked().append)
    assert len(asked) > 1
    for request in asked:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.headers["Cartesia-Version"] == "2026-03-01"
        assert request.url.path == "/base/usage/agents"
        assert dict(request.url.params) == {
            "start_ts": "2026-03-10T00:00:00Z",
            "end_ts": f"{DAY.start + timedelta(days=1)}T00:00:00Z",
            "interval": "day",
        }


# Answers without end

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_SHORT_CHUNKS = (b"20\r\n" + b"[" * 32 + b"\r\n") * 1_700
_GZIP = _OK + b"Content-Encoding: gzip\r\n"
_BOMB = gzip.compress(bytes(50_000_000), 1)


@contextlib.asynccontextmanager
async def endless(head: bytes, then: bytes) -> AsyncIterator[str]:
    """The address of a Cartesia that answers with `head`, and then with `then` for as long as anybody listens."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(head)
            while then and not writer.is_closing():
                writer.write(then)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def longest_pause(of: asyncio.Task[None]) -> float:
    """For how many seconds of the processor at most this loop did nothing else while the task ran."""
    longest, last = 0.0, time.thread_time()
    while not of.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.thread_time() - last), time.thread_time()
    return longest


@pytest.mark.parametrize(
    ("head", "then", "kind", "words"),
    [
        pytest.param(_OK + b"\r\n", bytes(65_536), UnreadableAnswer, "larger than 250 kB", id="a body"),
        pytest.param(_CHUNKED, _SHORT_CHUNKS, UnreadableAnswer, "larger than 250 kB", id="short chunks"),
        pytest.param(
            _GZIP + b"Content-Length: %d\r\n\r\n" % len(_BOMB) + _BOMB,
            b"",
            UnreadableAnswer,
            "larger than 250 kB",
            id="a gzip bomb",
        ),
        pytest.param(_OK, b"A: b\r\n" * 9_000, CartesiaUnavailable, "RemoteProtocolError", id="headers"),
        pytest.param(b"", b"A" * 65_536, CartesiaUnavailable, "RemoteProtocolError", id="one line"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000, CartesiaUnavailable, "ReadError", id="1xx"),
    ],
)
async def test_an_answer_without_end_is_left_at_once_and_holds_nothing_up(
    http: httpx.AsyncClient, head: bytes, then: bytes, kind: type[CartesiaError], words: str
) -> None:
    async def ask() -> None:
        with pytest.raises(kind, match=words):
            await client_for(http, url).read(DAY, 0, Asked().append)

    begun = time.monotonic()
    async with endless(head, then) as url:
        assert await longest_pause(asyncio.create_task(ask())) < 0.25
    assert time.monotonic() - begun < 5


async def test_a_packed_answer_is_read(http: httpx.AsyncClient) -> None:
    bucket = {
        "start_ts": "2026-03-10T00:00:00Z",
        "end_ts": "2026-03-11T00:00:00Z",
        "cents": 7,
        "minutes": 1,
        "calls": 1,
    }
    body = gzip.compress(json.dumps({"data": [bucket]}).encode())
    async with endless(_GZIP + b"Content-Length: %d\r\n\r\n" % len(body) + body, b"") as url:
        reading = await client_for(http, url).read(DAY, 0, Asked().append)
    assert reading.days[DAY.start].cents == 7
