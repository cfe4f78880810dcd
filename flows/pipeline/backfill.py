"""The flow `backfill`: fetch, normalise and build all that covers a span of half-years, and say what covers each of them.

Its steps are those of update.py; here belong the span and its coverage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator

from flows.pipeline import steps
from flows.pipeline.runner import flow
from flows.pipeline.update import leave_artifacts, record_run, run_steps
from flows.settings import Settings, data_store
from flows.sources import catalogue
from flows.storage.raw_store import FETCHED
from flows.storage.run_log import Coverage, Run
from flows.warehouse.inputs import release_folders
from transforms.periods import HalfYear, HalfYearRange, Quarter

LEVELS = ("csp", "pfa")


def _parse_slug(text: str) -> str:
    return HalfYear.parse(text).slug


HalfYearText = Annotated[str, AfterValidator(_parse_slug)]


@flow("backfill")
def backfill(
    first: HalfYearText,
    last: HalfYearText,
    level: Literal["csp", "pfa"] | None = None,
    refetch: bool = False,
    data_dir: str | Path = "data",
) -> Run:
    """Take in every release that may cover the span, build once, and report for each half-year which releases cover it.

    What a release covers is known only from its sheets, so all releases on the page are fetched that are not stored yet.
    A half-year that no release covers makes the run fail, after all the others are built.
    """
    settings = Settings.from_environment(data_store(data_dir))
    span = HalfYearRange.parse(first, last)
    run = Run("backfill")

    def work() -> None:
        run_steps(run, settings, steps.LocalFolders(), level, refetch)
        if run.database and not run.error:
            run.coverage = coverage(settings, span, level)

    record_run(run, settings, work)
    leave_artifacts(run, settings)
    return run


def coverage(settings: Settings, span: HalfYearRange, level: str | None) -> list[Coverage]:
    """For each half-year and level, the newest release in the lake that covers it and which of its quarters it has."""
    releases = sorted(
        release_folders(settings.data_dir / "lake").values(),
        key=lambda r: (r.published_source != FETCHED, r.published, r.first_seen),  # an undated one never outranks a dated one
    )
    coverages = []
    for period in span:
        for table_kind in (level,) if level else LEVELS:
            newest: dict[Quarter, str] = {}
            for release in releases:
                covered = set(map(Quarter.parse, release.quarters)) if release.table_kind == table_kind else set()
                newest |= {quarter: release.release_id for quarter in period.quarters if quarter in covered}
            coverages.append(Coverage(str(period), table_kind, [q.number for q in sorted(newest)], sorted(set(newest.values()))))
    return coverages


def plan(settings: Settings, span: HalfYearRange, level: str | None) -> tuple[list[Coverage], list[str], list[str]]:
    """(What covers each half-year already, names of files to fetch, a sentence for each service that failed); fetches nothing."""
    settings.store.fetch_manifests()
    with catalogue.open_client(settings) as http:
        groups, failed, _ = steps.discover_live(settings, http, level)
    raw = settings.data_dir / "raw"
    to_fetch = [group.name for group in groups if group.remote is not None and not catalogue.is_stored(raw, group.remote)]
    return coverage(settings, span, level), to_fetch, [result.message for result in failed]
