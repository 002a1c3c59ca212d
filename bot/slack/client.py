"""Slack's own client, for a Slack whose answers may lack what belongs to them: behind a proxy, or on a bad day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.failures import IncompleteAnswer

NEEDED: Mapping[str, tuple[str, type]] = {
    "apps.connections.open": ("url", str),
    "auth.test": ("team_id", str),
    "chat.postMessage": ("ts", str),
    "conversations.history": ("messages", list),
    "conversations.info": ("channel", dict),
    "conversations.list": ("channels", list),
    "conversations.replies": ("messages", list),
    "usergroups.users.list": ("users", list),
    "users.info": ("user", dict),
}
"""What the bot reads of each method's answer (https://docs.slack.dev/reference/methods); of others it reads nothing."""


class Client(AsyncWebClient):
    """AsyncWebClient, whose calls raise IncompleteAnswer where Slack says ok and not what the bot asked for."""

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """As AsyncWebClient's."""
        try:
            answer = await super().api_call(api_method, **arguments)
        except AttributeError:  # AsyncWebClient asks any JSON for its "ok"
            raise IncompleteAnswer(f"Slack's answer to {api_method} is no JSON object") from None
        key, kind = NEEDED.get(api_method, ("ok", bool))
        if not isinstance(answer.get(key), kind) or answer.get(key) == "":
            raise IncompleteAnswer(f"Slack's answer to {api_method} lacks its “{key}”")
        return answer
