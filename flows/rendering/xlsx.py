"""A ranked table as a workbook to the Government Statistical Service's guidance on accessible spreadsheets, by gptables.

Cover, contents and notes come first; then one table a sheet, marked as a table, numbers as numbers, no merged cell, no blank row.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from flows.queries.connection import NotFound
from flows.queries.levels import Level
from flows.queries.ranked_table import RankedTable
from flows.rendering import attribution, ranked_table_text
from flows.rendering.unassigned_text import describe_unassigned
from sql.rows import RankedRate
from transforms.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

NOT_KNOWN, NOT_APPLICABLE = "[x]", "[z]"  # the shorthand that the guidance names
ONE_TABLE = "This worksheet contains one table. Notes are on the Notes worksheet."
WIDEST = 80  # characters: wider text is wrapped
RATE, LOWER, UPPER = "Rate per 10,000", "Lower 95% limit", "Upper 95% limit"
SOURCE = "Home Office police recorded crime; ONS mid-year population estimates"
LICENCE = {"Open Government Licence v3.0": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"}
Cell = str | int | float | None


def xlsx_bytes(table: RankedTable, rows: Sequence[RankedRate]) -> bytes:
    """The rows selected of a ranked table as an XLSX file; equal rows give equal bytes.

    Raises NotFound where no row is selected, and UsageError where gptables is not installed.
    """
    try:
        import gptables
        import pandas as pd
    except ModuleNotFoundError as error:
        raise UsageError(f"--format xlsx needs the extra [report]: {error.name} is not installed.") from error
    if not rows:
        raise NotFound(ranked_table_text.describe_no_ranks(table))
    has_forces = table.level in (Level.CSP, Level.PFA)
    ranked = [_ranked_cells(row, has_forces) for row in rows if row["rate_per_10k"] is not None]
    unranked = [_unranked_cells(row, has_forces) for row in rows if row["rate_per_10k"] is None]
    sheets = {}
    if ranked:
        sheets["Ranked"] = gptables.GPTable(**_ranked_sheet(table, pd.DataFrame(ranked)))
    if unranked:
        sheets["Not ranked"] = gptables.GPTable(**_unranked_sheet(table, pd.DataFrame(unranked)))
    notes = _notes(table, bool(ranked), bool(unranked))
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # gptables 2.0 speaks the pandas of before
        book = gptables.produce_workbook(
            out,
            sheets,
            cover=gptables.Cover(**_cover(table, rows)),
            notes_table=pd.DataFrame(notes, columns=["Note reference", "Note text"]),
            notesheet_options={"instructions": "This worksheet contains one table: the notes that the other sheets refer to."},
            contentsheet_options={"instructions": "This worksheet contains one table: the other worksheets, with links to them."},
            workbook_options={"strings_to_formulas": False, "strings_to_urls": False},
        )
    newest = max(release["published"] for release in table.releases)
    book.set_properties({"title": table.title, "subject": "Recorded crime", "created": datetime.combine(newest, time())})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "font_name": "Arial", "font_size": 12})
    last_columns = {"Notes": 1, "Ranked": 9 if has_forces else 8, "Not ranked": 6 if has_forces else 5}
    for sheet, column in last_columns.items():
        if book.get_worksheet_by_name(sheet) is not None:
            book.get_worksheet_by_name(sheet).set_column(column, column, WIDEST, wrapped)
    book.close()
    return out.getvalue()


def _ranked_sheet(table: RankedTable, data: pd.DataFrame) -> dict[str, Any]:
    formats = [
        {"column": {"columns": [data.columns.get_loc(name) for name in names], "format": {"num_format": number_format}}}
        for names, number_format in (((RATE, LOWER, UPPER), "#,##0.00"), (("Offences", "Population"), "#,##0"))
    ]
    return {
        "table": data,
        "table_name": "ranked_rates",
        "title": _plain(table.title),
        "source": SOURCE,
        "index_columns": {1: 1},
        "subtitles": _simulation_warning(table),
        "instructions": ONE_TABLE,
        "scope": f"{len(data)} ranked areas",
        "additional_formatting": formats,
        "table_notes": {
            "Rank": "$$rank$$",
            "Offences": "$$recorded$$",
            "Population": "$$population$$",
            RATE: "$$rate$$",
            LOWER: "$$interval$$",
            UPPER: "$$interval$$",
        },
    }


def _unranked_sheet(table: RankedTable, data: pd.DataFrame) -> dict[str, Any]:
    return {
        "table": data,
        "table_name": "not_ranked",
        "index_columns": {1: 0},
        "title": f"Not ranked: {_plain(table.title)}",
        "source": SOURCE,
        "scope": f"{len(data)} areas that are not ranked, and why",
        "subtitles": _simulation_warning(table),
        "instructions": ONE_TABLE,
        "legend": [f"{NOT_KNOWN}: not known", f"{NOT_APPLICABLE}: not applicable"],
        "table_notes": {"Offences": "$$recorded$$", "Status": "$$status$$"},
    }


def _cover(table: RankedTable, rows: Sequence[RankedRate]) -> dict[str, Any]:
    return {
        "title": _plain(table.title),
        "width": 100,
        "intro": [
            *_simulation_warning(table),
            "Offences recorded in the half-year per 10,000 residents, not annualised. Rank 1 is the highest rate. "
            "Recorded crime is not crime committed.",
            attribution.OFFICIAL_STATUS,
            *attribution.describe_offence(table.offence, table.half_year),
            *(_plain(line) for line in ranked_table_text.describe_breaks(table, rows)),
            _plain(attribution.describe_releases(table.releases)),
        ],
        "about": [
            "Each worksheet holds one table. Rates and limits are not rounded, but shown with two decimals.",
            "Contains public sector information licensed under the Open Government Licence v3.0:",
            LICENCE,
        ],
    }


def _simulation_warning(table: RankedTable) -> list[str]:
    return [attribution.SIMULATION_WARNING] if table.is_simulated else []


def _area_cells(row: RankedRate, has_forces: bool) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"Area": _plain(row["area_name"]), "Area code": row["area_code"] or NOT_APPLICABLE}
    return cells | ({"Force": _plain(row["force_name"] or NOT_APPLICABLE)} if has_forces else {})


def _ranked_cells(row: RankedRate, has_forces: bool) -> dict[str, Cell]:
    return {
        "Rank": NOT_APPLICABLE if row["rank"] is None else row["rank"],
        **_area_cells(row, has_forces),
        "Offences": row["offences"],
        "Population": row["population"],
        RATE: row["rate_per_10k"],
        LOWER: row["rate_lower_95"],
        UPPER: row["rate_upper_95"],
        "Notes": _plain(row["status_note"] or "none"),
    }


def _unranked_cells(row: RankedRate, has_forces: bool) -> dict[str, Cell]:
    population: Cell = NOT_KNOWN if row["population"] is None else row["population"]
    return {
        **_area_cells(row, has_forces),
        "Offences": NOT_KNOWN if row["offences"] is None else row["offences"],
        "Population": NOT_APPLICABLE if row["status"] == "unassigned" else population,
        "Status": row["status"],
        "Why": row["status_note"] and _plain(row["status_note"]),
    }


def _plain(text: str) -> str:
    """A text without the signs by which gptables knows links, `[text](address)`, and references to notes, `$$note$$`."""
    return text.replace("](", "] (").replace("$$", "$ $")


def _notes(table: RankedTable, has_ranked: bool, has_unranked: bool) -> list[tuple[str, str]]:
    """(reference, text) of the notes that a sheet refers to, in the order in which the tables refer to them."""
    as_of = f" As it stood on {table.basis.as_of}." if table.basis.as_of is not None else ""
    recorded = (
        f"Offences recorded by the police in {table.half_year.months}, net of corrections. "
        f"What is not reported, or not recorded, is not here.{as_of}"
    )
    population = (
        f"{_plain(ranked_table_text.describe_population(table))} A council that several partnerships share is split by its last "
        "separately published parts; the last column says so, and what casts doubt on a count."
    )
    interval = (
        "The two limits are made so that they hold the underlying risk 19 times in 20, if only chance were at work "
        "(the count taken as Poisson: exact below 10 offences, Byar's approximation from 10 up). They "
        "speak of chance only, not of how offences are reported or recorded."
    )
    if unassigned := describe_unassigned(table.rows):
        recorded += f" {_plain(unassigned)}"
    notes = [("recorded", recorded)]
    if has_ranked:
        notes.insert(0, ("rank", "1 is the highest rate. Areas with the same rate share the better rank and leave a gap."))
        notes += [
            ("population", population),
            ("rate", f"Offences in the half-year per 10,000 residents, by {table.level.label}. Not annualised."),
            ("interval", interval),
        ]
    if has_unranked:
        notes.append(("status", "Why an area has no rank: the column beside it says it in words."))
    return notes
