"""What no listener takes is acknowledged and noted, whatever it is, in both modes."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.connection import bolt_app
from bot.listeners.unhandled import register_unhandled
from bot.refusals import Refusals
from bot.sandbox.world import real_now

PERSON = {"user": {"id": "U1", "team_id": "T1"}, "team": {"id": "T1"}}


@pytest.fixture
def refusals(caplog: pytest.LogCaptureFixture) -> Refusals:
    caplog.set_level(logging.INFO, logger="bot.refusals")
    return Refusals(real_now)


@pytest.fixture
def app(refusals: Refusals) -> AsyncApp:
    """Bolt as the bot has it, with one listener."""
    app = bolt_app(AsyncWebClient("xoxb-of-a-test"))

    @app.command("/agent-usage")
    async def on_command(ack: Any, body: dict[str, Any]) -> None:
        if body["text"] == "boom":
            raise RuntimeError("boom")
        await ack()

    register_unhandled(app, refusals)
    return app


async def sent(app: AsyncApp, **payload: Any) -> BoltResponse:
    return await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body={**PERSON, **payload}))


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"type": "shortcut", "callback_id": "show"}, "shortcut “show”"),
        ({"type": "message_action", "callback_id": "show"}, "message_action “show”"),
        ({"type": "block_suggestion", "action_id": "menu", "block_id": "b", "value": "x"}, "block_suggestion “menu”"),
        ({"type": "block_actions", "actions": [{"action_id": "old"}]}, "block_actions “old”"),
        ({"type": "view_submission", "view": {"type": "modal", "callback_id": "old"}}, "view_submission “old”"),
        ({"type": "view_closed", "view": {"type": "modal", "callback_id": "old"}}, "view_closed “old”"),
        ({"type": "event_callback", "event": {"type": "app_mention"}}, "event_callback “app_mention”"),
        (
            {"type": "event_callback", "event": {"type": "function_executed", "function": {"callback_id": "f"}}},
            "event_callback “function_executed”",
        ),
        ({"type": "dialog_submission", "callback_id": "old"}, "dialog_submission “old”"),
        ({"type": "interactive_message", "callback_id": "x", "actions": [{"name": "a"}]}, "interactive_message “”"),
        ({"type": "made_up_tomorrow"}, "made_up_tomorrow “made_up_tomorrow”"),
        ({}, "None “”"),
    ],
    ids=lambda value: str(value.get("type", "nothing")) if isinstance(value, dict) else "",
)
async def test_it_is_acknowledged_and_named_in_one_line_that_rings_nowhere(
    app: AsyncApp, refusals: Refusals, caplog: pytest.LogCaptureFixture, payload: dict[str, Any], named: str
) -> None:
    for _ in range(3):
        answer = await sent(app, **payload)
        assert (answer.status, answer.body) == (200, "")
    [line] = caplog.messages
    assert named in line
    assert await refusals.warnings() == []


async def test_an_unknown_command_is_told_which_one_the_bot_answers(app: AsyncApp, refusals: Refusals) -> None:
    answer = await sent(app, command="/agent-usage-dev", text="")
    body = json.loads(answer.body)
    assert answer.status == 200
    assert body["text"] == "This bot answers /agent-usage, and does not know /agent-usage-dev."
    assert body["response_type"] == "ephemeral"
    [warning] = await refusals.warnings()
    assert "/agent-usage-dev" in warning


async def test_the_next_known_command_ends_the_warning_and_a_click_does_not(app: AsyncApp, refusals: Refusals) -> None:
    await sent(app, command="/agent-usage-dev", text="")
    await sent(app, type="block_actions", actions=[{"action_id": "old"}])
    assert len(await refusals.warnings()) == 1
    await sent(app, command="/agent-usage", text="")
    assert await refusals.warnings() == []


async def test_what_a_listener_fails_at_is_logged_whole(app: AsyncApp, caplog: pytest.LogCaptureFixture) -> None:
    answer = await sent(app, command="/agent-usage", text="boom")
    assert answer.status == 500
    [record] = caplog.records
    assert record.exc_info
    assert "boom" in caplog.text


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "event_callback", "event": "x"},
        {"type": "block_actions", "actions": [None]},
    ],
    ids=["an event that is text", "an action that is nothing"],
)
async def test_what_bolt_itself_stumbles_over_is_refused_in_one_line(
    app: AsyncApp, refusals: Refusals, caplog: pytest.LogCaptureFixture, payload: dict[str, Any]
) -> None:
    @app.action("a")
    async def on_click(ack: Any) -> None:
        await ack()

    assert (await sent(app, **payload)).status == 400
    [warning] = await refusals.warnings()
    assert warning.startswith("Slack sent a request that can't be read (")
    assert "Traceback" not in caplog.text
