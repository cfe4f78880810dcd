"""The contract with BI tools: each public table and view declared once, giving the DDL, the comments, `data_dictionary`, the
Arrow schemas and docs/contract.md.

A column is never removed, renamed, retyped, or made nullable without a new `VERSION`; sql/promised/<version>.csv holds what
each version promised (`make contract` writes it, and refuses to break it).
"""

from __future__ import annotations

from sql.schema import Macro, Table, parse_columns

VERSION = "2"

_PERIOD = """
half_year VARCHAR [-, Home Office] financial year and half, such as 2015/16 H1: H1 is April to September, H2 October to March
period_start DATE [date, computed] first day of the half-year
period_end DATE [date, computed] last day of the half-year
"""
_AREA = """
level VARCHAR [-, computed] csp (Community Safety Partnership), pfa (police force area), region or country
area_code VARCHAR? [-, ONS] ONS code of the area; null for what is not a place
area_name VARCHAR [-, Home Office] name of the area, the newest that the Home Office uses
"""
_REGION = """
force_name VARCHAR? [-, Home Office] police force that the area belongs to
region_name VARCHAR? [-, Home Office] region of the force, as the Home Office names it
"""
_QUARTER = """
financial_year VARCHAR [-, Home Office] April to March, such as 2015/16
quarter INTEGER [-, Home Office] quarter of the financial year: 1 is April to June, 4 is January to March of the next calendar year
"""

RANKED_RATES = Table(
    "ranked_rates", "RankedRate", "half-year × level × area × offence level × offence, areas as published",
    parse_columns(_PERIOD + _AREA + _REGION + """
offence_level VARCHAR [-, computed] code, subgroup, group, total, or bundle (ours: codes that bridge a change of codes)
offence_code VARCHAR [-, Home Office] Home Office offence code (text: 4.1 and 4.10 differ); at the other offence levels the name again
offence_name VARCHAR [-, Home Office] newest description of the offence
offences BIGINT? [offences, Home Office] offences recorded in the half-year, net of corrections, so it may be negative; what is known of it where incomplete
population BIGINT? [persons, ONS] residents at mid-year of all councils of the area; null where any is not known, never a part
population_year INTEGER [year, ONS] the mid-year (30 June) whose estimate divides: by default that before the financial year starts
population_vintage DATE? [date, ONS] the day on which that estimate was published
population_method VARCHAR? [-, computed] sum (whole councils) or apportioned (a shared council split by its parts, as estimated for that year or the nearest)
rate_per_10k DOUBLE? [offences per 10,000 persons, computed] offences in the half-year per 10,000 residents, not annualised, not rounded; null unless ranked
rate_lower_95 DOUBLE? [offences per 10,000 persons, computed] lower 95% limit of rate_per_10k: chance only (Poisson, exact below 10 offences, else Byar), not recording practice
rate_upper_95 DOUBLE? [offences per 10,000 persons, computed] upper 95% limit of rate_per_10k: chance only (Poisson, exact below 10 offences, else Byar), not recording practice
rank INTEGER? [rank, computed] 1 is the highest rate; ties share the better rank and leave a gap; null unless ranked, and for England and Wales, which is not ranked among its parts
areas_ranked INTEGER [areas, computed] how many areas have a rank in this table
status VARCHAR [-, computed] ranked, or why not, the first that applies: unassigned, not_resident, withdrawn, incomplete, implausible, no_population, negative, none_recorded
status_note VARCHAR? [-, Home Office or computed] the reason in words; for ranked rows what casts doubt on the count, what a note of the release says, or how the population was apportioned
release_id VARCHAR [-, pipeline] the release that the counts come from
break_note VARCHAR? [-, curated or computed] why the row does not compare with earlier half-years: the breaks at its start or within it
unassigned_share DOUBLE? [share, computed] of the force's offences in this table, the share recorded under none of its partnerships, by which their counts are understated, to four decimals; null but at level csp
"""),
    ("half_year", "level", "area_name", "offence_level", "offence_code"),
    ("half_year", "level", "offence_level", "offence_code", "rank nulls last", "area_name"),
)

