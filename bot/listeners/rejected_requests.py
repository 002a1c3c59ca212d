"""Requests that came in vain, from Slack or from who pretends to be: a log line a minute, warnings while it lasts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bot.clock import elapsed
from bot.commands.answer import StatusLine
from bot.money import count

LINE_EVERY = 60.0  # seconds between two log lines of one kind
# Seconds after the last such request that a warning ends: two looks of a monitor that asks every five minutes. People
# who got no answer try again sooner than that, and one request that a stranger forged must not ring for long.
LASTS = 600.0

log = logging.getLogger(__name__)


class Kind(Enum):
    """What was wrong, and whether somebody has to mend it: then it is a warning as well as a log line."""

    SECRET = ("secret", True)
    CLOCK = ("clock", True)
    ADDRESS = ("address", True)
    COMMAND = ("command", True)
    UNREADABLE = ("unreadable", True)
    UNKNOWN = ("unknown", False)
    STRANGER = ("stranger", False)

    @property
    def warns(self) -> bool:
        return self.value[1]


@dataclass
class _Refused:
    """Requests of one kind, none of them longer than LASTS after the one before."""

    sentence: str
    since: datetime
    last: float
    count: int = 0
    next_line: float = 0.0
    is_logged: bool = False
    ended: bool = False

    @property
    def text(self) -> str:
        return f"{self.sentence} {count(self.count, 'request')} since {self.since:%Y-%m-%d %H:%M:%S} UTC."


class Refusals:
    """Requests in vain, by kind. `seconds` is a clock that never leaps."""

    def __init__(self, now: Callable[[], datetime], seconds: Callable[[], float] = elapsed) -> None:
        self._now = now
        self._seconds = seconds
        self._of: dict[Kind, _Refused] = {}

    def note(self, kind: Kind, sentence: str) -> None:
        """One more request in vain; the sentence says what is wrong and what to do."""
        seconds, refused = self._seconds(), self._recent(kind)
        if refused is None or refused.ended:
            next_line = refused.next_line if refused else seconds
            refused = self._of[kind] = _Refused(sentence, self._now(), seconds, next_line=next_line)
        refused.sentence, refused.last, refused.count = sentence, seconds, refused.count + 1
        if seconds >= refused.next_line:
            refused.next_line, refused.is_logged = seconds + LINE_EVERY, True
            log.log(logging.WARNING if kind.warns else logging.INFO, "%s", refused.text)

    def end(self, *kinds: Kind) -> bool:
        """A request has shown the contrary; whether the log had told of something that ends with it."""
        going_on = [refused for kind in kinds if (refused := self._recent(kind)) and not refused.ended]
        for refused in going_on:
            refused.ended = True
        return any(refused.is_logged for refused in going_on)

    async def warnings(self) -> list[str]:
        """What somebody has to mend: it was so within the last ten minutes, and nothing has shown the contrary."""
        return [refused.text for refused in self._warning() if not refused.ended]

    def remarks(self) -> list[StatusLine]:
        """What was so within the last ten minutes and is over, for who asks how the bot is: it is well."""
        return [(True, f"{refused.text} That is over.") for refused in self._warning() if refused.ended]

    def _warning(self) -> list[_Refused]:
        return [refused for kind in Kind if kind.warns and (refused := self._recent(kind))]

    def _recent(self, kind: Kind) -> _Refused | None:
        refused = self._of.get(kind)
        return refused if refused and self._seconds() - refused.last < LASTS else None
