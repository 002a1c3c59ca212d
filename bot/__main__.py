"""`python -m bot`, also installed as `agent-usage`."""

from __future__ import annotations

import gc
import os
import signal
from types import FrameType


def main() -> None:
    """Run a command. A SIGTERM that comes while the program is still loading ends it as it does later: with 0."""
    signal.signal(signal.SIGTERM, _stop)
    gc.disable()  # until a command is loaded: what is imported stays, and to look through it takes a fifth of the start
    from bot.cli import main as run

    run()


def _stop(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)  # nothing is begun yet, and an exception may be swallowed by whatever is being imported


if __name__ == "__main__":
    main()
