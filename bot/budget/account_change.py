"""Whether a reading is of the account that the readings before it were of. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from bot.model import Reading, Totals
from bot.windows import LATE_DAYS, utc_day

LEAST: Final = 3  # days with usage: fewer may all be restated, where the account is young
SHARE: Final = 9, 10  # of them have changed; a small account may have the same figures as another on some day
COMPARED: Final = timedelta(days=30)  # that two readings have to agree on

NoFigures: Final = Totals()


def changed_at_once(known: Mapping[date, Totals], reading: Reading) -> int:
    """How many past days have other figures than were known, where that are so many that it is another account's
    reading; else 0.

    Late calls restate the last days, and a correction a few; the key of another account changes them all. Today grows
    in any case, and a day without a figure tells nothing.
    """
    today = utc_day(reading.read_at)
    past = [day for day, was in known.items() if day < today and was != NoFigures and day in reading.days]
    changed = sum(known[day] != reading.days[day] for day in past)
    return changed if len(past) >= LEAST and changed * SHARE[1] >= len(past) * SHARE[0] else 0


def mark_of(reading: Reading) -> str:
    """What tells this account's readings: the figures of a month of days that are too old for late calls."""
    return _mark(reading, utc_day(reading.read_at) - timedelta(days=LATE_DAYS + 1))


def bears(reading: Reading, mark: str) -> bool:
    """Whether the reading agrees with the one that has this mark, on the days that were too old then."""
    return _mark(reading, date.fromisoformat(mark.partition(" ")[0])) == mark


def _mark(reading: Reading, last: date) -> str:
    days = sorted(day for day in reading.days if last - COMPARED < day <= last)
    figures = "|".join(
        f"{day} {each.cents} {each.minutes.normalize():f} {each.calls}" for day in days for each in [reading.days[day]]
    )
    return f"{last} {hashlib.sha256(figures.encode()).hexdigest()[:16]}"
