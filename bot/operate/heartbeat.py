"""The heartbeat: HEARTBEAT_URL is fetched after each good check, so that a dead-man service rings when none comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from bot.errors import StoreError
from bot.events import Checked, Event
from bot.logs import ends, repeats
from bot.system.network import untrusted

PATIENCE = 10.0  # seconds for the dead-man service to answer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heartbeat:
    """Tells the dead-man service that a check went well, unless nobody could be told what it found.

    Not hearing Slack is no reason: a stranger can forge it, and must not be able to make the service ring.
    """

    http: httpx.AsyncClient
    url: SecretStr
    cannot_tell: Callable[[], Awaitable[Sequence[str]]]
    later: Callable[[Coroutine[Any, Any, None]], None]

    def observe(self, event: Event) -> None:
        """As `Observer` has it."""
        if isinstance(event, Checked):
            self.later(self._fetch(self.url.get_secret_value()))

    async def _fetch(self, url: str) -> None:
        try:
            if await self.cannot_tell():
                return
            async with asyncio.timeout(PATIENCE), self.http.stream("GET", url) as answer:
                answer.raise_for_status()  # what it says besides is not read, however much that is
            log.debug("HEARTBEAT_URL: %d", answer.status_code)
            log.info("HEARTBEAT_URL is reached again", extra=ends("HEARTBEAT_URL"))
        except StoreError as error:
            log.error("%s HEARTBEAT_URL was not fetched.", error, extra=repeats("HEARTBEAT_URL", str(error)))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
            why = untrusted(error) or type(error).__name__
            log.warning("HEARTBEAT_URL was not reached (%s)", why, extra=repeats("HEARTBEAT_URL", why))
