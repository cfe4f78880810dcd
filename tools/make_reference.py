"""Writes five tables of data/reference from published files: areas, area_successions, council_successions, offence_codes and
england_and_wales.

`make reference`, or

    python -m tools.make_reference PUBLISHED

PUBLISHED holds ``home-office/recrime-geo-pfa.csv`` (Home Office geographical reference table),
``home-office/csp_names_2025-26.txt`` (partnership names of 2025/26),
``home-office/offence_codes_2012-13_to_2025-26.csv`` (codes and descriptions) and ``ons/LAD*_CSP*_PFA*_EW_LU*.csv`` (ONS
lookups). All are Open Government Licence v3.0. Facts are carried over into our own columns, and the reference table's gaps
are mended here, each with its reason, so that nothing is guessed from a likeness of names when the pipeline runs.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from transforms.populations import PopulationReader

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
LICENCE = "Open Government Licence v3.0"
HOME_OFFICE = "Home Office recorded crime data geographical reference table, 2026-04-23"
ONS_LOOKUP = "ONS LAD24_CSP24_PFA24_EW_LU"
CODE_HISTORY = "ONS Code History Database"
NAMES_2025_26 = "Home Office CSP tables, names of 2025/26"

OFFENCE_CODES = "Home Office recorded crime by force, release of 2026-04-23: offence codes 2012/13 to 2025/26"
SLIPS = {("72", "Threats to kill")}  # one row of Bedfordshire, 2014/15: the description of 3B

NOT_PLACES = ["British Transport Police", "Action Fraud", "CIFAS", "Financial Fraud Action UK", "UK Finance"]
# published name -> the name the area goes by here, where the reference table lacks or doubles it
SAME_AREA = {
    "Kings Lynn and West Norfolk": "King's Lynn and West Norfolk",
    "Folkestone and Hythe": "Shepway",
    "London, City of": "City of London",
}
# districts that share their unitary's code in the reference table; their own codes
OWN_CODES = {"Central Beds_Mid Bedfordshire": "E07000001", "Central Beds_South Bedfordshire": "E07000003"}
# prefix of a piece's name -> the unitary of April 2009 that its district became part of
UNITARIES_2009 = {
    "Cornwall_": "Cornwall",
    "Wiltshire_": "Wiltshire",
    "Shropshire_": "Shropshire",
    "County Durham_": "County Durham",
    "Northumberland_": "Northumberland",
    "Cheshire East_": "Cheshire East",
    "Cheshire West_": "Cheshire West and Chester",
    "Central Beds_": "Central Bedfordshire",
}
# old names, by prefix or whole, and the partnership that they became part of
SUCCESSORS = {
    "Central Beds_": "Central Bedfordshire",
    "Cheshire East_": "Cheshire East",
    "Cheshire West_": "Cheshire West and Chester",
    "Cornwall_": "Cornwall",
    "County Durham_": "County Durham",
    "DandSN_": "Daventry and South Northamptonshire",
    "Dartford and Gravesham_": "Dartford and Gravesham",
    "Dorset_": "Dorset",
    "East and Mid Devon_": "East and Mid Devon",
    "North Hampshire_": "North Hampshire",
    "Northern Devon_": "Northern Devon",
    "Northumberland_": "Northumberland",
    "S Devon and Dartmoor_": "South Devon and Dartmoor",
    "Shropshire_": "Shropshire",
    "Somerset East_": "Somerset",
    "South Notts_": "South Nottinghamshire",
    "South Warks_": "South Warwickshire",
    "South Worcs_": "South Worcester",
    "Suffolk Western_": "Western Suffolk",
    "Wiltshire_": "Wiltshire",
    **dict.fromkeys(["Basingstoke and Deane", "Hart", "Rushmoor"], "North Hampshire"),
    **dict.fromkeys(["Bromsgrove", "Redditch", "Wyre Forest"], "North Worcestershire"),
    **dict.fromkeys(["Craven", "Hambleton", "Harrogate", "Richmondshire", "Ryedale", "Scarborough", "Selby"], "North Yorkshire"),
    **dict.fromkeys(["Derwentside", "Easington", "Sedgefield"], "County Durham"),
    **dict.fromkeys(["Merthyr Tydfil", "Rhondda Cynon Taf"], "Cwm Taf"),
    **dict.fromkeys(["Sedgemoor", "Taunton Deane", "West Somerset"], "Somerset"),
}
WHOLE_FROM = "2015/16"  # the first year of the layout that gives these partnerships whole
REGIONS = {  # as the Home Office names them -> ONS code (mid-2020 estimates workbook, sheet MYE4)
    "North East Region": "E12000001",
    "North West Region": "E12000002",
    "Yorkshire and the Humber": "E12000003",
    "East Midlands Region": "E12000004",
    "West Midlands Region": "E12000005",
    "Eastern Region": "E12000006",
    "London Region": "E12000007",
    "South East Region": "E12000008",
    "South West Region": "E12000009",
    "Wales": "W92000004",
}
COUNTRIES = {"England": "E92000001", "Wales": "W92000004", "England and Wales": "K04000001"}
RECODED = [  # (from, part, whole, name)
    ("2012-04", "E07000100", "E07000240", "St Albans"),
    ("2012-04", "E07000104", "E07000241", "Welwyn Hatfield"),
    (
        "2013-04",
        "E07000097",
        "E07000242",
        "East Hertfordshire",
    ),  # The East Hertfordshire and Stevenage (Boundary Change) Order 2013
    ("2013-04", "E07000101", "E07000243", "Stevenage"),
    ("2013-04", "E06000048", "E06000057", "Northumberland"),
    ("2013-04", "E08000020", "E08000037", "Gateshead"),
    ("2025-04", "E08000016", "E08000038", "Barnsley"),
    ("2025-04", "E08000019", "E08000039", "Sheffield"),
]
MERGED = [  # (from, whole, name, parts)
    ("2019-04", "E06000058", "Bournemouth, Christchurch and Poole", ["E06000028", "E06000029", "E07000048"]),
    ("2019-04", "E06000059", "Dorset", ["E07000049", "E07000050", "E07000051", "E07000052", "E07000053"]),
    ("2019-04", "E07000244", "East Suffolk", ["E07000205", "E07000206"]),
    ("2019-04", "E07000245", "West Suffolk", ["E07000201", "E07000204"]),
    ("2019-04", "E07000246", "Somerset West and Taunton", ["E07000190", "E07000191"]),
    ("2020-04", "E06000060", "Buckinghamshire", ["E07000004", "E07000005", "E07000006", "E07000007"]),
    ("2021-04", "E06000061", "North Northamptonshire", ["E07000150", "E07000152", "E07000153", "E07000156"]),
    ("2021-04", "E06000062", "West Northamptonshire", ["E07000151", "E07000154", "E07000155"]),
    ("2023-04", "E06000063", "Cumberland", ["E07000026", "E07000028", "E07000029"]),
    ("2023-04", "E06000064", "Westmorland and Furness", ["E07000027", "E07000030", "E07000031"]),
    ("2023-04", "E06000065", "North Yorkshire", [f"E0700016{n}" for n in range(3, 10)]),
    ("2023-04", "E06000066", "Somerset", ["E07000187", "E07000188", "E07000189", "E07000246"]),
]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{key: value.strip() for key, value in row.items()} for row in csv.DictReader(file)]


def write(name: str, columns: list[str], rows: list[tuple[str, ...]]) -> None:
    with (REFERENCE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(sorted(rows))
    print(f"{name}: {len(rows)} rows")


def areas(published: Path) -> list[tuple[str, ...]]:
    """One row per level and published name: (level, published name, area, force, region, kind, own councils …)."""
    lookup = rows_of(published / "ons/LAD24_CSP24_PFA24_EW_LU.csv")
    councils = {r["LAD17NM"]: r["LAD17CD"] for r in rows_of(published / "ons/LAD17_CSP17_PFA17_EW_LU_v2.csv")}
    force_codes = {r["pfa24_name"]: r["pfa24_code"] for r in lookup}
    ons_csps = {r["csp24_code"]: r["csp24_name"] for r in lookup}
    current = (published / "home-office/csp_names_2025-26.txt").read_text().split("\n")
    reference = {r["CSP Name"]: r for r in rows_of(published / "home-office/recrime-geo-pfa.csv")}
    force_of = {
        name: "Devon & Cornwall" if name == "Devon and Cornwall" else name
        for name in {r["Force Name"] for r in reference.values()}
    }
    region_of = {force_of[r["Force Name"]]: r["Region"] for r in reference.values()}
    csp_codes = {name: code for code, name in ons_csps.items()}

    codes: dict[str, tuple[str, str, str]] = {}  # published name -> (code, force, source)
    for name, row in reference.items():
        code, source = row["ONS Code"], HOME_OFFICE
        if name in OWN_CODES:
            code, source = OWN_CODES[name], f"{CODE_HISTORY}; the reference table gives the unitary's code twice"
        elif not code.startswith(("E", "W")):
            code, source = csp_codes[name], f"{ONS_LOOKUP}; the reference table has no code"
        codes[name] = (code, force_of[row["Force Name"]], source)
    codes["Cwm Taf"] = (csp_codes["Cwm Taf"], "South Wales", f"{ONS_LOOKUP}; not in the reference table")
    for name, known_as in SAME_AREA.items():
        codes[name] = (*codes[known_as][:2], f"{NAMES_2025_26}; {known_as} in the reference table")
    for code, name in ons_csps.items():
        if name not in codes:
            force = next(force for known, force, _ in codes.values() if known == code)
            codes[name] = (code, force, f"{ONS_LOOKUP}; the ONS name")

    best: dict[str, str] = {}  # code -> the newest name, else the one that is not marked as a piece
    for name in sorted(codes, key=lambda n: (n in current, "_" not in n)):
        best[codes[name][0]] = name
    in_lookups = set(ons_csps)
    out: list[tuple[str, ...]] = []
    for name, (code, force, source) in codes.items():
        own = "" if code in in_lookups else code
        if own.startswith(("E22", "W14")):  # a retired partnership code: its council bears the same name
            own = councils[name.rpartition("_")[2].replace("&", "and")]
        kind = "not_resident" if force == "London, City of" else "place"
        out.append(("csp", name, code, best[code], force, region_of[force], kind, own, "", "", source))
    out.append(
        (
            "csp",
            "Manchester Airport",
            "",
            "Manchester Airport",
            "Greater Manchester",
            region_of["Greater Manchester"],
            "unassigned",
            "",
            "",
            "",
            NAMES_2025_26,
        )
    )
    for force in force_codes:
        if force != "London, City of":
            names = {
                f"Unassigned {force}",
                f"Unassigned {force.replace(' and ', ' & ')}",
                f"Unassigned {force.replace(' & ', ' and ')}",
            }
            area = next(n for n in current if n in names)
            out += [("csp", name, "", area, force, region_of[force], "unassigned", "", "", "", NAMES_2025_26) for name in names]
        kind = "not_resident" if force == "London, City of" else "place"
        for name in {force, force.replace(" & ", " and "), "City of London" if kind == "not_resident" else force}:
            out.append(("pfa", name, force_codes[force], force, force, region_of[force], kind, "", "", "", ONS_LOOKUP))
    for name in [*NOT_PLACES, "Cifas"]:
        area = "CIFAS" if name == "Cifas" else name
        out.append(("pfa", name, "", area, area, "", "unassigned", "", "", "", "Home Office force tables"))
    source = "ONS mid-2020 population estimates, sheet MYE4"
    out += [("region", name, code, name, "", name, "place", "", "", "", source) for name, code in REGIONS.items()]
    out += [("country", name, code, name, "", "", "place", "", "", "", source) for name, code in COUNTRIES.items()]
    return [(*row, LICENCE) for row in out]


def area_successions(published: Path) -> list[tuple[str, ...]]:
    """One row per old partnership: (part, whole); every name of the reference table that is no longer current."""
    current = (published / "home-office/csp_names_2025-26.txt").read_text().split("\n")
    names = [r["CSP Name"] for r in rows_of(published / "home-office/recrime-geo-pfa.csv")]
    aliases = set(SAME_AREA.values())
    out = []
    for name in names:
        if name not in current and name not in aliases:
            whole = next(
                whole for part, whole in SUCCESSORS.items() if name == part or (part.endswith("_") and name.startswith(part))
            )
            out.append(("csp", name, whole, WHOLE_FROM, f"{HOME_OFFICE}; pieces stand in tables to 2014/15", LICENCE))
    return out


def successions(published: Path) -> list[tuple[str, ...]]:
    """One row per council that another council replaced: (changed, part, whole, kind)."""
    councils = {r["LAD17CD"]: r["LAD17NM"] for r in rows_of(published / "ons/LAD17_CSP17_PFA17_EW_LU_v2.csv")}
    unitary = {name: code for code, name in councils.items()} | {"Northumberland": "E06000048"}
    out: list[tuple[str, ...]] = []
    for row in rows_of(published / "home-office/recrime-geo-pfa.csv"):
        for prefix, whole in UNITARIES_2009.items():
            if row["CSP Name"].startswith(prefix):
                part = OWN_CODES.get(row["CSP Name"], row["ONS Code"])
                out.append(("2009-04", part, row["CSP Name"].removeprefix(prefix), unitary[whole], whole, "merged"))
    for changed, part, whole, name in RECODED:
        kind = "boundary" if changed == "2025-04" else "recoded"
        out.append((changed, part, name, whole, name, kind))
    named = councils | {"E07000246": "Somerset West and Taunton"}
    for changed, whole, name, parts in MERGED:
        out += [(changed, part, named[part], whole, name, "merged") for part in parts]
    return [(*row, CODE_HISTORY, LICENCE) for row in out]


def offence_codes(published: Path) -> list[tuple[str, ...]]:
    """Each offence code with each description that was published for it, and the years; not the one slip that SLIPS names."""
    with (published / "home-office/offence_codes_2012-13_to_2025-26.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        (
            row["Offence Code"],
            row["Offence Description"],
            row["Group"],
            row["Offence Subgroup"],
            row["first"],
            row["last"],
            OFFENCE_CODES,
            LICENCE,
        )
        for row in rows
        if (row["Offence Code"], row["Offence Description"]) not in SLIPS
    ]


def england_and_wales(published: Path) -> list[tuple[str, ...]]:
    """Mid-year → persons in England and Wales, as the ONS last printed them or as its councils add up to."""
    totals: dict[int, tuple[int, str]] = {}
    for name in (
        "ons/MYEB3_summary_components_of_change_series_UK_(2020_geog21).csv",
        "ons-since-2021/ons_mid2022_population_estimates_lad.xlsx",
        "ons-since-2021/mye23tablesew.csv",
        "ons-since-2021/mye24tablesew.csv",
    ):
        rows = PopulationReader(published / name).read().to_pylist()
        for year in sorted({row["year"] for row in rows}):
            persons = sum(row["persons"] for row in rows if row["year"] == year and row["area_kind"] == "council")
            totals[year] = persons, Path(name).name
    return [(str(year), str(persons), f"ONS mid-year estimates, {name}", LICENCE) for year, (persons, name) in totals.items()]


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
