"""The same tables in plain pandas and calamine: what the pipeline is measured against.

    python -m tools.benchmark.pandas_way RELEASES POPULATIONS LOOKUPS REFERENCE OUT

Written as a good analyst would: whole columns at a time, repeated texts as categories, workbooks read once, no more copies than
need be. No line of flows/, transforms/ or sql/ is used. tests/tools/test_benchmark.py holds its rates and ranks against theirs.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from tools.benchmark.pandas_people import People, read_lookups, read_populations

COLUMNS = {
    "Financial Year": "financial_year",
    "Financial Quarter": "quarter",
    "Force Name": "force_name",
    "Police Force": "force_name",
    "CSP Name": "published_name",
    "Offence Description": "offence_name",
    "Offence Group": "offence_group",
    "Offence Subgroup": "subgroup",
    "Offence Code": "offence_code",
    "Number of Offences": "offences",
    "Offence Count": "offences",
}
RANKED = [
    "half_year",
    "period_start",
    "period_end",
    "level",
    "area_code",
    "area_name",
    "force_name",
    "region_name",
    "offence_level",
    "offence_code",
    "offence_name",
    "offences",
    "population",
    "population_year",
    "population_vintage",
    "population_method",
    "rate_per_10k",
    "rate_lower_95",
    "rate_upper_95",
    "rank",
    "areas_ranked",
    "status",
    "status_note",
    "release_id",
]
LOWER = np.array(
    [
        0.0,
        0.0253178079843,
        0.242209278544,
        0.618672122896,
        1.08986537363,
        1.62348639012,
        2.20189425349,
        2.81436305152,
        3.45383217675,
        4.11537309738,
    ]
)  # exact 95% limits of a Poisson count from 0 to 9
UPPER = np.array(
    [
        3.68887945411,
        5.57164339094,
        7.22468766772,
        8.76727306974,
        10.2415886754,
        11.6683320793,
        13.0594740225,
        14.4226753617,
        15.7631892202,
        17.0848034514,
    ]
)
TEXTS = ["level", "published_name", "force_name", "financial_year", "offence_code", "offence_name", "subgroup", "offence_group"]
Z = 1.959963984540054
NOTES = {
    "unassigned": "not a place",
    "not_resident": "its residents are not its public",
    "incomplete": "a quarter is missing",
    "no_population": "no population estimate",
    "negative": "corrections exceed records",
    "withdrawn": "a note says that its figures stand elsewhere",
}


def read_release(path: Path) -> tuple[pd.DataFrame, str]:
    """The figures of a workbook, and the text of its other sheets."""
    figures, said = [], []
    for sheet in pd.read_excel(path, engine="calamine", sheet_name=None, dtype=str).values():
        if "Offence Code" not in sheet.columns:
            said += [str(c) for c in sheet.columns] + sheet.iloc[:, 0].dropna().tolist() if len(sheet.columns) else []
            continue
        sheet = sheet.rename(columns=COLUMNS).dropna(subset=["offence_code"])
        sheet["level"] = "csp" if "published_name" in sheet.columns else "pfa"
        if "published_name" not in sheet.columns:
            sheet["published_name"] = sheet["force_name"]
        sheet["offences"] = pd.to_numeric(sheet["offences"].str.replace(",", ""), errors="coerce")
        sheet["quarter"] = pd.to_numeric(sheet["quarter"]).astype("int8")
        figures.append(sheet.astype(dict.fromkeys(TEXTS, "category")))
    return pd.concat(figures, ignore_index=True), "".join(said)


def read_releases(folder: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """All figures, of each quarter those of the newest release; release → what its notes say."""
    manifest = pd.read_csv(folder / "manifest.csv", dtype=str).set_index("file")["published"].to_dict()
    frames, notes = [], {}
    for path in sorted(folder.glob("*.ods")):
        frame, said = read_release(path)
        day = re.search(r"-(\d\d)(\d\d)(\d\d)\b", path.stem)
        published = manifest.get(path.name) or (f"20{day[3]}-{day[2]}-{day[1]}" if day else "")
        notes[path.stem] = re.sub(r"\s", "", said)
        frames.append(frame.assign(release_id=path.stem, published=published))
    every = pd.concat(frames, ignore_index=True)
    for column in (*TEXTS, "release_id", "published"):
        every[column] = every[column].astype(str).astype("category")
    held = every[["level", "financial_year", "quarter", "published"]].drop_duplicates().astype({"published": str})
    newest = held.sort_values("published").drop_duplicates(["level", "financial_year", "quarter"], keep="last")
    return (every if len(held) == len(newest) else every.astype({"published": str}).merge(newest)), notes


def name_areas(figures: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """The figures under the names of the reference table, by period; repeated keys are summed."""
    pairs = figures[["level", "published_name", "financial_year"]].drop_duplicates().astype(str)
    pairs["published_name"] = pairs["published_name"].str.split().str.join(" ")
    pairs = pairs.merge(areas[["level", "published_name", "area_name", "valid_from", "valid_to"]], how="left")
    pairs = pairs[
        (pairs["valid_from"].fillna("") <= pairs["financial_year"])
        & (pairs["financial_year"] <= pairs["valid_to"].fillna("9999"))
    ]
    if pairs["area_name"].isna().any():
        raise ValueError(f"areas that nobody knows: {pairs[pairs['area_name'].isna()]}")
    named = figures.merge(pairs[["level", "published_name", "financial_year", "area_name"]].astype("category"))
    named["is_known"] = named["offences"].notna()
    keys = ["level", "area_name", "financial_year", "quarter", "offence_code"]
    return (
        named.groupby(keys, observed=True, sort=False)
        .agg(
            offences=("offences", lambda s: s.sum(min_count=1)) if named["offences"].isna().any() else ("offences", "sum"),
            is_known=("is_known", "all"),
            release_id=("release_id", "first"),
        )
        .reset_index()
    )


def members_of(areas: pd.DataFrame, successions: pd.DataFrame, basis: str) -> pd.DataFrame:
    """One row per area that a release publishes and area of a table that it counts towards."""
    places = areas[areas["level"].isin(["csp", "pfa"])].drop_duplicates(["level", "area_name"])
    own = places[["level", "area_name", "kind"]].rename(columns={"area_name": "member"})
    own["area_name"] = own["member"]
    if basis == "harmonised":
        whole = successions.set_index("part_name")["whole_name"]
        own["area_name"] = own["member"].where(own["level"] != "csp", own["member"].map(whole).fillna(own["member"]))
    own["to_level"] = own["level"]
    forces = places[(places["level"] == "pfa")]
    rows = [own]
    for level, wholes in (
        ("region", forces["region_name"]),
        ("country", forces["region_name"].map(lambda r: "Wales" if r == "Wales" else "England", na_action="ignore")),
        (
            "country",
            forces["area_name"]
            .where(forces["region_name"].notna() | (forces["area_name"] == "British Transport Police"))
            .map(lambda _: "England and Wales", na_action="ignore"),
        ),
    ):
        rows.append(
            pd.DataFrame(
                {"level": "pfa", "member": forces["area_name"], "kind": forces["kind"], "area_name": wholes, "to_level": level}
            ).dropna(subset=["area_name"])
        )
    return pd.concat(rows, ignore_index=True)


def withdrawals(notes: dict[str, str], rules: pd.DataFrame, counts: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Areas and half-years whose figures a note says stand elsewhere; a rule without an area is of a whole force."""
    rules = rules.assign(text=rules["note_text"].str.replace(r"\s", "", regex=True))
    quarters = counts[["level", "area_name", "financial_year", "quarter", "release_id"]].drop_duplicates()
    quarters["at"] = quarters["financial_year"].astype(str) + " Q" + quarters["quarter"].astype(str)
    places = areas[areas["kind"] == "place"].drop_duplicates(["level", "area_name"])[["level", "area_name", "force_name"]]
    quarters = quarters.merge(places)
    out = [quarters.head(0)]
    for rule in rules.itertuples():
        from_those = [release for release, said in notes.items() if str(rule.text) in said]
        last = str(rule.last_quarter) if isinstance(rule.last_quarter, str) else "9999"
        of_those = quarters["area_name"] == rule.area_name if isinstance(rule.area_name, str) else quarters["area_name"].notna()
        out.append(
            quarters[
                (quarters["level"] == rule.level)
                & (quarters["force_name"] == rule.force_name)
                & of_those
                & quarters["release_id"].isin(from_those)
                & quarters["at"].between(str(rule.first_quarter), last)
            ]
        )
    found = pd.concat(out)
    found["half"] = (found["quarter"] + 1) // 2
    return found[["level", "area_name", "financial_year", "half"]].drop_duplicates().assign(is_withdrawn=True)


