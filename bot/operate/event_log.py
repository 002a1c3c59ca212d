"""The log lines about events."""

from __future__ import annotations

import logging

from bot.events import Event, JobDone, JobFailed
from bot.logs import ends, repeats

log = logging.getLogger(__name__)


class EventLog:
    """Says in the log what trouble a job met, once while it lasts, and when it is over."""

    def observe(self, event: Event) -> None:
        """As `Observer` has it."""
        match event:
            case JobFailed(job, error):
                log.error("%s", error, extra=repeats(job, error.gist))
            case JobDone(job):
                log.info("%s works again", job, extra=ends(job))
