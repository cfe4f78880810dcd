"""Eight readers through a hundred publications: some connect for each read, some keep a connection, some go by the build's name.

Whole builds are published in rotation, so that old files are deleted under the readers' feet and come back; every tenth
publication builds its database anew.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb

from flows.storage.data_store import LocalStore
from flows.warehouse import versions as shelf
from flows.warehouse.build import build as build_database
from flows.warehouse.published import LINK
from tests.support.world import REFERENCE
from tools.chaos.bench import Bench
from tools.chaos.reader import MANNERS, answers
from tools.chaos.report import Outcome

KEEP = 3
HOW = {"again": "connect for each read", "kept": "keep a connection for a while", "by name": "connect by the name of the build"}


def run(bench: Bench, publications: int = 120, readers: int = 8) -> Outcome:
    outcome = Outcome("readers", rounds=publications)
    chance = bench.random("readers")
    store = LocalStore(bench.fresh("read"))
    folder = store.folder / "warehouse"
    folder.mkdir(parents=True)
    builds = [whole.data / "warehouse" / (whole.data / "warehouse" / LINK).readlink() for whole in bench.clean]
    known = []
    for build in builds:
        with duckdb.connect(str(build), read_only=True) as con:
            known.append(answers(con))
    if len({str(said) for said in known}) != len(builds):
        raise RuntimeError("Two builds give the same answers: a mixture of them could not be told.")
    (folder / "known.json").write_text(json.dumps(known), encoding="utf-8")
    link, stop = folder / LINK, folder / "stop"
    publish(builds[0], store)
    under_way = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tools.chaos.reader",
                MANNERS[number % len(MANNERS)],
                str(link),
                str(stop),
                str(folder / "known.json"),
            ],
            stdout=subprocess.PIPE,
            env=bench.environment(False, {}),
            text=True,
            start_new_session=True,
        )
        for number in range(readers)
    ]
    rebuilt, deleted, current = 0, 0, 0
    for number in range(publications):
        current = chance.choice([n for n in range(len(builds)) if n != current])
        target = folder / builds[current].name
        if number % 10 == 0 and not target.exists():
            made, _ = build_database(bench.clean[current].data / "lake", REFERENCE, folder, "1GB")
            if made != target:
                outcome.errors.append(f"{made.name} was built where {target.name} was to be")
            rebuilt += 1
        before = len(list(folder.glob("crime_rates-*.duckdb")))
        before += not target.exists()
        publish(builds[current], store)
        deleted += before - len(list(folder.glob("crime_rates-*.duckdb")))
        time.sleep(chance.uniform(0, 0.4) if chance.random() < 0.7 else 0)
    stop.touch()
    counts = []
    for process in under_way:
        out, _ = process.communicate(timeout=60)
        counts.append(json.loads(out))
    outcome.reads = sum(c["reads"] for c in counts)
    outcome.torn = sum(c["torn"] + c["changed"] for c in counts)
    outcome.errors += [f"{c['manner']}: {error}" for c in counts for error in c["errors"]]
    if left := sorted(path.name for path in folder.iterdir() if path.name.endswith((".wal", ".part"))):
        outcome.errors.append(f"left behind: {', '.join(left)}")
    outcome.happened = (
        f"{readers} readers, {sum(c['connections'] for c in counts):,} connections, {publications} publications, "
        f"{rebuilt} of them built anew, {deleted} old files deleted meanwhile"
    )
    for manner in MANNERS:
        of = [c for c in counts if c["manner"] == manner]
        if of:
            saw = set().union(*(c["builds"] for c in of))
            outcome.notes.append(
                f"{HOW[manner]}: {len(of)} readers, {sum(c['reads'] for c in of):,} reads over "
                f"{sum(c['connections'] for c in of):,} connections, saw {len(saw)} of {len(builds)} builds"
            )
    return outcome


def publish(build: Path, store: LocalStore) -> None:
    """Publish a build, which is put in its place first if it has been deleted: as a finished build is, by a rename."""
    folder = store.folder / "warehouse"
    target = folder / build.name
    if not target.exists():
        aside = folder / f".{build.name}.part"
        shutil.copyfile(build, aside)
        aside.chmod(0o444)
        aside.rename(target)
    shelf.publish(store, target, KEEP)
