"""Small pieces of English that messages and answers share."""

from __future__ import annotations

from collections.abc import Sequence


def join_names(names: Sequence[str], limit: int = 8) -> str:
    """The first `limit` names with commas, and how many more there are: `Dover, Kent and 3 more`."""
    first = ", ".join(names[:limit])
    return f"{first} and {len(names) - limit} more" if len(names) > limit else first
