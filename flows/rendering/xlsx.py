"""A ranked table as a workbook to the Government Statistical Service's guidance on accessible spreadsheets, by gptables.

Cover, contents and notes come first; then one table a sheet, marked as a table, numbers as numbers, no merged cell, no blank row.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from flows.queries.lookups import LEVELS
from flows.queries.ranked_table import RankedTable, TableBasis
from flows.rendering import attribution, ranked_table_text
from transforms.errors import UsageError

NOT_KNOWN, NOT_APPLICABLE = "[x]", "[z]"  # the shorthand that the guidance names
ONE_TABLE = "This worksheet contains one table. Notes are on the Notes worksheet."
WIDEST = 80  # characters: wider text is wrapped
RATE, LOWER, UPPER = "Rate per 10,000", "Lower 95% limit", "Upper 95% limit"
LICENCE = {"Open Government Licence v3.0": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"}


def xlsx_bytes(answer: RankedTable, rows: Sequence[dict[str, Any]], basis: TableBasis) -> bytes:
    """The rows of a ranked table that were asked for, as an XLSX file. Raises UsageError where gptables is not installed."""
    try:
        import gptables
        import pandas as pd
    except ModuleNotFoundError as error:
        raise UsageError(f"--format xlsx needs the extra [report]: {error.name} is not installed.") from error
    ranked = [row for row in rows if row["rank"] is not None]
    others = [row for row in rows if row["rank"] is None]
    wanted = {"recorded", *(("rank", "population", "rate", "interval") if ranked else ()), *(("status",) if others else ())}
    notes = [note for note in _notes(answer, basis) if note[0] in wanted]  # those that a sheet refers to
    title, places = ranked_table_text.title(answer), "force_name" if answer.level in ("csp", "pfa") else None
    source = "Home Office police recorded crime; ONS mid-year population estimates"
    simulated = [attribution.SIMULATION_WARNING] if answer.is_simulated else []
    sheets = {}
    if ranked:
        data = pd.DataFrame([_ranked(row, places) for row in ranked])
        formats = [
            {"column": {"columns": [data.columns.get_loc(name) for name in names], "format": {"num_format": shown}}}
            for names, shown in (((RATE, LOWER, UPPER), "#,##0.00"), (("Offences", "Population"), "#,##0"))
        ]
        sheets["Ranked"] = gptables.GPTable(
            table=data,
            table_name="ranked_rates",
            title=title,
            source=source,
            index_columns={1: 1},
            subtitles=simulated,
            instructions=ONE_TABLE,
            scope=f"{len(ranked)} ranked areas",
            additional_formatting=formats,
            table_notes={
                "Rank": "$$rank$$",
                "Offences": "$$recorded$$",
                "Population": "$$population$$",
                RATE: "$$rate$$",
                LOWER: "$$interval$$",
                UPPER: "$$interval$$",
            },
        )
    if others:
        sheets["Not ranked"] = gptables.GPTable(
            table=pd.DataFrame([_unranked(row, places) for row in others]),
            table_name="not_ranked",
            index_columns={1: 0},
            title=f"Not ranked: {title}",
            source=source,
            scope=f"{len(others)} areas that are not ranked, and why",
            subtitles=simulated,
            instructions=ONE_TABLE,
            legend=[f"{NOT_KNOWN}: not known", f"{NOT_APPLICABLE}: not applicable"],
            table_notes={"Offences": "$$recorded$$", "Status": "$$status$$"},
        )
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # gptables 2.0 speaks the pandas of before
        book = gptables.produce_workbook(
            out,
            sheets,
            cover=gptables.Cover(
                title=title,
                width=100,
                intro=[
                    *simulated,
                    "Offences recorded in the half-year per 10,000 residents, not annualised. Rank 1 is the highest rate. "
                    "Recorded crime is not crime committed.",
                    attribution.describe_releases(answer.releases),
                ],
                about=[
                    "Each worksheet holds one table. Rates and limits are not rounded, but shown with two decimals.",
                    "Contains public sector information licensed under the Open Government Licence v3.0:",
                    LICENCE,
                ],
            ),
            notes_table=pd.DataFrame(notes, columns=["Note reference", "Note text"]),
            notesheet_options={"instructions": "This worksheet contains one table: the notes that the other sheets refer to."},
            contentsheet_options={"instructions": "This worksheet contains one table: the other worksheets, with links to them."},
            workbook_options={"strings_to_formulas": False, "strings_to_urls": False},
        )
    newest = max(release["published"] for release in answer.releases)
    book.set_properties({"title": title, "subject": "Recorded crime", "created": datetime.combine(newest, time())})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "font_name": "Arial", "font_size": 12})
    for sheet, column in (("Notes", 1), ("Ranked", 9 if places else 8), ("Not ranked", 6 if places else 5)):
        if book.get_worksheet_by_name(sheet) is not None:
            book.get_worksheet_by_name(sheet).set_column(column, column, WIDEST, wrapped)
    book.close()
    return out.getvalue()


def _area(row: dict[str, Any], places: str | None) -> dict[str, Any]:
    named = {"Area": row["area_name"], "Area code": row["area_code"] or NOT_APPLICABLE}
    return named | ({"Force": row[places] or NOT_APPLICABLE} if places else {})


def _ranked(row: dict[str, Any], places: str | None) -> dict[str, Any]:
    return {
        "Rank": row["rank"],
        **_area(row, places),
        "Offences": row["offences"],
        "Population": row["population"],
        RATE: row["rate_per_10k"],
        LOWER: row["rate_lower_95"],
        UPPER: row["rate_upper_95"],
        "On its population": row["status_note"] or "whole councils",
    }


def _unranked(row: dict[str, Any], places: str | None) -> dict[str, Any]:
    counts = {
        name: NOT_KNOWN if row[column] is None else row[column]
        for name, column in (("Offences", "offences"), ("Population", "population"))
    }
    if row["status"] == "unassigned":
        counts["Population"] = NOT_APPLICABLE
    return {**_area(row, places), **counts, "Status": row["status"], "Why": row["status_note"]}


def _notes(answer: RankedTable, basis: TableBasis) -> list[tuple[str, str]]:
    """(reference, text), in the order in which the tables refer to them."""
    as_of = f" As it stood on {basis.as_of}." if basis.as_of is not None else ""
    return [
        ("rank", "1 is the highest rate. Areas with the same rate share the better rank and leave a gap."),
        (
            "recorded",
            f"Offences recorded by the police in {answer.half_year.months}, net of corrections. "
            f"What is not reported, or not recorded, is not here.{as_of}",
        ),
        (
            "population",
            f"{ranked_table_text.population(answer)} A council that several partnerships share is split by its last "
            "separately published parts; the last column says so.",
        ),
        ("rate", f"Offences in the half-year per 10,000 residents, by {LEVELS[answer.level]}. Not annualised."),
        (
            "interval",
            "The two limits are made so that they hold the underlying risk 19 times in 20, if only chance were at work "
            "(the count taken as Poisson: exact below 10 offences, Byar's approximation from 10 up). They "
            "speak of chance only, not of how offences are reported or recorded.",
        ),
        ("status", "Why an area has no rank: the column beside it says it in words."),
    ]
