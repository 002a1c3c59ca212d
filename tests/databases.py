"""A throwaway PostgreSQL from the installed binaries, on 127.0.0.1 and a free port; also when run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def find_binaries() -> Path | None:
    """The folder with initdb and postgres, the newest of several; None where there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [folder for place in _PLACES for folder in Path("/").glob(place[1:]) if (folder / "initdb").exists()]
    return max(folders, default=None)


@dataclass
class Postgres:
    """One server in a folder of its own. `stop` and `start` may be called again and again: what it holds stays."""

    binaries: Path
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="agent-usage-postgres-")))
    port: int = 0
    _server: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make the cluster and start it."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run(
            str(self.binaries / "initdb"), "-D", str(self.folder / "cluster"), "-U", "tests", "-A", "trust", "--no-sync"
        )
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._server = subprocess.Popen(
            [
                str(self.binaries / "postgres"),
                *("-D", str(self.folder / "cluster"), "-p", str(self.port), "-k", "", "-c", "fsync=off"),
                *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "log_min_messages=fatal"),
            ],
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.address("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop at once, as a machine that fails: connections break."""
        if self._server:
            self._server.send_signal(3)  # SIGQUIT: immediate shutdown
            self._server.wait(10)
            self._server = None

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, database: str) -> str:
        """As DATABASE_URL takes it."""
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """The address of a fresh database, a copy of the template."""
        name = f"t{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.address(name)

    @property
    def _user(self) -> str | None:
        """Who runs the server: PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return None
        names = {entry.pw_name for entry in pwd.getpwall()}
        return "postgres" if "postgres" in names else "nobody"

    def _run(self, *command: str) -> None:
        subprocess.run(command, user=self._user, check=True, capture_output=True, cwd="/", timeout=60)
