"""Simulates further vintages of what a lake holds, without any workbook: the same folders, some counts revised.

A vintage comes out a quarter after the one before, and differs from it in 2.6% of the counts of the partnerships; the force
table moves with them, so that partnerships still add up to their force. Files are laid out as flows/storage/lake.py writes them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.common.atomic_files import write_json
from flows.storage import lake
from flows.storage.raw_store import FileKind

SHARE = 0.026
KEYS = ["force_name", "financial_year", "quarter", "offence_code"]


def simulate(source: Path, out: Path, counts: Sequence[int]) -> None:
    """Write OUT/<n>/lake for each n of `counts`: what `source` holds, and n - 1 further vintages of its newest dated releases.

    Files are hard links where they are the same.
    """
    by_age = sorted(lake.partition_folders(source, FileKind.OFFENCES), key=lambda folder: lake.read_release(folder).published)
    first = {match[1]: folder for folder in by_age if (match := re.match(r"(.*)-\d{6}@", folder.name))}  # the newest of each
    dated = sorted(first.values(), key=lambda folder: lake.read_release(folder).table_kind)  # partnerships, then forces
    made = out / "made"
    vintages: list[list[Path]] = []
    newest = dated
    for number in range(1, max(counts)):
        newest = _next_vintage(newest, made, number)
        vintages.append(newest)
    for count in counts:
        target = out / str(count) / "lake"
        shutil.copytree(source, target, copy_function=os.link)
        for folders in vintages[: count - 1]:
            for folder in folders:
                shutil.copytree(folder, target / "offences" / folder.name, copy_function=os.link)


def _next_vintage(folders: list[Path], made: Path, number: int) -> list[Path]:
    moved: dict[str, list[pa.Table]] = {}
    out = []
    for folder in folders:
        release = lake.read_release(folder)
        day = _a_quarter_later(date.fromisoformat(release.published))
        name = re.sub(r"-\d{6}(?=\.|$)", f"-{day:%d%m%y}", release.file_name)
        sha256 = hashlib.sha256(f"{name} {number}".encode()).hexdigest()
        release_id = f"{Path(name).stem}@{sha256[:8]}"
        target = made / f"{release_id}.{lake.LAYOUT}"
        target.mkdir(parents=True)
        offences = 0
        for file in sorted(folder.glob("[0-9]*.parquet")):
            table = pq.read_table(file)
            if release.table_kind == "csp":
                table, changes = _revised(table, np.random.default_rng([number, int(file.stem[:4])]))
                moved.setdefault(file.stem, []).append(changes)
            else:
                table = _followed(table, moved.get(file.stem, []))
            labels = pa.array([release_id]).dictionary_encode() if pa.types.is_dictionary(table.schema.field(0).type) else None
            ids = (
                pa.repeat(pa.scalar(release_id), table.num_rows)
                if labels is None
                else pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), labels.dictionary)
            )
            table = table.set_column(0, table.schema.field(0), ids)
            offences += pc.sum(table["offences"]).as_py() or 0
            lake._write_parquet(table, target / file.name)
        record = replace(
            release,
            release_id=release_id,
            file_name=name,
            sha256=sha256,
            published=day.isoformat(),
            updated=None,
            published_source="file name",
            offences=offences,
            first_seen=f"{day}T09:30:00Z",
        )
        write_json(target / lake.RECORD, asdict(record))
        out.append(target)
    return out


def _revised(table: pa.Table, random: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """(the table with a share of its counts changed by a few per cent, at least by one; how much each force moved)."""
    counts = table["offences"].to_numpy().copy()
    known = table["offences"].is_valid().to_numpy() & (np.nan_to_num(counts) > 0)
    rows = np.flatnonzero(known)
    rows = random.choice(rows, int(len(rows) * SHARE), replace=False)
    step = 1 + np.floor(counts[rows] * random.uniform(0, 0.03, len(rows)))
    delta = np.zeros(len(counts), np.int64)
    delta[rows] = (step * random.choice([-1, 1], len(rows))).astype(np.int64)
    changed = pc.add(table["offences"], pa.array(delta))
    column = table.schema.get_field_index("offences")
    moves = table.select(KEYS).append_column("delta", pa.array(delta)).take(pa.array(np.flatnonzero(delta)))
    return table.set_column(column, table.schema.field(column), changed), moves.group_by(KEYS).aggregate([("delta", "sum")])


def _followed(table: pa.Table, moves: list[pa.Table]) -> pa.Table:
    """The force table moved as its partnerships were; where it has a key twice, the first row moves."""
    if not moves:
        return table
    frame = table.select(KEYS).to_pandas()
    frame["force_name"] = frame["force_name"].astype(str).str.replace("&", "and")
    by = pd.concat([move.to_pandas() for move in moves])
    by["force_name"] = by["force_name"].astype(str).str.replace("&", "and")
    frame["turn"] = frame.groupby(KEYS, observed=True).cumcount()
    joined = frame.astype({"offence_code": str, "financial_year": str}).merge(
        by.astype({"offence_code": str, "financial_year": str}).assign(turn=0), how="left", on=[*KEYS, "turn"]
    )
    column = table.schema.get_field_index("offences")
    changed = pc.add(table["offences"], pa.array(joined["delta_sum"].fillna(0).to_numpy().astype(np.int64)))
    return table.set_column(column, table.schema.field(column), changed)


def _a_quarter_later(day: date) -> date:
    months = day.year * 12 + day.month - 1 + 3
    return date(months // 12, months % 12 + 1, min(day.day, 28))
