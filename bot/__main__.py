"""`python -m bot`, also installed as `agent-usage`."""

from __future__ import annotations

import os
import signal
from types import FrameType


def main() -> None:
    """Run a command. A SIGTERM that comes while the program is still loading ends it as it does later: with 0."""
    signal.signal(signal.SIGTERM, _stop)
    from bot.cli import main as run

    run()


def _stop(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)  # nothing is begun yet, and an exception may be swallowed by whatever is being imported


if __name__ == "__main__":
    main()
