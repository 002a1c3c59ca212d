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
from bot.redaction import redacted

LINE_EVERY = 60.0  # seconds between two log lines of one kind
# Seconds after the last such request that a warning ends: two looks of a monitor that asks every five minutes. People
# who got no answer try again sooner than that, and one request that a stranger forged must not ring for long.
LASTS = 600.0

log = logging.getLogger(__name__)


class Rejection(Enum):
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
class _Rejected:
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


class RejectedRequests:
    """Requests in vain, by kind. `seconds` is a clock that never leaps."""

    def __init__(self, now: Callable[[], datetime], seconds: Callable[[], float] = elapsed) -> None:
        self._now = now
        self._seconds = seconds
        self._of: dict[Rejection, _Rejected] = {}

    def note(self, kind: Rejection, sentence: str) -> None:
        """One more request in vain; the sentence says what is wrong and what to do."""
        seconds, rejected = self._seconds(), self._recent(kind)
        if rejected is None or rejected.ended:
            next_line = rejected.next_line if rejected else seconds
            rejected = self._of[kind] = _Rejected(sentence, self._now(), seconds, next_line=next_line)
        rejected.sentence, rejected.last, rejected.count = redacted(sentence), seconds, rejected.count + 1
        if seconds >= rejected.next_line:
            rejected.next_line, rejected.is_logged = seconds + LINE_EVERY, True
            log.log(logging.WARNING if kind.warns else logging.INFO, "%s", rejected.text)

    def end(self, *kinds: Rejection) -> bool:
        """A request has shown the contrary; whether the log had told of something that ends with it."""
        going_on = [rejected for kind in kinds if (rejected := self._recent(kind)) and not rejected.ended]
        for rejected in going_on:
            rejected.ended = True
        return any(rejected.is_logged for rejected in going_on)

    async def warnings(self) -> list[str]:
        """What somebody has to mend: it was so within the last ten minutes, and nothing has shown the contrary."""
        return [rejected.text for rejected in self._warning() if not rejected.ended]

    def remarks(self) -> list[StatusLine]:
        """What was so within the last ten minutes and is over, for who asks how the bot is: it is well."""
        return [(True, f"{rejected.text} That is over.") for rejected in self._warning() if rejected.ended]

    def _warning(self) -> list[_Rejected]:
        return [rejected for kind in Rejection if kind.warns and (rejected := self._recent(kind))]

    def _recent(self, kind: Rejection) -> _Rejected | None:
        rejected = self._of.get(kind)
        return rejected if rejected and self._seconds() - rejected.last < LASTS else None
