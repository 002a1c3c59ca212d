"""The simulated account uses what its profile says, however its time passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from bot.model import Totals
from bot.sandbox.account import PROFILES, SimulatedAccount
from bot.sandbox.cartesia import SimulatedCartesia

MORNING = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def used(profile: str, steps: list[datetime]) -> tuple[Totals, Fraction]:
    account = SimulatedAccount(SimulatedCartesia(lambda: MORNING), profile)
    for since, until in pairwise(steps):
        account.pass_time(since, until)
    return account.cartesia.days.get(MORNING.date(), Totals()), account.rest


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("tick", [timedelta(seconds=0.4999), timedelta(seconds=0.5007), timedelta(minutes=5)], ids=str)
def test_many_small_steps_use_as_much_as_one_big_one(profile: str, tick: timedelta) -> None:
    steps = [MORNING + number * tick for number in range(timedelta(hours=2) // tick + 1)]
    assert used(profile, steps) == used(profile, [steps[0], steps[-1]])


def test_an_outage_uses_nothing() -> None:
    account = SimulatedAccount(SimulatedCartesia(lambda: MORNING))
    account.switch_outage(MORNING)
    account.pass_time(MORNING, MORNING + timedelta(hours=5))
    assert account.cartesia.days == {}
