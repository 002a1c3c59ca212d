"""What every test may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The simulated pair on real sockets; the bot is started by the test."""
    async with World(tmp_path) as world:
        yield world
    for process in world.processes:  # shown where the test failed
        print(f"-- {' '.join(process.command[1:])}", *process.lines, sep="\n")