def ranked_rates(
    counts: pd.DataFrame,
    offences: pd.DataFrame,
    areas: pd.DataFrame,
    members: pd.DataFrame,
    people: pd.DataFrame,
    withdrawn: pd.DataFrame,
) -> pd.DataFrame:
    """One row per half-year, level, area, offence level and offence."""
    joined = counts.merge(members, left_on=["level", "area_name"], right_on=["level", "member"], suffixes=("_published", ""))
    joined["level"] = joined["to_level"].astype("category")
    joined["area_name"] = joined["area_name"].astype("category")
    joined["half"] = (joined["quarter"] + 1) // 2
    place = ["level", "area_name", "financial_year", "half"]
    seen = joined[[*place, "quarter", "member", "kind"]].drop_duplicates()
    seen["own"] = seen["member"] == seen["area_name"].astype(str)
    each = (
        seen.groupby([*place, "quarter"], observed=True)
        .agg(own=("own", "any"), parts=("kind", lambda k: (k != "unassigned").sum()))
        .reset_index()
    )
    pieces = members[(members["kind"] != "unassigned") & (members["member"] != members["area_name"])]
    expected = pieces.groupby(["to_level", "area_name"]).size().rename("expected").rename_axis(["level", "area_name"])
    each = each.merge(expected.reset_index(), how="left")
    each["is_whole"] = each["own"] | (each["parts"] >= each["expected"])
    presence = each.groupby(place, observed=True).agg(quarters=("quarter", "size"), is_whole=("is_whole", "all")).reset_index()

    codes = (
        joined.groupby([*place, "offence_code"], observed=True, sort=False)
        .agg(offences=("offences", "sum"), is_known=("is_known", "all"))
        .reset_index()
    )
    labels = offences.set_index("offence_code")
    levels = [codes.assign(offence_level="code", offence_name=codes["offence_code"].map(labels["offence_name"]))]
    for level, column in (("subgroup", "subgroup"), ("group", "offence_group"), ("total", None)):
        label = codes["offence_code"].map(labels[column]) if column else "Total"
        summed = (
            codes.assign(offence_code=label)
            .groupby([*place, "offence_code"], observed=True, sort=False)
            .agg(offences=("offences", "sum"), is_known=("is_known", "all"))
            .reset_index()
        )
        summed["offence_name"] = summed["offence_code"].astype(str) if column else "Total recorded crime"
        levels.append(summed.assign(offence_level=level))
    rates = pd.concat([frame.astype({"offence_code": str, "offence_name": str}) for frame in levels], ignore_index=True)
    rates = rates.astype({"offence_code": "category", "offence_name": "category", "offence_level": "category"})

    about = presence.merge(
        areas.drop_duplicates(["level", "area_name"])[["level", "area_name", "area_code", "force_name", "region_name", "kind"]],
        how="left",
    )
    about["start_year"] = about["financial_year"].astype(str).str[:4].astype(int)
    about = about.merge(people, how="left").merge(withdrawn, how="left")
    release = (
        counts.assign(half=(counts["quarter"] + 1) // 2)
        .groupby(["level", "financial_year", "half"], observed=True)["release_id"]
        .last()
        .reset_index()
        .rename(columns={"level": "from_level"})
    )
    about["from_level"] = about["level"].astype(str).where(about["level"] == "csp", "pfa")
    about = about.merge(release, how="left")
    is_place = about["kind"] != "unassigned"
    about["population"] = about["population"].where(is_place)
    about["population_method"] = about["population_method"].where(is_place)
    about["bar"] = np.select(
        [~is_place, about["kind"] == "not_resident", about["is_withdrawn"].notna(), (about["quarters"] < 2) | ~about["is_whole"]],
        ["unassigned", "not_resident", "withdrawn", "incomplete"],
        "",
    )
    start = about["start_year"].astype(str)
    first = about["half"] == 1
    about["half_year"] = about["financial_year"].astype(str) + " H" + about["half"].astype(str)
    about["period_start"] = pd.to_datetime(start + np.where(first, "-04-01", "-10-01"))
    about["period_end"] = pd.to_datetime(np.where(first, start + "-09-30", (about["start_year"] + 1).astype(str) + "-03-31"))
    about["population_vintage"] = pd.to_datetime(about["population_vintage"])
    texts = ["half_year", "area_code", "force_name", "region_name", "population_method", "bar", "note", "release_id"]
    rates = rates.merge(about.astype(dict.fromkeys(texts, "category")))

    barred = [rates["bar"] != "", ~rates["is_known"], rates["population"].isna(), rates["offences"] < 0]
    rates["status"] = np.select(barred, [rates["bar"].astype(str), "incomplete", "no_population", "negative"], "ranked")
    people_at_risk = rates["population"].where(rates["status"] == "ranked")
    n = rates["offences"].clip(lower=0)
    few = np.clip(n, 0, 9).astype(int)
    byar_low = n.clip(lower=1) * (1 - 1 / (9 * n.clip(lower=1)) - Z / (3 * np.sqrt(n.clip(lower=1)))) ** 3
    byar_high = (n + 1) * (1 - 1 / (9 * (n + 1)) + Z / (3 * np.sqrt(n + 1))) ** 3
    rates["rate_per_10k"] = rates["offences"] / people_at_risk * 10000
    rates["rate_lower_95"] = np.where(n < 10, LOWER[few], byar_low) / people_at_risk * 10000
    rates["rate_upper_95"] = np.where(n < 10, UPPER[few], byar_high) / people_at_risk * 10000
    table = rates.groupby(["half_year", "level", "offence_level", "offence_code"], observed=True)["rate_per_10k"]
    rates["rank"] = table.rank(method="min", ascending=False).astype("Int32")
    rates["areas_ranked"] = table.transform("count").astype("int32")
    why = rates["status"].map(NOTES).astype("str")
    rates["status_note"] = why.where(rates["status"] != "ranked", rates["note"].astype("str"))
    order = ["half_year", "level", "offence_level", "offence_code", "rank", "area_name"]
    return rates[RANKED].sort_values(order, ignore_index=True)


def main(releases: Path, populations: Path, lookups: Path, reference: Path, out: Path) -> None:
    areas = pd.read_csv(reference / "areas.csv", dtype=str)
    successions = pd.read_csv(reference / "area_successions.csv", dtype=str)
    figures, notes = read_releases(releases)
    offences = (
        figures.sort_values(["financial_year", "quarter"])
        .drop_duplicates("offence_code", keep="last")[["offence_code", "offence_name", "subgroup", "offence_group"]]
        .astype(str)
    )
    counts = name_areas(figures, areas)
    del figures
    people = People(
        read_populations(populations), read_lookups(lookups), areas, pd.read_csv(reference / "council_successions.csv", dtype=str)
    )
    years = sorted({int(str(year)[:4]) for year in counts["financial_year"].unique()})
    over = people.table(areas[["level", "area_name"]].drop_duplicates(), years)
    withdrawn = withdrawals(notes, pd.read_csv(reference / "withdrawn_figures.csv", dtype=str), counts, areas)
    out.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(str(out / "crime_rates.duckdb"))
    newest = counts.merge(areas.drop_duplicates(["level", "area_name"])[["level", "area_name", "area_code"]], how="left")
    con.register("newest", newest.drop(columns="is_known").sort_values(["level", "area_name", "financial_year", "quarter"]))
    con.execute("create table offence_counts as from newest")
    for basis, name in (("harmonised", "ranked_rates_harmonised"), ("published", "ranked_rates")):
        table = ranked_rates(counts, offences, areas, members_of(areas, successions, basis), over, withdrawn)
        con.register("a_table", table)
        con.execute(f"create table {name} as from a_table")
        con.unregister("a_table")
        if basis == "published":
            for (half_year, level), rows in table.groupby(["half_year", "level"], observed=True):
                folder = out / "tables" / str(half_year).replace("/", "-").replace(" ", "-")
                folder.mkdir(parents=True, exist_ok=True)
                rows.to_csv(folder / f"{level}.csv", index=False)
                rows.to_parquet(folder / f"{level}.parquet", index=False)
    con.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:6]))
