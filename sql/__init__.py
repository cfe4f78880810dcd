"""The models, and the contract of the public tables that they make.

A model is one `select` in a file of its own, named after what it makes: `20_core/10_areas.sql` makes the table `areas` of the
schema `crime_rates_core`. Files run in the order of their numbers. No file says `create`: the build does, so what is made is what
sql/contract.py declares. No Python here runs a model, and none computes a figure.
"""

from __future__ import annotations

import importlib.resources
import re
from dataclasses import dataclass

CORE_SCHEMA = "crime_rates_core"  # a name that nobody else would choose: macros resolve names in the client's catalogue
SCHEMAS = {"00_releases": "stage", "10_stage": "stage", "20_core": CORE_SCHEMA, "30_public": "main"}


@dataclass(frozen=True)
class Model:
    """A file of sql/: its folder, its file name, and its one statement."""

    folder: str
    file_name: str
    query: str

    @property
    def name(self) -> str:
        """What the model makes: the file's name without its number and ending."""
        return re.sub(r"^\d+_", "", self.file_name).removesuffix(".sql")

    @property
    def path(self) -> str:
        """Where the model stands, for messages: `sql/20_core/10_areas.sql`."""
        return f"sql/{self.folder}/{self.file_name}"


def read_models(*folders: str) -> list[Model]:
    """The models of these folders of sql/, in the order in which they run."""
    root = importlib.resources.files("sql")
    return [
        Model(folder, file.name, file.read_text(encoding="utf-8"))
        for folder in folders
        for file in sorted((root / folder).iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    ]


def quoted(text: str) -> str:
    """A text as an SQL literal: `it's` → `'it''s'`."""
    return "'" + text.replace("'", "''") + "'"
