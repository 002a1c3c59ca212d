"""Which failures of a database pass if it is waited for, and what a person must do about the others."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.errors import DatabaseUnusable, StoreError
from bot.system.files import odd_kind

# SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html), whole or as their beginning; the words of
# a connection that failed, which libpq gives no SQLSTATE; and the remedy. What stands in no row may pass.
_POSTGRESQL: tuple[tuple[tuple[str, ...], str, str], ...] = (
    ((), r"pg_hba\.conf", "Let its pg_hba.conf admit this user from here, or correct DATABASE_URL"),
    (
        ("28",),
        r"authentication failed|no password supplied|role .* does not exist|not permitted to log in|no such user",
        "Correct the user and the password in DATABASE_URL",
    ),
    (
        ("3D",),
        r"database .* does not exist|no such database|not currently accepting connections",
        "Create that database, or correct its name in DATABASE_URL",
    ),
    (
        ("42501", "3F"),
        r"permission denied",
        "Grant the user of DATABASE_URL the right to connect, and to create tables in its schema",
    ),
    (("42P07",), r"$^", "It holds tables of another program: name another database in DATABASE_URL"),
    (
        (),
        r"invalid (\w+ )?value|bad value for|invalid port|unsupported startup parameter|unrecognized configuration",
        "Correct what follows the ? in DATABASE_URL",
    ),
    ((), r"definition of service .* not found|service file", "Correct what follows the ? in DATABASE_URL"),
    ((), r"certificate|private key|does not support SSL", "Correct sslmode and the certificates in DATABASE_URL"),
)

_OF_THE_PATH = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")  # the files that SQLite and the bot write
_ELSEWHERE = "or correct DATABASE_URL"


def store_error(error: BaseException, file: Path | None) -> StoreError:
    """What this error of SQLAlchemy's or a driver's means for whoever asked the database; `file` is SQLite's."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")  # no statement, no values
    lasting = _lasting_in_postgresql(cause, reason) if file is None else _lasting_in_sqlite(cause, file)
    if lasting:
        return DatabaseUnusable(f"The database can't be used: {lasting}.")
    return StoreError(f"The database did not do its part: {reason}{f' ({file})' if file else ''}.")


def refuse_obstacle(file: Path) -> None:
    """Raise DatabaseUnusable where something at this path stands in SQLite's way."""
    if reason := obstacle(file):
        raise DatabaseUnusable(f"The database can't be used: {reason}.")


def obstacle(file: Path) -> str | None:
    """Why SQLite can't work with a file at this path, and what to do; None where nothing stands in its way."""
    for folder in reversed(file.parents):
        try:
            found = folder.stat()
        except FileNotFoundError:
            return f"there is no folder {folder}: create it, {_ELSEWHERE}"
        except OSError as error:
            return f"user {os.geteuid()} can't look at {folder} ({error.strerror}): change the rights, {_ELSEWHERE}"
        if not stat.S_ISDIR(found.st_mode):
            return f"{folder} is a file and no folder: correct DATABASE_URL"
    if not os.access(file.parent, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        return _unwritable(file.parent, ", where SQLite keeps files beside the database")
    return next(filter(None, (_obstacle_at(file.with_name(file.name + ending)) for ending in _BESIDE)), None)


def _obstacle_at(path: Path) -> str | None:
    if not path.exists():
        return None
    if path.is_dir():
        return f"{path} is a folder: write the path of a file in it into DATABASE_URL"
    if odd := odd_kind(path.stat()):
        return f"{path}: {odd}, {_ELSEWHERE}"
    return None if os.access(path, os.R_OK | os.W_OK, effective_ids=True) else _unwritable(path)


def _unwritable(path: Path, why: str = "") -> str:
    """Nobody may write to a disk that is mounted so; else it is for want of rights."""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return f"{path} is on a disk that is mounted read-only: mount it writable, {_ELSEWHERE}"
    return f"user {os.geteuid()} may not write to {path}{why}: change its owner or its rights, {_ELSEWHERE}"


def _lasting_in_postgresql(cause: BaseException, reason: str) -> str | None:
    sqlstate = str(getattr(cause, "sqlstate", None) or "")
    for states, words, remedy in _POSTGRESQL:
        if sqlstate.startswith(states) if sqlstate else re.search(words, reason, re.IGNORECASE):
            return f"{reason}. {remedy}"
    return None


def _lasting_in_sqlite(cause: BaseException, file: Path) -> str | None:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind, what is above tells details
    if code == sqlite3.SQLITE_CANTOPEN:
        return obstacle(file) or f"{file} can't be opened: check where it is and whose, {_ELSEWHERE}"
    if code in _OF_THE_PATH:
        return obstacle(file)
    if code == sqlite3.SQLITE_NOTADB:
        return f"{file} is no SQLite database: write another path into DATABASE_URL"
    if code == sqlite3.SQLITE_CORRUPT:
        return f"{file} is damaged: put a backup in its place"
    if code == sqlite3.SQLITE_ERROR and "already exists" in str(cause):
        return f"{file} holds tables of another program: write another path into DATABASE_URL"
    return None
