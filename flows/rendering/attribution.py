"""Where the figures come from, and what kind of figures they are: the lines under every answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flows.queries.levels import OffenceLevel
from flows.queries.lookups import FRAUD_LEFT, Offence
from flows.queries.ranked_table import SourceRelease
from transforms.periods import HalfYear

SOURCE = (
    "Source: Home Office police recorded crime; ONS mid-year population estimates. "
    "Contains public sector information licensed under the Open Government Licence v3.0."
)
OFFICIAL_STATUS = (  # Office for Statistics Regulation, The quality of police recorded crime statistics for England and Wales
    "Police recorded crime figures are official statistics, not accredited official statistics: accreditation was removed in "
    "2014, because the quality and consistency of the underlying data may not be reliable."
)
HARMONISED_NOTE = "Areas are on their newest boundaries: the pieces in which some were once published are summed."
NO_FRAUD = "Since April 2013 no area's total holds fraud, which Action Fraud records; until then it holds what forces recorded."
HOUSEHOLDS = "Here per resident; the ONS also gives residential burglary per household."
_RESIDENTIAL = re.compile(r"burglary residential|residential burglary|domestic burglary|burglary in a dwelling", re.IGNORECASE)
SIMULATION_WARNING = "SIMULATED: the release says that its figures are a simulation. Not Home Office figures: do not quote them."


def describe_offence(offence: Offence, last: HalfYear) -> list[str]:
    """What a reader must know of an offence in half-years up to `last`: what a total leaves out, what else it is divided by."""
    if offence.level is OffenceLevel.TOTAL:
        return [NO_FRAUD] if last >= FRAUD_LEFT else []
    notes = []
    if offence.level is OffenceLevel.BUNDLE:
        notes.append(f"{offence.name} is a bundle of ours, not a group of the Home Office (data/reference/offence_bundles.csv).")
    if "(outcome" in offence.name:
        notes.append(
            "The words in brackets are of the newest title of this code: in earlier years offences were counted under it."
        )
    if _RESIDENTIAL.search(offence.name):
        notes.append(HOUSEHOLDS)
    return notes


def describe_releases(releases: Iterable[SourceRelease]) -> str:
    """The line that names the releases behind the figures, and what a manifest notes of them."""
    names = [
        f"{r['release_id']}, published {r['published']}" + (f" ({r['note'].rstrip('.')})" if r["note"] else "") for r in releases
    ]
    return f"Figures: {'; '.join(names)}."