RATE_FACTS = Table(
    "rate_facts", "RateFact", "half-year × level × area × offence, areas as published: ranked_rates with keys in place of names",
    parse_columns("""
half_year_key INTEGER [-, computed] half-year and level: joins to half_years, and with area_key to area_half_years
area_key INTEGER [-, computed] area: joins to areas
offence_key INTEGER [-, computed] offence at its level: joins to offences; filter on one offence_level before adding up
offences BIGINT? [offences, Home Office] as in ranked_rates
rate_per_10k DOUBLE? [offences per 10,000 persons, computed] as in ranked_rates
rate_lower_95 DOUBLE? [offences per 10,000 persons, computed] as in ranked_rates
rate_upper_95 DOUBLE? [offences per 10,000 persons, computed] as in ranked_rates
rank INTEGER? [rank, computed] as in ranked_rates
areas_ranked INTEGER [areas, computed] how many areas have a rank in this table
status VARCHAR [-, computed] as in ranked_rates
count_note VARCHAR? [-, computed] what the count keeps from a rank, or casts doubt on; the note of area_half_years stands besides or instead
unassigned_share DOUBLE? [share, computed] as in ranked_rates
is_harmonised BOOLEAN [-, computed] whether ranked_rates_harmonised has the row: not where areas of the half-year and level stand in pieces
"""),
    ("half_year_key", "area_key", "offence_key"),
    ("half_year_key", "offence_key", "rank nulls last", "area_key"),
)

