"""The flow `backfill`: fetch, normalise and build all that covers a span of half-years, and say what covers each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import AfterValidator

from flows.pipeline import steps
from flows.pipeline.update import end_state, on_record, run_steps
from flows.settings import Settings, data_store
from flows.sources import catalogue
from flows.storage import lake
from flows.storage.run_log import Coverage, Run
from transforms.periods import HalfYear, HalfYearRange, Quarter

LEVELS = ("csp", "pfa")


def _is_half_year(text: str) -> str:
    return HalfYear.parse(text).slug


HalfYearText = Annotated[str, AfterValidator(_is_half_year)]


@flow(name="backfill", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def backfill(
    first: HalfYearText,
    last: HalfYearText,
    level: Literal["csp", "pfa"] | None = None,
    refetch: bool = False,
    data_dir: str | Path = "data",
) -> State[Run]:
    """Bring every release that may cover the span into the lake, build once, and report per half-year what stands behind it.

    What a release covers is known only from its sheets, so all of the page's releases are fetched that are not held yet.
    A half-year that no release covers makes the run fail, after all the others are built.
    """
    settings = Settings.from_environment(data_store(data_dir))
    span = HalfYearRange.parse(first, last)
    run = Run("backfill")

    with on_record(run, settings):
        run_steps(run, settings, steps.Folders(), level, refetch)
        if run.database and not run.error:
            run.coverage = coverage(settings, span, level)
    return end_state(run, settings)


def coverage(settings: Settings, span: HalfYearRange, level: str | None) -> list[Coverage]:
    """For each half-year and level, the newest release in the lake that covers it and which of its quarters it has."""
    releases = sorted(
        (lake.read_release(folder) for folder in lake.folders(settings.data_dir / "lake", "offences")),
        key=lambda r: (r.published, r.first_seen),
    )
    out = []
    for period in span:
        for one in (level,) if level else LEVELS:
            newest: dict[Quarter, str] = {}
            for release in releases:
                held = set(map(Quarter.parse, release.quarters)) if release.table_kind == one else set()
                newest |= {quarter: release.release_id for quarter in period.quarters if quarter in held}
            out.append(Coverage(str(period), one, [q.number for q in sorted(newest)], sorted(set(newest.values()))))
    return out


def plan(settings: Settings, span: HalfYearRange, level: str | None) -> tuple[list[Coverage], list[str], list[str]]:
    """What a backfill would do: (what covers each half-year already, files to fetch, sentences on what failed to answer)."""
    settings.store.fetch_manifests()
    with catalogue.client(settings) as http:
        batches, failed = steps.discover_live(settings, http, level)
    raw = settings.data_dir / "raw"
    to_fetch = [batch.name for batch in batches if batch.offer is not None and not catalogue.is_held(raw, batch.offer)]
    return coverage(settings, span, level), to_fetch, [item.message for item in failed]
