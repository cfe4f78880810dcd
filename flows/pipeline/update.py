"""The flow `update`: discover, fetch, normalise, build, check, publish, export, report. A bad release fails alone.

Here belong the order of the steps and the record of a run. One task a file, with paths as arguments; only the fetch is retried,
because only a network may be well again a minute later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from flows.common.atomic_files import remove_leftovers
from flows.common.errors import describe_error, is_disk_full, is_expected, is_interrupt
from flows.common.file_names import FileNameError
from flows.common.progress import report_step
from flows.common.subprocesses import end_children
from flows.pipeline import executors, notifications, steps
from flows.pipeline.normalise import normalise as normalise_file
from flows.pipeline.runner import Task, flow
from flows.settings import Settings, data_store
from flows.sources import catalogue
from flows.sources.errors import SourceError, UnreachableError, is_transient
from flows.sources.http_client import Client
from flows.storage.data_store import DataStore
from flows.storage.file_lock import RunInProgress
from flows.storage.run_log import FileResult, ResultState, Run, RunState, timed
from flows.warehouse.build import BuildRefused
from transforms.errors import CrimeRatesError, PublishedFileError

FETCH_WAITS = (5, 20, 60)  # seconds; urllib3 has retried for a while before

discover = Task(steps.discover_live, "discover")
fetch = Task(steps.store_raw, "fetch", run_name="fetch {group.name}", waits=FETCH_WAITS, is_worth_retrying=is_transient)
normalise = Task(normalise_file, "normalise", run_name="normalise {name}")
build = Task(steps.build, "build and check")
publish = Task(steps.publish, "publish")
publish_lakehouse = Task(steps.publish_lakehouse, "publish to the lakehouse")
export = Task(steps.export, "export tables")
report = Task(steps.report, "write the report")


@flow("update")
def update(
    data_dir: str | Path = "data",
    releases: Path | None = None,
    populations: Path | None = None,
    lookups: Path | None = None,
) -> Run:
    """Bring the published database up to date with the live services, or with local folders in their place."""
    settings = Settings.from_environment(data_store(data_dir))
    run = Run("update")
    record_run(run, settings, lambda: run_steps(run, settings, steps.LocalFolders(releases, populations, lookups)))
    leave_artifacts(run, settings)
    return run


def run_steps(run: Run, settings: Settings, folders: steps.LocalFolders, level: str | None = None, refetch: bool = False) -> None:
    """Discover, fetch and normalise, build and check, publish, export, report; `run` records what each step did.

    folders: local ones in place of the live services. level: only releases of it. refetch: download also what is stored.
    A required check that fails ends the run before anything is published.
    """
    with nullcontext(None) if folders.named else catalogue.open_client(settings) as http:
        with timed(run, "discover"):
            groups = _discover(run, settings, folders, http, level)
        last = len(groups) + 3  # steps, for the progress bar
        with timed(run, "fetch and normalise"):
            _fetch_and_normalise(run, settings, groups, http, refetch, last)

    report_step("building and checking the database", len(groups), last)
    with timed(run, "build"):
        database = _build(run, settings)
    if database is None:
        return

    with timed(run, "publish"):
        run.published = publish(settings, database)
    report_step(f"{'published' if run.published else 'already published'}: {database.name}", last - 1, last)
    if settings.lakehouse:
        with timed(run, "publish to the lakehouse"):
            _publish_to_lakehouse(run, settings, database)

    with timed(run, "export"):
        run.tables = export(settings, database)
    report_step(f"wrote {run.tables} pairs of tables", last, last)
    if settings.report:
        with timed(run, "report"):
            pages = report(settings, database)
        report_step(f"wrote {pages} pages of the report", last, last)


def _discover(
    run: Run, settings: Settings, folders: steps.LocalFolders, http: Client | None, level: str | None
) -> list[steps.FileGroup]:
    """The files to take in; a service that cannot be listed is put on the run's record as a failure."""
    steps.fetch_manifests(settings)
    if http is None:
        return steps.discover_local(folders)
    groups, failed, warnings = discover(settings, http, level)
    run.results += failed
    run.warnings += warnings
    return groups


