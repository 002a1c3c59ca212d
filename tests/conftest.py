"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.sandbox.world import World
from tests.databases import PgBouncer, Postgres, find_binaries, find_pgbouncer
from tests.forks import ForkServer

# How long an example takes says how busy the machine is; a test that means time measures it itself.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process's own."""
    server = Postgres(_installed(find_binaries(), "PostgreSQL (initdb)", "postgresql"))
    try:
        server.create()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def pgbouncer(postgres: Postgres) -> Iterator[PgBouncer]:
    """PgBouncer in transaction mode before that server."""
    pooler = PgBouncer(_installed(find_pgbouncer(), "PgBouncer", "pgbouncer"), postgres)
    try:
        pooler.start()
        yield pooler
    finally:
        pooler.stop()


def _installed(found: Path | None, what: str, package: str) -> Path:
    if found is None and os.environ.get("CI"):  # noqa: TID251 an option of this test run
        pytest.fail(f"there is no {what} on this machine: .ci/run installs it")
    if found is None:
        pytest.skip(f"there is no {what} on this machine: apt-get install {package} to run these")
    return found


@pytest.fixture(params=["directly", "through PgBouncer"])
def served_url(request: pytest.FixtureRequest, postgres: Postgres) -> str:
    """An empty database on PostgreSQL, reached both ways."""
    address = postgres.new_database()
    if request.param == "directly":
        return address
    pooler: PgBouncer = request.getfixturevalue("pgbouncer")
    return pooler.address(address)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, as DATABASE_URL takes it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'agent-usage.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """A process of this test process's own that starts programs by forking."""
    with ForkServer() as forks:
        yield forks


@pytest.fixture
async def world(tmp_path: Path, forks: ForkServer) -> AsyncIterator[World]:
    """The simulated pair on real sockets; the bot is started by the test."""
    async with World(tmp_path, spawn=forks.spawn) as world:
        yield world
    for process in world.processes:  # shown where the test failed
        print(f"-- {' '.join(process.command[1:])}", *process.lines, sep="\n")
