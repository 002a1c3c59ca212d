"""What Slack sends and the bot does not take is said to somebody: one bot in each mode is asked all of it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from bot.sandbox.faults import Fault
from bot.sandbox.slack.http_mode import FORM
from bot.sandbox.slack.socket_mode import SOCKET
from bot.sandbox.world import BotProcess, World, real_now
from bot.windows import utc_day
from tests.forks import ForkServer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("inbound")]

BODY = "command=%2Fagent-usage&text=help&user_id=U0MEMBER1&team_id=T1&trigger_id=1.2.a&response_url=http://x/"
NO_WARNING = {"ok": True, "reasons": [], "warnings": []}


@dataclass
class Inbound:
    """A running bot, and where its endpoints are."""

    world: World
    bot: BotProcess
    url: str

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient() as http:
            return await http.get(self.url + path)

    async def warning(self) -> str:
        """The only warning: it keeps no traffic away, and rings for monitors."""
        ready, status = await self.get("/readyz"), await self.get("/status")
        assert (ready.status_code, status.status_code) == (200, 503)
        [warning] = ready.json()["warnings"]
        return str(warning)

    async def status(self) -> str:
        """What `/agent-usage status` says; the command itself shows that Slack is heard."""
        answer = await (await self.world.slack.command("/agent-usage", "status")).answer()
        assert (await self.get("/status")).json() == NO_WARNING
        return answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(tmp_path_factory: pytest.TempPathFactory, forks: ForkServer) -> AsyncIterator[Inbound]:
    async with World(tmp_path_factory.mktemp("http"), spawn=forks.spawn) as world:
        bot = await world.run_http()
        yield Inbound(world, bot, str(world.slack.request_url).removesuffix("/slack/events"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def socket(tmp_path_factory: pytest.TempPathFactory, forks: ForkServer) -> AsyncIterator[Inbound]:
    async with World(tmp_path_factory.mktemp("socket"), spawn=forks.spawn) as world:
        bot = await world.run(PORT="0", HOST="127.0.0.1")
        port = (await bot.said("listening on port")).split()[-1]
        yield Inbound(world, bot, f"http://127.0.0.1:{port}")


async def test_http_mode_listens_until_slack_is_heard_and_is_never_called_connected(http: Inbound) -> None:
    await http.bot.said("listening; Slack has not been heard yet")
    assert not any("Slack is heard" in line for line in http.bot.lines)
    await http.world.slack.command("/agent-usage", "help")
    await http.bot.said("Slack is heard")
    assert not any("connected" in line for line in http.bot.lines)


@pytest.mark.parametrize(
    ("secret", "off", "said"),
    [
        ("another", 0, "Slack may not be heard: requests are signed with another secret than SLACK_SIGNING_SECRET."),
        (None, -400, "Slack is not heard: this machine's clock is N seconds ahead of Slack's"),
        (None, +400, "Slack is not heard: this machine's clock is N seconds behind Slack's"),
    ],
    ids=["wrong secret", "clock ahead", "clock behind"],
)
async def test_a_deaf_bot_says_why_in_warnings_and_afterwards_in_status(
    http: Inbound, secret: str | None, off: int, said: str
) -> None:
    for _ in range(3):
        answer = await http.world.slack.http.post(BODY, secret=secret, timestamp=real_now().timestamp() + off)
        assert answer.status == 401
    warning = await http.warning()
    assert re.sub(r"(400|401) seconds", "N seconds", warning).startswith(said)
    assert " 3 requests since 20" in warning
    assert warning in await http.status()
    assert sum("another secret" in line for line in http.bot.lines) == 1
    assert sum("this machine's clock is" in line for line in http.bot.lines) <= 1  # one line a minute


async def test_a_stranger_without_slacks_headers_is_one_line_and_no_warning(http: Inbound) -> None:
    async with httpx.AsyncClient() as stranger:
        for _ in range(20):
            assert (await stranger.post(f"{http.url}/slack/events", content="x")).status_code == 401
    assert (await http.get("/status")).json() == NO_WARNING
    await http.bot.said("Refused what Slack does not send: a request without Slack's signature. 1 request since")
    assert sum("without Slack's signature" in line for line in http.bot.lines) == 1


async def test_the_secret_a_forger_tries_shows_nowhere_nor_does_ours(http: Inbound) -> None:
    assert http.world.slack.signing_secret not in "\n".join(http.bot.lines)


@pytest.mark.parametrize(
    ("how", "status"),
    [("right", 200), ("wrong secret", 401), ("stale timestamp", 401), ("no signature", 401)],
)
async def test_http_mode_takes_only_fresh_requests_that_slack_signed(http: Inbound, how: str, status: int) -> None:
    answer = await http.world.slack.http.post(
        BODY,
        secret="another" if how == "wrong secret" else None,
        timestamp=real_now().timestamp() - (400 if how == "stale timestamp" else 0),
        signature="" if how == "no signature" else None,
    )
    assert answer.status == status


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Slack-Request-Timestamp", "abc"),
        ("X-Slack-Request-Timestamp", ""),
        ("X-Slack-Request-Timestamp", "9" * 5000),
        ("X-Slack-Signature", "v0=é"),
        ("X-Slack-Signature", "v0="),
    ],
    ids=["words for a time", "no time", "endless time", "odd letters", "half a signature"],
)
async def test_malformed_signature_headers_get_401_and_no_traceback(http: Inbound, header: str, value: str) -> None:
    headers = {
        "X-Slack-Request-Timestamp": str(int(real_now().timestamp())),
        "X-Slack-Signature": "v0=00",
        header: value,
    }
    raw = [(name.encode(), text.encode()) for name, text in headers.items()]
    async with httpx.AsyncClient() as stranger:
        answer = await stranger.post(f"{http.url}/slack/events", content=b"{}", headers=raw)
    assert answer.status_code == 401
    assert not any("Traceback" in line for line in http.bot.lines)


async def test_readiness_does_not_wait_for_what_strangers_send(http: Inbound) -> None:
    port = int(http.url.rsplit(":", 1)[1])
    half = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\nX-Slack-Request-Timestamp: 1\r\n"
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(100)]
    for writer in writers:
        writer.write(half + b"X-Slack-Signature: v0=" + b"0" * 64 + b"\r\n\r\n" + b"x" * 1000)
    began = time.monotonic()
    assert (await http.get("/readyz")).status_code == 200
    assert time.monotonic() - began < 1
    for writer in writers:
        writer.close()


async def test_an_unknown_command_is_answered_by_a_sentence_in_each_mode(http: Inbound, socket: Inbound) -> None:
    for inbound in (http, socket):
        typed = await inbound.world.slack.command("/agent-usage-dev", "today")
        answer = await typed.answer()
        assert answer.text == "This bot answers /agent-usage, and does not know /agent-usage-dev."
        assert (answer.response_type, answer.source) == ("ephemeral", "ack")
        await inbound.world.slack.command("/agent-usage-dev", "today")
        warning = await inbound.warning()
        assert "Slack sends the command /agent-usage-dev, and this bot answers /agent-usage only." in warning
        assert "Slack sends the command /agent-usage-dev" in await inbound.status()
        assert sum("/agent-usage-dev" in line for line in inbound.bot.lines) == 1


@pytest.mark.parametrize(
    "body", ["{bad json", "[]", "payload=%7Bbad", "command=%2Fagent-usage"], ids=["json", "list", "payload", "no user"]
)
async def test_signed_nonsense_is_refused_without_a_traceback(http: Inbound, body: str) -> None:
    kind = "application/json" if body[0] in "{[" else FORM
    answer = await http.world.slack.http.post(body, kind)
    assert answer.status in (200, 400)
    assert not any("Traceback" in line for line in http.bot.lines)
    if answer.status == 400:
        assert (await http.warning()).startswith("Slack sent a request that can't be read (")


async def test_what_the_bot_has_nothing_for_is_acknowledged_in_socket_mode(socket: Inbound) -> None:
    happened = await socket.world.slack.event({"type": "app_mention", "channel": "C0SPEND001", "user": "U0ADMIN01"})
    assert happened.acknowledged
    await socket.bot.said("Slack sent event_callback “app_mention”, which this bot has no answer for")


async def test_socket_mode_that_is_switched_off_is_a_reason_that_says_so(socket: Inbound) -> None:
    socket.world.slack.faults.add(SOCKET, Fault("refuse"), times=1)
    await socket.world.slack.socket.disconnect("refresh_requested")
    await socket.bot.said("Slack turns the connection away: Socket Mode is switched off")
    await socket.world.slack.socket.wait_connected()
    assert (await socket.get("/healthz")).status_code == 200


async def test_messages_that_only_wait_for_their_turn_are_well(socket: Inbound) -> None:
    world = socket.world
    rules = "".join(f"  - {{name: Rule {number}, threshold: $5}}\n" for number in range(8))
    world.cartesia.set_day(utc_day(world.now()), cents=900)
    world.rules_file.write_text(f'channel: "#voice-spend"\nrules:\n{rules}')
    await world.slack.until(lambda: world.slack.messages("voice-spend")[:1], 10, "the first of eight messages")
    answer = await (await world.slack.command("/agent-usage", "status")).answer()
    assert re.search(r"✅ \d messages? on the way; a channel takes about one a second", answer.text)
    assert "🔴" not in answer.text
