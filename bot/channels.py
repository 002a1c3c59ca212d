"""The ids of the channels that rules name: asked of Slack, or known from earlier posts."""

from __future__ import annotations

import asyncio
import time

from bot.slack.failures import Refusal
from bot.slack.sender import Sender
from bot.store.outbox import Outbox

_AGAIN = 60.0  # seconds before the channels are listed again for a name that was not among them
_PATIENCE = 2.0  # seconds that a post waits for an id; Slack takes the name as well


class Channels:
    """Ids by name. One listing at a time: whoever asks meanwhile waits for it."""

    def __init__(self, sender: Sender, outbox: Outbox) -> None:
        self._sender = sender
        self._outbox = outbox
        self._ids: dict[str, str] = {}
        self._list_again = 0.0
        self._passing: Refusal | None = None
        self._listing = asyncio.Lock()

    def learn(self, channel: str, channel_id: str) -> None:
        """Slack took a post for this name, and told the channel's id."""
        self._ids[channel] = channel_id

    async def id_of(self, channel: str) -> str | Refusal | None:
        """The id; a Refusal where it may be learned later; None where only the name is known. Raises StoreError."""
        if not channel.startswith("#"):
            return channel
        async with self._listing:
            if channel not in self._ids and time.monotonic() >= self._list_again:
                found, self._passing = await self._sender.channel_ids()
                self._ids |= found
                self._list_again = time.monotonic() + (0.0 if self._passing else _AGAIN)
        if channel not in self._ids and (known := await self._outbox.channel_posted_to(channel)):
            self._ids[channel] = known
        return self._ids.get(channel) or self._passing

    async def id_or_name(self, channel: str) -> str:
        """What to post to: the id where it comes soon, else the name as written. Raises StoreError."""
        if found := self._ids.get(channel):
            return found
        try:
            async with asyncio.timeout(_PATIENCE):
                found_now = await self.id_of(channel)
        except TimeoutError:
            return channel
        return found_now if isinstance(found_now, str) else channel
