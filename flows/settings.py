"""Settings of the commands that write: from the environment, CRIME_RATES_*. Commands that only read need none of it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.common.package_data import packaged_folder
from flows.storage.data_dir import open_store, working_copy


class Settings(BaseSettings):
    """Where things lie, and how much of the machine to use."""

    model_config = SettingsConfigDict(env_prefix="CRIME_RATES_")

    data_dir: Annotated[Path, BeforeValidator(working_copy)] = Path("data")  # or an address: then its working copy
    reference_dir: Path = Field(default_factory=lambda: packaged_folder("reference"))
    govuk_url: str = "https://www.gov.uk"
    nomis_url: str = "https://www.nomisweb.co.uk"
    geoportal_url: str = "https://services1.arcgis.com"
    ons_url: str = "https://www.ons.gov.uk"
    contact: str = ""  # an address or page that the User-Agent names, so that a service can reach whoever runs this
    requests_per_second: float = Field(default=3.0, gt=0, le=10)  # GOV.UK asks for at most 10
    webhook_url: str = ""  # told, by POST, of each run that failed or was partial
    memory_limit: str = "4GB"  # of DuckDB while it builds
    report: bool = False  # whether `update` writes data_dir/report at its end
    dask_scheduler: str = ""  # such as tcp://scheduler:8786: files are normalised by its workers
    keep_builds: int = Field(default=3, ge=1)  # published databases that are kept for `rollback`
    lakehouse: str = ""  # what follows ducklake: where DuckDB attaches it, such as postgres:dbname=crime host=db; none by default
    lakehouse_data: str = ""  # the folder or s3:// address of its Parquet; wanted when it is made, and not again
    _address: str = PrivateAttr("")
    _made_on: str = PrivateAttr(default_factory=socket.gethostname)

    def model_post_init(self, _: Any) -> None:
        """Know the address of the data, if they have one: on another host their working copy is another folder."""
        there = open_store(self.data_dir)
        self._address = there.address if there is not None else ""

    def on_this_host(self, folders: Sequence[Path]) -> tuple[Settings, list[Path], bool]:
        """(settings, folders of the data, whether they come from another host), as they are on this one."""
        if not self._address:
            return self, list(folders), False
        here = working_copy(self._address)
        moved = here != self.data_dir or self._made_on != socket.gethostname()
        return self.model_copy(update={"data_dir": here}), [here / folder.relative_to(self.data_dir) for folder in folders], moved
