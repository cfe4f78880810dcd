"""Pages from templates: text is escaped, figures are formatted, and every page gets the same frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.common.wording import join_names
from flows.queries.levels import Level
from flows.rendering import attribution, text_tables
from flows.report import charts, model
from flows.report.model import Site
from sql.rows import RankedRate

TEMPLATES = Path(__file__).parent / "templates"


def render_page(
    template: str, site: Site, *, url: str, title: str, levels: Sequence[str] = (), banner: str | None = None, **values: object
) -> str:
    """A page of the site as HTML.

    `url` is its address from the root, `levels` those whose figures it shows, `values` what its template needs besides.
    `banner` is what to know before reading, with its first word in bold; by default what the releases say of themselves.
    """
    return (
        _environment()
        .get_template(template)
        .render(
            site=site,
            url=url,
            root="../" * url.count("/"),
            title=title,
            banner=site.banner(*levels) if banner is None else banner,
            releases=site.releases_of(*levels),
            **values,
        )
    )


@cache
def _environment() -> Environment:
    """Templates in which every text is escaped, and a misspelt name is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "capital": capitalise,
        "change": format_change,
        "count": format_count,
        "interval": format_interval,
        "rate": text_tables.format_rate,
    }
    environment.globals |= {
        "AREA_KINDS": model.AREA_KINDS,
        "LEVELS": {level: level.label for level in Level},
        "NATION": model.NATION,
        "OFFICIAL_STATUS": attribution.OFFICIAL_STATUS,
        "PLURALS": model.PLURALS,
        "describe_offence": attribution.describe_offence,
        "draw_change": charts.draw_change,
        "draw_interval": charts.draw_interval,
        "draw_rank": charts.draw_rank,
        "join_names": join_names,
        "is_none_recorded": charts.is_none_recorded,
        "plural": plural,
    }
    return environment


def capitalise(text: str) -> str:
    """A text with a capital first letter; the others stay as they are."""
    return text[:1].upper() + text[1:]


def plural(n: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 area, 2 areas."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def format_count(value: int | None) -> str:
    """A count with a true minus sign; blank where it is not known."""
    return text_tables.format_count(value).replace("-", "−")


def format_change(value: float | None) -> str:
    """A difference of two rates, always with its sign; blank where it is not known."""
    if value is None:
        return ""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{text_tables.format_rate(abs(value))}"


def format_interval(row: RankedRate) -> str:
    """The 95% interval of a row in words, per 10,000 residents: 1.20 to 3.40; blank where there is none."""
    if row["rate_lower_95"] is None:
        return ""
    return f"{text_tables.format_rate(row['rate_lower_95'])} to {text_tables.format_rate(row['rate_upper_95'])}"


def format_ranks(rows: Iterable[RankedRate]) -> dict[int, str]:
    """Rank → how it is printed in a table of these rows: with = where several areas share it."""
    areas: dict[int, int] = {}
    for row in rows:
        if row["rank"] is not None:
            areas[row["rank"]] = areas.get(row["rank"], 0) + 1
    return {rank: f"{rank}{'=' if count > 1 else ''}" for rank, count in areas.items()}
