"""`make reference`: writes the tables."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from tools.make_reference.tables import area_successions, areas, england_and_wales, offence_codes, successions

REFERENCE = Path(__file__).parents[2] / "data" / "reference"


def write(name: str, columns: list[str], rows: list[tuple[str, ...]]) -> None:
    with (REFERENCE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(sorted(rows))
    print(f"{name}: {len(rows)} rows")


def main() -> None:
    published = Path(sys.argv[1])
    write(
        "areas.csv",
        [
            "level",
            "published_name",
            "area_code",
            "area_name",
            "force_name",
            "region_name",
            "kind",
            "councils",
            "valid_from",
            "valid_to",
            "source",
            "licence",
        ],
        areas(published),
    )
    write(
        "area_successions.csv",
        ["level", "part_name", "whole_name", "whole_from", "source", "licence"],
        area_successions(published),
    )
    write(
        "council_successions.csv",
        ["changed", "part_code", "part_name", "whole_code", "whole_name", "kind", "source", "licence"],
        successions(published),
    )
    write(
        "offence_codes.csv",
        [
            "offence_code",
            "offence_name",
            "offence_group",
            "offence_subgroup",
            "first_year",
            "last_year",
            "source",
            "licence",
        ],
        offence_codes(published),
    )
    write("england_and_wales.csv", ["year", "persons", "source", "licence"], england_and_wales(published))


if __name__ == "__main__":
    main()