def _fetch_and_normalise(
    run: Run, settings: Settings, groups: Sequence[steps.FileGroup], http: Client | None, refetch: bool, last: int
) -> None:
    """Fetch one group after another; each is normalised while the next is fetched. What fails fails alone."""
    with executors.executor_for(settings, normalise) as start:
        pending: list[Callable[[], FileResult]] = []
        silent_services: set[str] = set()  # gave no answer after all retries: their other files are tried once
        for group in groups:
            report_step(f"fetching {group.name}", 0, last)
            service = group.remote.service if group.remote else ""
            fetch_task = replace(fetch, waits=()) if service in silent_services else fetch
            try:
                folders, downloaded = fetch_task(settings, group, http, refetch)
            except (SourceError, FileNameError, PublishedFileError, OSError) as error:
                if is_disk_full(error) or not is_expected(error):
                    raise
                if isinstance(error, UnreachableError):
                    silent_services.add(service)
                if group.remote is not None and group.remote.optional:
                    run.warnings.append(describe_error(error))
                else:
                    run.results.append(FileResult(group.name, group.kind, ResultState.FAILED, describe_error(error)))
                continue
            run.downloaded += downloaded
            pending.append(start(group.name, group.kind, folders))
        for number, wait_for_result in enumerate(pending, start=1):
            result = wait_for_result()
            run.results.append(result)
            report_step(f"{result.state}: {result.name}", number, last)


def _build(run: Run, settings: Settings) -> Path | None:
    """The database to publish; None, with the reason on the run's record, when the build is refused."""
    try:
        database, run.checks = build(settings)
    except BuildRefused as refused:
        run.error, run.checks = str(refused), refused.checks
        return None
    database, warnings = steps.choose_database(settings, database)
    run.database = database.name
    run.warnings += warnings + steps.check_warnings(run.checks)
    return database


def _publish_to_lakehouse(run: Run, settings: Settings, database: Path) -> None:
    """Publish to the lakehouse too; a failure makes the run fail, but the file is published, and its tables are exported."""
    try:
        run.lakehouse = publish_lakehouse(settings, database)
    except CrimeRatesError as error:
        run.error = describe_error(error)


def record_run(run: Run, settings: Settings, work: Callable[[], None]) -> None:
    """Lock the data folder, do the work of a run, put on record how it ended, whatever ended it, and tell the webhook.

    An error that a person can act on, such as a busy folder, is the run's own (`run.error`); any other, and an interrupt, is
    raised again.
    """
    try:
        _work_locked(run, settings, work)
    except RunInProgress as error:
        if not run.finished:  # else this one was at work itself, and lost its place
            run.end_busy(describe_error(error))
    except Exception as error:
        if not is_expected(error):
            raise
        run.error = describe_error(error)
        run.end()
    finally:  # the lock has been let go: a slow webhook holds nobody up
        warnings_before = len(run.warnings)
        notifications.notify_webhook(run, settings)
        if len(run.warnings) > warnings_before and run.state is not RunState.BUSY:
            _save(run, settings.store)


def _work_locked(run: Run, settings: Settings, work: Callable[[], None]) -> None:
    with settings.store.lock():
        remove_leftovers(settings.data_dir)
        try:
            work()
        except BaseException as error:  # also an interrupt: a run that somebody stops is on record too
            run.error = describe_error(error)
            if is_interrupt(error):
                end_children()
                remove_leftovers(settings.data_dir)  # of theirs
            if not is_disk_full(error):
                raise
        finally:
            run.end()
            _save(run, settings.store)  # before anybody is told, which may take longer than a stopped run has


def leave_artifacts(run: Run, settings: Settings) -> None:
    """Leave the artifacts of a run that has ended in the UI of the Prefect server that orchestrates it."""
    warnings_before = len(run.warnings)
    notifications.create_artifacts(run, settings)
    if len(run.warnings) > warnings_before and run.steps:  # a run that found the folder busy leaves it alone
        _save(run, settings.store)


def _save(run: Run, store: DataStore) -> None:
    try:
        run.save(store)
    except (OSError, CrimeRatesError) as error:  # a full disk, most likely: the run's end is printed all the same
        run.warnings.append(f"this run could not be written to the run log: {describe_error(error)}")