TABLES = (
    Table(
        "half_years", "CoveredHalfYear", "half-year × level",
        parse_columns(_PERIOD + """
level VARCHAR [-, computed] csp, pfa, region or country
complete BOOLEAN [-, computed] whether both quarters are published
release_id VARCHAR [-, pipeline] the newest release that covers it
half_year_key INTEGER [-, computed] number of the half-year and level in this build, in order; joins to facts
has_pieces BOOLEAN [-, computed] whether areas stand in pieces then, so that harmonised_rate_facts has rows of its own
"""),
        ("half_year", "level"), ("half_year", "level"),
    ),
    Table(
        "areas", "Area", "level × area that any release has figures for",
        parse_columns(_AREA + _REGION + """
first_half_year VARCHAR [-, computed] first half-year with figures
last_half_year VARCHAR [-, computed] last half-year with figures
is_place BOOLEAN [-, curated] false for unassigned groups, an airport, fraud bodies and the British Transport Police
area_key INTEGER [-, computed] number of the area in this build; joins to facts
"""),
        ("level", "area_name"), ("level", "area_name"),
    ),
    Table(
        "offences", "Offence", "offence level × offence",
        parse_columns("""
offence_level VARCHAR [-, computed] code, subgroup, group, total, or bundle (ours: codes that bridge a change of codes)
offence_code VARCHAR [-, Home Office] Home Office offence code; at the other offence levels the name again
offence_name VARCHAR [-, Home Office] newest description
subgroup VARCHAR? [-, Home Office] newest subgroup of the code
offence_group VARCHAR? [-, Home Office] newest group
first_half_year VARCHAR [-, computed] first half-year with rows
last_half_year VARCHAR [-, computed] last half-year with rows
offence_key INTEGER [-, computed] number of the offence at its level in this build, in the order of levels and codes; joins to facts
"""),
        ("offence_level", "offence_code"), ("offence_level", "offence_code"),
    ),
    Table(
        "area_half_years", "AreaHalfYear", "half-year × level × area: its names, and what is the same for every offence",
        parse_columns("""
half_year_key INTEGER [-, computed] half-year and level: joins to half_years
area_key INTEGER [-, computed] area: joins to areas
""" + _PERIOD + _AREA + _REGION + """
population BIGINT? [persons, ONS] residents at mid-year of all councils of the area; null where any is not known, never a part
population_year INTEGER [year, ONS] the mid-year (30 June) whose estimate divides: by default that before the financial year starts
population_vintage DATE? [date, ONS] the day on which that estimate was published
population_method VARCHAR? [-, computed] sum (whole councils) or apportioned (a shared council split by its parts, as estimated for that year or the nearest)
note VARCHAR? [-, Home Office or computed] why the area has no rank in this half-year, or how its population was apportioned
release_id VARCHAR [-, pipeline] the release that the counts come from
"""),
        ("half_year_key", "area_key"), ("half_year_key", "area_key"),
    ),
    RATE_FACTS,
    Table(
        "harmonised_rate_facts", "RateFact",
        "half-year × level × area × offence, each area on its newest boundaries; only half-years and levels in which areas stand in pieces",
        RATE_FACTS.columns, RATE_FACTS.key, RATE_FACTS.order,
    ),
    Table(
        "breaks", "CountingBreak", "break in what is counted: area or level × offence × first quarter × kind",
        parse_columns("""
break_key INTEGER [-, computed] number of the break in this build, in the order of time
level VARCHAR? [-, curated] csp, pfa, region or country; null: of all areas
area_name VARCHAR? [-, curated] the area; a break of a force holds for its partnerships; null with a force: of all areas of the level in it
force_name VARCHAR? [-, curated] police force that the area belongs to
offence_level VARCHAR? [-, curated] code, subgroup, group, bundle or total; null: of all offences
offence_code VARCHAR? [-, curated] the offence, as in offences
first_quarter VARCHAR [-, curated] first quarter that does not compare with earlier ones, such as 2020/21 Q1
half_year VARCHAR [-, computed] half-year of that quarter
kind VARCHAR [-, curated] recording (rules or practice), code (classification), boundary, system (a force's IT), or detected (by rule, cause not known)
basis VARCHAR [-, curated] stated (the source says so), inferred (part of it is concluded; the note says which), or computed (detected)
note VARCHAR [-, curated] what changed, in words
source VARCHAR [-, curated] title, publisher, date and address of what says so
"""),
        ("break_key",), ("break_key",),
    ),
    Table(
        "populations", "AreaPopulation", "level × area × mid-year × vintage × boundaries",
        parse_columns("""
level VARCHAR [-, computed] council, csp, pfa, region or country
area_code VARCHAR [-, ONS] ONS code
area_name VARCHAR [-, ONS or Home Office] name of the area
year INTEGER [year, ONS] mid-year, 30 June
vintage DATE [date, ONS] the day on which the estimate was published
boundaries VARCHAR [-, ONS] the April whose councils the estimate was made for; sets of one vintage overlap: filter on one, never add them
persons BIGINT [persons, ONS] usual residents
method VARCHAR [-, computed] published (a council), sum or apportioned
source_file VARCHAR [-, pipeline] file or files that it comes from
"""),
        ("level", "area_code", "year", "vintage", "boundaries"), ("level", "year", "vintage", "boundaries", "area_code"),
    ),
    Table(
        "releases", "PublishedRelease", "release: one published file in one vintage",
        parse_columns("""
release_id VARCHAR [-, pipeline] file name without its ending, and the start of its sha256
file_name VARCHAR [-, Home Office] as published; with * for the CSV sheets of one release
sha256 VARCHAR [-, pipeline] of the file's bytes
table_kind VARCHAR [-, Home Office] csp or pfa
published DATE [date, Home Office] publication date
published_source VARCHAR [-, pipeline] where that date was found: manifest, file name, workbook, Last-Modified or first fetched
first_quarter VARCHAR [-, Home Office] first quarter covered, such as 2015/16 Q1
last_quarter VARCHAR [-, Home Office] last quarter covered
rows BIGINT [rows, pipeline] rows of figures
simulated BOOLEAN [-, Home Office] whether the workbook says that its figures are simulated
source_url VARCHAR [-, pipeline] where it came from; of a local file its name
note VARCHAR? [-, pipeline] what the manifest.csv of a local folder says of it
"""),
        ("release_id",), ("table_kind", "published", "release_id"),
    ),
    Table(
        "revisions", "Revision", "release pair × level × area × quarter × offence code that changed",
        parse_columns("""
from_release VARCHAR [-, pipeline] the release that was replaced
to_release VARCHAR [-, pipeline] the release that changed the count
""" + _AREA + _QUARTER + """
offence_code VARCHAR [-, Home Office] Home Office offence code
before BIGINT? [offences, Home Office] count in from_release; null where it had no such row
after BIGINT? [offences, Home Office] count in to_release; null where it has no such row
"""),
        ("to_release", "level", "area_name", "financial_year", "quarter", "offence_code"),
        ("to_release", "level", "financial_year", "quarter", "offence_code", "area_name"),
    ),
    Table(
        "quality_checks", "QualityCheck", "check of this build",
        parse_columns("""
check_name VARCHAR [-, pipeline] name of the check, as of its file in sql/40_checks
guards VARCHAR [-, pipeline] what it guards
required BOOLEAN [-, pipeline] whether a broken row stops the publication
rows_broken BIGINT [rows, pipeline] how many rows break it
examples VARCHAR [-, pipeline] the first of them
passed BOOLEAN [-, pipeline] whether no row breaks it
"""),
        ("check_name",), ("check_name",),
    ),
    Table(
        "data_dictionary", "DictionaryEntry", "public table × column",
        parse_columns("""
contract_version VARCHAR [-, pipeline] raised when a column is removed, renamed, retyped or made nullable
table_name VARCHAR [-, pipeline] public table or view
column_name VARCHAR [-, pipeline] column
column_type VARCHAR [-, pipeline] DuckDB type
position INTEGER [-, pipeline] place of the column, from 1
is_key BOOLEAN [-, pipeline] whether it is part of the table's key
meaning VARCHAR [-, pipeline] what it means
is_nullable BOOLEAN [-, pipeline] whether it may be null
unit VARCHAR? [-, pipeline] what a number counts
source VARCHAR [-, pipeline] who says so: Home Office, ONS, curated (data/reference), computed (sql/) or pipeline
"""),
        ("table_name", "column_name"), ("table_name", "position"),
    ),
)

