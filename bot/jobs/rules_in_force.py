"""The rules that hold. A good text takes force; a bad one leaves the last good rules in force."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from cachetools import LRUCache

from bot.model import Message
from bot.rules.mistakes import Mistake, RulesError
from bot.rules.models import Expected, Rule, Rules
from bot.rules.parse import decode, parse
from bot.rules.source import Found, RulesSource
from bot.store.incidents import IncidentKey, StoredIncident
from bot.store.ledger import Ledger, Revision
from bot.system.threads import in_thread
from bot.windows import Window, midnight

_EARLIER = 64  # revisions kept parsed: those behind open incidents and of the last questions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Texts:
    """How the bot words what it says about its rules."""

    broken: Callable[[str, tuple[Mistake, ...]], Message]
    mended: Callable[[str], Message]


def _readable(text: str) -> Rules:
    try:
        return parse(text)
    except RulesError:
        return Rules(rules=())


@dataclass
class RulesInForce:
    """The rules that hold now, since when each of them watches, and the mistakes of a text that does not hold.

    Texts are read in a thread: a long one holds up no answer.
    """

    source: RulesSource
    ledger: Ledger
    now: Callable[[], datetime]
    texts: Texts
    current: Rules = field(default_factory=lambda: Rules(rules=()))
    since: Mapping[str, datetime] = field(default_factory=dict)
    revision: str = ""  # the digest of the text that is in force
    mistakes: tuple[Mistake, ...] = ()
    _stamp: Hashable = None
    _digest: str = ""
    _suspect: str = ""
    _earlier: LRUCache[str, Rules] = field(default_factory=partial(LRUCache, _EARLIER))

    async def start(self) -> None:
        """Take the rules there are, or the last good ones for bad ones. Raises RulesError with neither, StoreError."""
        stamp = await self.source.stamp()
        found = await self.source.look()
        self._note_stamp(found, stamp)
        try:
            await self._take(await self._rules(found), found)
        except RulesError as error:
            last = await self.ledger.last_revision()
            if last is None:
                raise
            await self._put_in_force(await in_thread(partial(parse, last.text)), last.digest)
            await self._report(error, found.digest)
        self._digest = found.digest

    async def preview(self) -> None:
        """Take the source's rules to look at, recording nothing. Raises RulesError, StoreError."""
        self.current = await self._rules(await self.source.look())
        known, now = await self.ledger.known_since(self.current), self.now()
        self.since = {rule.name: known.get(rule.name, now) for rule in self.current.rules}

    async def look(self) -> bool:
        """Whether other rules are in force after a look at the source. Raises StoreError; the next look tries again."""
        stamp = await self.source.stamp()
        if stamp == self._stamp:
            return False
        found = await self.source.look()
        changed = found.digest != self._digest and await self._consider(found)
        if found.digest == self._digest:
            self._note_stamp(found, stamp)
        return changed

    def _note_stamp(self, found: Found, stamp: Hashable) -> None:
        """Look again only when something has changed; what can't be read may heal without a sign."""
        self._stamp = None if found.unreadable else stamp

    async def _consider(self, found: Found) -> bool:
        try:
            rules = await self._rules(found)
        except RulesError as error:
            if found.digest != self._suspect:
                self._suspect = found.digest  # an editor may be half-way through writing: believe it when it stays
                return False
            await self._report(error, found.digest)
            self._digest = found.digest
            return False
        await self._take(rules, found)
        self._digest = found.digest
        return True

    async def _rules(self, found: Found) -> Rules:
        return await in_thread(partial(found.rules, self.source.place))

    async def _take(self, rules: Rules, found: Found) -> None:
        await self.ledger.record_revision(Revision(found.digest, decode(found.content), self.now()))
        await self._put_in_force(rules, found.digest)
        self.mistakes = ()
        await self.ledger.end("rules", rules.operations_channel, self.texts.mended(self.source.name), self.now())
        log.info("rules: %d in force from %s", len(rules.rules), self.source.place)

    async def _put_in_force(self, rules: Rules, digest: str) -> None:
        self.since = await self.ledger.since(rules, self.now())
        self.current, self.revision = rules, digest

    def judges(self, key: IncidentKey) -> bool:
        """Whether the rules in force judge this incident, whose window was not over before its rule changed."""
        name, window = key
        since = self.since.get(name, midnight(window.start))
        return self.current.watches(name, window) and midnight(window.end) > min(since, self.now())

    async def rule_of(self, key: IncidentKey, revision: str) -> Rule | None:
        """The rule in force for this incident, else as it was in this revision; None where that is gone, too."""
        if self.judges(key):
            return self.current.named(key[0])
        earlier = (await self.as_of(revision)).named(key[0])
        return earlier or (self.current.named(key[0]) if self.current.watches(*key) else None)

    async def as_of(self, revision: str) -> Rules:
        """The rules of this revision; none where it is no longer kept, or another version of the bot could read it."""
        if revision not in self._earlier:
            stored = await self.ledger.revision(revision)
            earlier = await in_thread(partial(_readable, stored.text)) if stored else Rules(rules=())
            self._earlier[revision] = earlier
        return self._earlier[revision]

    async def behind(self, stored: Mapping[IncidentKey, StoredIncident]) -> dict[IncidentKey, Rule]:
        """The rule of each open incident, as it is or was."""
        still_open = {key: each for key, each in stored.items() if not each.state.closed}
        found = {key: await self.rule_of(key, each.revision) for key, each in still_open.items()}
        return {key: rule for key, rule in found.items() if rule}

    async def events_behind(
        self, stored: Mapping[IncidentKey, StoredIncident]
    ) -> Callable[[str, Window], Expected | None]:
        """The declared event of a rule in a window: as it was, for an open incident that these rules do not judge."""
        still_open = {key: each for key, each in stored.items() if not each.state.closed and not self.judges(key)}
        earlier = {key: await self.as_of(each.revision) for key, each in still_open.items()}
        return lambda name, window: earlier.get((name, window), self.current).expected_in(name, window)

    async def _report(self, error: RulesError, digest: str) -> None:
        self.mistakes = error.mistakes
        for mistake in error.mistakes:
            log.error("%s", mistake.format(self.source.place))
        log.error("The last good rules stay in force.")
        now = self.now()
        await self.ledger.note("rules", digest, now)
        message = self.texts.broken(self.source.name, error.mistakes)
        await self.ledger.tell("rules", digest, self.current.operations_channel, message, now)
