"""Folders of data that come with the code: the reference tables and the sample."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def packaged_folder(name: str) -> Path:
    """A folder of data that comes with the code: data/reference or data/sample of the checkout, or of the wheel."""
    checkout = ROOT / "data" / name
    return checkout if checkout.is_dir() else ROOT / "flows" / name
