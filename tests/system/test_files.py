"""What stands where people's files should be, said so that they can mend it."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import read_dotenv
from bot.errors import FileMissing, FileUnreadable, SettingsError
from bot.system.files import LARGEST, read_file, read_text
from tests.nobody import nobody

A_FILE = b"PORT=8080\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that others may look into, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="agent-usage-files-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def unreadable(path: Path) -> str:
    with pytest.raises(FileUnreadable) as caught:
        read_file(path)
    return str(caught.value)


def test_a_file_and_a_link_to_one_are_read(folder: Path) -> None:
    (folder / "file").write_bytes(A_FILE)
    (folder / "link").symlink_to("file")
    assert read_file(folder / "file") == read_file(folder / "link") == A_FILE


def test_a_missing_file_is_called_missing(folder: Path) -> None:
    for path in (folder / "file", folder / "no" / "file"):
        with pytest.raises(FileMissing, match=r"^there is no such file$"):
            read_file(path)


def test_a_folder_is_called_a_folder(folder: Path) -> None:
    assert unreadable(folder).startswith("this is a folder: Docker makes one where a file that it mounts is missing.")


def test_a_pipe_is_called_a_pipe_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert unreadable(folder / "pipe") == "this is a pipe: put a file in its place"


def test_a_pipe_that_takes_a_files_place_meanwhile_is_not_waited_for(folder: Path) -> None:
    class Swapped(type(folder)):  # type: ignore[misc]
        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            return Path(__file__).stat(follow_symlinks=follow_symlinks)

    os.mkfifo(folder / "pipe")
    assert unreadable(Swapped(folder / "pipe")) == "this is a pipe: put a file in its place"


def test_no_more_of_a_file_is_read_than_it_may_have(folder: Path) -> None:
    with (folder / "file").open("wb") as file:
        file.truncate(2_000_000_000)
    begun = time.thread_time()
    assert unreadable(folder / "file") == "this file is larger than 1024 KiB: make it smaller, or correct the path"
    assert time.thread_time() - begun < 1
    os.truncate(folder / "file", LARGEST)
    assert len(read_file(folder / "file")) == LARGEST


def test_a_socket_and_a_device_are_called_so(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(folder / "socket"))
        assert unreadable(folder / "socket").startswith("this is a socket")
    assert unreadable(Path("/dev/null")).startswith("this is a device")


def test_a_link_into_nothing_is_called_that_with_where_it_leads(folder: Path) -> None:
    (folder / "link").symlink_to("/nowhere/at all")
    assert unreadable(folder / "link").startswith("this is a link to /nowhere/at all, which does not exist")


@pytest.mark.parametrize(
    ("make", "path", "words"),
    [
        pytest.param(lambda at: (at / "loop").symlink_to("loop"), "loop", "leads to itself", id="a link to itself"),
        pytest.param(
            lambda at: (at / "f").touch(), "f/file", "a part of this path is a file", id="a file for a folder"
        ),
        pytest.param(lambda _: None, "x" * 300, "this path is too long", id="a path that is too long"),
    ],
)
def test_a_path_that_leads_to_nothing_is_said(folder: Path, make: object, path: str, words: str) -> None:
    assert callable(make)
    make(folder)
    assert words in unreadable(folder / path)


def test_rights_that_are_missing_are_told_with_whose_the_file_is(folder: Path) -> None:
    file = folder / "file"
    file.write_bytes(A_FILE)
    file.chmod(0o000)
    with nobody() as user:
        said = unreadable(file)
    whose = f"it belongs to user {os.geteuid()} and its mode is 000"
    assert said == f"user {user} may not read this file: {whose}. Change one of the two with chown or chmod"


def test_a_folder_that_may_not_be_looked_into_is_said(folder: Path) -> None:
    (folder / "file").write_bytes(A_FILE)
    folder.chmod(0o000)
    with nobody() as user:
        said = unreadable(folder / "file")
    folder.chmod(0o755)
    assert said == f"user {user} may not read this file: give it the right to look into the folder"


@pytest.mark.parametrize(
    "content",
    ["PORT=8080".encode("utf-16"), "PORT=8080".encode("utf-16-le"), "# Schlüssel".encode("latin-1")],
    ids=["UTF-16", "UTF-16 without its mark", "Latin-1"],
)
def test_another_encoding_is_told_and_how_to_mend_it(folder: Path, content: bytes) -> None:
    (folder / ".env").write_bytes(content)
    with pytest.raises(FileUnreadable, match=r"^this is not UTF-8 text: save it again as UTF-8$"):
        read_text(folder / ".env")


# .env


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_env_is_read(folder: Path, mark: bytes) -> None:
    (folder / ".env").write_bytes(mark + b"PORT='8080'\r\n# more\r\nHOST=\r\n")
    assert read_dotenv(folder / ".env") == {"PORT": "8080", "HOST": ""}


def test_without_env_nothing_is_written(folder: Path) -> None:
    assert read_dotenv(folder / ".env") == {}


def test_an_env_that_cannot_be_read_is_a_mistake_of_the_settings(folder: Path) -> None:
    (folder / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"^\.env: this is a folder: "):
        read_dotenv(folder / ".env")


def test_an_env_of_more_than_64_kib_is_refused(folder: Path) -> None:
    (folder / ".env").write_bytes(b"#" * (64 * 1024 + 1))
    with pytest.raises(SettingsError, match=r"^\.env: this file is larger than 64 KiB: make it smaller"):
        read_dotenv(folder / ".env")


def test_a_value_of_env_is_taken_as_it_stands_and_does_not_multiply(folder: Path) -> None:
    doubled = "".join(f"A{place + 1}=${{A{place}}}${{A{place}}}\n" for place in range(60))
    (folder / ".env").write_text(f"A0=x\n{doubled}SECRET=a${{b}}c\n")
    found = read_dotenv(folder / ".env")
    assert found["A60"] == "${A59}${A59}"
    assert found["SECRET"] == "a${b}c"
