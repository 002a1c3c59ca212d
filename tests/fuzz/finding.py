"""What counts as a finding, whatever the target: an error raised or logged, or a loop that stands still."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

MOST_SECONDS = 0.25  # of the processor, for one input
MOST_LINES = 5  # that one input may cost the log

Tried = Callable[[bytes], Awaitable[None]]


class Finding(Exception):
    """Something that must not happen, whoever sends what."""


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


async def judged(tried: Tried, given: bytes) -> None:
    """Try the bytes. Raises Finding, or what the target raised."""
    heard, root = _Heard(), logging.getLogger()
    root.addHandler(heard)
    began = time.thread_time()
    try:
        await tried(given)
    finally:
        root.removeHandler(heard)
    if (took := time.thread_time() - began) > MOST_SECONDS:
        raise Finding(f"the loop stood still for {took:.2f} s")
    if len(heard.records) > MOST_LINES:
        raise Finding(f"{len(heard.records)} log lines")
    for record in heard.records:
        if record.exc_info or record.levelno >= logging.ERROR:
            error = record.exc_info[1] if record.exc_info else None
            raise Finding(f"{record.getMessage()} {error!r}") from error
