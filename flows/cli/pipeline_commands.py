"""The commands that run and oversee the pipeline. Those that only read import neither Prefect nor settings, to start at once.

Here belong options and what a command prints; the work belongs to the rooms below.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from flows.cli.app import DATA, DataDir, app


@app.command
def releases(*, store: DataDir = DATA) -> None:
    """List the releases that the published database was built from, and those that a half-year draws on together."""
    from flows.queries.status import fetch_quarter_sources, fetch_releases
    from flows.rendering import status_text

    sys.stdout.write(status_text.render_releases(fetch_releases(store), fetch_quarter_sources(store)))


@app.command
def status(*, json: bool = False, store: DataDir = DATA) -> None:
    """Say what is published, how old it is, what the last run did, and how much room it takes."""
    from flows.queries.status import fetch_status
    from flows.rendering import status_text

    found = fetch_status(store, datetime.now(UTC).date())
    sys.stdout.write(status_text.status_json(found) if json else status_text.render_status(found))


@app.command
def check(*, store: DataDir = DATA) -> None:
    """Print the checks of the published database; exit status 1 if a required one is broken."""
    from flows.queries.status import fetch_quality_checks
    from flows.rendering import status_text

    checks = fetch_quality_checks(store)
    sys.stdout.write(status_text.render_checks(checks))
    if not all(check["passed"] for check in checks if check["required"]):
        sys.exit(1)


@app.command
def report(*, half_year: str | None = None, out: Path | None = None, store: DataDir = DATA) -> None:
    """Write a half-year's tables as a static site that opens from a folder, without a server or a network.

    Parameters
    ----------
    half_year
        such as 2015-16-H1; by default the newest that is complete and ranked.
    out
        the folder to write, by default report in the data folder; an older report there is replaced, anything else is not.
    """
    from flows.report import site
    from transforms.periods import HalfYear

    written = site.write_site(store, out or store.folder / "report", HalfYear.parse(half_year) if half_year is not None else None)
    size = f"{written.size / 1e6:,.0f} MB"
    sys.stdout.write(f"Wrote {written.pages:,} pages on {written.half_year.months} ({size}): open {written.front}\n")


@app.command
def update(
    *,
    releases: Path | None = None,
    populations: Path | None = None,
    lookups: Path | None = None,
    store: DataDir = DATA,
) -> None:
    """Take in new releases, populations and lookups; build, check and publish the database; write the tables.

    Parameters
    ----------
    releases
        a folder of Home Office workbooks in place of GOV.UK.
    populations
        a folder of ONS population files in place of Nomis and ONS.
    lookups
        a folder of ONS lookups in place of the Open Geography portal.
    """
    from flows.cli import prefect_launcher

    sys.exit(prefect_launcher.update(store, releases, populations, lookups))


@app.command
def backfill(
    first: str,
    last: str,
    *,
    level: Literal["csp", "pfa"] | None = None,
    refetch: bool = False,
    dry_run: bool = False,
    store: DataDir = DATA,
) -> None:
    """Fetch, normalise and build everything that covers a span of half-years, and say what covers each.

    Parameters
    ----------
    first
        the first half-year, such as 2012-13-H1.
    last
        the last half-year, such as 2025-26-H2.
    level
        only releases of this level.
    refetch
        download also what is stored already.
    dry_run
        only say what would be done.
    """
    from flows.cli import prefect_launcher
    from transforms.periods import HalfYearRange

    HalfYearRange.parse(first, last)
    sys.exit(
        prefect_launcher.plan(store, first, last, level)
        if dry_run
        else prefect_launcher.backfill(store, first, last, level, refetch)
    )


@app.command
def rollback(*, to: str | None = None, store: DataDir = DATA) -> None:
    """Show readers an older build: the one before, or the one named; no run publishes the newer ones again.

    Parameters
    ----------
    to
        a part of the name of a build that is kept, such as 1d31ac9b; a newer one takes a roll back away.
    """
    from flows.pipeline.rollback import roll_back
    from flows.settings import Settings

    before, after = roll_back(Settings.from_environment(store), to)
    sys.stdout.write(f"Readers see {after} now, and not {before}; {store}/tables is written to match.\n")


@app.command
def snapshots() -> None:
    """List the publications that the lakehouse holds, newest first; CRIME_RATES_LAKEHOUSE_SNAPSHOT chooses one to ask."""
    from flows.queries.status import fetch_snapshots
    from flows.rendering import status_text

    sys.stdout.write(status_text.render_snapshots(fetch_snapshots()))


@app.command
def serve(*, store: DataDir = DATA) -> None:
    """Serve the deployments update (weekdays, 09:35 in London) and backfill, against a standing Prefect server."""
    from flows.cli import prefect_launcher

    sys.exit(prefect_launcher.serve(store))


@app.command
def demo(*, store: DataDir = DATA) -> None:
    """Run the whole pipeline on the sample that comes with the code, without a network.

    It prints the table that newspapers drew on in February 2016 as of that month, and what later revisions did to it.
    """
    from flows.cli import prefect_launcher, sample_demo

    demo_store = store.nested("demo")
    code = prefect_launcher.demo(demo_store)
    if code == 0:
        sample_demo.write_newspaper_table(demo_store)
    sys.exit(code)
