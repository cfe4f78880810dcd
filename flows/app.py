"""The application that the commands belong to, and the options that they share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

app = App(
    name="crime-rates",
    help="Ranked rate tables from Home Office recorded crime releases and ONS population estimates.",
    help_format="plaintext",
)
DataDir = Annotated[
    Path, Parameter(name="--data-dir", env_var="CRIME_RATES_DATA_DIR", help="Folder of raw files, lake, database and tables.")
]
Level = Literal["csp", "pfa", "region", "country"]
DATA = Path("data")
