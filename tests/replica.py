"""The real bot with a clock that goes wrong by so many seconds: `python -m tests.replica SECONDS`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta

from bot import logs
from bot.app import serve
from bot.settings import SocketSettings, load


def main() -> int:
    """Serve in Socket Mode; the exit code of `serve`."""
    skew = timedelta(seconds=float(sys.argv[1]))
    settings = load(os.environ, SocketSettings)
    logs.set_up(settings.log_level, settings.log_format, settings.secrets())
    return asyncio.run(serve(settings, lambda: datetime.now(UTC) + skew))


if __name__ == "__main__":
    sys.exit(main())
