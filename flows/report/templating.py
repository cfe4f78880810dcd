"""Pages from templates: escaped, with what every page shares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.queries import lookups
from flows.rendering import attribution, text_tables
from flows.report import charts, model
from flows.report.model import Site

HERE = Path(__file__).parent


@cache
def environment() -> Environment:
    """Templates in which every text is escaped, and a misspelt name is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"count": charts.count, "rate": text_tables.format_rate, "change": charts.change}
    made.globals |= {
        "interval": charts.interval,
        "whisker": charts.whisker,
        "dumbbell": charts.dumbbell,
        "place_in_order": charts.place_in_order,
        "is_nought": charts.is_nought,
        "LEVELS": lookups.LEVELS,
        "PLURALS": model.PLURALS,
        "KINDS": model.KINDS,
        "NATION": model.NATION,
        "SOURCE": attribution.SOURCE,
        "plural": plural,
    }
    return made


def plural(n: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 area, 2 areas."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def page(
    template: str, site: Site, *, at: str, title: str, levels: Sequence[str] = (), banner: str | None = None, **more: Any
) -> str:
    """A page of the site; `at` is its address from the root, `levels` those whose figures it shows.

    `banner` is what to know before reading, with its first word in bold; by default what the releases behind say of themselves.
    """
    return (
        environment()
        .get_template(template)
        .render(
            site=site,
            at=at,
            root="../" * at.count("/"),
            title=title,
            banner=site.banner(*levels) if banner is None else banner,
            behind=[r for r in site.releases if any(r["release_id"] in site.behind.get(level, ()) for level in levels)],
            **more,
        )
    )
