"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.sandbox.world import World
from tests.databases import Postgres, find_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process's own."""
    binaries = find_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("there is no PostgreSQL on this machine: .ci/run installs it")
        pytest.skip("no PostgreSQL binaries (initdb) on this machine: apt-get install postgresql to run these")
    server = Postgres(binaries)
    try:
        server.create()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, as DATABASE_URL takes it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'agent-usage.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The simulated pair on real sockets; the bot is started by the test."""
    async with World(tmp_path) as world:
        yield world
    for process in world.processes:  # shown where the test failed
        print(f"-- {' '.join(process.command[1:])}", *process.lines, sep="\n")
