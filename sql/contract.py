"""The contract with BI tools: each public table declared once, giving the DDL, the comments and `data_dictionary`.

A column is never renamed, retyped or removed without a new `VERSION`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = "1"


@dataclass(frozen=True)
class Column:
    name: str
    type: str  # a plain DuckDB type
    meaning: str


@dataclass(frozen=True)
class Table:
    """A public table: what a row is, its columns, its key, and the order in which it is stored."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order: tuple[str, ...]


def _columns(text: str) -> tuple[Column, ...]:
    """One column a line: name, type, meaning."""
    return tuple(Column(*line.split(maxsplit=2)) for line in text.splitlines() if line)


_PERIOD = """
half_year VARCHAR financial year and half, such as 2015/16 H1: H1 is April to September, H2 October to March
period_start DATE first day of the half-year
period_end DATE last day of the half-year
"""
_AREA = """
level VARCHAR csp (Community Safety Partnership), pfa (police force area), region or country
area_code VARCHAR ONS code of the area; null for what is not a place
area_name VARCHAR name of the area, the newest that the Home Office uses
"""
_QUARTER = """
financial_year VARCHAR April to March, such as 2015/16
quarter INTEGER quarter of the financial year: 1 is April to June, 4 is January to March of the next calendar year
"""

RANKED_RATES = Table(
    "ranked_rates", "half-year × level × area × offence level × offence, areas as published",
    _columns(_PERIOD + _AREA + """
force_name VARCHAR police force that the area belongs to
region_name VARCHAR region of the force, as the Home Office names it
offence_level VARCHAR code, subgroup, group or total
offence_code VARCHAR Home Office offence code (text: 4.1 and 4.10 differ); at the other offence levels the name again
offence_name VARCHAR newest description of the offence
offences BIGINT offences recorded in the half-year, net of corrections, so it may be negative; what is known of it where incomplete
population BIGINT residents at mid-year of all councils of the area; null where any is not known, never a part
population_year INTEGER the mid-year (30 June) whose estimate divides: by default that before the financial year starts
population_vintage DATE the day on which that estimate was published
population_method VARCHAR sum (whole councils) or apportioned (a shared council split by its last separately published parts)
rate_per_10k DOUBLE offences in the half-year per 10,000 residents, not annualised, not rounded; null unless ranked
rate_lower_95 DOUBLE lower 95% limit of rate_per_10k: chance only (Poisson, exact below 10 offences, else Byar), not recording practice
rate_upper_95 DOUBLE upper 95% limit of rate_per_10k: chance only (Poisson, exact below 10 offences, else Byar), not recording practice
rank INTEGER 1 is the highest rate; ties share the better rank and leave a gap; null unless ranked
areas_ranked INTEGER how many areas have a rank in this table
status VARCHAR ranked, or why not: unassigned, not_resident, withdrawn, incomplete, no_population, negative
status_note VARCHAR the reason in words; for ranked rows how the population was apportioned, if it was
release_id VARCHAR the release that the counts come from
"""),
    ("half_year", "level", "area_name", "offence_level", "offence_code"),
    ("half_year", "level", "offence_level", "offence_code", "rank nulls last", "area_name"),
)

