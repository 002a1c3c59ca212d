"""The bot's database as the crash harness handles it: copied before a run, asked after it, thrown away."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import psycopg

from tests.databases import Postgres


class Store(Protocol):
    """One database of the bot's."""

    @property
    def address(self) -> str:
        """As DATABASE_URL takes it."""

    def copy(self, folder: Path) -> Self:
        """The same content in a database of its own; nobody may be using this one."""

    def number(self, query: str) -> int:
        """The one number that the query gives."""

    def end_leases(self) -> None:
        """What 15 seconds of silence do after a kill, and the interval until Cartesia is asked again."""

    def remove(self) -> None: ...


@dataclass(frozen=True)
class Sqlite:
    """A file. Whoever died has lost its lock on it: there is no lease to wait for."""

    file: Path

    @property
    def address(self) -> str:
        return f"sqlite:///{self.file}"

    def copy(self, folder: Path) -> Sqlite:
        for part in self.file.parent.glob(self.file.name + "*"):
            shutil.copy(part, folder / part.name)
        return Sqlite(folder / self.file.name)

    def number(self, query: str) -> int:
        """Read without writing: what a killed process left in the log beside the file is left to the bot."""
        with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=5)) as connection:
            return int(connection.execute(query).fetchone()[0])

    def end_leases(self) -> None:
        """Nothing to do."""

    def remove(self) -> None:
        for part in self.file.parent.glob(self.file.name + "*"):
            part.unlink()


@dataclass(frozen=True)
class Postgresql:
    """A database on a throwaway server."""

    server: Postgres
    address: str

    def copy(self, folder: Path) -> Postgresql:  # noqa: ARG002 it has no file
        return Postgresql(self.server, self.server.new_database(self._name))

    def number(self, query: str) -> int:
        with psycopg.connect(self.address, autocommit=True) as connection:
            found = connection.execute(query.encode()).fetchone()
            assert found is not None
            return int(found[0])

    def end_leases(self) -> None:
        with suppress(psycopg.errors.UndefinedTable), psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute("UPDATE leases SET until = 0")  # there are none where a bot died before its tables were

    def remove(self) -> None:
        with psycopg.connect(self.server.address("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{self._name}" WITH (FORCE)'.encode())

    @property
    def _name(self) -> str:
        return self.address.rpartition("/")[2]
