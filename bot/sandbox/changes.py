"""Waiting for something to happen in a simulated server, without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

Found = TypeVar("Found")


@dataclass(slots=True)
class Changes:
    """Wakes whoever waits for a change; `count` grows with every change."""

    count: int = 0
    _waiting: set[asyncio.Future[None]] = field(default_factory=set)

    def note(self) -> None:
        self.count += 1
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()

    async def until(self, ready: Callable[[], Found | None], timeout: float, what: str = "a change") -> Found:
        """The first true value of `ready`, asked again after each change; TimeoutError after `timeout` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not (found := ready()):
            change = loop.create_future()
            self._waiting.add(change)
            try:
                async with asyncio.timeout_at(deadline):
                    await change
            except TimeoutError:
                raise TimeoutError(f"waited {timeout:g} s for {what}") from None
            finally:
                self._waiting.discard(change)
        return found
