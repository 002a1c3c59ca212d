"""Posting to Slack, and finding out whether a post arrived. One attempt each: retries belong to the outbox."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Message
from bot.slack.failures import Failure, Refusal, classify
from bot.slack.ladder import rungs

EVENT_TYPE = "agent_usage_bot"
_PAGES = 20  # of history looked through for one message; a page holds 200
_CLOCKS_APART = 86_400.0  # seconds that our clock and Slack's may differ when history is searched: a wrong zone, too

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """Slack has the message: the channel's id, and the message's ts."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The channel's history was read and does not hold the message."""


class Sender:
    """Calls Slack with a client whose own retry handlers are off: they would send a dropped POST again.

    `may_post` is asked before each call that posts, since another process may have taken this one for dead.
    """

    def __init__(self, client: AsyncWebClient, may_post: Callable[[], bool]) -> None:
        self._client = client
        self._may_post = may_post

    async def post(
        self, channel: str, message: Message, row_id: str, kind: str, thread: str | None, broadcast: bool = False
    ) -> Posted | Refusal:
        """Post, with the row's id in the metadata; walks down to simpler blocks where Slack refuses these.

        `broadcast` shows a reply of the thread in the channel too.
        """
        arguments: dict[str, Any] = {"channel": channel, "unfurl_links": False, "unfurl_media": False}
        arguments["metadata"] = {"event_type": EVENT_TYPE, "event_payload": {"id": row_id, "kind": kind}}
        if thread:
            arguments |= {"thread_ts": thread, "reply_broadcast": broadcast}
        outcome = await self._down_the_ladder(self._client.chat_postMessage, message, arguments)
        if isinstance(outcome, Refusal):
            return outcome
        return Posted(outcome["channel"], outcome["ts"])

    async def edit(self, channel: str, ts: str, message: Message) -> Posted | Refusal:
        """Show the message's present state. Doing it twice does no harm, so an unclear outcome is tried again."""
        outcome = await self._down_the_ladder(self._client.chat_update, message, {"channel": channel, "ts": ts})
        return outcome if isinstance(outcome, Refusal) else Posted(channel, ts)

    async def find(self, channel: str, row_id: str, since: float, thread: str | None) -> Posted | Absent | Refusal:
        """Look for the row's id in what the channel (or thread) has received since then, seconds since 1970.

        A Refusal of class DESTINATION means that this history can't be read at all.
        """
        arguments: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{since - _CLOCKS_APART:.6f}",
            "include_all_metadata": True,
            "limit": 200,
        }
        read: Callable[..., Awaitable[Any]] = self._client.conversations_history
        if thread:
            read, arguments["ts"] = self._client.conversations_replies, thread
        for _ in range(_PAGES):
            answer = await _call(read, **arguments)
            if isinstance(answer, Refusal):
                return _unreadable(answer)
            for message in answer.get("messages") or []:
                if _row_id(message) == row_id:
                    return Posted(answer.get("channel") or channel, message["ts"])
            arguments["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not arguments["cursor"]:
                return Absent()
        return Refusal(Failure.DESTINATION, "history_too_long")

    async def join(self, channel_id: str) -> bool:
        """Join a public channel; False where Slack does not let the bot."""
        return not isinstance(await _call(self._client.conversations_join, channel=channel_id), Refusal)

    async def channel_ids(self) -> tuple[dict[str, str], Refusal | None]:
        """The channels that the bot can see, by name as rules write it ("#voice-spend"), and a failure that may pass.

        Public and private ones are asked for apart, since each needs a scope of its own; without it there are none.
        """
        found: dict[str, str] = {}
        passing: Refusal | None = None
        for kind in ("public_channel", "private_channel"):
            channels = await self._channels_of(kind)
            if isinstance(channels, Refusal):
                passing = passing if channels.lasts else channels
            else:
                found |= channels
        return found, passing

    async def _channels_of(self, kind: str) -> dict[str, str] | Refusal:
        found: dict[str, str] = {}
        arguments: dict[str, Any] = {"types": kind, "exclude_archived": False, "limit": 1000}
        for _ in range(_PAGES):
            answer = await _call(self._client.conversations_list, **arguments)
            if isinstance(answer, Refusal):
                return answer
            found |= {f"#{channel['name']}": str(channel["id"]) for channel in answer.get("channels") or []}
            arguments["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not arguments["cursor"]:
                break
        return found

    async def _down_the_ladder(
        self, call: Callable[..., Awaitable[Any]], message: Message, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any] | Refusal:
        outcome: Mapping[str, Any] | Refusal = Refusal(Failure.PAYLOAD, "no_text")
        for blocks in rungs(message.blocks):
            if not self._may_post():
                return Refusal(Failure.TRANSIENT, "no_sign_of_life")
            outcome = await _call(call, text=message.text, blocks=blocks, **arguments)
            if isinstance(outcome, Refusal) and "metadata" in outcome.code and "metadata" in arguments:
                arguments = {name: value for name, value in arguments.items() if name != "metadata"}
                outcome = await _call(call, text=message.text, blocks=blocks, **arguments)
            if not (isinstance(outcome, Refusal) and outcome.failure is Failure.PAYLOAD):
                break
            log.warning("Slack refused a message's blocks (%s); sending simpler ones.", outcome.code)
        return outcome


async def _call(call: Callable[..., Awaitable[Any]], **arguments: Any) -> Mapping[str, Any] | Refusal:
    """Slack's answer, or what its failure means. An exception that is neither is a fault of ours and goes on up."""
    try:
        answer = await call(**arguments)
    except Exception as error:
        if (refusal := classify(error)) is None:
            raise
        return refusal
    if not isinstance(answer.data, dict):
        return Refusal(Failure.UNCLEAR, "broken_answer")
    return answer.data


def _unreadable(refusal: Refusal) -> Refusal:
    """Without the scope a history stays closed, while posting goes on: no trouble of the token's."""
    return Refusal(Failure.DESTINATION, refusal.code) if refusal.lasts else refusal


def _row_id(message: Mapping[str, Any]) -> str | None:
    found = message.get("metadata") or {}
    if found.get("event_type") != EVENT_TYPE:
        return None
    return (found.get("event_payload") or {}).get("id")
