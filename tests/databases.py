"""A throwaway PostgreSQL, and a PgBouncer before it, from the installed binaries, on 127.0.0.1 and free ports; also
when run as root."""

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
        self.port = _free_port()
        give_away(self.folder)
        where = ("-D", str(self.folder / "cluster"), "-U", "tests", "-A", "trust", "--no-sync")
        command = (str(self.binaries / "initdb"), *where)
        subprocess.run(command, user=server_user(), check=True, capture_output=True, cwd="/", timeout=60)
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._server = _started(
            str(self.binaries / "postgres"),
            *("-D", str(self.folder / "cluster"), "-p", str(self.port), "-k", "", "-c", "fsync=off"),
            *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "log_min_messages=fatal"),
            *("-c", "full_page_writes=off", "-c", "autovacuum=off", "-c", "jit=off", "-c", "max_wal_size=4GB"),
        )
        _wait_for(self.address("postgres"))

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


@dataclass
class PgBouncer:
    """PgBouncer with Debian's settings, but for where it listens; in transaction mode unless told, and with so few
    sessions for each database that processes share them."""

    binary: Path
    server: Postgres
    pool_mode: str = "transaction"
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="agent-usage-pgbouncer-")))
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.port = _free_port()
        (self.folder / "users.txt").write_text('"tests" ""\n')
        (self.folder / "pgbouncer.ini").write_text(
            f"""[databases]
            * = host=127.0.0.1 port={self.server.port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {self.port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {self.folder / "users.txt"}
            pool_mode = {self.pool_mode}
            default_pool_size = 2
            """.replace("\n            ", "\n")
        )
        give_away(self.folder)
        self._process = _started(str(self.binary), "-q", str(self.folder / "pgbouncer.ini"))
        _wait_for(self.address(self.server.address("postgres")))

    def stop(self) -> None:
        """Stop at once, and leave nothing behind."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self, address: str) -> str:
        """The same database, by way of PgBouncer."""
        return address.replace(f":{self.server.port}/", f":{self.port}/")


def find_pgbouncer() -> Path | None:
    """The binary, which Debian puts where only root looks; None where there is none."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")  # noqa: TID251 where its programs are
    return Path(found) if found else None


def server_user() -> str | None:
    """Who runs the servers, which refuse to run as root; None where it is whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def give_away(folder: Path) -> None:
    """Let the servers' user own the folder."""
    if user := server_user():
        shutil.chown(folder, user)


def _started(*command: str) -> subprocess.Popen[bytes]:
    user = server_user()
    return subprocess.Popen(
        command,
        user=user,
        group=pwd.getpwnam(user).pw_gid if user else None,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(address: str) -> None:
    give_up = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return
