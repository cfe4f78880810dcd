"""Normalises one release in a process of its own, so that two go on at once on two cores: Python alone would take turns.

Run as `python -m flows.normalising`, with the release as JSON on standard input and the item as JSON on standard output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from flows import lake, raw
from flows.runs import Item
from transforms.areas import known_names, read_reference
from transforms.errors import PublishedFileError


def release(data_dir: Path, reference_dir: Path, name: str, folders: Sequence[Path]) -> Item:
    """Normalise the stored files of a release into the lake, here.

    What is not as it should be gives an item of state `failed` with one sentence; the files stay in the raw store.
    """
    known = known_names(read_reference(reference_dir / "areas.csv"))
    try:
        found, new = lake.write_release(data_dir / "lake", [raw.read(folder) for folder in folders], lambda *area: area in known)
    except PublishedFileError as error:
        return Item(name, "offences", "failed", str(error))
    said = (f"{found.rows:,} rows, {found.quarters[0]} to {found.quarters[-1]}, "
            f"published {found.published} ({found.published_source})")
    return Item(name, "offences", "new" if new else "unchanged", said)


def release_apart(data_dir: Path, reference_dir: Path, name: str, folders: Sequence[Path]) -> Item:
    """The same in a process of its own. Raises RuntimeError, with what that process said, when it fails."""
    order = json.dumps([str(data_dir), str(reference_dir), name, [str(folder) for folder in folders]])
    # Dask's workers have memory given back in small pieces, which takes a large workbook twice as long; this process ends anyway
    environment = {variable: value for variable, value in os.environ.items() if variable != "MALLOC_TRIM_THRESHOLD_"}
    done = subprocess.run([sys.executable, "-m", "flows.normalising"], input=order, capture_output=True, text=True, check=False,
                          env=environment)
    if done.returncode != 0:
        said = " ".join(done.stderr.split()[-60:]) or f"its process was ended (exit status {done.returncode})"
        raise RuntimeError(f"{name} could not be normalised: {said}")
    return Item(**json.loads(done.stdout))


if __name__ == "__main__":
    data_dir, reference_dir, name, folders = json.load(sys.stdin)
    try:
        item = release(Path(data_dir), Path(reference_dir), name, [Path(folder) for folder in folders])
    except OSError as error:
        sys.exit(str(error))  # a sentence for the process that waits
    json.dump(asdict(item), sys.stdout)
