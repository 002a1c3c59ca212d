"""The sandbox's clock: it stands, runs, or is moved in steps. The bot's process reads it from a file of 24 bytes."""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from bot.clock import elapsed

_FORMAT = struct.Struct("qdd")  # the moment (microseconds since 1970), the monotonic second it was set at, its speed
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SimulatedClock:
    """A clock in this process's hands. Monotonic seconds are the same in every process of one machine."""

    def __init__(self, file: Path, moment: datetime) -> None:
        file.write_bytes(bytes(_FORMAT.size))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), _FORMAT.size)
        self._set(moment, 1.0)

    def now(self) -> datetime:
        """The moment it shows."""
        return _shown(self._shared)

    def stand(self) -> None:
        """Stop where it is."""
        self._set(self.now(), 0.0)

    def run(self) -> None:
        """Go as fast as real time."""
        self._set(self.now(), 1.0)

    def move(self, by: timedelta) -> None:
        """Go ahead by so much, and stand there. A clock of ours never goes back: what was told has its moment."""
        self._set(self.now() + by, 0.0)

    def _set(self, moment: datetime, speed: float) -> None:
        self._shared[:] = _FORMAT.pack((moment - _EPOCH) // timedelta(microseconds=1), elapsed(), speed)


class SharedClock:
    """The same clock, as the bot's process sees it."""

    def __init__(self, file: Path) -> None:
        with file.open("rb") as opened:
            self._shared = mmap.mmap(opened.fileno(), _FORMAT.size, access=mmap.ACCESS_READ)

    def now(self) -> datetime:
        """The moment it shows."""
        return _shown(self._shared)


def _shown(shared: mmap.mmap) -> datetime:
    moment, since, speed = cast("tuple[int, float, float]", _FORMAT.unpack(shared[:]))
    passed = timedelta(seconds=elapsed() - since) if speed else timedelta()
    return _EPOCH + timedelta(microseconds=moment) + passed * speed
