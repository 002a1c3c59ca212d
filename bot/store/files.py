"""Whether the files of an open SQLite database are still the ones that were opened.

A process goes on writing into a file that was deleted, moved or replaced, and what it writes is lost; a log that is
left beside another database spoils that one (https://www.sqlite.org/howtocorrupt.html, sections 1.4 and 2.4).
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

from bot.errors import DatabaseGone

_LOGS = ("-wal", "-shm")
_PUT_BACK = "Put it or a backup in its place: with an empty database the bot tells again what it has told."
_RESTART = "The next start makes it anew."

PRIVATE: Final = 0o600  # what was said and who asked is for the owner of the files alone, whatever the umask

log = logging.getLogger(__name__)


def lock_of(file: Path) -> Path:
    """The file beside the database whose lock says that a process works with it."""
    return _beside(file, ".lock")


def identity_of(path: Path) -> tuple[int, int] | None:
    """What a path leads to, the same for as long as it is the same file; None where there is none. Raises OSError."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


class OpenFiles:
    """The files of one database, once they are open."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._identities: dict[Path, tuple[int, int]] = {}
        self._left_open: set[Path] = set()

    def make_private(self) -> None:
        """Create the database for its owner alone, and close to others what they could read; SQLite gives its logs the
        rights of the database. Raises OSError where it can't be created."""
        with contextlib.suppress(FileExistsError):  # closing one that SQLite has open would end its locks
            os.close(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        closed = [path.name for path in self._all() if self._close_to_others(path)]
        if closed:
            names = ", ".join(closed)
            log.warning("others could read %s in %s: only their owner can now", names, self.file.parent)

    def note_opened(self) -> None:
        """The database was opened; the first time counts."""
        if self.file not in self._identities:
            self._note(self.file)

    def note_working(self) -> None:
        """This process works with it: its lock and its logs are to stay, too."""
        for path in self._all():
            self._note(path)

    def check(self) -> None:
        """Raises DatabaseGone where one of them was deleted, moved or replaced, and OSError."""
        for path, identity in self._identities.items():
            if identity_of(path) != identity:
                remedy = _PUT_BACK if path == self.file else _RESTART
                raise DatabaseGone(f"{path} was deleted, moved or replaced while the bot had it open. {remedy}")

    def _all(self) -> tuple[Path, ...]:
        return (self.file, lock_of(self.file), *(_beside(self.file, ending) for ending in _LOGS))

    def _close_to_others(self, path: Path) -> bool:
        """Whether others could read it, and can't any more."""
        try:
            if not os.stat(path).st_mode & 0o077:
                return False
            os.chmod(path, PRIVATE)
        except FileNotFoundError:
            return False
        except OSError as error:
            if path not in self._left_open:
                log.warning("others can read %s, and that can't be changed (%s): chmod 600 it", path, error.strerror)
            self._left_open.add(path)
            return False
        return True

    def _note(self, path: Path) -> None:
        if identity := identity_of(path):
            self._identities[path] = identity


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)
