"""Where the figures come from, and what kind of figures they are: the lines under every answer."""

from __future__ import annotations

from collections.abc import Iterable

from flows.queries.ranked_table import SourceRelease

SOURCE = (
    "Source: Home Office police recorded crime; ONS mid-year population estimates. "
    "Contains public sector information licensed under the Open Government Licence v3.0."
)
HARMONISED_NOTE = "Areas are on their newest boundaries: the pieces in which some were once published are summed."
SIMULATION_WARNING = "SIMULATED: the release says that its figures are a simulation. Not Home Office figures: do not quote them."


def describe_releases(releases: Iterable[SourceRelease]) -> str:
    """The line that names the releases behind the figures, and what a manifest notes of them."""
    names = [
        f"{r['release_id']}, published {r['published']}" + (f" ({r['note'].rstrip('.')})" if r["note"] else "") for r in releases
    ]
    return f"Figures: {'; '.join(names)}."
