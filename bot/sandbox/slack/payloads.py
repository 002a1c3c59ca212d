"""The payloads Slack sends to an app, field for field (slash command, block_actions, view and event references)."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bot.sandbox.slack.elements import ELEMENTS
from bot.sandbox.slack.workspace import (
    APP_ID,
    BOT_USER_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    Channel,
    Json,
    Message,
    User,
    View,
)

VERIFICATION_TOKEN = "sandbox-verification-token"
_AS_IT_WAS: Any = object()
TEAM: Json = {"id": TEAM_ID, "domain": TEAM_DOMAIN}


@dataclass(frozen=True, slots=True)
class Picked:
    """The element a person used, the block it is in, and what they chose (None: just pressed)."""

    element: Json
    block_id: str
    value: Any = None


def escaped(text: str) -> str:
    """What a person typed as Slack keeps it and hands it on (docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def slash_command(command: str, text: str, user: User, channel: Channel, trigger_id: str, response_url: str) -> Json:
    """The form fields of a typed command, all strings; the workspace is the person's."""
    named = {"enterprise_id": user.enterprise_id, "enterprise_name": f"Organisation {user.enterprise_id}"}
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": user.team_id,
        "team_domain": TEAM_DOMAIN,
        **(named if user.enterprise_id else {}),
        "channel_id": channel.id,
        "channel_name": _channel_name(channel, for_command=True),
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": escaped(text),
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def block_actions_on_message(
    message: Message,
    picked: Picked,
    user: User,
    channel: Channel,
    trigger_id: str,
    response_url: str,
    action_ts: str,
    state: Json,
) -> Json:
    """A click in a message; an ephemeral message is not sent along."""
    ephemeral = message.visible_to is not None
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": ephemeral,
    }
    if message.thread_ts is not None:
        container["thread_ts"] = message.thread_ts
    payload = _block_actions(picked, user, trigger_id, action_ts) | {
        "container": container,
        "channel": {"id": channel.id, "name": _channel_name(channel)},
        "response_url": response_url,
        "state": {"values": state},
    }
    return payload if ephemeral else payload | {"message": message.json()}


def block_actions_in_view(view: View, picked: Picked, user: User, trigger_id: str, action_ts: str, state: Json) -> Json:
    """A click in a modal or a Home tab: no channel, no message, no response_url."""
    return _block_actions(picked, user, trigger_id, action_ts) | {
        "container": {"type": "view", "view_id": view.id},
        "view": view.json(state),
    }


def view_submission(view: View, user: User, trigger_id: str, state: Json, response_urls: list[Json]) -> Json:
    """A submitted modal."""
    return {
        "type": "view_submission",
        "token": VERIFICATION_TOKEN,
        "team": TEAM,
        "user": _user(user),
        "api_app_id": APP_ID,
        "trigger_id": trigger_id,
        "view": view.json(state),
        "response_urls": response_urls,
        "is_enterprise_install": False,
        "enterprise": None,
    }


def view_closed(view: View, user: User, is_cleared: bool) -> Json:
    """A modal that was closed and had asked to be told."""
    return {
        "type": "view_closed",
        "token": VERIFICATION_TOKEN,
        "team": TEAM,
        "user": _user(user),
        "api_app_id": APP_ID,
        "view": view.json(),
        "is_cleared": is_cleared,
        "is_enterprise_install": False,
        "enterprise": None,
    }


def event_callback(event: Json, event_id: str, event_time: int) -> Json:
    """An event of the Events API in its wrapping."""
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": TEAM_ID,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id or f"Ev{uuid4().hex[:10].upper()}",
        "event_time": event_time,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }


def on_grid(payload: Json, enterprise_id: str) -> Json:
    """The payload as a workspace of this organisation on Enterprise Grid sends it; a command's is the person's own."""
    if "command" in payload:
        return payload
    if "event" in payload:
        return payload | {"enterprise_id": enterprise_id}
    organisation = {"id": enterprise_id, "name": f"Organisation {enterprise_id}"}
    team = payload["team"] | {"enterprise_id": enterprise_id, "enterprise_name": organisation["name"]}
    return payload | {"enterprise": organisation, "team": team}


def element_within(blocks: list[Json], action_id: str) -> Picked:
    """The element with this action id, wherever in the blocks it stands; LookupError where there is none."""
    for block in blocks:
        for element in _elements(block):
            if element.get("action_id") == action_id:
                return Picked(element, str(block["block_id"]))
    offered = [str(each.get("action_id")) for block in blocks for each in _elements(block)]
    raise LookupError(f"no element {action_id} here; there are: {', '.join(offered) or 'none'}")


