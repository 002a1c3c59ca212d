"""Posting to Slack, and finding out whether a post arrived. One attempt each: retries belong to the outbox."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bot.logs import repeats
from bot.model import Message
from bot.slack.client import Client
from bot.slack.entries import id_in, name_in, passable, ts_in
from bot.slack.failures import INCOMPLETE, Failure, Refusal, classify
from bot.slack.simpler_blocks import simpler_blocks

EVENT_TYPE = "agent_usage_bot"
_PAGES = 20  # of one history or one list that are looked through
_CHANNELS = 999  # of one page; https://docs.slack.dev/reference/methods/conversations.list takes no more
TOO_LONG = "too_many_pages"
_CLOCKS_APART = 86_400.0  # seconds that our clock and Slack's may differ when history is searched: a wrong zone, too

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Posted:
    """Slack has the message: the channel's id, and the message's ts, empty where Slack never said it."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """An edit that can't be made any more: what it would have shown, the thread or the next message shows."""


@dataclass(frozen=True, slots=True)
class Absent:
    """The channel's history was read and does not hold the message."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as Slack describes it: `name` as rules write it ("#voice-spend"), `entered` where the bot is in it."""

    id: str
    name: str
    archived: bool
    entered: bool


@dataclass(frozen=True)
class Listing:
    """The channels that the bot can see; `passing` is a failure that may pass and kept some of them from being listed.

    `complete` where nothing at all is missing: neither a page, nor a kind of channel whose scope was not granted.
    """

    channels: tuple[Channel, ...]
    complete: bool
    passing: Refusal | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Channel]:
        """Of several channels of one name the one that is not archived: names are used again."""
        return {each.name: each for each in sorted(self.channels, key=lambda each: not each.archived)}

    @cached_property
    def by_id(self) -> Mapping[str, Channel]:
        return {each.id: each for each in self.channels}


