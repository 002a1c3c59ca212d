"""The real bot with the sandbox's clock: `python -m bot.sandbox.process CLOCK_FILE`. All else is the program's own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bot import logs
from bot.app import Timing, serve
from bot.jobs.deliver import Pace
from bot.sandbox.clock import SharedClock
from bot.settings import SocketSettings, load
from bot.terminal.exit_codes import plain_errors

# Checks follow the simulated clock, so that a month passes in half a minute; no message waits for its channel's turn.
POLL_EVERY = 0.005  # seconds between two looks at whether a check is due
PACE = Pace(between_posts=0.0, waits=(0.2, 0.5, 1.0, 2.0), between_looks=0.1)


def main() -> None:
    """Serve in Socket Mode; exits as `serve` does."""
    clock = SharedClock(Path(sys.argv[1]))
    with plain_errors():
        settings = load(os.environ, SocketSettings)  # noqa: TID251 a program of its own
        logs.set_up(settings.log_level, settings.log_format, settings.secrets())
        timing = Timing(PACE, lambda: clock.now().timestamp(), POLL_EVERY)
        code = asyncio.run(serve(settings, clock.now, timing))
    os._exit(code)


if __name__ == "__main__":
    main()
