"""All that the environment says, read here and nowhere else; the values are handed to what needs them.

`ReaderSettings` is for commands that only ask, and is read in no time. `Settings` is for runs: pydantic checks its values,
and is imported only then. Credentials stand in neither, since settings travel to workers: `lakehouse_access` reads them where
they are used. The environment of a child process is passed on by flows/common/subprocesses.py.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, ClassVar, Self

from annotated_types import Ge, Gt, Le

from flows.common.package_data import packaged_folder
from flows.storage.data_dir import open_store
from flows.storage.data_store import DataStore
from flows.storage.lakehouse_access import LakehouseAccess
from transforms.errors import UsageError, quoted

PREFIX = "CRIME_RATES_"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOT_SET = ("store", "made_on")  # the fields of Settings that no variable sets
SERVICE_ADDRESSES = {  # field of Settings → the address of the public service
    "govuk_url": "https://www.gov.uk",
    "nomis_url": "https://www.nomisweb.co.uk",
    "geoportal_url": "https://services1.arcgis.com",
    "ons_url": "https://www.ons.gov.uk",
}


@dataclass(frozen=True)
class Settings:
    """Where things lie, and how much of the machine to use."""

    store: DataStore
    reference_dir: Path = field(default_factory=lambda: packaged_folder("reference"))
    govuk_url: str = field(default=SERVICE_ADDRESSES["govuk_url"], repr=False)  # may hold a password
    nomis_url: str = field(default=SERVICE_ADDRESSES["nomis_url"], repr=False)
    geoportal_url: str = field(default=SERVICE_ADDRESSES["geoportal_url"], repr=False)
    ons_url: str = field(default=SERVICE_ADDRESSES["ons_url"], repr=False)
    allowed_hosts: str = field(default="", repr=False)  # more hosts that may be asked, with commas between them
    file_seconds: Annotated[float, Gt(0)] = 900  # for fetching a file, with all retries
    file_megabytes: Annotated[float, Gt(0)] = 1000
    run_seconds: Annotated[float, Gt(0)] = 7200  # for fetching all files of a run
    run_megabytes: Annotated[float, Gt(0)] = 8000
    contact: str = ""  # an address or page that the User-Agent names, so that a service can reach whoever runs this
    requests_per_second: Annotated[float, Gt(0), Le(10)] = 3.0  # GOV.UK asks for at most 10
    webhook_url: str = field(default="", repr=False)  # told, by POST, of each run that failed or was partial
    memory_limit: str = "4GB"  # of DuckDB while it builds
    report: bool = False  # whether `update` writes data_dir/report at its end
    dask_scheduler: str = ""  # such as tcp://scheduler:8786: files are normalised by its workers
    keep_builds: Annotated[int, Ge(1)] = 3  # published databases that are kept for `rollback`
    lakehouse: str = ""  # what follows ducklake: where DuckDB attaches it, such as postgres:dbname=crime host=db; none by default
    lakehouse_data: str = ""  # the folder or s3:// address of its Parquet; wanted when it is made, and not again
    made_on: str = field(default_factory=socket.gethostname)

    __pydantic_config__: ClassVar = {"arbitrary_types_allowed": True}  # the store, of which pydantic knows nothing

    def __post_init__(self) -> None:
        """Raise UsageError for an address that is none, and for a limit of memory that DuckDB would not understand."""
        for name in SERVICE_ADDRESSES:
            if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", address := getattr(self, name)):
                found = quoted(address)
                raise UsageError(
                    f"{PREFIX}{name.upper()}: expected an address such as https://mirror.example.org, found {found}."
                )
        if not re.fullmatch(r"\d+(\.\d+)? ?([kmgt]i?b|%)", self.memory_limit.strip(), re.IGNORECASE):
            raise UsageError(f"{PREFIX}MEMORY_LIMIT: expected an amount such as 4GB, found {quoted(self.memory_limit)}.")

    @classmethod
    def from_environment(cls, store: DataStore) -> Self:
        """The settings of a run on a store, from CRIME_RATES_*. Raises pydantic.ValidationError, which names the setting."""
        from pydantic import TypeAdapter

        names = {one.name for one in fields(cls)} - set(NOT_SET)
        given = {name.upper(): value for name, value in os.environ.items()}
        values = {name: given[f"{PREFIX}{name.upper()}"] for name in names if f"{PREFIX}{name.upper()}" in given}
        return TypeAdapter(cls).validate_python({"store": store, **values})

    @property
    def data_dir(self) -> Path:
        """The folder of this host to work in."""
        return self.store.folder

    def on_this_host(self, folders: Sequence[Path]) -> tuple[Settings, list[Path], bool]:
        """(settings, folders of the data, whether they come from another host), as they are on this one."""
        if not self.store.is_copied:
            return self, list(folders), False
        here = data_store(self.store.address)
        moved = here.folder != self.data_dir or self.made_on != socket.gethostname()
        return replace(self, store=here), [here.folder / folder.relative_to(self.data_dir) for folder in folders], moved


@dataclass(frozen=True)
class ReaderSettings:
    """What a command that only asks wants to know of the environment."""

    lakehouse: str = ""
    snapshot: str = ""  # the number of the publication in the lakehouse to ask; the newest by default

    @classmethod
    def from_environment(cls) -> Self:
        """From CRIME_RATES_LAKEHOUSE and CRIME_RATES_LAKEHOUSE_SNAPSHOT."""
        return cls(os.environ.get(f"{PREFIX}LAKEHOUSE", ""), os.environ.get(f"{PREFIX}LAKEHOUSE_SNAPSHOT", ""))


def data_store(place: str | Path) -> DataStore:
    """The data store that a path or an address names. Raises ValueError for an address that names no place.

    The working copy of an address lies below CRIME_RATES_CACHE_DIR, else $XDG_CACHE_HOME/crime-rates, else ~/.cache/crime-rates.
    """
    if named := os.environ.get(f"{PREFIX}CACHE_DIR"):
        cache_dir = Path(named).absolute()
    else:
        cache_dir = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "crime-rates"
    # AWS_DEFAULT_REGION botocore hears by itself
    region = None if "AWS_DEFAULT_REGION" in os.environ else os.environ.get("AWS_REGION")
    return open_store(place, cache_dir, region)


def default_data_dir() -> str:
    """The path or address of the data where the command line names none: CRIME_RATES_DATA_DIR, else `data`."""
    return os.environ.get(f"{PREFIX}DATA_DIR", "data")


def lakehouse_access() -> LakehouseAccess:
    """How to reach the lakehouse's catalog and Parquet, from PGOPTIONS and the standard AWS_* variables.

    PGPASSWORD, PGPASSFILE and the like PostgreSQL's client hears by itself.
    """
    env = os.environ
    return LakehouseAccess(
        postgres_options=env.get("PGOPTIONS", ""),
        s3_key_id=env.get("AWS_ACCESS_KEY_ID", ""),
        s3_secret=env.get("AWS_SECRET_ACCESS_KEY", ""),
        s3_session_token=env.get("AWS_SESSION_TOKEN", ""),
        s3_region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION", ""),
        s3_endpoint=env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL", ""),
    )


@dataclass(frozen=True)
class PrefectEnvironment:
    """What the environment says to Prefect and the launcher wants to know, too."""

    api_url: str = ""  # of a server that is to orchestrate runs
    has_profiles: bool = False  # whether Prefect has profiles to choose from, one of which may name a server
    heartbeats: bool = False  # whether the person has said how often flows report that they are alive

    @classmethod
    def from_environment(cls) -> Self:
        """From PREFECT_API_URL, PREFECT_PROFILE, PREFECT_PROFILES_PATH, PREFECT_HOME and PREFECT_FLOWS_HEARTBEAT_FREQUENCY."""
        env = os.environ
        place = env.get("PREFECT_PROFILES_PATH") or f"{env.get('PREFECT_HOME') or '~/.prefect'}/profiles.toml"
        profiles = os.path.expanduser(place)  # noqa: PTH111, Path's raises for a user who has no home
        return cls(
            env.get("PREFECT_API_URL", ""),
            bool(env.get("PREFECT_PROFILE")) or Path(profiles).is_file(),
            "PREFECT_FLOWS_HEARTBEAT_FREQUENCY" in env,
        )


def set_defaults(variables: Mapping[str, str]) -> None:
    """Give variables of the environment these values, for libraries that read it when they are imported.

    What the person has set stays.
    """
    for name, value in variables.items():
        os.environ.setdefault(name, value)


def bypass_proxies() -> None:
    """Name this machine in NO_PROXY, so that no proxy stands between us, or our children, and a server on it."""
    named = [name for name in (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",") if name.strip()]
    hosts = ",".join([*named, *(host for host in LOOPBACK if host not in named)])
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = hosts
