"""Answers through a response_url: at most 5 posts within 30 minutes, in any conversation (slash command page)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.model import Message
from bot.network import proxy_for
from bot.slack.ladder import rungs

_POSTS = 4  # of the 5 that Slack allows, one is left for the Share button
_PAUSE = 0.5  # seconds before a post that was not taken is repeated

log = logging.getLogger(__name__)


def body_of(message: Message, *, in_channel: bool = False) -> dict[str, Any]:
    """The message as an acknowledgement or a response_url takes it; who sees it is always said."""
    response_type = "in_channel" if in_channel else "ephemeral"
    return {"response_type": response_type, "text": message.text, "blocks": list(message.blocks)}


async def respond(url: str, message: Message, *, in_channel: bool = False) -> bool:
    """Post the answer; simpler where Slack refuses the blocks. False, and a log line, where it did not take it.

    A dropped post is repeated only for the asker alone, where seeing it twice does no harm.
    """
    client = AsyncWebhookClient(url, timeout=10, retry_handlers=[])
    client.proxy = proxy_for(url)  # afterwards: as an argument, None means whatever HTTPS_PROXY says
    simpler = rungs(message.blocks)
    body: Mapping[str, Any] = {**body_of(message, in_channel=in_channel), "blocks": next(simpler)}
    for _ in range(_POSTS):
        try:
            answer = await client.send_dict(dict(body))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if in_channel:
                log.warning("an answer shared with the channel may not have arrived (%s)", type(error).__name__)
                return False
            await asyncio.sleep(_PAUSE)
            continue
        if answer.status_code == 200:
            return True
        if answer.status_code != 400 or (blocks := next(simpler, None)) is None:
            log.warning("an answer was not taken: %s %s", answer.status_code, answer.body[:200])
            return False
        body = {**body, "blocks": blocks}
    log.warning("an answer could not be sent")
    return False
