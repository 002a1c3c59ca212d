"""What can't heal is refused at once with what to do; what may heal is waited for, and the log says for what."""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bot.app import open_store
from bot.errors import DatabaseUnusable, StoreError
from bot.logs import Repeats
from bot.settings import Settings, load
from bot.store.failures import store_error
from tests.databases import Postgres
from tests.nobody import nobody

PATIENCE = 30.0  # seconds, none of which may be spent on what can't heal


async def refused(address: str) -> str:
    began = time.monotonic()
    with pytest.raises(DatabaseUnusable) as caught:
        await open_store(load({"DATABASE_URL": address}, Settings), PATIENCE)
    assert time.monotonic() - began < PATIENCE / 3
    return str(caught.value)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may look into, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="agent-usage-store-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def nothing(_: Path) -> None:
    """Leave the folder as it is."""


def text(file: Path) -> None:
    """A file, and none of SQLite's."""
    file.write_text("rules: []\n" * 200)


def foreign(file: Path) -> None:
    """Another program's database."""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE outbox (id INTEGER)")
    connection.close()


def damaged(file: Path) -> None:
    """A database whose second page is gone to pieces."""
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE things (id INTEGER)")
    connection.close()
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\xff" * (len(content) - 100))


@pytest.mark.parametrize(
    ("make", "path", "words"),
    [
        pytest.param(nothing, "no/where/usage.db", "there is no folder {folder}/no: create it", id="no such folder"),
        pytest.param(text, "usage.db/usage.db", "{folder}/usage.db is a file and no folder", id="a file for a folder"),
        pytest.param(Path.mkdir, "usage.db", "{folder}/usage.db is a folder: write the path of a file", id="a folder"),
        pytest.param(os.mkfifo, "usage.db", "{folder}/usage.db: this is a pipe", id="a pipe"),
        pytest.param(text, "usage.db", "{folder}/usage.db is no SQLite database", id="another file"),
        pytest.param(damaged, "usage.db", "{folder}/usage.db is damaged: put a backup", id="a damaged database"),
        pytest.param(foreign, "usage.db", "{folder}/usage.db holds tables of another program", id="another database"),
    ],
)
async def test_a_path_that_is_no_use_to_sqlite_is_named_with_the_remedy(
    folder: Path, make: Callable[[Path], None], path: str, words: str
) -> None:
    make(folder / "usage.db")
    assert f"The database can't be used: {words.format(folder=folder)}" in await refused(f"sqlite:///{folder / path}")


def protected_folder(file: Path) -> None:
    """Others may look into it."""
    file.parent.chmod(0o555)


def closed_folder(file: Path) -> None:
    """Others may not even look into it."""
    file.parent.chmod(0o700)


def protected_file(file: Path) -> None:
    """Others may write beside it."""
    file.parent.chmod(0o777)
    file.touch(0o444)


def leftover_of_roots(file: Path) -> None:
    """The journal of a bot that ran as somebody else."""
    file.parent.chmod(0o777)
    file.with_name("usage.db-wal").touch(0o400)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(protected_folder, "{folder}, where SQLite keeps files beside the database: ", id="a folder"),
        pytest.param(closed_folder, "{folder}, where SQLite keeps files beside the database: ", id="a closed folder"),
        pytest.param(protected_file, "{folder}/usage.db: change its owner or its rights", id="a file"),
        pytest.param(leftover_of_roots, "{folder}/usage.db-wal: change its owner or its rights", id="its journal"),
    ],
)
async def test_rights_that_are_missing_are_told_with_whose(
    folder: Path, make: Callable[[Path], None], words: str
) -> None:
    make(folder / "usage.db")
    with nobody() as user:
        said = await refused(f"sqlite:///{folder}/usage.db")
    assert f"user {user} may not write to {words.format(folder=folder)}" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none", 'database "none" does not exist. Create that database, or correct its name in DATABASE_URL.'),
        ("postgres?user=nobody", 'role "nobody" does not exist. Correct the user and the password in DATABASE_URL.'),
        (
            "postgres?sslmode=require",
            "does not support SSL, but SSL was required. Correct sslmode and the certificates",
        ),
        ("postgres?sslmode=requir", "Correct what follows the ? in DATABASE_URL."),
    ],
    ids=["no such database", "no such user", "no TLS", "a parameter's value"],
)
async def test_what_postgresql_refuses_for_good_is_not_waited_for(postgres: Postgres, name: str, words: str) -> None:
    assert words in await refused(postgres.address(name))


FAILED = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("error", "lasts"),
    [
        (psycopg.OperationalError(f'{FAILED}FATAL:  password authentication failed for user "bot"'), True),
        (psycopg.OperationalError(f"{FAILED}fe_sendauth: no password supplied"), True),
        (psycopg.OperationalError(f'{FAILED}FATAL:  no pg_hba.conf entry for host "10.0.0.1"'), True),
        (psycopg.OperationalError(f'{FAILED}FATAL:  permission denied for database "prod"'), True),
        (psycopg.OperationalError(f'{FAILED}root certificate file "/x" does not exist'), True),
        (psycopg.OperationalError(f"{FAILED}FATAL:  unsupported startup parameter: options"), True),
        (psycopg.ProgrammingError("bad value for connect_timeout: 'x'"), True),
        (psycopg.errors.InsufficientPrivilege("permission denied for schema public"), True),
        (psycopg.errors.DuplicateTable('relation "outbox" already exists'), True),
        (psycopg.OperationalError(f"{FAILED}Connection refused"), False),
        (psycopg.OperationalError("failed to resolve host 'db': Name or service not known"), False),
        (psycopg.OperationalError(f"{FAILED}FATAL:  the database system is starting up"), False),
        (psycopg.OperationalError(f"{FAILED}FATAL:  sorry, too many clients already"), False),
        (psycopg.OperationalError(f"{FAILED}SSL SYSCALL error: EOF detected"), False),
        (psycopg.errors.AdminShutdown("terminating connection due to administrator command"), False),
        (psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"), False),
        (psycopg.errors.QueryCanceled("canceling statement due to statement timeout"), False),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT in a read-only transaction"), False),
        (psycopg.errors.DiskFull("could not extend file"), False),
        (psycopg.errors.UniqueViolation("duplicate key value violates unique constraint"), False),
        (TimeoutError("connection timeout"), False),
    ],
    ids=lambda value: str(value).removeprefix(FAILED)[:50],
)
def test_what_may_heal_on_postgresql_is_told_from_what_cannot(error: Exception, lasts: bool) -> None:
    assert isinstance(store_error(error, None), DatabaseUnusable) is lasts


async def test_what_may_heal_is_waited_for_with_one_line_that_says_for_what(caplog: pytest.LogCaptureFixture) -> None:
    said = Repeats(time.monotonic)
    with caplog.at_level(logging.WARNING), pytest.raises(StoreError, match="Connection refused"):
        await open_store(load({"DATABASE_URL": "postgresql://bot@127.0.0.1:1/prod"}, Settings), 1.2)
    [line] = [record.getMessage() for record in caplog.records if said.filter(record)]
    assert "Connection refused. Waiting for it, at most 1 s more." in line


async def test_a_locked_file_is_waited_for_and_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    error = store_error(sqlite3.OperationalError("database is locked"), folder / "usage.db")
    assert str(error) == f"The database did not do its part: database is locked ({folder / 'usage.db'})."
    assert not isinstance(error, DatabaseUnusable)