def chosen(element: Json, value: Any) -> Json:
    """What a payload or a view's state says of the element when `value` was chosen; None: its initial value."""
    kind = str(element["type"])
    match kind:
        case "button":
            return {"value": value if value is not None else element["value"]} if value or "value" in element else {}
        case "static_select" | "external_select" | "radio_buttons" | "overflow":
            return {"selected_option": _option(element, value)}
        case "checkboxes" | "multi_static_select" | "multi_external_select":
            return {"selected_options": _options(element, value)}
        case "datetimepicker":
            return {"selected_date_time": element.get("initial_date_time") if value is None else value}
        case "datepicker" | "timepicker":
            name = kind.removesuffix("picker")
            return {f"selected_{name}": element.get(f"initial_{name}") if value is None else value}
        case _ if kind.endswith("s_select"):
            name = kind.removeprefix("multi_").removesuffix("s_select") + ("s" if kind.startswith("multi_") else "")
            return {f"selected_{name}": element.get(f"initial_{name}") if value is None else value}
        case _:
            given = element.get("initial_value") if value is None else value
            return {"value": None if given in (None, "") else str(given)}


def state_of(blocks: list[Json], values: Json) -> Json:
    """A view's or message's state: what each input holds, with `values` by block id or action id over the initial ones.

    A value is what the person typed, the option's value, or None where the input was emptied; {action_id: value} says
    which element of a block is meant.
    """
    state: Json = {}
    unused = set(values)
    for block in blocks:
        for element in _stateful(block):
            block_id, action_id = str(block["block_id"]), str(element.get("action_id", ""))
            unused -= {block_id, action_id}
            value = values.get(block_id, values.get(action_id, _AS_IT_WAS))
            if isinstance(value, dict):
                value = value.get(action_id, _AS_IT_WAS)
            emptied = {key: each for key, each in element.items() if not key.startswith("initial_")}
            held = chosen(element, None) if value is _AS_IT_WAS else chosen(emptied, value)
            state.setdefault(block_id, {})[action_id] = {"type": element["type"], **held}
    if unused:
        raise LookupError(f"no input {', '.join(sorted(unused))} here; there are: {', '.join(state) or 'none'}")
    return state


def _stateful(block: Json) -> list[Json]:
    """Inputs, and in other blocks everything but buttons, overflows and images."""
    return [each for each in _elements(block) if each["type"] not in ("button", "overflow", "image", "icon_button")]


def _elements(value: Any) -> list[Json]:
    if isinstance(value, list):
        return [found for each in value for found in _elements(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("type") in ELEMENTS and value.get("type") != "image" else []
    return own + [found for each in value.values() for found in _elements(each)]


def _option(element: Json, value: Any) -> Json | None:
    """The option with this value, or the initial one."""
    if value is None:
        initial: Json | None = element.get("initial_option")
        return initial
    for option in _offered(element):
        if option["value"] == value:
            return option
    raise LookupError(f"no option {value}; there are: {', '.join(each['value'] for each in _offered(element))}")


def _options(element: Json, values: Any) -> list[Json]:
    if values is None:
        return list(element.get("initial_options", []))
    return [option for option in (_option(element, each) for each in values) if option is not None]


def _offered(element: Json) -> list[Json]:
    """Every option; an external select offers what the person names."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def _block_actions(picked: Picked, user: User, trigger_id: str, action_ts: str) -> Json:
    element = picked.element
    action = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": picked.block_id,
        **chosen(element, picked.value),
        "action_ts": action_ts,
    }
    for name in ("text", "style", "url", "placeholder"):
        if name in element:
            action[name] = deepcopy(element[name])
    return {
        "type": "block_actions",
        "user": _user(user),
        "api_app_id": APP_ID,
        "token": VERIFICATION_TOKEN,
        "trigger_id": trigger_id,
        "team": TEAM,
        "enterprise": None,
        "is_enterprise_install": False,
        "actions": [json.loads(json.dumps(action))],
    }


def _user(user: User) -> Json:
    """Whoever it is, with the own workspace: also where the channel is shared with another organisation."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id}


def _channel_name(channel: Channel, for_command: bool = False) -> str:
    """Private channels and direct messages have no name of their own in a command."""
    if channel.im_with is not None:
        return "directmessage"
    return "privategroup" if channel.private and for_command else channel.name
