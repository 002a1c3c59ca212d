"""Whether the channels that the rules name can be posted to: told at start, before an alert needs them."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.clock import elapsed
from bot.events import Enqueued, Observer
from bot.jobs.channel_ids import ChannelIds
from bot.jobs.runner import Job
from bot.rules.models import Rules
from bot.slack import blocks
from bot.slack.failures import mend
from bot.slack.sender import Channel, Listing, Sender
from bot.store.ledger import Ledger

_FRESH = 10.0  # seconds that a list which somebody else asked for will do
_EACH = 3600.0  # seconds between two looks at channels that are well
_WHILE_TROUBLE = 300.0  # seconds between two looks while one is not
_WHILE_UNKNOWN = 60.0  # seconds before Slack is asked again where it could not say, or has refused a channel since
_RENAMED = "renamed"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """A channel of the rules that takes no messages, or bears another name by now: what it is, and how to mend it.

    `code` is Slack's word for what a post would meet, or "renamed".
    """

    channel: str
    code: str
    sentence: str

    @property
    def takes_messages(self) -> bool:
        return self.code == _RENAMED


@dataclass
class Destinations:
    """The look at every channel of the rules.

    Where Slack does not say how a channel is (a scope is missing, it can't be reached), nothing is said about it.
    """

    sender: Sender
    channel_ids: ChannelIds
    ledger: Ledger
    rules: Callable[[], Rules]
    now: Callable[[], datetime]
    observer: Observer
    seconds: Callable[[], float] = elapsed
    problems: tuple[Problem, ...] = ()
    _looked_at: tuple[str, ...] = ()
    _look_again: float = 0.0
    _last_look: float = float("-inf")

    def job(self) -> Job:
        return Job("the look at the channels", self.watch)

    async def watch(self) -> None:
        """Look at start, when the rules name other channels, when one refuses a message, and now and then.

        Raises StoreError.
        """
        named = self.rules().channels
        if named == self._looked_at and self.seconds() < self._look_again and not self._is_doubted():
            return
        self._last_look = self.seconds()
        self._looked_at, self._look_again = named, self._last_look + _WHILE_UNKNOWN  # also where what follows fails
        listing = await self.channel_ids.listed(_FRESH)
        if not listing.passing:
            self._note([problem for each in named if (problem := await self._problem_of(each, listing))])
            await self._tell()
            self._look_again = self.seconds() + (_WHILE_TROUBLE if self.problems else _EACH)

    def _is_doubted(self) -> bool:
        """Whether a channel refused a message since the last look, which was not just now."""
        return self._last_look < self.channel_ids.refused_at and self.seconds() - self._last_look >= _WHILE_UNKNOWN

    async def _problem_of(self, name: str, listing: Listing) -> Problem | None:
        if not name.startswith("#"):
            return await self._problem_of_id(name) if name.startswith(("C", "G")) else None
        if found := listing.by_name.get(name):
            return self._problem_with(name, found)
        return await self._problem_of_unlisted(name, listing) if listing.complete else None

    async def _problem_of_unlisted(self, name: str, listing: Listing) -> Problem:
        """No channel that the bot can see bears the name; one that did is followed, until its name is taken."""
        followed = listing.by_id.get(await self.channel_ids.remembered(name) or "")
        if followed and not followed.archived:
            sentence = f"{name} is called {followed.name} now, where its messages go: write that name in rules.yaml."
            return Problem(name, _RENAMED, sentence)
        missing = _lacking(name, "channel_not_found")
        near = await asyncio.to_thread(difflib.get_close_matches, name, listing.by_name, 1, 0.8)  # of thousands, maybe
        return replace(missing, sentence=f"{missing.sentence} Did you mean {near[0]}?") if near else missing

    async def _problem_of_id(self, channel_id: str) -> Problem | None:
        found = await self.sender.channel(channel_id)
        if isinstance(found, Channel):
            return self._problem_with(channel_id, found)
        if found.code == "channel_not_found":
            return _lacking(channel_id, found.code)
        return next((each for each in self.problems if each.channel == channel_id and not found.lasts), None)

    def _problem_with(self, name: str, found: Channel) -> Problem | None:
        if found.archived:
            return _lacking(name, "is_archived")
        scopes = self.sender.scopes
        if found.entered or scopes is None or scopes & {"chat:write.public", "channels:join"}:
            return None
        return _lacking(name, "not_in_channel")

    def _note(self, problems: list[Problem]) -> None:
        for problem in problems:
            if problem not in self.problems:
                log.warning("%s", problem.sentence)
        for healed in {each.channel for each in self.problems} - {each.channel for each in problems}:
            log.info("%s is well again, or no longer named", healed)
        self.problems = tuple(problems)

    async def _tell(self) -> None:
        """The operations channel hears of each problem once, also across restarts; where it works itself."""
        operations = self.rules().operations_channel
        if operations is None or any(each.channel == operations and not each.takes_messages for each in self.problems):
            return  # told as soon as there is one that works
        present = {_digest(each): _announced(each) for each in self.problems}
        if await self.ledger.settle("channel", present, operations, blocks.destinations, self.now()):
            self.observer.observe(Enqueued())


def _lacking(name: str, code: str) -> Problem:
    return Problem(name, code, f"{name} {mend(code)}.")


def _announced(problem: Problem) -> str:
    return problem.sentence if problem.takes_messages else f"{problem.sentence} Until then its messages come here."


def _digest(problem: Problem) -> str:
    return hashlib.sha256(f"{problem.channel} {problem.code}".encode()).hexdigest()
