"""Rates, limits, ranks and statuses with pandas: part of the baseline, and of nothing else.

No line of flows/, transforms/ or sql/ is used, so that it costs what a script of its own costs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

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
Z = 1.959963984540054
NOTES = {
    "unassigned": "not a place",
    "not_resident": "its residents are not its public",
    "incomplete": "a quarter is missing",
    "no_population": "no population estimate",
    "negative": "corrections exceed records",
    "none_recorded": "no area recorded any",
    "withdrawn": "a note says that its figures stand elsewhere",
}


def ranked_rates(
    counts: pd.DataFrame,
    offences: pd.DataFrame,
    areas: pd.DataFrame,
    members: pd.DataFrame,
    people: pd.DataFrame,
    withdrawn: pd.DataFrame,
    bundles: pd.DataFrame,
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
    in_bundles = codes.astype({"offence_code": str}).merge(bundles[["bundle", "offence_code"]], on="offence_code")
    bundled = (
        in_bundles.groupby([*place, "bundle"], observed=True, sort=False)
        .agg(offences=("offences", "sum"), is_known=("is_known", "all"))
        .reset_index()
        .rename(columns={"bundle": "offence_code"})
    )
    levels.append(bundled.assign(offence_name=bundled["offence_code"], offence_level="bundle"))
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
    table_of = ["half_year", "level", "offence_level", "offence_code"]
    is_whole = rates["area_name"].astype(str) == "England and Wales"  # of which the other countries are parts
    compared = rates["offences"].where((rates["status"] == "ranked") & ~is_whole)
    most = compared.groupby([rates[column] for column in table_of], observed=True).transform("max")
    nought = (rates["status"] == "ranked") & (rates["offences"].where(is_whole, most) == 0)
    rates["status"] = rates["status"].mask(nought, "none_recorded")
    people_at_risk = rates["population"].where(rates["status"] == "ranked")
    n = rates["offences"].clip(lower=0)
    few = np.clip(n, 0, 9).astype(int)
    byar_low = n.clip(lower=1) * (1 - 1 / (9 * n.clip(lower=1)) - Z / (3 * np.sqrt(n.clip(lower=1)))) ** 3
    byar_high = (n + 1) * (1 - 1 / (9 * (n + 1)) + Z / (3 * np.sqrt(n + 1))) ** 3
    rates["rate_per_10k"] = rates["offences"] / people_at_risk * 10000
    rates["rate_lower_95"] = np.where(n < 10, LOWER[few], byar_low) / people_at_risk * 10000
    rates["rate_upper_95"] = np.where(n < 10, UPPER[few], byar_high) / people_at_risk * 10000
    table = rates["rate_per_10k"].mask(is_whole).groupby([rates[column] for column in table_of], observed=True)
    rates["rank"] = table.rank(method="min", ascending=False).astype("Int32")
    rates["areas_ranked"] = table.transform("count").astype("int32")
    why = rates["status"].map(NOTES).astype("str")
    rates["status_note"] = why.where(rates["status"] != "ranked", rates["note"].astype("str"))
    order = ["half_year", "level", "offence_level", "offence_code", "rank", "area_name"]
    return rates[RANKED].sort_values(order, ignore_index=True)
