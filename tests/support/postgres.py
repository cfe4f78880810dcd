"""A PostgreSQL server of the tests' own, in a temporary folder, on a free port; as nobody where the tests run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin")
MISSING = "PostgreSQL is not installed (initdb is neither on PATH nor where Debian puts it): apt-get install postgresql"


def programs() -> Path | None:
    """The folder of PostgreSQL's programs, or None."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [folder for place in PLACES for folder in Path("/").glob(place[1:]) if (folder / "initdb").exists()]
    return max(folders, key=lambda folder: folder.parts, default=None)


@dataclass
class Server:
    """A running server: its folder, address and port."""

    folder: Path
    programs: Path
    host: str
    port: int
    within: Sequence[str] = ()  # a command that runs others elsewhere, such as in a network namespace
    made: int = 0

    def database(self) -> str:
        """A new, empty database, as DuckLake's catalog: what follows `ducklake:`."""
        self.made += 1
        name = f"lake{self.made}"
        self.run("createdb", "-h", str(self.folder), "-p", str(self.port), "-U", "crime", name)
        return f"postgres:dbname={name} host={self.host} port={self.port} user=crime"

    def query(self, catalog: str, sql: str) -> str:
        """What psql prints for a query to a catalog's database."""
        name = catalog.split("dbname=")[1].split()[0]
        return self.run("psql", "-h", str(self.folder), "-p", str(self.port), "-U", "crime", "-At", "-c", sql, name)

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses={self.host} -c fsync=off"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "60", "-o", options, "-l", log, "start")

    def run(self, program: str, *words: str) -> str:
        done = subprocess.run(
            [*self.within, *_as_nobody(), str(self.programs / program), *words],
            text=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout.strip()


@contextmanager
def running(host: str = "127.0.0.1", within: Sequence[str] = ()) -> Iterator[Server]:
    """A server that is there until the block ends. Raises RuntimeError where PostgreSQL is not installed."""
    bin_folder = programs()
    if bin_folder is None:
        raise RuntimeError(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="crime-pg-", dir="/tmp"))  # short, for the name of a socket; open to nobody
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    server = Server(folder, bin_folder, host, _free_port(), within)
    try:
        server.run("initdb", "-D", str(folder / "data"), "-U", "crime", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")
        if host != "127.0.0.1":
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet trust\n")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _as_nobody() -> list[str]:
    """The server refuses to run as root."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
