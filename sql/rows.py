"""What a row of each public table is in Python. Written by `make contract`: change contract.py instead."""

from __future__ import annotations

from datetime import date
from typing import TypedDict


class CoveredHalfYear(TypedDict):
    """One row per half-year × level."""

    half_year: str
    period_start: date
    period_end: date
    level: str
    complete: bool
    release_id: str
    half_year_key: int
    has_pieces: bool


class Area(TypedDict):
    """One row per level × area that any release has figures for."""

    level: str
    area_code: str | None
    area_name: str
    force_name: str | None
    region_name: str | None
    first_half_year: str
    last_half_year: str
    is_place: bool
    area_key: int


class Offence(TypedDict):
    """One row per offence level × offence."""

    offence_level: str
    offence_code: str
    offence_name: str
    subgroup: str | None
    offence_group: str | None
    first_half_year: str
    last_half_year: str
    offence_key: int


class AreaHalfYear(TypedDict):
    """One row per half-year × level × area: its names, and what is the same for every offence."""

    half_year_key: int
    area_key: int
    half_year: str
    period_start: date
    period_end: date
    level: str
    area_code: str | None
    area_name: str
    force_name: str | None
    region_name: str | None
    population: int | None
    population_year: int
    population_vintage: date | None
    population_method: str | None
    note: str | None
    release_id: str


class RateFact(TypedDict):
    """One row per half-year × level × area × offence, areas as published: ranked_rates with keys in place of names."""

    half_year_key: int
    area_key: int
    offence_key: int
    offences: int | None
    rate_per_10k: float | None
    rate_lower_95: float | None
    rate_upper_95: float | None
    rank: int | None
    areas_ranked: int
    status: str
    count_note: str | None
    unassigned_share: float | None
    is_harmonised: bool


class CountingBreak(TypedDict):
    """One row per break in what is counted: area or level × offence × first quarter × kind."""

    break_key: int
    level: str | None
    area_name: str | None
    force_name: str | None
    offence_level: str | None
    offence_code: str | None
    first_quarter: str
    half_year: str
    kind: str
    basis: str
    note: str
    source: str


class AreaPopulation(TypedDict):
    """One row per level × area × mid-year × vintage × boundaries."""

    level: str
    area_code: str
    area_name: str
    year: int
    vintage: date
    boundaries: str
    persons: int
    method: str
    source_file: str


class PublishedRelease(TypedDict):
    """One row per release: one published file in one vintage."""

    release_id: str
    file_name: str
    sha256: str
    table_kind: str
    published: date
    published_source: str
    first_quarter: str
    last_quarter: str
    rows: int
    simulated: bool
    source_url: str
    note: str | None


class Revision(TypedDict):
    """One row per release pair × level × area × quarter × offence code that changed."""

    from_release: str
    to_release: str
    level: str
    area_code: str | None
    area_name: str
    financial_year: str
    quarter: int
    offence_code: str
    before: int | None
    after: int | None


class QualityCheck(TypedDict):
    """One row per check of this build."""

    check_name: str
    guards: str
    required: bool
    rows_broken: int
    examples: str
    passed: bool


class DictionaryEntry(TypedDict):
    """One row per public table × column."""

    contract_version: str
    table_name: str
    column_name: str
    column_type: str
    position: int
    is_key: bool
    meaning: str
    is_nullable: bool
    unit: str | None
    source: str


class RankedRate(TypedDict):
    """One row per half-year × level × area × offence level × offence, areas as published."""

    half_year: str
    period_start: date
    period_end: date
    level: str
    area_code: str | None
    area_name: str
    force_name: str | None
    region_name: str | None
    offence_level: str
    offence_code: str
    offence_name: str
    offences: int | None
    population: int | None
    population_year: int
    population_vintage: date | None
    population_method: str | None
    rate_per_10k: float | None
    rate_lower_95: float | None
    rate_upper_95: float | None
    rank: int | None
    areas_ranked: int
    status: str
    status_note: str | None
    release_id: str
    break_note: str | None
    unassigned_share: float | None


class OffenceCount(TypedDict):
    """One row per level × area × quarter × offence code, newest release."""

    level: str
    area_code: str | None
    area_name: str
    financial_year: str
    quarter: int
    offence_code: str
    offences: int | None
    release_id: str
