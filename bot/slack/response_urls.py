"""Answers through a response_url: at most 5 posts within 30 minutes, in any conversation.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from bot.model import Message
from bot.slack.simpler_blocks import simpler_blocks

HOOKS: Final = {"slack.com": "hooks.slack.com", "slack-gov.com": "hooks.slack-gov.com"}
"""Where Slack's response_urls lead, by the host of its methods (https://docs.slack.dev/govslack)."""

_POSTS = 4  # of the 5 that Slack allows, one is left for the Share button
_PATIENCE = 10.0  # seconds for one post
_UNPACKED = {"Accept-Encoding": "identity"}
_MOST_SAID = 200  # bytes of what Slack says
_PAUSE = 0.5  # seconds before a post that was not taken is repeated

Origin = tuple[str, str, int | None]

log = logging.getLogger(__name__)


def body_of(message: Message, *, in_channel: bool = False) -> dict[str, Any]:
    """The message as an acknowledgement or a response_url takes it; who sees it is always said."""
    response_type = "in_channel" if in_channel else "ephemeral"
    return {"response_type": response_type, "text": message.text, "blocks": list(message.blocks)}


@dataclass(frozen=True)
class Responses:
    """Answers by `http`, which follows no redirect, and to Slack alone, which is where SLACK_API_URL leads."""

    http: httpx.AsyncClient
    slack_api_url: str

    async def respond(self, url: str, message: Message, *, in_channel: bool = False) -> bool:
        """Post the answer; simpler where Slack refuses the blocks. False, and a log line, where it did not take it.

        A dropped post is repeated only for the asker alone, where seeing it twice does no harm.
        """
        if not is_slacks(url, self.slack_api_url):
            log.warning("an answer was not sent, since its response_url does not lead to Slack")
            return False
        simpler = simpler_blocks(message.blocks)
        body: Mapping[str, Any] = {**body_of(message, in_channel=in_channel), "blocks": next(simpler)}
        for _ in range(_POSTS):
            try:
                status, said = await self._post(url, body)
            except (TimeoutError, httpx.HTTPError) as error:
                if in_channel:
                    log.warning("an answer shared with the channel may not have arrived (%s)", type(error).__name__)
                    return False
                await asyncio.sleep(_PAUSE)
                continue
            if status == 200:
                return True
            if status != 400 or (blocks := next(simpler, None)) is None:
                log.warning("an answer was not taken: %s %s", status, said)
                return False
            body = {**body, "blocks": blocks}
        log.warning("an answer could not be sent")
        return False

    async def _post(self, url: str, body: Mapping[str, Any]) -> tuple[int, str]:
        """The status and how Slack's words begin, of which more is not read. Raises TimeoutError, httpx.HTTPError."""
        said = b""
        async with (
            asyncio.timeout(_PATIENCE),
            self.http.stream("POST", url, json=body, headers=_UNPACKED, follow_redirects=False) as answer,
        ):
            if "Content-Encoding" in answer.headers:  # which nobody asked for, and may unpack to anything
                return answer.status_code, ""
            async for piece in answer.aiter_bytes():
                said += piece
                if len(said) > _MOST_SAID:
                    break
        return answer.status_code, said[:_MOST_SAID].decode(errors="replace")


def is_slacks(url: str, slack_api_url: str) -> bool:
    """Whether this response_url leads to Slack: taken apart by the client that would post to it."""
    try:
        there = httpx.URL(url)
        return not there.userinfo and _origin(there) == _hooks_of(httpx.URL(slack_api_url))
    except (httpx.InvalidURL, UnicodeError):  # the latter of a host that claims to be Punycode, and is none
        return False


def _hooks_of(api: httpx.URL) -> Origin:
    """Slack's own methods and response_urls have different hosts; anything that stands in for Slack has one."""
    hooks = HOOKS.get(api.host)
    return ("https", hooks, None) if hooks else _origin(api)


def _origin(url: httpx.URL) -> Origin:
    """Scheme, host and port; the scheme's own port is None."""
    return url.scheme, url.host, url.port
