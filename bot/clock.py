"""The clock that waits are counted on. What time it is, `now`, is an argument everywhere, and only said."""

from __future__ import annotations

import time

# Linux's CLOCK_MONOTONIC stands still while the machine is suspended; that of macOS goes on (clock_gettime(2), (3)).
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Seconds since a moment in the past, the same for every process of this machine.

    Nobody sets this clock, so it never leaps; what passes while the machine is suspended counts.
    """
    return time.clock_gettime(_CLOCK)