TABLES = (
    RANKED_RATES,
    Table(
        "ranked_rates_harmonised", RANKED_RATES.grain.replace("areas as published", "each area on its newest boundaries"),
        RANKED_RATES.columns, RANKED_RATES.key, RANKED_RATES.order,
    ),
    Table(
        "offence_counts", "level × area × quarter × offence code, newest release",
        _columns(_AREA + _QUARTER + """
offence_code VARCHAR Home Office offence code, as text
offences BIGINT offences recorded in the quarter; negative where corrections exceed records, null where the release says N/a
release_id VARCHAR the release that the count comes from
"""),
        ("level", "area_name", "financial_year", "quarter", "offence_code"),
        ("level", "financial_year", "quarter", "offence_code", "area_name"),
    ),
    Table(
        "half_years", "half-year × level",
        _columns(_PERIOD + """
level VARCHAR csp, pfa, region or country
complete BOOLEAN whether both quarters are published
release_id VARCHAR the newest release that covers it
"""),
        ("half_year", "level"), ("half_year", "level"),
    ),
    Table(
        "areas", "level × area that any release has figures for",
        _columns(_AREA + """
force_name VARCHAR police force that the area belongs to
region_name VARCHAR region of the force, as the Home Office names it
first_half_year VARCHAR first half-year with figures
last_half_year VARCHAR last half-year with figures
is_place BOOLEAN false for unassigned groups, an airport, fraud bodies and the British Transport Police
"""),
        ("level", "area_name"), ("level", "area_name"),
    ),
    Table(
        "offences", "offence level × offence",
        _columns("""
offence_level VARCHAR code, subgroup, group or total
offence_code VARCHAR Home Office offence code; at the other offence levels the name again
offence_name VARCHAR newest description
subgroup VARCHAR newest subgroup of the code
offence_group VARCHAR newest group
first_half_year VARCHAR first half-year with rows
last_half_year VARCHAR last half-year with rows
"""),
        ("offence_level", "offence_code"), ("offence_level", "offence_code"),
    ),
    Table(
        "populations", "level × area × mid-year × vintage × boundaries",
        _columns("""
level VARCHAR council, csp, pfa, region or country
area_code VARCHAR ONS code
area_name VARCHAR name of the area
year INTEGER mid-year, 30 June
vintage DATE the day on which the estimate was published
boundaries VARCHAR the April whose councils the estimate was made for; sets of one vintage overlap: filter on one, never add them
persons BIGINT usual residents
method VARCHAR published (a council), sum or apportioned
source_file VARCHAR file or files that it comes from
"""),
        ("level", "area_code", "year", "vintage", "boundaries"), ("level", "year", "vintage", "boundaries", "area_code"),
    ),
    Table(
        "releases", "release: one published file in one vintage",
        _columns("""
release_id VARCHAR file name without its ending, and the start of its sha256
file_name VARCHAR as published; with * for the CSV sheets of one release
sha256 VARCHAR of the file's bytes
table_kind VARCHAR csp or pfa
published DATE publication date
published_source VARCHAR where that date was found: manifest, file name, workbook, Last-Modified or first fetched
first_quarter VARCHAR first quarter covered, such as 2015/16 Q1
last_quarter VARCHAR last quarter covered
rows BIGINT rows of figures
simulated BOOLEAN whether the workbook says that its figures are simulated
source_url VARCHAR where it came from
"""),
        ("release_id",), ("table_kind", "published", "release_id"),
    ),
    Table(
        "revisions", "release pair × level × area × quarter × offence code that changed",
        _columns("""
from_release VARCHAR the release that was replaced
to_release VARCHAR the release that changed the count
""" + _AREA + _QUARTER + """
offence_code VARCHAR Home Office offence code
before BIGINT count in from_release; null where it had no such row
after BIGINT count in to_release; null where it has no such row
"""),
        ("to_release", "level", "area_name", "financial_year", "quarter", "offence_code"),
        ("to_release", "level", "financial_year", "quarter", "offence_code", "area_name"),
    ),
    Table(
        "quality_checks", "check of this build",
        _columns("""
check_name VARCHAR name of the check, as of its file in sql/40_checks
guards VARCHAR what it guards
required BOOLEAN whether a broken row stops the publication
rows_broken BIGINT how many rows break it
examples VARCHAR the first of them
passed BOOLEAN whether no row breaks it
"""),
        ("check_name",), ("check_name",),
    ),
    Table(
        "data_dictionary", "public table × column",
        _columns("""
contract_version VARCHAR raised when a column is renamed, retyped or removed
table_name VARCHAR public table
column_name VARCHAR column
column_type VARCHAR DuckDB type
position INTEGER place of the column, from 1
is_key BOOLEAN whether it is part of the table's key
meaning VARCHAR what it means, with unit
"""),
        ("table_name", "column_name"), ("table_name", "position"),
    ),
)

MACRO_NOTE = (
    "Table macros ranked_rates_for(as_of, population_year, population_vintage) and ranked_rates_as_of(date) give the columns "
    "of ranked_rates on another basis. They work on a direct connection, or after USE on an attached file."
)


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a public table."""
    import pyarrow as pa

    types = {"VARCHAR": pa.string(), "INTEGER": pa.int32(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(),
             "DATE": pa.date32(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us")}
    return pa.schema([pa.field(c.name, types[c.type], metadata={"meaning": c.meaning}) for c in table.columns])


def ddl(table: Table, schema: str) -> str:
    """The statements that create a table and its comments."""
    lines = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
    name = f'{schema}."{table.name}"'
    statements = [f"create table {name} ({lines})", f"comment on table {name} is {_literal('one row per ' + table.grain)}"]
    statements += [f'comment on column {name}."{c.name}" is {_literal(c.meaning)}' for c in table.columns]
    return ";\n".join(statements)


def dictionary() -> list[tuple[str, str, str, str, int, bool, str]]:
    """The rows of `data_dictionary`."""
    return [
        (VERSION, t.name, c.name, c.type, i, c.name in t.key, c.meaning)
        for t in TABLES
        for i, c in enumerate(t.columns, start=1)
    ]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
