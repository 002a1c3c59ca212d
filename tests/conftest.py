"""What every test may ask for."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bot.sandbox.world import World
from bot.store.database import open_database
from bot.store.migrate import migrate
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
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database of the current schema, for copies."""
    file = tmp_path_factory.mktemp("migrated") / "agent-usage.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    """The name of a PostgreSQL database of the current schema, for copies."""
    address = postgres.new_database()
    _migrate(address)
    return address.rpartition("/")[2]


def _migrate(address: str) -> None:
    """In a thread of its own, since the tests' thread may have a loop already."""

    async def migrated() -> None:
        database = open_database(address)
        await migrate(database)
        await database.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrated()).result()


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    """A SQLite database of the current schema, with nothing in it."""
    file = shutil.copy(migrated_file, tmp_path / "agent-usage.db")
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest) -> str:
    """A database of each kind, of the current schema, with nothing in it."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database(request.getfixturevalue("migrated_template"))


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
