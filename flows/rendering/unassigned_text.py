"""What forces leave unassigned, in words: offences under none of their partnerships, by which those are understated."""

from __future__ import annotations

from collections.abc import Sequence

from flows.common.wording import join_names
from sql.rows import RankedRate

WORTH_SAYING = 0.02  # of a force's offences in a table
MOST_FORCES = 8


def describe_unassigned(rows: Sequence[RankedRate]) -> str | None:
    """One sentence on the forces of some rows that leave more than 2% unassigned, the largest share first; None if none does."""
    shares = {row["force_name"]: row["unassigned_share"] or 0.0 for row in rows if row["force_name"]}
    named = sorted(((share, force) for force, share in shares.items() if share > WORTH_SAYING), key=lambda one: (-one[0], one[1]))
    if not named:
        return None
    forces = join_names([f"{force} {100 * share:.1f}%" for share, force in named], MOST_FORCES)
    return f"Recorded under none of a force's partnerships, which are understated by about that much: {forces}."
