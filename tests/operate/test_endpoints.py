"""The HTTP server in one process: while the bot starts and stops, and what it takes for Slack's."""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from pydantic import SecretStr
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import BotError
from bot.listeners.dispatch import Dispatcher
from bot.listeners.http_mode import EVENTS, MOST_BYTES, HttpMode
from bot.listeners.rejected_requests import RejectedRequests
from bot.operate.endpoints import Endpoints, PortTaken
from bot.operate.health import Report
from bot.sandbox.slack.http_mode import FORM
from bot.sandbox.slack.server import SimulatedSlack
from bot.sandbox.world import real_now
from bot.slack.connection import bolt_app

COMMAND = "command=%2Fagent-usage&text=help&user_id=U1&team_id=T1&trigger_id=1.2.a"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Site:
    """The server, Slack and everybody else in front of it, and a Bolt app behind it that takes any command."""

    port: int = field(default_factory=free_port)
    rejected: RejectedRequests = field(default_factory=lambda: RejectedRequests(real_now))
    slack: SimulatedSlack = field(default_factory=lambda: SimulatedSlack(real_now))

    def __post_init__(self) -> None:
        self.endpoints = Endpoints("127.0.0.1", self.port, self.rejected, takes_slack=True)
        self.url = f"http://127.0.0.1:{self.port}"
        self.slack.request_url = self.url + EVENTS
        self.answering = asyncio.Event()
        self.answering.set()
        app = bolt_app(AsyncWebClient("xoxb-of-a-test"))

        @app.command("/agent-usage")
        async def on_command() -> BoltResponse:
            await self.answering.wait()
            return BoltResponse(status=200, body="taken")

        self.http_mode = HttpMode(
            Dispatcher(app, self.rejected), SecretStr(self.slack.signing_secret), self.rejected, real_now
        )

    def start(self, report: Report = Report()) -> None:  # noqa: B008 it is frozen
        async def reported() -> Report:
            return report

        self.endpoints.start(reported, self.http_mode)

    async def get(self, path: str) -> tuple[int, object]:
        async with httpx.AsyncClient() as http:
            answer = await http.get(self.url + path)
        return answer.status_code, answer.json()

    async def post(self, body: str, content_type: str = FORM) -> int:
        """The status that a request gets which Slack signed."""
        return (await self.slack.http.post(body, content_type)).status


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.endpoints.open()
    yield site
    await site.slack.http.close()
    await site.endpoints.close()


def body(*reasons: str, ok: bool = False, warnings: tuple[str, ...] = ()) -> dict[str, object]:
    return {"ok": ok, "reasons": list(reasons), "warnings": list(warnings)}


async def test_before_the_bot_works_it_is_alive_and_starting_and_takes_nothing(site: Site) -> None:
    assert await site.get("/healthz") == (200, {"ok": True})
    assert await site.get("/readyz") == await site.get("/status") == (503, body("starting"))
    assert await site.post(COMMAND) == 503


async def test_while_the_bot_stops_it_is_alive_and_stopping_and_takes_nothing(site: Site) -> None:
    site.start()
    site.endpoints.stop()
    assert await site.get("/healthz") == (200, {"ok": True})
    assert await site.get("/readyz") == await site.get("/status") == (503, body("stopping"))
    assert await site.post(COMMAND) == 503


async def test_a_warning_is_503_for_monitors_only(site: Site) -> None:
    site.start(Report(warnings=("Täglich → deaf",)))
    assert await site.get("/readyz") == (200, body(ok=True, warnings=("Täglich → deaf",)))
    assert await site.get("/status") == (503, body(ok=True, warnings=("Täglich → deaf",)))


async def test_what_is_in_hand_when_the_bot_stops_is_answered(site: Site) -> None:
    site.start()
    site.answering.clear()
    asked = asyncio.create_task(site.post(COMMAND))
    await asyncio.sleep(0.1)
    site.endpoints.stop()
    finishing = asyncio.create_task(site.http_mode.finish())
    await asyncio.sleep(0.05)
    assert not finishing.done()
    site.answering.set()
    await finishing
    assert await asked == 200


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (COMMAND, FORM, 200),
        (COMMAND, f"{FORM}; charset=UTF-8", 200),
        ('{"type": "url_verification", "challenge": "x"}', "application/json", 200),
        (COMMAND, "text/plain", 415),
        (COMMAND, "multipart/form-data; boundary=x", 415),
        (COMMAND, f"{FORM}; charset=utf-16", 415),
        (COMMAND, f"{FORM}; charset=made-up", 415),
        ("{bad json", "application/json", 400),
        ("[]", "application/json", 200),
        ('{"type":' * 100_000, "application/json", 400),
        ("payload=%7Bbad", FORM, 400),
        ("a=&" * 100, FORM, 400),
        ('payload={"type": "block_actions", "actions": []}', FORM, 200),
        ('payload={"type": "view_submission", "view": {"callback_id": "without its type"}}', FORM, 200),
        ("x" * (MOST_BYTES + 1), FORM, 413),
    ],
    ids=[
        *("a command", "with its charset", "the challenge", "text", "parts", "another charset", "no charset at all"),
        *("bad JSON", "a list", "endless depth", "a bad payload", "too many fields"),
        *("no actions", "a view without its type", "too large"),
    ],
)
async def test_what_slack_signed_is_taken_in_slacks_two_forms_only(
    site: Site, content: str, content_type: str, status: int
) -> None:
    site.start()
    assert await site.post(content, content_type) == status


