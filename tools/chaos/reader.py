"""One reader, a process of its own: asks the published database the same questions until it is told to stop.

`python -m tools.chaos.reader MANNER LINK STOP KNOWN`; KNOWN is a JSON list of the answers that the whole builds give. It
prints what it counted as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import duckdb

QUESTIONS = (
    "select count(*), sum(offences), sum(rank), sum(population), sum(hash(area_name, offence_code, half_year, offences)) "
    "from ranked_rates",
    "select count(*), sum(offences), count(distinct release_id) from offence_counts",
    "select count(*), string_agg(release_id, ' ' order by release_id) from releases",
    "select count(*), sum(before), sum(after) from revisions",
    "select count(*), count(*) filter (where passed) from quality_checks",
)
MANNERS = ("again", "kept", "by name")  # connects for each read; keeps a connection a while; by the name of the build


def answers(con: duckdb.DuckDBPyConnection) -> list[str]:
    """What a database says to all questions: what tells the builds apart, and a mixture of two from either."""
    return [str(con.execute(question).fetchall()) for question in QUESTIONS]


def read(manner: str, link: Path, stop: Path, known: list[list[str]]) -> dict[str, Any]:
    """Read until `stop` is there, and once at least."""
    chance = Random(f"{manner} {stop}")
    counts: dict[str, Any] = {"manner": manner, "reads": 0, "connections": 0, "torn": 0, "changed": 0, "errors": [], "builds": []}
    seen = set()
    while not (counts["connections"] and stop.exists()):
        try:
            with duckdb.connect(str(link.resolve() if manner == "by name" else link), read_only=True) as con:
                counts["connections"] += 1
                first = None
                for _ in range(chance.randint(2, 25) if manner == "kept" else 1):
                    said = answers(con)
                    counts["reads"] += 1
                    if said not in known:
                        counts["torn"] += 1
                    elif first is not None and said != first:
                        counts["changed"] += 1  # a connection that was kept must go on giving its own build
                    else:
                        seen.add(known.index(said))
                    first = first or said
                    time.sleep(chance.uniform(0, 0.02))
        except duckdb.Error as error:
            counts["errors"].append(" ".join(str(error).split()))
            if stop.exists():
                break
    counts["builds"] = sorted(seen)
    return counts


if __name__ == "__main__":
    manner_, link_, stop_, known_ = sys.argv[1:]
    print(json.dumps(read(manner_, Path(link_), Path(stop_), json.loads(Path(known_).read_text(encoding="utf-8")))))
