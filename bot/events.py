"""What happens inside the bot, as frozen values, and who is told. A part tells what it did, and knows no listener."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from bot.errors import CartesiaError, StoreError


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The outbox has received a message."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Usage was read, judged, and what is to be said about it recorded."""


@dataclass(frozen=True, slots=True)
class JobDone:
    """One turn of a job went well."""

    job: str


@dataclass(frozen=True, slots=True)
class JobFailed:
    """One turn of a job met trouble that is foreseen; its next turn tries again."""

    job: str
    error: CartesiaError | StoreError


Event = Enqueued | Checked | JobDone | JobFailed


class Observer(Protocol):
    """Somebody who is told of each event, and picks what concerns them. It returns at once and raises nothing."""

    def observe(self, event: Event) -> None:
        """Take note of it."""


@dataclass
class Observers:
    """Tells each observer in turn. The composition root adds them before anything happens."""

    everyone: list[Observer] = field(default_factory=list)

    def add(self, *observers: Observer) -> None:
        """Let these be told as well."""
        self.everyone += observers

    def observe(self, event: Event) -> None:
        """Tell everyone."""
        for observer in self.everyone:
            observer.observe(event)
