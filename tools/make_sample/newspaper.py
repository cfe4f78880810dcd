"""Stalking of April to September 2015, as newspapers printed it in February 2016, and a release that they could have read.

The workbook that they drew on could not be had. What they printed is quoted here with its source, and beside it stands
what follows from it and what is chosen within that.
"""

from __future__ import annotations

from datetime import date

from tools.make_sample.home_office import Count, Partnership

FIRST_PUBLISHED_ON = date(2016, 1, 21)  # the ONS bulletin of the year ending September 2015; the workbook's own day is not known
# Force → partnership → stalking offences of quarters 1 and 2. Only sums of the two were printed; how they fall is chosen here.
#
# Printed: Wirral 86 (2.7 per 10,000, first), Liverpool 109 (2.3), Sefton 1.5, St. Helens fourth, Merseyside 275 in all: The Tab
# Liverpool, 6 February 2016; 86 also Wirral Globe, 2017. South Worcester 36 (1.2, fifth), North Worcestershire 30 (1.1, seventh):
# Bromsgrove Advertiser, February 2016.
# Follows, by the mid-2014 estimates: Sefton 40 to 42 of 273,531 residents; St. Helens 22 to 27 of 177,188, to stand above South
# Worcester and below Sefton; Knowsley 17 of 146,407 at most, to stand below South Worcester.
# Chosen within that: 41, 22 and 17, which leave nobody of the 275 out and make Knowsley sixth.
PRINTED = {
    "Merseyside": {
        "Wirral": (37, 49),
        "Liverpool": (47, 62),
        "Sefton": (18, 23),
        "St. Helens": (9, 13),
        "Knowsley": (7, 10),
    },
    "West Mercia": {"South Worcester": (18, 18), "North Worcestershire": (15, 15)},
}
# The force table of 23 April 2026 has 276 in Merseyside: where the one fell that was recorded since is not known
RECORDED_SINCE = {"Merseyside": {"Unassigned Merseyside": (0, 1)}}
SEVENTH = (30, 278_916)  # North Worcestershire: nobody else may stand above it


def printed_quarters() -> dict[int, dict[str, dict[str, int]]]:
    """Quarter → force → partnership → stalking offences as they stand in the later release."""
    return {
        quarter: {
            force: {name: counts[quarter - 1] for name, counts in (places | RECORDED_SINCE.get(force, {})).items()}
            for force, places in PRINTED.items()
        }
        for quarter in (1, 2)
    }


def as_first_released(later: dict[Count, dict[str, int]], places: dict[str, list[Partnership]]) -> dict[Count, dict[str, int]]:
    """The two quarters of the later release without the stalking offences that must have been recorded since.

    A partnership that was not printed and would stand above the seventh loses what is too much, in the newest quarter first.
    """
    first = {count: dict(parts) for count, parts in later.items() if count.quarter <= 2}
    stalking = {(c.force, c.quarter): parts for c, parts in first.items() if c.code == "8Q"}
    for force, those in places.items():
        for place in those:
            name, quarters = place.name, [stalking[force, quarter] for quarter in (2, 1)]
            if name in RECORDED_SINCE.get(force, {}):
                quarters[0][name] -= sum(RECORDED_SINCE[force][name])
            elif place.residents and name not in PRINTED.get(force, {}):
                most = (SEVENTH[0] * place.residents - 1) // SEVENTH[1]
                for parts in quarters:
                    above = max(0, sum(quarter[name] for quarter in quarters) - most)
                    parts[name] -= min(above, parts[name])
    return first
