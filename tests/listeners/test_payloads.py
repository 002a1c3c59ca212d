"""What Slack sends is read once, and whatever is not of Slack's form is refused without a traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners.dispatch import Dispatcher
from bot.listeners.payloads import MOST_TYPED, Click, Command, Submission, UnreadableError, read
from bot.listeners.rejected_requests import RejectedRequests
from bot.listeners.unhandled import register_unhandled
from bot.model import Act
from bot.sandbox.world import real_now
from bot.slack.connection import bolt_app

Json = dict[str, Any]

TRIGGER = "13345224609.738474920.8088930838d88f008e0"
COMMAND: Json = {
    "command": "/agent-usage",
    "text": "snooze Täglich 1 hour",
    "user_id": "U2147483697",
    "team_id": "T0001",
    "enterprise_id": "",
    "channel_id": "C2147483705",
    "trigger_id": TRIGGER,
    "response_url": "https://hooks.slack.com/commands/1234/5678",
}
CLICK: Json = {
    "type": "block_actions",
    "user": {"id": "W012A3CDE", "team_id": "T0001"},
    "team": {"id": "T0001", "enterprise_id": "E0001"},
    "enterprise": {"id": "E0001"},
    "channel": {"id": "C2147483705"},
    "container": {"type": "message", "channel_id": "C2147483705", "message_ts": "1763799999.000100"},
    "message": {"ts": "1763799999.000100", "metadata": {"event_payload": {}}},
    "trigger_id": TRIGGER,
    "response_url": "https://hooks.slack.com/actions/1234/5678",
    "actions": [{"type": "button", "action_id": "undo", "value": "1", "action_ts": "1763800000.123456"}],
}
MENU = CLICK | {
    "actions": [{"action_id": "snooze", "selected_option": {"value": "hour:1"}, "action_ts": "1763800000.123456"}]
}
SUBMISSION: Json = {
    "type": "view_submission",
    "user": {"id": "U2147483697", "team_id": "T0001"},
    "team": None,
    "trigger_id": TRIGGER,
    "view": {
        "type": "modal",
        "callback_id": "snooze_amount",
        "private_metadata": "7",
        "blocks": [{"type": "section"}, {"type": "input", "block_id": "snooze_amount"}],
        "state": {"values": {"snooze_amount": {"snooze_amount": {"type": "plain_text_input", "value": "$75"}}}},
    },
}
EVENT: Json = {
    "type": "event_callback",
    "team_id": "T0001",
    "authorizations": [{"team_id": "T0001", "enterprise_id": None, "user_id": "U1", "is_enterprise_install": False}],
    "event": {"type": "app_home_opened", "user": "U2147483697", "channel": "D0001", "view": {"id": "V1"}},
}
SHORTCUT: Json = {
    "type": "shortcut",
    "callback_id": "ask",
    "trigger_id": TRIGGER,
    "user": {"id": "U1", "team_id": "T1"},
}
CLOSED: Json = {"type": "view_closed", "user": {"id": "U1"}, "view": {"type": "modal", "callback_id": "x"}}
CHALLENGE: Json = {"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB10c"}
ALL = {
    "command": COMMAND,
    "click": CLICK,
    "menu": MENU,
    "submission": SUBMISSION,
    "event": EVENT,
    "shortcut": SHORTCUT,
    "closed": CLOSED,
    "challenge": CHALLENGE,
}


def test_what_slack_sends_becomes_values() -> None:
    assert [each.name for each in map(read, (COMMAND, CLICK, MENU, SUBMISSION, EVENT, SHORTCUT))] == [
        *("/agent-usage", "undo", "snooze", "snooze_amount", "app_home_opened", "ask")
    ]
    command, click, menu, submission = read(COMMAND), read(CLICK), read(MENU), read(SUBMISSION)
    assert isinstance(command, Command)
    assert (command.text, command.enterprise_id) == ("snooze Täglich 1 hour", None)
    assert isinstance(click, Click)
    assert click.act == Act("W012A3CDE", TRIGGER, 1763800000.123456)
    assert (click.value, click.channel_id, click.message_ts) == ("1", "C2147483705", "1763799999.000100")
    assert isinstance(menu, Click)
    assert menu.value == "hour:1"
    assert isinstance(submission, Submission)
    assert (submission.metadata, submission.value("snooze_amount"), submission.first_input) == (
        *("7", "$75", "snooze_amount"),
    )
    assert submission.act == Act("U2147483697", TRIGGER)


def put(payload: Json, place: str, value: object) -> Json:
    """The payload with another value at `actions.0.value`."""
    changed = deepcopy(payload)
    *way, last = (int(each) if each.isdigit() else each for each in place.split("."))
    inner: Any = changed
    for step in way:
        inner = inner[step]
    inner[last] = value
    return changed


TYPED = "view.state.values.snooze_amount.snooze_amount.value"
IDS = ["<!channel>", "<!here>", "U1|x", "u123", "C123", "", "U1\n", "Ｕ１２３", "U" * 40, 5, None, ["U1"], {"id": "U1"}]


@pytest.mark.parametrize("user_id", IDS, ids=repr)
@pytest.mark.parametrize(
    ("payload", "place"), [("command", "user_id"), ("click", "user.id"), ("submission", "user.id")]
)
def test_a_person_is_an_id_or_nothing(payload: str, place: str, user_id: object) -> None:
    with pytest.raises(UnreadableError, match=place):
        read(put(ALL[payload], place, user_id))


@pytest.mark.parametrize(
    ("payload", "place", "values"),
    [
        ("command", "trigger_id", ["", None, "a b", "x" * 200, 1, "1;DROP"]),
        ("command", "team_id", ["<!channel>", "U1", ["T1"], 7]),
        ("command", "text", [["x"], 5, "\ud800"]),
        ("command", "command", ["\x1b[31m", "/agent\u202eusage", "/" * 300, 5]),
        ("command", "response_url", [["x"], 5]),
        ("click", "actions.0.action_ts", ["", None, 1763800000.123456, "1763800000", "-1.000000", "nan", "1e9.000000"]),
        ("click", "actions.0.action_id", ["\x00", None, ["undo"], "x" * 300]),
        ("click", "actions.0.value", [5, ["1"], {"a": 1}, "\udfff"]),
        ("click", "actions", [[], {}, None, "x", [[]], [None]]),
        ("click", "container.channel_id", ["<!channel>", "#general", 5, "c123"]),
        ("click", "container.message_ts", ["yesterday", 1763799999.0001]),
        ("click", "trigger_id", [None, "", "<@U1>"]),
        ("submission", "trigger_id", [None, "", "<@U1>"]),
        ("submission", "view.private_metadata", [5, ["1"]]),
        ("submission", "view.state.values", [[], "x", {"b": {"a": {"value": "\ud800"}}}]),
        ("event", "event.user", ["<!channel>", 5, ["U1"]]),
        ("event", "event", [None, [], "x", {}]),
        ("shortcut", "callback_id", ["\x1b]0;x\x07", 5]),
        ("shortcut", "user", [{"id": "<!everyone>"}]),
        ("challenge", "challenge", [["x"], 5, "\ud800"]),
    ],
)
def test_what_has_not_the_form_that_slack_gives_it_is_refused(payload: str, place: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(UnreadableError) as refused:
            read(put(ALL[payload], place, value))
        assert str(refused.value).isprintable(), value
        assert len(str(refused.value)) < 100


def test_of_what_was_typed_no_more_is_taken_than_can_mean_something() -> None:
    accents = "a" + "\u0300\u0327" * 6_000
    command, submission = read(put(COMMAND, "text", accents)), read(put(SUBMISSION, TYPED, accents))
    assert isinstance(command, Command)
    assert isinstance(submission, Submission)
    assert [len(command.text), len(submission.value("snooze_amount"))] == [MOST_TYPED, MOST_TYPED]


def places(value: object, place: str = "") -> Iterator[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield f"{place}{key}"
        yield from places(each, f"{place}{key}.")


ODD: list[object] = [None, [], {}, "", 0, True, "<!channel>", ["x"], [None], [[]], {"id": 5}, {"a": []}, -1.5]


@pytest.mark.parametrize("payload", ALL.values(), ids=ALL)
async def test_any_odd_value_at_any_place_is_acknowledged_without_a_traceback(
    payload: Json, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = Dispatcher(bolt_app(AsyncWebClient("xoxb-of-a-test")), rejected := RejectedRequests(real_now))
    register_unhandled(dispatcher.app, rejected)
    caplog.set_level(logging.DEBUG)
    odd: list[object] = [put(payload, place, value) for place in places(payload) for value in ODD]
    for body in (*odd, *ODD):
        assert (await dispatcher.take(body)).status == 200, body
    assert not any(record.exc_info for record in caplog.records)


def test_a_value_that_was_read_can_not_be_changed() -> None:
    sent = read(COMMAND)
    with pytest.raises(ValueError, match="frozen"):
        setattr(sent, "user_id", "U2")  # noqa: B010 a type checker would refuse it