WIDE_VIEWS = (  # the facts with the names of their keys: what most readers want
    RANKED_RATES,
    Table(
        "ranked_rates_harmonised", "RankedRate", RANKED_RATES.grain.replace("areas as published", "each area on its newest boundaries"),
        RANKED_RATES.columns, RANKED_RATES.key, RANKED_RATES.order,
    ),
    Table(
        "offence_counts", "OffenceCount", "level × area × quarter × offence code, newest release",
        parse_columns(_AREA + _QUARTER + """
offence_code VARCHAR [-, Home Office] Home Office offence code, as text
offences BIGINT? [offences, Home Office] offences recorded in the quarter; negative where corrections exceed records, null where the release says N/a
release_id VARCHAR [-, pipeline] the release that the count comes from
"""),
        ("level", "area_name", "financial_year", "quarter", "offence_code"),
        ("level", "financial_year", "quarter", "offence_code", "area_name"),
    ),
)

VIEWS = (
    *WIDE_VIEWS,
    Table("latest_half_year", "RankedRate", "level × area × offence level × offence, in the newest complete half-year of each level",
          RANKED_RATES.columns, RANKED_RATES.key, RANKED_RATES.order),
    Table("top_areas", "RankedRate", "level × offence level × offence × area of rank 1 to 10 that recorded any, in the newest half-year of each level that has ranks",
          RANKED_RATES.columns, RANKED_RATES.key, RANKED_RATES.order),
)

MACROS = (  # each gives the columns of ranked_rates
    Macro("ranked_rates_for", ("as_of", "population_year", "population_vintage"),
          "on any basis: as published by a day, over a mid-year and a vintage of its estimate; null is the default"),
    Macro("ranked_rates_as_of", ("as_of",), "as it could have been printed on a day"),
)

_BASIS = ("wanted_basis", "as_of", "population_year", "population_vintage")
CORE_MACROS = (  # helpers of the file, and no part of the contract
    Macro("area_half_years_on", _BASIS, "what is the same for every offence of an area in a half-year, on any basis"),
    Macro("rate_figures_on", _BASIS, "counts, rates, limits and ranks with keys, on any basis"),
    Macro("rates_on", _BASIS, "ranked_rates on areas as published, or harmonised, on any basis"),
)
CORE_ORDERS = {  # of helper tables that queries scan
    "count_history": ("quarter_key", "offence_key", "area_key", "valid_from"),
    "area_half_year_history": ("half_year_key", "basis", "area_key", "valid_from"),
}
UNMODELLED = ("quality_checks", "data_dictionary")  # the build writes what it found, and this declaration


def dictionary_rows() -> list[tuple[str | int | bool | None, ...]]:
    """The rows of `data_dictionary`."""
    return [
        (VERSION, t.name, c.name, c.type, i, c.name in t.key, c.meaning, c.nullable, None if c.unit == "-" else c.unit, c.source)
        for t in (*TABLES, *VIEWS)
        for i, c in enumerate(t.columns, start=1)
    ]