class Sender:
    """Calls Slack with a client whose own retry handlers are off: they would send a dropped POST again.

    `may_post` is asked before each call that posts, since another process may have taken this one for dead. `scopes`
    are those that Slack named with its last answer, None as long as it named none.
    """

    def __init__(self, client: Client, may_post: Callable[[], bool]) -> None:
        self._client = client
        self._may_post = may_post
        self.scopes: frozenset[str] | None = None

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
        outcome = await self._with_simpler_blocks(self._client.chat_postMessage, message, arguments)
        return outcome if isinstance(outcome, Refusal) else _posted(outcome, channel)

    async def edit(self, channel: str, ts: str, message: Message) -> Posted | Refusal:
        """Show the message's present state. Doing it twice does no harm, so an unclear outcome is tried again."""
        outcome = await self._with_simpler_blocks(self._client.chat_update, message, {"channel": channel, "ts": ts})
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
        async for page in self._pages(read, "messages", arguments):
            if isinstance(page, Refusal):
                return _unreadable(page)
            for message in passable(page, _message, f"messages of {channel}"):
                if _row_id(message) == row_id:
                    return Posted(channel, ts_in(message, "ts"))
        return Absent()

    async def join(self, channel_id: str) -> bool:
        """Join a public channel; False where Slack does not let the bot."""
        return not isinstance(await self._call(self._client.conversations_join, channel=channel_id), Refusal)

    async def channel(self, channel_id: str) -> Channel | Refusal:
        """The channel with this id, by conversations.info."""
        answer = await self._call(self._client.conversations_info, channel=channel_id)
        if isinstance(answer, Refusal):
            return answer
        return _channel(answer["channel"]) or Refusal(Failure.UNCLEAR, INCOMPLETE)

    async def channels(self) -> Listing:
        """Every channel that the bot can see, by conversations.list.

        Public and private ones are asked for apart, since each needs a scope of its own.
        """
        found: list[Channel] = []
        refused: list[Refusal] = []
        listed = 0
        for kind in ("public_channel", "private_channel"):
            arguments = {"types": kind, "exclude_archived": False, "limit": _CHANNELS}
            async for page in self._pages(self._client.conversations_list, "channels", arguments):
                if isinstance(page, Refusal):
                    refused.append(page)
                else:
                    listed += len(page)
                    found += passable(page, _channel, "channels")
        passing = next((each for each in refused if each.code != TOO_LONG and not each.lasts), None)
        return Listing(tuple(found), complete=not refused and len(found) == listed, passing=passing)

    async def _pages(
        self, read: Callable[..., Awaitable[Any]], key: str, arguments: Mapping[str, Any]
    ) -> AsyncIterator[list[Any] | Refusal]:
        """What stands under the key, page by page; a Refusal ends it."""
        cursor: str | None = None
        for _ in range(_PAGES):
            answer = await self._call(read, **arguments, **({"cursor": cursor} if cursor else {}))
            if isinstance(answer, Refusal):
                yield answer
                return
            yield answer[key]
            cursor = _text(answer.get("response_metadata"), "next_cursor")
            if not cursor:
                return
        yield Refusal(Failure.DESTINATION, TOO_LONG)

    async def _with_simpler_blocks(
        self, call: Callable[..., Awaitable[Any]], message: Message, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any] | Refusal:
        outcome: Mapping[str, Any] | Refusal = Refusal(Failure.PAYLOAD, "no_text")
        for blocks in simpler_blocks(message.blocks):
            if not self._may_post():
                return Refusal(Failure.TRANSIENT, "no_sign_of_life")
            outcome = await self._call(call, text=message.text, blocks=blocks, **arguments)
            if isinstance(outcome, Refusal) and "metadata" in outcome.code and "metadata" in arguments:
                arguments = {name: value for name, value in arguments.items() if name != "metadata"}
                outcome = await self._call(call, text=message.text, blocks=blocks, **arguments)
            if not (isinstance(outcome, Refusal) and outcome.failure is Failure.PAYLOAD):
                break
            same = repeats("blocks", outcome.code)
            log.warning("Slack refused a message's blocks (%s); sending simpler ones.", outcome.code, extra=same)
        return outcome

    async def _call(self, call: Callable[..., Awaitable[Any]], **arguments: Any) -> Mapping[str, Any] | Refusal:
        """Slack's answer, or what its failure means. An exception that is neither is a fault of ours and goes on up."""
        try:
            answer = await call(**arguments)
        except Exception as error:
            if (refusal := classify(error)) is None:
                raise
            return refusal
        if granted := answer.headers.get("x-oauth-scopes"):
            self.scopes = frozenset(each.strip() for each in granted.split(","))
        found: Mapping[str, Any] = answer.data
        return found


def _posted(answer: Mapping[str, Any], asked: str) -> Posted | Refusal:
    """Where the post stands: unclear where a name was posted to, and Slack does not say which channel that is."""
    channel, ts = id_in(answer, "channel") or ("" if asked.startswith("#") else asked), ts_in(answer, "ts")
    return Posted(channel, ts) if channel and ts else Refusal(Failure.UNCLEAR, INCOMPLETE)


def _unreadable(refusal: Refusal) -> Refusal:
    """Without the scope a history stays closed, while posting goes on: no trouble of the token's."""
    return Refusal(Failure.DESTINATION, refusal.code) if refusal.lasts else refusal


def _message(shown: object) -> Mapping[str, Any] | None:
    return shown if isinstance(shown, dict) else None


def _row_id(message: object) -> str:
    """The id that the bot gave its message; what others write may have any shape."""
    match message:
        case {"metadata": {"event_type": str(kind), "event_payload": {"id": str(found)}}} if kind == EVENT_TYPE:
            return found
    return ""


def _channel(shown: object) -> Channel | None:
    found, name = id_in(shown, "id"), name_in(shown, "name")
    if not (isinstance(shown, dict) and found and name):
        return None
    return Channel(found, f"#{name}", bool(shown.get("is_archived")), bool(shown.get("is_member", True)))


def _text(shown: object, key: str) -> str:
    """The text under the key, empty where there is none."""
    found = shown.get(key) if isinstance(shown, Mapping) else None
    return found if isinstance(found, str) else ""
