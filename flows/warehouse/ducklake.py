"""The lakehouse: the published tables in DuckLake, for readers on any host. Where it lies, and how to attach to it.

It has a catalog (a PostgreSQL database; or a DuckDB file, which a writer shares with nobody) and Parquet in a folder or bucket
that all hosts see. What is written there, and how, stands in ducklake_publish.py. Commands that only read import this module,
so it imports nothing slow. What the environment says is handed in.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import duckdb

from flows.common.errors import is_interrupt
from flows.storage.lakehouse_access import LOCAL, LakehouseAccess
from sql import quoted
from transforms.errors import CrimeRatesError, UsageError

NAME = "lake"  # what the lakehouse is called in a connection that is attached to it
AUTHOR = "crime-rates"  # of each snapshot that a publication makes; its message is the name of the build
SETTING, DATA, SNAPSHOT = "CRIME_RATES_LAKEHOUSE", "CRIME_RATES_LAKEHOUSE_DATA", "CRIME_RATES_LAKEHOUSE_SNAPSHOT"
ALWAYS = "data_inlining_row_limit 0"  # else ten rows or fewer go into the catalog, where only DuckDB finds them
NO_CATALOG = "creating a new DuckLake is explicitly disabled"  # what DuckLake says where it finds none
CONFLICT = "Transaction conflict"  # what it says at a commit when another writer was faster
LOST = re.compile(  # what it says, or PostgreSQL's client, when the server went away in the midst of something
    r'Failed to execute query "ROLLBACK"|server closed the connection|terminating connection|no connection to the server|'
    r"could not (receive data from|send data to) server|connection to server was lost"
)
BUSY = "due to lock timeout"  # what PostgreSQL says when another writer stands still in the midst of its commit
ADDRESS = re.compile(r'Failed to attach DuckLake MetaData .*Unable to connect to Postgres at ".*": ')  # it quotes TIMEOUTS, twice
QUERY = re.compile(r'Failed to (execute query|prepare COPY) ".*": ')  # DuckLake quotes its whole commit, kilobytes of SQL
TIMEOUTS = {  # by default a host whose cable is out waits a quarter of an hour, and the server two hours for that host
    "connect_timeout": "10",
    "tcp_user_timeout": "30000",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "options": "-c lock_timeout=60s -c tcp_user_timeout=30s -c tcp_keepalives_idle=15 -c tcp_keepalives_interval=5 "
    "-c tcp_keepalives_count=3",
}


class LakehouseError(CrimeRatesError):
    """The lakehouse cannot be reached, read or written; what was published there stands whole."""


class Conflict(LakehouseError):
    """Another writer published between the beginning of this publication and its end; nothing of this one is there."""


@dataclass(frozen=True)
class LakehousePublication:
    """A publication that can still be read: its snapshot, when it was made (UTC), the build that it holds."""

    snapshot: int
    when: str
    build: str


def connect_read_only(catalog: str, snapshot: int | None = None, access: LakehouseAccess = LOCAL) -> duckdb.DuckDBPyConnection:
    """A read-only connection in which the lakehouse is the default database, so that SQL is that of the published file.

    snapshot: the publication to read, by its number (`list_publications`); None is the newest, and follows each publication.
    Raises LakehouseError.
    """
    con = _loaded(catalog, access)
    _attach(con, catalog, snapshot, access)
    return con


def connect_pinned(catalog: str, at: str, access: LakehouseAccess) -> duckdb.DuckDBPyConnection:
    """A reader of the lakehouse that stays at one publication: `at`, the number of its snapshot, or the newest one now ("").

    So all that a command asks is answered by one build. No transaction does that: where PostgreSQL goes away in one, DuckDB ends
    the whole process when the connection closes. Raises LakehouseError.
    """
    if at and not at.isdigit():
        raise UsageError(f"expected the number of a snapshot in {SNAPSHOT}, found {at!r}; `crime-rates snapshots` lists them.")
    con = connect_read_only(catalog, int(at) if at else None, access)
    if not at:
        with translate_errors():
            [(newest,)] = con.execute(f"select id from {NAME}.current_snapshot()").fetchall()
            con.execute(f"use memory; detach {NAME}")
        _attach(con, catalog, newest, access)
    return con


def _attach(con: duckdb.DuckDBPyConnection, catalog: str, snapshot: int | None, access: LakehouseAccess) -> None:
    at = f", snapshot_version {snapshot}" if snapshot is not None else ""
    with translate_errors():
        con.execute(f"attach {quoted('ducklake:' + _with_timeouts(catalog, access))} as {NAME} ({ALWAYS}, read_only{at})")
        con.execute(f"use {NAME}")


def connect_writable(catalog: str, data: str, access: LakehouseAccess = LOCAL) -> duckdb.DuckDBPyConnection:
    """A connection that may write; creates the lakehouse at first use. Raises LakehouseError, UsageError for a bad address.

    data: the folder or s3:// address of its Parquet, wanted at first use only, when nothing may lie there: DuckLake deletes
    what it does not know in the folder that it takes for its own.
    """
    con = _loaded(catalog, access)
    attach = f"attach {quoted('ducklake:' + _with_timeouts(catalog, access))} as {NAME} ({ALWAYS}"
    with translate_errors():
        try:
            con.execute(f"{attach}, create_if_not_exists false)")
        except duckdb.Error as error:
            if NO_CATALOG not in str(error):
                raise
            con.execute(f"{attach}, data_path {quoted(_empty(con, data))})")
        con.execute(f"use {NAME}")
    return con


def list_publications(con: duckdb.DuckDBPyConnection) -> list[LakehousePublication]:
    """The publications that can still be read, newest first."""
    rows = con.execute(
        "select snapshot_id, strftime(snapshot_time at time zone 'UTC', '%Y-%m-%d %H:%M:%S'), commit_message "
        f"from {NAME}.snapshots() where author = {quoted(AUTHOR)} order by snapshot_id desc"
    ).fetchall()
    return [LakehousePublication(*row) for row in rows]


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that the block does becomes one snapshot; nothing, if it fails.

    Rolled back by name: a connection that closes in a transaction, when PostgreSQL has gone, ends the whole process.
    """
    con.execute("begin")
    try:
        yield
        con.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):  # the first error is the one to tell
            con.execute("rollback")
        raise


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn what DuckDB, DuckLake or PostgreSQL say into one sentence."""
    try:
        yield
    except duckdb.Error as error:
        if is_interrupt(error):
            raise
        whole = " ".join(str(error).split())
        said = ADDRESS.sub("", QUERY.sub("", whole))
        if BUSY in said:
            raise Conflict(
                "another writer has been at the end of its publication for a minute, so nothing of this one was kept: "
                "see to that writer, then run the command again."
            ) from error
        if CONFLICT in said:
            raise Conflict(
                "another writer published to the lakehouse meanwhile, so nothing of this publication was kept: "
                "see `crime-rates snapshots`, then run the command again if this build is to be seen."
            ) from error
        if NO_CATALOG in said:
            raise LakehouseError(f"{SETTING} names no lakehouse yet: `crime-rates update` makes it, if {DATA} is set.") from error
        if LOST.search(whole):
            raise LakehouseError(
                "the connection to the lakehouse's catalog was lost: see `crime-rates snapshots` for what is "
                "published there, then run the command again."
            ) from error
        raise LakehouseError(f"the lakehouse could not be used: {said}") from error


def _with_timeouts(catalog: str, access: LakehouseAccess) -> str:
    """The catalog's address, so that a host or a server that has gone silent is given up in half a minute.

    What the address itself says of TIMEOUTS stands: in both forms that PostgreSQL knows the last word counts.
    """
    kind, _, address = catalog.partition(":")
    if kind != "postgres":
        return catalog
    words = TIMEOUTS | {"options": f"{TIMEOUTS['options']} {access.postgres_options}".strip()}
    if "://" in address:
        place, _, said = address.partition("?")
        return f"postgres:{place}?{urlencode(words, quote_via=quote)}&{said}".rstrip("&")
    escaped = {name: re.sub(r"(['\\\\])", r"\\\1", value) for name, value in words.items()}
    return "postgres:" + " ".join([*(f"{name}='{value}'" for name, value in escaped.items()), address])


def _loaded(catalog: str, access: LakehouseAccess) -> duckdb.DuckDBPyConnection:
    if re.search(r"password\s*=|://[^/@]*:[^/@]*@", catalog):
        raise UsageError(
            f"expected no password in {SETTING}, since errors would print it: "
            "PostgreSQL takes it from PGPASSWORD or from a password file (PGPASSFILE)."
        )
    con = duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})
    _load(con, "ducklake")
    if catalog.startswith("postgres:"):
        _load(con, "postgres_scanner")
    _load(con, "httpfs")  # always: only the catalog says whether its Parquet is in S3, and it opens only with this
    with translate_errors():
        con.execute(_s3_secret(access))
    return con


def _load(con: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension from its wheel: nothing is downloaded."""
    found = importlib.util.find_spec(f"duckdb_extension_{extension}")
    folders = [Path(folder) for folder in found.submodule_search_locations or []] if found else []
    files = [file for folder in folders for file in folder.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")]
    if not files:
        raise LakehouseError(
            f"the lakehouse needs DuckDB's extension {extension} for version {duckdb.__version__}: "
            'pip install "crime-rates[lake]"'
        )
    with translate_errors():
        con.execute(f"load {quoted(str(files[0]))}")


def _empty(con: duckdb.DuckDBPyConnection, data: str) -> str:
    """The address of the Parquet of a new lakehouse, as DuckLake is to keep it.

    Without doubled slashes and relative parts: DuckLake compares addresses as text when it looks for files that nothing needs.
    """
    if not data:
        raise UsageError(f"expected {DATA}, a folder or s3://bucket/prefix for the Parquet of a new lakehouse, found nothing.")
    if data.startswith("s3://"):
        bucket, *parts = filter(None, data.removeprefix("s3://").split("/"))
        path = "s3://" + "/".join([bucket, *parts]) + "/"
    else:
        folder = Path(data).expanduser().resolve()
        folder.mkdir(parents=True, exist_ok=True)
        path = f"{folder}/"
    held = con.execute(f"select count(*) from glob({quoted(path + '**')})").fetchall()[0][0]
    if held:
        raise UsageError(f"{path}: expected an empty place for a new lakehouse, found {held:,} files; name another in {DATA}.")
    return path


def _s3_secret(access: LakehouseAccess) -> str:
    """The statement that says how to reach S3, or what speaks like it."""
    said = {
        "key_id": access.s3_key_id,
        "secret": access.s3_secret,
        "session_token": access.s3_session_token,
        "region": access.s3_region,
    }
    options = [f"{name} {quoted(value)}" for name, value in said.items() if value]
    if access.s3_endpoint:
        at = urlsplit(access.s3_endpoint)
        options += [
            f"endpoint {quoted(at.netloc + at.path.rstrip('/'))}",
            "url_style 'path'",
            f"use_ssl {str(at.scheme == 'https').lower()}",
        ]
    return f"create secret crime_rates_s3 ({', '.join(['type s3', *options])})"
