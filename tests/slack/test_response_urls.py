"""Answers go to Slack's own response_urls alone, and follow nobody elsewhere."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.model import Message
from bot.slack.response_urls import Responses, is_slacks

REAL = "https://slack.com/api/"
GOV = "https://slack-gov.com/api/"
LOCAL = "http://127.0.0.1:8123/api/"
PROXIED = "https://slack.example.com/api/"


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://hooks.slack.com/commands/T1/2/x", REAL),
        ("https://hooks.slack.com/actions/T1/2/x", REAL),
        ("https://hooks.slack.com:443/actions/T1/2/x", REAL),
        ("HTTPS://HOOKS.SLACK.COM/actions/T1/2/x", REAL),
        ("https://hooks.slack-gov.com/actions/T1/2/x", GOV),
        ("http://127.0.0.1:8123/commands/T1/2/x", LOCAL),
        ("https://slack.example.com/commands/x", PROXIED),
    ],
)
def test_what_leads_to_slack(url: str, api: str) -> None:
    assert is_slacks(url, api)


@pytest.mark.parametrize(
    ("url", "api"),
    [
        pytest.param("", REAL, id="empty"),
        pytest.param("hooks.slack.com/x", REAL, id="no scheme"),
        pytest.param("//hooks.slack.com/x", REAL, id="no scheme but slashes"),
        pytest.param("http://hooks.slack.com/x", REAL, id="not https"),
        pytest.param("ftp://hooks.slack.com/x", REAL, id="another scheme"),
        pytest.param("file:///etc/passwd", REAL, id="a file"),
        pytest.param("https://evil.example/x", REAL, id="another host"),
        pytest.param("https://slack.com/x", REAL, id="the host of the methods"),
        pytest.param("https://evil.slack.com/x", REAL, id="another host of Slack's domain"),
        pytest.param("https://hooks.slack.com.evil.example/x", REAL, id="Slack's in front"),
        pytest.param("https://evilhooks.slack.com/x", REAL, id="Slack's behind"),
        pytest.param("https://hooks.slack.com./x", REAL, id="trailing dot"),
        pytest.param("https://xn--/x", REAL, id="Punycode that is none"),
        pytest.param("https://hooks.slack.com@evil.example/x", REAL, id="Slack's as the user"),
        pytest.param("https://evil.example\\@hooks.slack.com/x", REAL, id="backslash"),
        pytest.param("https://user:pass@hooks.slack.com/x", REAL, id="a user"),
        pytest.param("https://hooks.slack.com:8443/x", REAL, id="another port"),
        pytest.param("https://hooks.slack.com:443@evil.example/x", REAL, id="Slack's port as a password"),
        pytest.param("https://hooks.slack.com#@evil.example/\n", REAL, id="a line break"),
        pytest.param("https://hooks.sl\u0430ck.com/x", REAL, id="a Cyrillic letter"),
        pytest.param("https://hooks\u3002slack\u3002com.evil.example/x", REAL, id="ideographic stops"),
        pytest.param("https://[::1]/x", REAL, id="IPv6"),
        pytest.param("https://[::ffff:169.254.169.254]/x", REAL, id="IPv4 in IPv6"),
        pytest.param("https://[hooks.slack.com]/x", REAL, id="a name in brackets"),
        pytest.param("http://169.254.169.254/latest/meta-data", REAL, id="metadata of a cloud"),
        pytest.param("https://hooks.slack-gov.com/x", REAL, id="GovSlack's for Slack"),
        pytest.param("https://hooks.slack.com/x", GOV, id="Slack's for GovSlack"),
        pytest.param("https://hooks.slack.com/x", LOCAL, id="Slack's for one that stands in"),
        pytest.param("http://127.0.0.1:8124/x", LOCAL, id="another port here"),
        pytest.param("http://127.0.0.1/x", LOCAL, id="no port"),
        pytest.param("http://localhost:8123/x", LOCAL, id="another name of this machine"),
        pytest.param("http://[::1]:8123/x", LOCAL, id="another address of this machine"),
        pytest.param("https://127.0.0.1:8123/x", LOCAL, id="another scheme here"),
        pytest.param("http://slack.example.com/x", PROXIED, id="plain where the methods are not"),
    ],
)
def test_what_leads_elsewhere(url: str, api: str) -> None:
    assert not is_slacks(url, api)


class Hooks:
    """Slack's side: answers from this list, and what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


HOOK = "https://hooks.slack.com/actions/T1/2/secret"
CHART = Message("text", ({"type": "data_visualization"}, {"type": "section"}))


@pytest.fixture
async def clients() -> AsyncIterator[list[httpx.AsyncClient]]:
    made: list[httpx.AsyncClient] = []
    yield made
    for each in made:
        await each.aclose()


def to(hooks: Hooks, clients: list[httpx.AsyncClient], api: str = REAL) -> Responses:
    clients.append(httpx.AsyncClient(transport=httpx.MockTransport(hooks)))
    return Responses(clients[-1], api)


async def test_what_is_refused_is_not_asked_and_logged_without_its_address(
    clients: list[httpx.AsyncClient], caplog: pytest.LogCaptureFixture
) -> None:
    hooks = Hooks()
    assert not await to(hooks, clients).respond("https://evil.example/secret", CHART)
    assert hooks.asked == []
    assert caplog.messages == ["an answer was not sent, since its response_url does not lead to Slack"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(
    clients: list[httpx.AsyncClient], caplog: pytest.LogCaptureFixture, status: int
) -> None:
    hooks = Hooks(httpx.Response(status, headers={"Location": "https://evil.example/elsewhere"}))
    assert not await to(hooks, clients).respond(HOOK, CHART)
    assert [str(each.url) for each in hooks.asked] == [HOOK]
    assert "evil" not in caplog.text
    assert "secret" not in caplog.text


async def test_blocks_that_slack_refuses_become_simpler(clients: list[httpx.AsyncClient]) -> None:
    hooks = Hooks(httpx.Response(400, text="invalid_blocks"), httpx.Response(200, text="ok"))
    assert await to(hooks, clients).respond(HOOK, CHART)
    assert [b"data_visualization" in each.content for each in hooks.asked] == [True, False]


@pytest.mark.parametrize(("in_channel", "asked"), [(False, 2), (True, 1)], ids=["to the asker", "to the channel"])
async def test_a_dropped_answer_is_repeated_for_the_asker_alone(
    clients: list[httpx.AsyncClient], caplog: pytest.LogCaptureFixture, in_channel: bool, asked: int
) -> None:
    caplog.set_level(logging.INFO)
    hooks = Hooks(httpx.ReadError("dropped"), httpx.Response(200, text="ok"))
    assert await to(hooks, clients).respond(HOOK, CHART, in_channel=in_channel) is not in_channel
    assert len(hooks.asked) == asked
