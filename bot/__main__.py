"""`python -m bot`, also installed as `agent-usage`."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def main() -> None:
    """Run a command. A SIGTERM that comes while the program is still loading ends it as it does later: with 0."""
    signal.signal(signal.SIGTERM, _stop)
    from bot.cli import main as run

    run()


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
