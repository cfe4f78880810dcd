"""The application that the commands belong to, and the options that they share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from flows.settings import data_store
from flows.storage.data_store import DataStore, LocalStore
from transforms.errors import UsageError

app = App(
    name="crime-rates",
    help="Ranked rate tables from Home Office recorded crime releases and ONS population estimates.",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # main.py says that the work was stopped
)


def _data_store(_: object, tokens: Sequence[Any]) -> DataStore:
    try:
        return data_store(tokens[0].value)
    except UsageError as error:
        raise ValueError(str(error)) from error  # which Cyclopts tells with the name of the option


DataDir = Annotated[
    DataStore,
    Parameter(
        name="--data-dir",
        env_var="CRIME_RATES_DATA_DIR",
        converter=_data_store,
        n_tokens=1,
        accepts_keys=False,
        help="Folder of raw files, lake, database and tables, or an address such as s3://bucket/prefix.",
    ),
]
DATA: DataStore = LocalStore(Path("data"))
