"""Under which names figures are counted, with pandas, and what notes withdraw: part of the baseline, and of nothing else.

No line of flows/, transforms/ or sql/ is used, so that it costs what a script of its own costs.
"""

from __future__ import annotations

import pandas as pd


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
