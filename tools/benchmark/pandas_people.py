"""Populations of areas as a careful analyst would work them out with pandas: part of the baseline, and of nothing else.

No line of flows/, transforms/ or sql/ is used, so that it costs what a script of its own costs.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Base = tuple[int, str, str]  # mid-year, vintage, boundaries
Area = tuple[str, str]  # level, name
COUNCIL = r"(?:E0[6-9]|W06)\d{6}"


def read_populations(folder: Path) -> pd.DataFrame:
    """One row per vintage, boundaries, year and council."""
    manifest = pd.read_csv(folder / "manifest.csv", dtype=str)
    frames = []
    for file in manifest[manifest["kind"] == "population"].itertuples():
        path = folder / str(file.file)
        frame = _read(path)
        code, name = frame.columns[:2]
        years = {c: int(m[1]) for c in frame.columns if (m := re.match(r"(?:population_|Mid-)(\d{4})$", str(c)))}
        if not years:
            total = next(c for c in frame.columns if re.fullmatch("population|All ages", str(c), re.IGNORECASE))
            years = {total: int(file.covers)}  # type: ignore[arg-type]
        on = re.search(r"geog(\d\d)|on20(\d\d)geog", path.name)
        long = frame.rename(columns={code: "code", name: "name"}).melt(["code", "name"], list(years), "year", "persons")
        long["year"] = long["year"].map(years)
        long = long[long["code"].str.fullmatch(COUNCIL, na=False)]
        long["persons"] = pd.to_numeric(long["persons"].astype(str).str.replace(",", ""))
        frames.append(long.assign(vintage=file.published, boundaries="20" + (on[1] or on[2]) if on else ""))
    return pd.concat(frames).drop_duplicates(["vintage", "boundaries", "year", "code"])


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, encoding="utf-8-sig")
    sheets = pd.read_excel(path, engine="calamine", sheet_name=None, header=None, dtype=str)
    wanted = next((s for name, s in sheets.items() if name.startswith("MYE4")), None)
    frame = wanted if wanted is not None else next(s for name, s in sheets.items() if re.search("persons", name, re.IGNORECASE))
    header = frame.index[frame[0].fillna("").str.strip().str.lower() == "code"][0]
    return frame.loc[header + 1 :].set_axis(frame.loc[header].str.strip(), axis=1)


def read_lookups(folder: Path) -> dict[int, pd.DataFrame]:
    """Year of the boundaries → one row per council, partnership and force."""
    manifest = pd.read_csv(folder / "manifest.csv", dtype=str)
    out = {}
    for file in manifest[manifest["kind"] == "lookup"].itertuples():
        frame = pd.read_csv(folder / str(file.file), dtype=str, encoding="utf-8-sig")
        named = {c: re.sub(r"\d\d_?", "_", c.lower()).replace("_cd", "_code").replace("ltla", "lad") for c in frame.columns}
        out[int(file.covers)] = frame.rename(columns=named)  # type: ignore[arg-type]
    return out


class People:
    """Persons of an area in a mid-year, by whole councils through their succession, or by shares of what was split."""

    def __init__(
        self, populations: pd.DataFrame, lookups: dict[int, pd.DataFrame], areas: pd.DataFrame, successions: pd.DataFrame
    ) -> None:
        self.parts = successions.groupby("whole_code")["part_code"].agg(list).to_dict()
        self.lookups = lookups
        self.areas = areas
        keys = populations.groupby(["year", "vintage", "boundaries"])
        self.persons: dict[Base, dict[str, int]] = {  # type: ignore[misc]
            base: dict(zip(rows["code"], rows["persons"], strict=True)) for base, rows in keys
        }
        self.names = dict(zip(populations["code"], populations["name"], strict=True))
        self.held: dict[Base, dict[str, set[str]]] = {}  # unit → councils that hold it
        for base, persons in self.persons.items():
            for code in persons:
                for unit in self.units(code):
                    self.held.setdefault(base, {}).setdefault(unit, set()).add(code)
        self.extents = {year: self._extents(year) for year in lookups}

    @cache  # noqa: B019, there is one of it
    def units(self, code: str) -> frozenset[str]:
        """The smallest councils of which a code ever consisted."""
        parts = self.parts.get(code)
        return frozenset().union(*map(self.units, parts)) if parts else frozenset([code])

    def _extents(self, year: int) -> dict[Area, frozenset[str]]:
        """Area → its units. A partnership that shares a council takes them from the nearest lookup in which it does not."""
        out: dict[Area, frozenset[str]] = {}
        codes = {(r.level, r.area_code): r.area_name for r in self.areas.itertuples() if isinstance(r.area_code, str)}
        for level in ("csp", "pfa"):
            for near in sorted(self.lookups, key=lambda y: (abs(y - year), y)):
                members = self.lookups[near][["lad_code", f"{level}_code"]].drop_duplicates()
                shared = members["lad_code"].duplicated(keep=False)
                bad = set(members.loc[shared, f"{level}_code"])
                for code, councils in members.groupby(f"{level}_code")["lad_code"]:
                    name = codes.get((level, code))
                    if name is not None and code not in bad:
                        out.setdefault((level, str(name)), frozenset().union(*map(self.units, councils)))
        for row in self.areas.dropna(subset=["councils"]).itertuples():
            own = frozenset().union(*map(self.units, str(row.councils).split()))
            out[str(row.level), str(row.area_name)] = out.get((str(row.level), str(row.area_name)), frozenset()) | own
        forces = self.areas[self.areas["level"] == "pfa"].drop_duplicates("area_name")
        for row in forces.dropna(subset=["region_name"]).itertuples():
            units = out.get(("pfa", str(row.area_name)), frozenset())
            country = "Wales" if row.region_name == "Wales" else "England"
            for whole in (("region", str(row.region_name)), ("country", country), ("country", "England and Wales")):
                out[whole] = out.get(whole, frozenset()) | units
        return out

    def of(self, area: Area, lookup: int, base: Base) -> tuple[float, str, str]:
        """(persons, method, note); not a number where some council has no figure."""
        extent = self.extents[lookup].get(area, frozenset())
        held = self.held[base]
        councils = set().union(*(held.get(unit, set()) for unit in extent)) if extent else set()
        total, covered, said = 0.0, 0, []
        for code in sorted(councils):
            units, persons = self.units(code), self.persons[base][code]
            covered += len(units & extent)
            if units <= extent:
                total += persons
                continue
            share = self._share(code, extent, base)
            if share is None:
                return np.nan, "", "no separate estimate for a part of it"
            total += np.floor(persons * share + 0.5)
            said.append(f"{self.names[code]} split by its parts")
        if not extent or covered < len(extent):
            return np.nan, "", "no estimate for some of its councils"
        return total, "apportioned" if said else "sum", "; ".join(said)

    def _share(self, council: str, extent: frozenset[str], wanted: Base) -> float | None:
        """What part of a council lies in an area, by the nearest year's newest estimates in which its parts stand alone."""
        whole, (year, vintage, _) = self.units(council), wanted
        for base in sorted(self.persons, key=lambda b: (-abs(b[0] - year), b[0], b[1]), reverse=True):
            if base[1] > vintage:
                continue
            parts = set().union(*(self.held[base].get(unit, set()) for unit in whole))
            pieces = [self.units(part) for part in parts]
            if sum(map(len, pieces)) == len(whole) and all(p <= whole and (p <= extent or not p & extent) for p in pieces):
                inside = sum(self.persons[base][part] for part in parts if self.units(part) <= extent)
                return inside / sum(self.persons[base][part] for part in parts)
        return None

    def table(self, names: pd.DataFrame, start_years: list[int]) -> pd.DataFrame:
        """One row per area and financial year: over whom it is divided. `names` has the columns level and area_name."""
        rows: list[dict[str, Any]] = []
        every = [(str(level), str(name)) for level, name in names[["level", "area_name"]].itertuples(index=False)]
        oldest, best = min(self.lookups), self._best_boundaries(every)
        for start in start_years:
            lookup = max((y for y in self.lookups if y <= start), default=oldest)
            vintage = max((b[1] for b in self.persons if b[0] == start - 1), default=None)
            for area in every:
                row: dict[str, Any] = {"level": area[0], "area_name": area[1], "start_year": start, "population_year": start - 1}
                if vintage is not None:
                    persons, method, note = self.of(area, lookup, (start - 1, vintage, best[start - 1, vintage]))
                    row |= {
                        "population": persons,
                        "population_method": method or None,
                        "population_vintage": vintage,
                        "note": note,
                    }
                rows.append(row)
        return pd.DataFrame(rows)

    def _best_boundaries(self, areas: list[Area]) -> dict[tuple[int, str], str]:
        """(mid-year, vintage) → the set of boundaries on which most areas are sums of whole councils."""
        scores: dict[tuple[int, str], list[tuple[int, int, str]]] = {}
        for base in self.persons:
            methods = [self.of(area, lookup, base)[1] for lookup in self.lookups for area in areas]
            score = (methods.count("sum"), methods.count("apportioned"), base[2])
            scores.setdefault(base[:2], []).append(score)
        return {key: max(found)[2] for key, found in scores.items()}
