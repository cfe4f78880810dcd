"""The folders that measures share, made once, when the first of them asks: workbooks, a cold run, the pandas baseline."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.benchmark.inputs import ROOT, Inputs
from tools.benchmark.measuring import Measured, child, command

REFERENCE = ROOT / "data/reference"


class Work:
    """A temporary folder and what is measured in it. Cold runs are kept, because other measures start from their lake."""

    def __init__(self, folder: Path, inputs: Inputs) -> None:
        self.folder, self.inputs = folder, inputs
        self.parquet: list[Measured] = []  # runs of the full partnership workbook → Parquet
        self.points: list[Any] = []  # of growth over vintages
        self.half_years: list[Any] = []  # of growth over half-years

    def fresh(self, name: str) -> Path:
        """A folder that is new each time."""
        number = sum(1 for _ in self.folder.glob(f"{name}-*")) + 1
        path = self.folder / f"{name}-{number}"
        path.mkdir(parents=True)
        return path

    @cached_property
    def cold(self) -> Measured:
        """`update` from nothing, without Prefect; the better of two."""
        watched = self.cold_watched
        say("cold: again, unwatched")
        return min(watched, self._update(self.data), key=lambda m: m.seconds)

    @cached_property
    def cold_watched(self) -> Measured:
        """`update` from nothing, while the memory of all its processes is looked at."""
        say("cold: all workbooks to published database and tables")
        other = self.fresh("data")
        measured = child("update", other, self.inputs.releases, self.inputs.populations, watched=True)
        shutil.rmtree(other)
        return measured

    @property
    def data(self) -> Path:
        return self.folder / "cold"

    @property
    def database(self) -> Path:
        return (self.data / "warehouse/crime_rates.duckdb").resolve()

    @cached_property
    def pandas(self) -> Measured:
        """The baseline of plain pandas, once."""
        say("the same tables with pandas, once")
        people = self.inputs.populations
        return command(
            ["-m", "tools.benchmark.pandas_way", self.inputs.releases, people, people, REFERENCE, self.fresh("pandas")]
        )

    @cached_property
    def lakes(self) -> Path:
        """Lakes of 1, 5, 10 and 20 vintages."""
        _ = self.cold
        say("simulating 20 vintages")
        child("vintages", self.data / "lake", self.folder / "vintages", "1,5,10,20")
        return self.folder / "vintages"

    def again(self, data: Path) -> Measured:
        """`update` on a data folder that there is, without Prefect."""
        return self._update(data)

    def lake_copy(self, data: Path) -> Path:
        """A lake like that of the cold run, in another data folder, and so without digests."""
        shutil.copytree(self.data / "lake", data / "lake", copy_function=os.link)
        return data / "lake"

    def releases(self, *left_out: Path) -> Path:
        """A folder of the releases without some of them."""
        path = self.fresh("releases")
        for file in self.inputs.releases.iterdir():
            if file not in left_out:
                (path / file.name).symlink_to(file)
        return path

    def _update(self, data: Path, releases: Path | None = None) -> Measured:
        return child("update", data, releases or self.inputs.releases, self.inputs.populations)

    def without(self, *workbooks: Path) -> Path:
        """A data folder that holds all releases but these."""
        data = self.fresh("data")
        self._update(data, self.releases(*workbooks))
        return data


def say(what: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {what}", file=sys.stderr, flush=True)
