"""What no listener takes is acknowledged and noted, whatever it is, in both modes."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.dispatch import Dispatcher
from bot.listeners.payloads import Command
from bot.listeners.rejected_requests import RejectedRequests
from bot.listeners.unhandled import register_unhandled
from bot.sandbox.world import real_now
from bot.slack.connection import bolt_app

OLD = {"action_id": "old", "action_ts": "1763800000.123456"}
PERSON = {"user": {"id": "U1", "team_id": "T1"}, "user_id": "U1", "team": {"id": "T1"}, "trigger_id": "1.2.a"}


@pytest.fixture
def rejected(caplog: pytest.LogCaptureFixture) -> RejectedRequests:
    caplog.set_level(logging.INFO, logger="bot.listeners.rejected_requests")
    return RejectedRequests(real_now)


@pytest.fixture
def dispatcher(rejected: RejectedRequests) -> Dispatcher:
    """The way to Bolt as the bot has it, with one listener."""
    app = bolt_app(AsyncWebClient("xoxb-of-a-test"))

    @app.command("/agent-usage")
    async def on_command(ack: Any, sent: Command) -> None:
        if sent.text == "boom":
            raise RuntimeError("boom")
        await ack()

    register_unhandled(app, rejected)
    return Dispatcher(app, rejected)


async def sent(dispatcher: Dispatcher, **payload: Any) -> BoltResponse:
    return await dispatcher.take({**PERSON, **payload})


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"type": "shortcut", "callback_id": "show"}, "shortcut “show”"),
        ({"type": "message_action", "callback_id": "show"}, "message_action “show”"),
        ({"type": "block_suggestion", "action_id": "menu", "block_id": "b", "value": "x"}, "block_suggestion “menu”"),
        (
            {"type": "block_actions", "actions": [OLD]},
            "block_actions “old”",
        ),
        ({"type": "view_submission", "view": {"type": "modal", "callback_id": "old"}}, "view_submission “old”"),
        ({"type": "view_closed", "view": {"type": "modal", "callback_id": "old"}}, "view_closed “old”"),
        ({"type": "event_callback", "event": {"type": "app_mention"}}, "event_callback “app_mention”"),
        (
            {"type": "event_callback", "event": {"type": "function_executed", "function": {"callback_id": "f"}}},
            "event_callback “function_executed”",
        ),
        ({"type": "dialog_submission", "callback_id": "old"}, "dialog_submission “old”"),
        ({"type": "interactive_message", "callback_id": "x", "actions": [{"name": "a"}]}, "interactive_message “x”"),
        ({"type": "made_up_tomorrow"}, "made_up_tomorrow “”"),
        ({}, "something “”"),
    ],
    ids=lambda value: str(value.get("type", "nothing")) if isinstance(value, dict) else "",
)
async def test_it_is_acknowledged_and_named_in_one_line_that_rings_nowhere(
    dispatcher: Dispatcher,
    rejected: RejectedRequests,
    caplog: pytest.LogCaptureFixture,
    payload: dict[str, Any],
    named: str,
) -> None:
    for _ in range(3):
        answer = await sent(dispatcher, **payload)
        assert (answer.status, answer.body) == (200, "")
    [line] = caplog.messages
    assert named in line
    assert await rejected.warnings() == []


async def test_an_unknown_command_is_told_which_one_the_bot_answers(
    dispatcher: Dispatcher, rejected: RejectedRequests
) -> None:
    answer = await sent(dispatcher, command="/agent-usage-dev", text="")
    body = json.loads(answer.body)
    assert answer.status == 200
    assert body["text"] == "This bot answers /agent-usage, and does not know /agent-usage-dev."
    assert body["response_type"] == "ephemeral"
    [warning] = await rejected.warnings()
    assert "/agent-usage-dev" in warning


async def test_the_next_known_command_ends_the_warning_and_a_click_does_not(
    dispatcher: Dispatcher, rejected: RejectedRequests
) -> None:
    await sent(dispatcher, command="/agent-usage-dev", text="")
    await sent(dispatcher, type="block_actions", actions=[OLD])
    assert len(await rejected.warnings()) == 1
    await sent(dispatcher, command="/agent-usage", text="")
    assert await rejected.warnings() == []


async def test_what_a_listener_fails_at_is_logged_whole(
    dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await sent(dispatcher, command="/agent-usage", text="boom")
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
async def test_what_bolt_itself_would_stumble_over_is_one_line(
    dispatcher: Dispatcher, rejected: RejectedRequests, caplog: pytest.LogCaptureFixture, payload: dict[str, Any]
) -> None:
    assert (await sent(dispatcher, **payload)).status == 200
    [warning] = await rejected.warnings()
    assert warning.startswith("Slack sent a request that can't be read (")
    assert "Traceback" not in caplog.text