async def test_signed_bytes_that_are_no_utf_8_are_refused(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.start()
    caplog.set_level(logging.INFO)
    stamp, content = f"{real_now().timestamp():.0f}", "text=é".encode("latin-1")
    signed = hmac.new(site.slack.signing_secret.encode(), b"v0:%s:%s" % (stamp.encode(), content), "sha256")
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signed.hexdigest()}"}
    async with httpx.AsyncClient(headers={"Content-Type": FORM, **headers}) as http:
        assert (await http.post(site.url + EVENTS, content=content)).status_code == 400
        assert (await http.post(site.url + EVENTS, content=content + b"!")).status_code == 401
    assert "can't be read (UnicodeDecodeError)" in caplog.text


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "in chunks"])
async def test_a_body_that_is_too_large_is_refused_whoever_sends_it(
    site: Site, caplog: pytest.LogCaptureFixture, chunked: bool
) -> None:
    site.start()
    caplog.set_level(logging.INFO)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000

    headers = {"X-Slack-Request-Timestamp": "1795773425", "X-Slack-Signature": "v0=" + "0" * 64}
    content = chunks() if chunked else b"x" * (MOST_BYTES + 1)
    async with httpx.AsyncClient() as http:
        answer = await http.post(site.url + EVENTS, content=content, headers=headers)
    assert answer.status_code == 413
    assert "more than 1,000,000 bytes" in caplog.text


async def test_slack_at_a_wrong_address_is_a_warning_and_a_stranger_there_is_nobodys_business(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.start()
    caplog.set_level(logging.INFO, logger="bot.listeners.rejected_requests")
    async with httpx.AsyncClient() as http:
        assert (await http.post(f"{site.url}/wp-login.php", content=b"x")).status_code == 404
        assert (await http.get(f"{site.url}/")).status_code == 404
        assert (await http.get(site.url + EVENTS)).status_code == 405
    assert caplog.messages == []
    site.slack.request_url = f"{site.url}/slack/commands%20"
    assert await site.post(COMMAND) == 404
    [warning] = await site.rejected.warnings()
    assert "it sends to /slack/commands%20, and the bot listens at /slack/events" in warning


async def test_slack_is_heard_at_the_first_good_request_and_again_after_bad_ones(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.start()
    caplog.set_level(logging.INFO)
    for secret in (None, None, "another", None):
        await site.slack.http.post(COMMAND, secret=secret)
    assert caplog.messages.count("Slack is heard") == 2


async def test_a_header_of_no_text_is_answered_like_any_other(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.start()
    async with httpx.AsyncClient(headers={b"Expect": b"100-co\xc8tinue"}) as http:
        for path in ("/healthz", "/elsewhere"):
            assert (await http.get(site.url + path)).status_code in (200, 404)
    assert caplog.messages == []


async def test_a_port_that_is_taken_is_waited_for_where_it_may_become_free(site: Site) -> None:
    other = Endpoints("127.0.0.1", site.port, site.rejected, takes_slack=False)
    with pytest.raises(PortTaken, match="set HOST and PORT to a free one"):
        await other.open()
    waiting = asyncio.create_task(other.open(patience=5))
    await asyncio.sleep(0.1)
    await site.endpoints.close()
    await waiting
    assert (await site.get("/readyz"))[0] == 503
    await other.close()


async def test_a_host_that_is_not_this_machines_is_not_waited_for() -> None:
    nowhere = Endpoints("192.0.2.1", 0, RejectedRequests(real_now), takes_slack=False)
    async with asyncio.timeout(2):
        with pytest.raises(BotError, match="can't be listened on"):
            await nowhere.open(patience=60)


async def test_without_a_port_there_are_no_endpoints() -> None:
    none = Endpoints("127.0.0.1", None, RejectedRequests(real_now), takes_slack=False)
    await none.open()
    none.stop()
    await none.close()
