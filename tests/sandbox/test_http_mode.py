"""HTTP mode: what is POSTed to the app, how it is signed, and what counts as acknowledged."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import SimulatedSlack
from tests.sandbox.conftest import App


async def test_a_command_is_a_signed_form(slack: SimulatedSlack, app: App) -> None:
    result = await slack.command("/agent-usage", "“R&D” <!here> &lt;")
    headers, body = app.received[0]
    assert result.acknowledged
    assert SignatureVerifier(slack.signing_secret).is_valid_request(body, headers)
    assert parse_qs(body)["text"] == ["“R&amp;D” &lt;!here&gt; &amp;lt;"]  # with should_escape or without


async def test_events_are_json_with_retry_headers(slack: SimulatedSlack, app: App) -> None:
    await slack.event({"type": "app_uninstalled"}, event_id="Ev7", retry=2)
    headers, body = app.received[0]
    assert json.loads(body)["event_id"] == "Ev7"
    assert (headers["X-Slack-Retry-Num"], headers["X-Slack-Retry-Reason"]) == ("2", "timeout")


async def test_a_click_is_a_payload_in_a_form(slack: SimulatedSlack, app: App, client: AsyncWebClient) -> None:
    button = {"type": "button", "action_id": "ack", "value": "7", "text": {"type": "plain_text", "text": "Ack"}}
    blocks = [{"type": "actions", "elements": [button]}]
    await client.chat_postMessage(channel="#voice-spend", text="x", blocks=blocks)
    await slack.click(slack.messages("#voice-spend")[0], "ack")
    payload = json.loads(parse_qs(app.received[0][1])["payload"][0])
    assert (payload["type"], payload["actions"][0]["value"]) == ("block_actions", "7")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (web.json_response({"response_type": "in_channel", "text": "hi"}), "hi"),
        (web.Response(text="hi"), "hi"),
    ],
    ids=["JSON", "text"],
)
async def test_the_body_of_the_acknowledgement_is_shown(
    slack: SimulatedSlack, app: App, answer: web.Response, expected: str
) -> None:
    app.answers.append(answer)
    result = await slack.command("/agent-usage")
    assert (await result.answer()).text == expected


async def test_another_status_is_a_failed_dispatch(slack: SimulatedSlack, app: App) -> None:
    app.answers.append(web.Response(status=500))
    result = await slack.command("/agent-usage")
    assert (result.acknowledged, result.error, result.http_status) == (False, "dispatch_failed", 500)


async def test_nobody_listening_is_a_failed_dispatch(slack: SimulatedSlack) -> None:
    slack.request_url = "http://127.0.0.1:9/slack/events"
    assert (await slack.command("/agent-usage")).error == "dispatch_failed"


async def test_unusable_blocks_in_the_acknowledgement_are_an_error_to_the_person(
    slack: SimulatedSlack, app: App
) -> None:
    app.answers.append(web.json_response({"text": "x", "blocks": [{"type": "hologram"}]}))
    result = await slack.command("/agent-usage")
    assert (result.error, result.answers) == ("invalid_command_response", [])


@pytest.mark.parametrize(
    ("lie", "status"),
    [({}, 404), ({"secret": "wrong"}, 401), ({"timestamp": 1_500_000_000}, 401), ({"signature": "v0=0"}, 401)],
    ids=["honest", "wrong secret", "stale", "wrong signature"],
)
async def test_bolt_accepts_only_requests_that_are_signed_right(
    slack: SimulatedSlack, lie: dict[str, object], status: int
) -> None:
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    runner = web.AppRunner(AsyncApp(client=client, signing_secret=slack.signing_secret).web_app("/slack/events"))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    answer = await slack.http.post("command=%2Funknown&team_id=T1&user_id=U1", **lie)  # type: ignore[arg-type]
    await runner.cleanup()
    assert answer.status == status
