"""The entries of Slack's lists, taken one by one: a malformed one costs itself and nothing else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TypeVar

from bot.logs import repeats
from bot.money import count
from bot.redaction import steers

_TS = re.compile(r"[0-9]{1,20}\.[0-9]{1,20}")
_ID = re.compile(r"[A-Z0-9]{1,40}")
_LONGEST_NAME = 80  # characters; https://docs.slack.dev/reference/methods/conversations.create

Entry = TypeVar("Entry")

log = logging.getLogger(__name__)


def passable(listed: object, read: Callable[[object], Entry | None], what: str) -> list[Entry]:
    """What `read` makes of each entry. Those of which it makes nothing are passed over with a line in the log."""
    entries = listed if isinstance(listed, list) else []
    found = [entry for each in entries if (entry := read(each)) is not None]
    if passed_over := len(entries) - len(found):
        same = repeats(f"malformed {what}")
        log.warning("Slack listed %s that can't be read among the %s", count(passed_over, "item"), what, extra=same)
    return found


def ts_in(shown: object, key: str) -> str:
    """The time stamp under the key by which Slack names a message; empty where there is none."""
    return _matching(shown, key, _TS)


def id_in(shown: object, key: str) -> str:
    """Slack's id of something under the key; empty where there is none."""
    return _matching(shown, key, _ID)


def name_in(shown: object, key: str) -> str:
    """The name of a channel under the key; empty where there is none that a channel can have."""
    found = shown.get(key) if isinstance(shown, dict) else None
    return found if isinstance(found, str) and len(found) <= _LONGEST_NAME and not steers(found) else ""


def _matching(shown: object, key: str, form: re.Pattern[str]) -> str:
    found = shown.get(key) if isinstance(shown, dict) else None
    return found if isinstance(found, str) and form.fullmatch(found) else ""
