"""The real bot with a clock that goes wrong by so many seconds: `python -m tests.replica SECONDS`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

from bot import logs
from bot.app import serve
from bot.sandbox.world import real_now
from bot.settings import SocketSettings, load


def main() -> int:
    """Serve in Socket Mode; the exit code of `serve`."""
    skew = timedelta(seconds=float(sys.argv[1]))
    settings = load(os.environ, SocketSettings)  # noqa: TID251 a program of its own
    logs.set_up(settings.log_level, settings.log_format, settings.secrets())
    return asyncio.run(serve(settings, lambda: real_now() + skew))


if __name__ == "__main__":
    sys.exit(main())
