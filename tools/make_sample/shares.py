"""How a count of a force is split over its partnerships: by the shares that they had in ONS Table C2, year ending June 2025.

The shares are real. That they held in 2014/15 and 2015/16, in every quarter, is the simulation. Nothing is left to chance.
"""

from __future__ import annotations

import csv
import heapq
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tools.make_sample.home_office import Count, Partnership

TABLE_C2 = "published/policeforceareatablesyejune25final.csv"
TOTAL = "Total recorded crime (excluding fraud)"
# The subgroup of the open data → the narrowest column of Table C2 that holds it
COLUMNS = {
    "Homicide": "Violence against the person",  # homicides of one year are too few to tell a share
    "Stalking and harassment": "Stalking and harassment",
    "Robbery of business property": "Robbery",
    "Robbery of personal property": "Robbery",
    "Bicycle theft": "Bicycle theft",
    "Shoplifting": "Shoplifting",
    "Vehicle offences": "Vehicle offences",
    "Non-domestic burglary": "Non-residential burglary",
    "Arson": "Criminal damage and arson",
    "Possession of weapons offences": "Possession of weapons offences",
}


class Shares:
    """The offences of Table C2 by partnership (ONS code, or name of a catch-all) and kind of offence."""

    def __init__(self, published: Path) -> None:
        with (published / TABLE_C2).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        top = next(i for i, row in enumerate(rows) if "Community Safety Partnership code" in map(_words, row))
        columns = list(map(_words, rows[top]))
        self._offences: dict[tuple[str, str], int] = {}
        for row in rows[top + 1 :]:
            cells = dict(zip(columns, map(str.strip, row), strict=True))
            place = cells["Community Safety Partnership code"] or _key(cells["Community Safety Partnership name"])
            for column in {*COLUMNS.values(), TOTAL} if place else ():
                self._offences[place, column] = int(cells[column].replace(",", "") or 0)  # Surrey left none unassigned

    def weights(self, places: Sequence[Partnership], subgroup: str) -> list[float]:
        """What each place of a force weighs in a kind of offence; a piece weighs its residents' share of its whole."""
        for column in (COLUMNS[subgroup], TOTAL):
            offences = [self._offences[_key(place.whole), column] * place.share_of_whole for place in places]
            if any(offences):
                return offences
        raise ValueError(f"{TABLE_C2}: expected offences in {places[0].name}'s force, found none")


class Split:
    """Splits the counts of one force, code and year over its places, quarter after quarter.

    Each offence goes to the place that is furthest behind its share of all dealt so far (Sainte-Laguë), so small places get
    their due over the year, though not in each quarter. A correction, which is negative, takes the last ones back.
    """

    def __init__(self, places: Sequence[Partnership], weights: Sequence[float]) -> None:
        self._names = [place.name for place in places]
        self._weights = weights
        self._queue = [(-weight, i, 0) for i, weight in enumerate(weights) if weight]
        heapq.heapify(self._queue)
        self._order: list[int] = []  # places, in the order in which they get an offence
        self._dealt = 0

    def deal(self, offences: int) -> dict[str, int]:
        """Name of a place → its part of the next count; the parts add up to it."""
        before, self._dealt = self._dealt, self._dealt + offences
        self._extend(max(abs(before), abs(self._dealt)))
        parts = Counter(self._first(self._dealt))
        parts.subtract(self._first(before))
        return {name: parts[i] for i, name in enumerate(self._names)}

    def _extend(self, length: int) -> None:
        while len(self._order) < length:
            _, i, seats = self._queue[0]
            self._order.append(i)
            heapq.heapreplace(self._queue, (-self._weights[i] / (2 * seats + 3), i, seats + 1))

    def _first(self, offences: int) -> Counter[int]:
        counts = Counter(self._order[: abs(offences)])
        return counts if offences >= 0 else Counter({i: -n for i, n in counts.items()})


def split_counts(
    counts: Sequence[Count], places: dict[str, list[Partnership]], shares: Shares, printed: dict[int, dict[str, dict[str, int]]]
) -> dict[Count, dict[str, int]]:
    """Each count of a force, split so that its places add up to it; `printed` (quarter → force → place → stalking) stands."""
    splits: dict[tuple[str, str, str], Split] = {}
    out: dict[Count, dict[str, int]] = {}
    for count in sorted(counts, key=lambda c: (c.year, c.quarter)):
        fixed = printed.get(count.quarter, {}).get(count.force, {}) if count.code == "8Q" else {}
        there = [place for place in places[count.force] if place.name not in fixed]
        key = (count.year, count.force, f"{count.code} {len(there)}")
        if there and key not in splits:
            splits[key] = Split(there, shares.weights(there, count.subgroup))
        rest = splits[key].deal(count.offences - sum(fixed.values())) if there else {}
        out[count] = {place.name: (fixed | rest)[place.name] for place in places[count.force]}
    return out


def _words(text: str) -> str:
    return " ".join(text.split())


def _key(name: str) -> str:
    """A name in the spelling that the two publishers share: `Unassigned Avon & Somerset`, `unassigned Surrey`."""
    return name if name[:1] in "EW" and name[1:].isdigit() else _words(name).replace("&", "and").lower()
