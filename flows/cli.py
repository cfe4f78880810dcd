"""The commands. Thin: parses words, calls, prints. Commands that only read import neither Prefect nor settings."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter, validators

app = App(
    name="crime-rates",
    help="Ranked rate tables from Home Office recorded crime releases and ONS population estimates.",
    help_format="plaintext",
)
DataDir = Annotated[
    Path, Parameter(name="--data-dir", env_var="CRIME_RATES_DATA_DIR", help="Folder of raw files, lake, database and tables.")
]
Level = Literal["csp", "pfa", "region", "country"]
DATA = Path("data")


@app.command
def table(
    half_year: str,
    *,
    offence: str = "total",
    level: Level = "csp",
    top: Annotated[int, Parameter(validator=validators.Number(gte=1))] | None = None,
    area: str | None = None,
    as_of: date | None = None,
    area_basis: Literal["published", "harmonised"] = "published",
    population_year: int | None = None,
    population_vintage: date | None = None,
    format: Literal["text", "csv", "json", "markdown", "parquet"] = "text",
    data_dir: DataDir = DATA,
) -> None:
    """Print one ranked table: an offence in a half-year, at a level.

    Parameters
    ----------
    half_year
        such as 2015-16-H1 (April to September 2015) or 2015-16-H2 (October to March).
    offence
        a code (8Q), a name or words of it (stalking), a subgroup, a group, or total.
    level
        csp (Community Safety Partnership), pfa (police force area), region or country.
    top
        only the first so many ranks.
    area
        only this area; a part of its name suffices where it is unique.
    as_of
        figures and populations as published by that day, such as 2016-02-01.
    area_basis
        areas as published, or harmonised: each on its newest boundaries.
    population_year
        divide by this mid-year, and not by that before the financial year starts.
    population_vintage
        divide by the estimate published on that day, such as 2015-06-25.
    format
        what to print; parquet wants a redirected standard output.
    """
    from flows import printing, reading
    from transforms.periods import HalfYear

    period, basis = HalfYear.parse(half_year), reading.Basis(as_of, population_year, population_vintage, area_basis)
    with reading.connect(data_dir) as con:
        answer = reading.ranked_table(con, period, level, offence, basis)
        name = reading.area_in(con, answer, area) if area is not None else None
    if format != "parquet":
        sys.stdout.write(printing.table(answer, top, name, basis, format))
    elif sys.stdout.isatty():
        raise ValueError("--format parquet writes bytes: send standard output to a file.")
    else:
        sys.stdout.buffer.write(printing.parquet_bytes(printing.selected(answer, top, name)))


@app.command
def series(
    *,
    area: str,
    offence: str = "total",
    level: Level = "csp",
    first: Annotated[str | None, Parameter(name="--from")] = None,
    last: Annotated[str | None, Parameter(name="--to")] = None,
    format: Literal["text", "csv", "json"] = "text",
    data_dir: DataDir = DATA,
) -> None:
    """Print the half-years of one area, on its newest boundaries, with what breaks the series.

    Parameters
    ----------
    area
        a name, or a part of one that is unique.
    offence
        a code (8Q), a name or words of it (stalking), a subgroup, a group, or total.
    level
        csp (Community Safety Partnership), pfa (police force area), region or country.
    first
        the first half-year, such as 2012-13-H1; by default the first that is held.
    last
        the last half-year; by default the last that is held.
    format
        what to print.
    """
    from flows import series as answer

    sys.stdout.write(answer.printed(data_dir, area, offence, level, first, last, format))


@app.command
def revisions(
    *,
    release: str | None = None,
    area: str | None = None,
    offence: str | None = None,
    level: Literal["csp", "pfa"] | None = None,
    top: int = 10,
    format: Literal["text", "csv", "json"] = "text",
    data_dir: DataDir = DATA,
) -> None:
    """Print what each release changed in earlier ones: sums, and the biggest changes with the ranks they moved.

    Parameters
    ----------
    release
        only what this release changed; a part of its name suffices, such as 230426.
    area
        only this area; a part of its name suffices where it is unique.
    offence
        a code, a name or words of it, a subgroup, or a group.
    level
        csp (Community Safety Partnership) or pfa (police force area).
    top
        how many of the biggest changes.
    format
        what to print.
    """
    from flows import revising

    sys.stdout.write(revising.printed(data_dir, release, area, offence, level, top, format))


@app.command
def explain(half_year: str, *, area: str, offence: str, level: Level = "csp", data_dir: DataDir = DATA) -> None:
    """Print how one figure comes about, from the cells of its release to its rank.

    Parameters
    ----------
    half_year
        such as 2015-16-H1 (April to September 2015).
    area
        a name, or a part of one that is unique.
    offence
        a code (8Q), a name or words of it (stalking), a subgroup, a group, or total.
    level
        csp, pfa, region or country.
    """
    from flows import explaining
    from transforms.periods import HalfYear

    sys.stdout.write(explaining.explain(data_dir, HalfYear.parse(half_year), area, offence, level))


@app.command
def releases(*, data_dir: DataDir = DATA) -> None:
    """List the releases that the published database was built from."""
    from flows import overview

    sys.stdout.write(overview.releases(data_dir))


@app.command
def status(*, json: bool = False, data_dir: DataDir = DATA) -> None:
    """Say what is published, how old it is, what the last run did, and how much room it takes."""
    from flows import overview

    sys.stdout.write(overview.status(data_dir, as_json=json))


@app.command
def check(*, data_dir: DataDir = DATA) -> None:
    """Print the checks of the published database; exit status 1 if a required one is broken."""
    from flows import overview

    report, passed = overview.checks(data_dir)
    sys.stdout.write(report)
    if not passed:
        sys.exit(1)


@app.command
def update(
    *,
    releases: Path | None = None,
    populations: Path | None = None,
    lookups: Path | None = None,
    data_dir: DataDir = DATA,
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
    from flows import running

    sys.exit(running.update(data_dir, releases, populations, lookups))


@app.command
def backfill(
    first: str,
    last: str,
    *,
    level: Literal["csp", "pfa"] | None = None,
    refetch: bool = False,
    dry_run: bool = False,
    data_dir: DataDir = DATA,
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
        download also what is held already.
    dry_run
        only say what would be done.
    """
    from flows import running
    from transforms.periods import HalfYear

    if HalfYear.parse(last) < HalfYear.parse(first):
        raise ValueError(f"expected a span from an earlier to a later half-year, found {first} to {last}")
    sys.exit(running.plan(data_dir, first, last, level) if dry_run else running.backfill(data_dir, first, last, level, refetch))


