"""Reading a file that people wrote, or saying what stands there instead and how to mend it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from bot.errors import FileMissing, FileUnreadable

LARGEST = 1024 * 1024  # bytes of a file that people write by hand
_KINDS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a disk"))


def read_file(path: Path, most: int = LARGEST) -> bytes:
    """The bytes of a regular file of at most `most` bytes; no more are read. Raises FileUnreadable.

    A pipe is never waited for, nor one that takes the file's place meanwhile, nor a file of the kernel's.
    """
    try:
        if odd := odd_kind(path.stat()):
            raise FileUnreadable(odd)
        with open(path, "rb", opener=_without_waiting) as file:
            if odd := odd_kind(os.fstat(file.fileno())):
                raise FileUnreadable(odd)
            content = file.read(most + 1) or b""  # None where there is nothing to read yet
    except FileNotFoundError:
        raise _missing(path) from None
    except OSError as error:
        raise FileUnreadable(_reason(path, error)) from None
    except ValueError:  # a zero byte
        raise FileUnreadable("this can't be a path: correct it") from None
    if len(content) > most:
        raise FileUnreadable(f"this file is larger than {most // 1024} KiB: make it smaller, or correct the path")
    return content


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def read_text(path: Path, most: int = LARGEST) -> str:
    """The text of a file as `read_file`, with or without a byte order mark. Raises FileUnreadable, also where it is not
    UTF-8."""
    try:
        text = read_file(path, most).decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # as in UTF-16
        raise FileUnreadable("this is not UTF-8 text: save it again as UTF-8")
    return text


def odd_kind(found: os.stat_result) -> str | None:
    """What stands at a path where a file should be, and how to mend it; None where it is a file."""
    if stat.S_ISREG(found.st_mode):
        return None
    if stat.S_ISDIR(found.st_mode):
        return "this is a folder: Docker makes one where a file that it mounts is missing. Put a file in its place"
    kind = next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "no file")
    return f"this is {kind}: put a file in its place"


def _missing(path: Path) -> FileUnreadable:
    if path.is_symlink():
        return FileUnreadable(f"this is a link to {path.readlink()}, which does not exist: put the file there")
    return FileMissing("there is no such file")


def _reason(path: Path, error: OSError) -> str:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return f"user {os.geteuid()} may not read this file: {_rights(path)}"
        case errno.ENOTDIR:
            return "a part of this path is a file and no folder: correct the path"
        case errno.ELOOP:
            return "this is a link that leads to itself: put a file in its place"
        case errno.ENAMETOOLONG:
            return "this path is too long: correct it"
    return f"this file can't be read ({error.strerror})"


def _rights(path: Path) -> str:
    """Whose it is and how it is protected, where even that may be seen."""
    try:
        found = path.stat()
    except OSError:
        return "give it the right to look into the folder"
    mode = stat.S_IMODE(found.st_mode)
    return f"it belongs to user {found.st_uid} and its mode is {mode:03o}. Change one of the two with chown or chmod"
