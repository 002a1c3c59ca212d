"""The ids of the channels that rules name. A name means the channel that bears it now; an id that was learned for it is
a guess, which Slack's refusal disproves: names are used again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.clock import elapsed
from bot.slack.failures import Failure, Refusal
from bot.slack.sender import Listing, Sender
from bot.store.outbox import Outbox

_AGAIN = 60.0  # seconds before the channels are listed again for a name that was not among them
_FRESH = 10.0  # seconds that a list is believed against a refusal
_LISTED_SOON = Refusal(Failure.TRANSIENT, "channels_listed_soon")
_PATIENCE = 2.0  # seconds that a post waits for an id; Slack takes the name as well


class ChannelIds:
    """Ids by name. One listing at a time: whoever asks meanwhile waits for it. `seconds` is a monotonic clock."""

    def __init__(self, sender: Sender, outbox: Outbox, seconds: Callable[[], float] = elapsed) -> None:
        self._sender = sender
        self._outbox = outbox
        self._seconds = seconds
        self._ids: dict[str, str] = {}
        self._disproved: dict[str, tuple[str, float]] = {}
        self._listing: Listing | None = None
        self._listed_at = 0.0
        self._list_again = 0.0
        self.refused_at = float("-inf")  # when Slack last refused a channel, by `seconds`
        self._one_at_a_time = asyncio.Lock()
        self._looking: set[asyncio.Task[str | Refusal | None]] = set()

    def learn(self, name: str, channel_id: str) -> None:
        """Slack took a post for this name, and told the channel's id."""
        self._ids[name] = channel_id
        self._disproved.pop(name, None)

    def forget(self, name: str, channel_id: str) -> None:
        """Slack refused this id for the name: the channels are listed afresh before it is posted to again."""
        self.refused_at = self._seconds()
        if channel_id != name:
            self._disproved[name] = channel_id, self._seconds()
        if self._ids.get(name) == channel_id:
            del self._ids[name]

    async def id_of(self, name: str) -> str | Refusal | None:
        """The id; a Refusal where it may be learned later; None where only the name is known. Raises StoreError."""
        if not name.startswith("#"):
            return name
        passing = None
        if name not in self._ids:
            listing = await self.listed(_FRESH if self._is_doubted(name) else _AGAIN)
            passing = _LISTED_SOON if self._is_doubted(name) else listing.passing
        return await self.remembered(name) or passing

    async def id_or_name(self, name: str) -> str:
        """What to post to: the id where it comes soon, else the name as written. Raises StoreError.

        A list of many pages takes longer than that: it goes on, for the next post.
        """
        looking = asyncio.create_task(self.id_of(name))
        self._looking.add(looking)
        looking.add_done_callback(self._looked)
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await asyncio.shield(looking)
        except TimeoutError:
            return name
        return found if isinstance(found, str) else name

    async def remembered(self, name: str) -> str | None:
        """The id last known for the name, from a list or a post, also before a restart. Raises StoreError."""
        if name not in self._ids:
            known = await self._outbox.channel_posted_to(name)
            if known and known != self._disproved.get(name, ("", 0.0))[0]:
                self._ids[name] = known
        return self._ids.get(name)

    async def listed(self, max_age: float) -> Listing:
        """The channels as Slack listed them at most so many seconds ago; one that failed for now is tried again."""
        async with self._one_at_a_time:
            now = self._seconds()
            failed = self._listing is None or self._listing.passing is not None
            if self._listing is None or (now >= self._list_again and (failed or now - self._listed_at >= max_age)):
                self._take(await self._sender.channels())
            assert self._listing is not None  # noqa: S101 it was just taken
            return self._listing

    def _looked(self, task: asyncio.Task[str | Refusal | None]) -> None:
        self._looking.discard(task)
        if not task.cancelled():
            task.exception()  # raised where it was waited for, or nobody waits any more

    def _is_doubted(self, name: str) -> bool:
        """Whether Slack refused an id of this name since it last listed the channels."""
        return name in self._disproved and self._disproved[name][1] >= self._listed_at

    def _take(self, listing: Listing) -> None:
        self._listing, self._listed_at = listing, self._seconds()
        self._list_again = self._listed_at + (listing.passing.retry_after or 0.0 if listing.passing else 0.0)
        self._ids |= {name: channel.id for name, channel in listing.by_name.items()}
        for name in listing.by_name.keys() & self._disproved.keys():
            del self._disproved[name]
