"""The application that the commands belong to, and the options that they share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from flows.storage.data_dir import working_copy

app = App(
    name="crime-rates",
    help="Ranked rate tables from Home Office recorded crime releases and ONS population estimates.",
    help_format="plaintext",
)


def _data_dir(_: Any, tokens: Sequence[Any]) -> Path:
    return working_copy(tokens[0].value)


DataDir = Annotated[
    Path,
    Parameter(
        name="--data-dir",
        env_var="CRIME_RATES_DATA_DIR",
        converter=_data_dir,
        help="Folder of raw files, lake, database and tables, or an address such as s3://bucket/prefix.",
    ),
]
Level = Literal["csp", "pfa", "region", "country"]
DATA = Path("data")
