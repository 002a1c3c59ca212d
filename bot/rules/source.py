"""Where the rules' text comes from: a watched file. A database may be another source."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.errors import FileMissing, FileUnreadable
from bot.rules.mistakes import Mistake, RulesError
from bot.rules.models import Rules
from bot.rules.parse import decode, parse
from bot.rules.tree import MAX_BYTES
from bot.system.files import read_file
from bot.system.threads import in_thread


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at the source found: its bytes, or why there are none."""

    content: bytes
    unreadable: str = ""

    @property
    def digest(self) -> str:
        """What tells one content from another, and one obstacle from another: a revision's identity."""
        return hashlib.sha256(self.content or self.unreadable.encode()).hexdigest()

    def rules(self, place: str) -> Rules:
        """The rules in it. Raises RulesError with every mistake, each at its place."""
        if self.unreadable:
            raise RulesError((Mistake(1, 1, self.unreadable),), place)
        try:
            return parse(decode(self.content))
        except RulesError as error:
            raise RulesError(error.mistakes, place) from None


class RulesSource(Protocol):
    """Where the text of the rules lives, and whether it has changed. May be slow: both answers are awaited."""

    @property
    def name(self) -> str:
        """What people in Slack know it by: `rules.yaml`."""

    @property
    def place(self) -> str:
        """Where whoever operates the bot finds it."""

    async def stamp(self) -> Hashable:
        """Cheap to ask for, and another one whenever the text may be another one. Raises StoreError."""

    async def look(self) -> Found:
        """The text as it stands. Raises StoreError."""


@dataclass(frozen=True)
class RulesFile:
    """The file at RULES_FILE. It is looked at in a thread: a slow disk holds up no answer."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def place(self) -> str:
        return str(self.path)

    async def stamp(self) -> Hashable:
        """What changes when the file or its rights do; None where there is no such file."""
        return await in_thread(self._stamp)

    async def look(self) -> Found:
        """The file as it stands."""
        return await in_thread(self.read)

    def read(self) -> Found:
        """The same, for a command that nothing else waits for."""
        try:
            return Found(read_file(self.path, MAX_BYTES))
        except FileMissing as error:
            return Found(b"", f"{error}: copy the starter rules.yaml there, or correct RULES_FILE")
        except FileUnreadable as error:
            return Found(b"", str(error))

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino
