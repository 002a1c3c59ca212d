"""The arguments of one Web API call, whichever way they were sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.slack.workspace import Json, SlackRefusal


@dataclass(frozen=True, slots=True)
class Arguments:
    """By name; from a form every value is a string, from JSON it has its type."""

    values: Json

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A value that must be there; else `invalid_arguments` with Slack's message."""
        if not self.text(name):
            raise invalid_arguments(f"missing required field: {name}")
        return self.text(name)

    def flag(self, name: str, default: bool = False) -> bool:
        return self.text(name, str(default)).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise invalid_arguments(f"must be an integer [json-pointer:/{name}]") from None

    def structure(self, name: str, error: str) -> Any:
        """A JSON value, sent as such or as a string that holds it; `error` where it is not JSON, None where absent."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackRefusal(error) from None


def invalid_arguments(*messages: str) -> SlackRefusal:
    """Slack's refusal of wrong arguments, one message each."""
    return SlackRefusal("invalid_arguments", response_metadata={"messages": [f"[ERROR] {each}" for each in messages]})


async def arguments_of(request: web.Request) -> Arguments:
    """From the query, then a form or JSON body."""
    values: Json = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            values |= await _json_object(request)
        else:
            values |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return Arguments(values)


async def _json_object(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise SlackRefusal("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackRefusal("json_not_object")
    return body