@app.command
def serve(*, data_dir: DataDir = DATA) -> None:
    """Serve the deployments update (weekdays, 09:35 in London) and backfill, against a standing Prefect server."""
    from flows import running

    sys.exit(running.serve(data_dir))


@app.command
def demo(*, data_dir: DataDir = DATA) -> None:
    """Run the whole pipeline on the sample that comes with the code, without a network, and print a table."""
    from flows import running

    code = running.demo(data_dir / "demo")
    if code == 0:
        print()
        table("2015-16-H1", offence="8Q", top=20, population_vintage=date(2015, 6, 25), data_dir=data_dir / "demo")
        print(running.SAMPLE_NOTE)
    sys.exit(code)


def main() -> None:
    """The console script: errors are one sentence on standard error, tracebacks are for --debug."""
    words = [word for word in sys.argv[1:] if word != "--debug"]
    debug = len(words) < len(sys.argv) - 1
    try:
        app(words, exit_on_error=False, print_error=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
    except CycloptsError as error:
        _fail(f"{_sentence(error)} See crime-rates --help.", 2)
    except KeyboardInterrupt:
        _fail("Stopped.", 130)
    except Exception as error:  # noqa: BLE001, the last handler: it tells the person and sets the exit status
        if debug:
            raise
        known = isinstance(error, (ValueError, LookupError, OSError, RuntimeError))
        _fail(_sentence(error) if known else f"{type(error).__name__}: {_sentence(error)} (--debug shows where)", 1)


def _sentence(error: BaseException) -> str:
    if hasattr(error, "errors"):  # pydantic's: of a setting, or of a parameter
        told = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}, found {str(e['input'])!r}" for e in error.errors()]
        return f"{'; '.join(told)}. Settings are CRIME_RATES_… in the environment."
    return " ".join(str(error).split()) or type(error).__name__


def _fail(message: str, code: int) -> None:
    print(f"crime-rates: {message}", file=sys.stderr)
    sys.exit(code)
