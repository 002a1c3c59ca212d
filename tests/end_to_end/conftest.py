"""What tests of the whole program share."""

from __future__ import annotations

import pytest

from bot.sandbox.world import World, execute


@pytest.fixture
def executed(world: World) -> None:
    """Programs are started as everyone starts them, which takes a second: for what happens while they load."""
    world.spawn = execute
