"""One payload on its way to the app, and how it was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.slack.workspace import Json

ACK_SECONDS = 3.0


@dataclass(slots=True, eq=False)
class Delivery:
    """`kind` is the envelope's type: slash_commands, interactive or events_api. Times are clock seconds.

    `body` is what the acknowledgement carried, None where it was empty; `connection` the socket it went through;
    `on_ack` is called the moment the acknowledgement arrives.
    """

    id: str
    kind: str
    payload: Json
    sent_at: float
    acked_at: float | None = None
    body: Json | str | None = None
    http_status: int | None = None
    error: str | None = None
    connection: int | None = None
    on_ack: Callable[[Delivery], None] | None = None
    acked: asyncio.Event = field(default_factory=asyncio.Event)

    def acknowledge(self, at: float, body: Json | str | None) -> None:
        """Note that the app acknowledged it, with this body; one that comes too late has no effect."""
        self.acked_at, self.body = at, body
        if self.on_ack is not None and self.error is None:
            self.on_ack(self)
        self.acked.set()

    @property
    def ack_seconds(self) -> float | None:
        return None if self.acked_at is None else self.acked_at - self.sent_at
