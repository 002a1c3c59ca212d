"""Log lines, as text or JSON, with every secret redacted whatever a library may have written: the secrets among the
settings as they are, and any other one by its form."""

from __future__ import annotations

import codecs
import io
import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO
from urllib.parse import quote

from cachetools import TTLCache

from bot.clock import elapsed
from bot.redaction import redacted

SHORTEST = 8  # characters of a secret that is redacted wherever it stands: a shorter one may be a part of any word

_CHATTY = ("slack_sdk", "httpx", "httpcore", "sqlalchemy", "aiosqlite", "alembic", "aiohttp", "asyncio")
_LIBRARIES = (*_CHATTY, "slack_bolt")
_CONTINUED = "\n    "  # what follows belongs to the line before
_MOST_LINES = 1_000  # of one topic that are remembered
QUIET = 600.0  # seconds before a line that repeats is said again, by a process that runs for months


class RedactingFormatter(logging.Formatter):
    """One line a record. A few lines of our own rather than a JSON logging library: redacting is the point."""

    def __init__(self, secrets: Sequence[str], *, as_json: bool) -> None:
        super().__init__("%(levelname)-7s %(name)s: %(message)s")
        known = (secret for secret in secrets if len(secret) >= SHORTEST)
        self._secrets = sorted({form for secret in known for form in _forms(secret)}, key=len, reverse=True)
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        if record.name.startswith("slack"):
            record.exc_info = record.exc_text = None  # its one line for a lost connection is enough: it comes often
        if self._as_json:
            return self._json(record)
        return self._redact(f"{_at(record)} {super().format(record)}").replace("\n", _CONTINUED)  # nobody forges a line

    def _json(self, record: logging.LogRecord) -> str:
        line = {"time": _at(record), "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({key: self._redact(text) for key, text in line.items()}, ensure_ascii=False)

    def _redact(self, text: str) -> str:
        for secret in self._secrets:  # the longest first: one may be the beginning of another
            text = text.replace(secret, "…")
        return redacted(text)


def repeats(topic: str, *same: object) -> dict[str, Any]:
    """For `extra`: this line is said once, and then at most every ten minutes while `same` stays the same.

    `topic` names the trouble. What may change from one line to the next without being news is not in `same`.
    """
    return {"topic": topic, "same": same}


def ends(topic: str) -> dict[str, Any]:
    """For `extra`: this line says that the trouble is over, and is only said where lines of this topic were."""
    return {"ended": topic}


class Repeats(logging.Filter):
    """Lets through what `repeats` and `ends` say; a library's lines repeat as well. `seconds` is a monotonic clock.

    What is below `level` is not said, but heard: an end lets the same trouble be news, though nobody reads of it.
    """

    def __init__(self, seconds: Callable[[], float], quiet: float = QUIET, level: int = logging.NOTSET) -> None:
        super().__init__()
        self._level = level
        self._seconds = seconds
        self._quiet = quiet
        self._said: dict[str, TTLCache[int, None]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if ended := getattr(record, "ended", None):
            return self._said.pop(ended, None) is not None and record.levelno >= self._level
        if record.levelno < self._level:
            return False
        if topic := getattr(record, "topic", None):
            return self._is_news(topic, (record.msg, record.__dict__["same"]))
        return not record.name.startswith(_LIBRARIES) or self._is_news(record.name, record.getMessage())

    def _is_news(self, topic: str, line: object) -> bool:
        """Whether this line was not said for long enough; if so, it is noted as said now."""
        if topic not in self._said:
            self._said[topic] = TTLCache(_MOST_LINES, self._quiet, self._seconds)
        lines, mark = self._said[topic], hash(line)  # a library's line may be long
        if mark in lines:
            return False
        lines[mark] = None
        return True


def _forms(secret: str) -> set[str]:
    """The secret as it is, and as repr(), JSON and URLs write it."""
    return {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, safe="")}


def set_up(level: str, log_format: str, secrets: Sequence[str], quiet: float = QUIET) -> None:
    """Log to standard error; what repeats is said every `quiet` seconds.

    Libraries speak from WARNING up: at DEBUG they print requests, at INFO bodies.
    """
    handler = logging.StreamHandler()
    handler.addFilter(Repeats(elapsed, quiet, logging.getLevelNamesMapping()[level]))
    handler.setFormatter(RedactingFormatter(secrets, as_json=log_format == "json"))
    logging.basicConfig(level=min(logging.getLevelNamesMapping()[level], logging.INFO), handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)  # it warns of each start that `authorize` is used


def write_anything(*streams: TextIO | None) -> None:
    """Let what these can't show be written as JSON escapes it, instead of failing: “Täglich” where all is ASCII."""
    codecs.register_error("as JSON", _as_json)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="as JSON")


def _as_json(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 it is asked for where text is written
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
