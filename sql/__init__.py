"""The models: SQL files run in the order of their names, and the contract of the public tables."""

from __future__ import annotations

import importlib.resources
from importlib.resources.abc import Traversable


def models(*folders: str) -> list[Traversable]:
    """The SQL files of these folders, in the order of their names."""
    root = importlib.resources.files("sql")
    return [
        file
        for folder in folders
        for file in sorted((root / folder).iterdir(), key=lambda f: f.name)
        if file.name.endswith(".sql")
    ]


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
