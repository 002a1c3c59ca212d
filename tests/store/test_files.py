"""A SQLite database whose files go from under the bot: noticed, nothing lost that could be kept, nothing spoilt."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.errors import DatabaseGone
from bot.store.database import Database, open_database
from bot.store.file_lock import hold_lock
from bot.store.files import OpenFiles
from bot.store.leases import RENEW
from bot.store.migrate import migrate

NAME = "agent-usage.db"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """In a folder of its own, with a backup beside it; one row was written since."""
    (tmp_path / "kept").mkdir()
    file = tmp_path / "kept" / NAME
    database = open_database(f"sqlite:///{file}")
    await note(database, "backed up")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(tmp_path / "backup")) as backup:
        source.backup(backup)
    await note(database, "written last")
    yield database
    await database.close()


async def note(database: Database, words: str) -> None:
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS notes (words TEXT)"))
        await connection.execute(text("INSERT INTO notes VALUES (:words)"), {"words": words})


def notes(file: Path) -> list[str]:
    """What another process finds in this file, however it was left."""
    with closing(sqlite3.connect(file)) as connection:
        return [words for (words,) in connection.execute("SELECT words FROM notes")]


def deleted(*endings: str) -> Callable[[Path], None]:
    def delete(file: Path) -> None:
        for ending in endings:
            os.remove(f"{file}{ending}")

    return delete


def make_the_folder_a_file(file: Path) -> None:
    shutil.rmtree(file.parent)
    file.parent.touch()


LOSSES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "the database deleted": (NAME, deleted("")),
    "everything deleted": (NAME, deleted("", "-wal", "-shm", ".lock")),
    "the database moved": (NAME, lambda file: os.rename(file, file.with_name("moved"))),
    "a backup put in its place": (NAME, lambda file: os.replace(file.parents[1] / "backup", file)),
    "the folder deleted": (NAME, lambda file: shutil.rmtree(file.parent)),
    "the folder moved": (NAME, lambda file: os.rename(file.parent, file.parents[1] / "moved")),
    "a file in place of the folder": (NAME, make_the_folder_a_file),
    "the log deleted": (f"{NAME}-wal", deleted("-wal")),
    "the log's index deleted": (f"{NAME}-shm", deleted("-shm")),
    "the lock deleted": (f"{NAME}.lock", deleted(".lock")),
}


@pytest.mark.parametrize("how", LOSSES)
async def test_what_goes_is_named_at_the_next_transaction_and_at_the_second_look_it_ends_the_bot(
    database: Database, how: str
) -> None:
    name, lose = LOSSES[how]
    assert database.files
    async with hold_lock(database.files) as file_lock:
        await file_lock.look()
        lose(database.files.file)
        with pytest.raises(DatabaseGone, match=f"{name} was deleted, moved or replaced while the bot had it open"):
            await note(database, "lost")
        await file_lock.look()
        with pytest.raises(DatabaseGone):
            await file_lock.look()
    assert 2 * RENEW < 60


async def test_nothing_is_made_in_the_place_of_what_was_deleted(database: Database) -> None:
    assert database.file
    await database.close()  # the next transaction would open it
    database.file.unlink()
    with pytest.raises(DatabaseGone):
        await note(database, "lost")
    assert not database.file.exists()


async def test_what_was_put_back_is_worked_with_as_before(database: Database) -> None:
    assert database.files
    file = database.files.file
    async with hold_lock(database.files) as file_lock:
        os.rename(file, file.with_name("moved"))
        await file_lock.look()
        os.rename(file.with_name("moved"), file)
        await file_lock.look()
        await note(database, "afterwards")
    assert notes(file)[-1] == "afterwards"


async def test_a_file_that_was_moved_holds_everything(database: Database) -> None:
    assert database.files
    file = database.files.file
    async with hold_lock(database.files) as file_lock:
        os.rename(file, file.with_name("moved"))
        await file_lock.look()
        shutil.copy(file.with_name("moved"), file.with_name("copy"))
    assert notes(file.with_name("copy")) == ["backed up", "written last"]


async def test_a_backup_put_in_place_stays_as_it_was(database: Database) -> None:
    """The old database's log lies beside it, and SQLite would bring that into it."""
    assert database.files
    file = database.files.file
    async with hold_lock(database.files) as file_lock:
        os.replace(file.parents[1] / "backup", file)
        await file_lock.look()
    await database.close()
    assert notes(file) == ["backed up"]


async def test_of_several_that_stand_by_one_takes_a_lock_that_was_deleted(database: Database) -> None:
    assert database.files
    lock = database.files.file.with_name(f"{NAME}.lock")
    others = [open_database(f"sqlite:///{database.file}") for _ in range(2)]
    ends = asyncio.Event()

    async def works(other: Database) -> None:
        assert other.files
        async with hold_lock(other.files):
            working.append(other)
            await ends.wait()

    working: list[Database] = []
    async with hold_lock(database.files):
        standing_by = [asyncio.create_task(works(other)) for other in others]
        await asyncio.sleep(0.1)
        lock.unlink()
        await asyncio.sleep(0.7)
        assert len(working) == 1
    ends.set()
    await asyncio.gather(*standing_by)


async def test_a_database_made_anew_where_one_was_before_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        database = open_database(f"sqlite:///{tmp_path / NAME}")
        await migrate(database)
        assert database.files
        async with hold_lock(database.files):
            pass
        await database.close()
        assert caplog.messages == []
    (tmp_path / NAME).unlink()
    database = open_database(f"sqlite:///{tmp_path / NAME}")
    await migrate(database)
    await database.close()
    [told] = caplog.messages
    assert "was not there and is made anew, though a bot worked with it before" in told


# Who else may read them


def modes(file: Path) -> dict[str, str]:
    return {each.name: f"{each.stat().st_mode & 0o777:o}" for each in sorted(file.parent.glob(f"{NAME}*"))}


async def test_files_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before, file = os.umask(0), tmp_path / NAME
    database = open_database(f"sqlite:///{file}")
    assert database.files
    try:
        await note(database, "private")
        async with hold_lock(database.files):
            found = modes(file)
    finally:
        os.umask(before)
        await database.close()
    assert found == {f"{NAME}{ending}": "600" for ending in ("", "-shm", "-wal", ".lock")}


async def test_files_that_others_could_read_are_closed_to_them_and_said_once(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert database.files
    file = database.files.file
    (file.parent / f"{NAME}.lock").touch(0o644)
    file.chmod(0o644)
    await database.close()
    for _ in range(2):
        await note(database, "again")
        await database.close()
    assert set(modes(file).values()) == {"600"}
    assert caplog.messages == [f"others could read {NAME}, {NAME}.lock in {file.parent}: only their owner can now"]


def test_a_file_whose_rights_cannot_be_changed_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    files = OpenFiles(Path("/proc/self/status"))  # everybody may read it, and nobody may change that
    for _ in range(2):
        files.make_private()
    [line] = caplog.messages
    assert line.startswith("others can read /proc/self/status, and that can't be changed (")
    assert line.endswith("): chmod 600 it")
