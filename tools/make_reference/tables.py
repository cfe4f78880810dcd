"""The rows of each table, from the published files and the facts beside them."""

from __future__ import annotations

import csv
from pathlib import Path

from tools.make_reference.facts import (
    CODE_HISTORY,
    COUNTRIES,
    HOME_OFFICE,
    LICENCE,
    MERGED,
    NAMES_2025_26,
    NOT_PLACES,
    OFFENCE_CODES,
    ONS_LOOKUP,
    OWN_CODES,
    RECODED,
    REGIONS,
    SAME_AREA,
    SLIPS,
    SUCCESSORS,
    UNITARIES_2009,
    WHOLE_FROM,
)
from transforms.populations import PopulationReader


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{key: value.strip() for key, value in row.items()} for row in csv.DictReader(file)]


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
