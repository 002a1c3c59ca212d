"""The job that lets go of what is older than promised."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.jobs.runner import Job, Timer
from bot.store.ledger import Ledger

DAY = 86_400.0  # seconds
SETTLED = 3_600.0  # seconds after a start in which a clock that was wrong at boot is set right


def pruning(ledger: Ledger, kept_for: timedelta, now: Callable[[], datetime], seconds: Callable[[], float]) -> Job:
    """Once a day, by `seconds`, what was kept for longer than `kept_for` goes."""

    async def prune() -> None:
        await ledger.prune(now() - kept_for)

    return Job("the daily clearing", prune, Timer(DAY, SETTLED, seconds), only_reader=True)
