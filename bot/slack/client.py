"""Slack's own client, for a Slack whose answers may be without end, or lack what belongs to them: behind a proxy, or on
a bad day."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_internal_utils import _request_with_session
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import elapsed
from bot.slack.failures import IncompleteAnswer, classify

MOST_BYTES: Final = 4 * 2**20  # of one answer, unpacked; the largest is a page of 999 channels, at 1 to 2 kB each
MOST_PARTS: Final = 100_000  # lists and objects in it: millions of empty ones would take a second and 100 MB

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

log = logging.getLogger(__name__)


class _Answer(aiohttp.ClientResponse):
    """An answer that is read up to a bound, and as UTF-8, which Slack's JSON is, whatever it calls itself."""

    async def read(self) -> bytes:
        """The body. Raises IncompleteAnswer where it holds more than MOST_BYTES or MOST_PARTS."""
        if self._body is None:
            body = bytearray()
            async for piece in self.content.iter_any():
                body += piece
                if len(body) > MOST_BYTES:
                    self.close()
                    raise IncompleteAnswer(f"Slack's answer is longer than {MOST_BYTES} bytes")
            if body.count(b"[") + body.count(b"{") > MOST_PARTS:
                raise IncompleteAnswer(f"Slack's answer holds more than {MOST_PARTS} lists and objects")
            self._body = bytes(body)
        return self._body

    def get_encoding(self) -> str:
        """Never what the answer says: some of Python's encodings take minutes for a megabyte."""
        return "utf-8"

    async def json(self, **how: Any) -> Any:
        """What the body says, as ClientResponse has it. Raises IncompleteAnswer for lists in lists without end."""
        try:
            return await super().json(**how)
        except RecursionError:
            raise IncompleteAnswer("Slack's answer is nested too deeply") from None


class Client(AsyncWebClient):
    """AsyncWebClient, whose calls raise IncompleteAnswer where Slack says ok and not what the bot asked for."""

    async def api_call(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        """As AsyncWebClient's."""
        began = elapsed()
        try:
            answer = await self._complete(api_method, **arguments)
        except Exception as error:
            refusal = classify(error)
            _note(api_method, refusal.code if refusal else type(error).__name__, began)
            raise
        _note(api_method, "ok", began)
        return answer

    async def _complete(self, api_method: str, **arguments: Any) -> AsyncSlackResponse:
        try:
            answer = await super().api_call(api_method, **arguments)
        except AttributeError:  # AsyncWebClient asks any JSON for its "ok"
            raise IncompleteAnswer(f"Slack's answer to {api_method} is no JSON object") from None
        key, kind = NEEDED.get(api_method, ("ok", bool))
        if not isinstance(answer.get(key), kind) or answer.get(key) == "":
            raise IncompleteAnswer(f"Slack's answer to {api_method} lacks its “{key}”")
        return answer

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        """As AsyncWebClient's, in a session whose answers are bounded. Slack's methods redirect nobody."""
        patience = aiohttp.ClientTimeout(total=self.timeout)
        async with aiohttp.ClientSession(timeout=patience, response_class=_Answer) as session:
            return await _request_with_session(
                current_session=session,
                timeout=self.timeout,
                logger=self.logger,
                http_verb=http_verb,
                api_url=api_url,
                req_args={**req_args, "allow_redirects": False},
                retry_handlers=self.retry_handlers,
            )


def _note(method: str, outcome: str, began: float) -> None:
    log.debug("Slack's %s: %s, %.0f ms", method, outcome, 1000 * (elapsed() - began))
