"""The flow `update`: discover, fetch, normalise, build, check, publish, export. A bad release fails alone.

One task a file, with paths as arguments; retries stand on the fetch alone, because only a network mends itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.common.atomic_files import remove_leftovers
from flows.common.errors import describe_error, is_disk_full, is_expected
from flows.common.file_names import FileNameError
from flows.common.progress import report_step
from flows.pipeline import executors, notifications, steps
from flows.pipeline.normalise import normalise as normalise_file
from flows.settings import Settings, data_store
from flows.sources import catalogue
from flows.sources.errors import IncompleteError, SourceError, StatusError, UnreachableError
from flows.sources.http_client import Client
from flows.storage.data_store import DataStore
from flows.storage.run_log import FileResult, Run, timed
from flows.warehouse.build import BuildRefused
from transforms.errors import CrimeRatesError, PublishedFileError

FETCH_WAITS: list[float] = [5, 20, 60]  # seconds; urllib3 has retried for a while before


def is_transient(_task: Any, _run: Any, state: State[Any]) -> bool:
    """Whether a fetch failed for a reason that may pass: no connection, a busy server, a body cut short."""
    error = state.result(raise_on_failure=False)
    busy = isinstance(error, StatusError) and (error.status >= 500 or error.status == 429)
    return busy or isinstance(error, UnreachableError | IncompleteError)


discover = task(name="discover", cache_policy=NO_CACHE)(steps.discover_live)
fetch = task(
    name="fetch",
    task_run_name="fetch {batch.name}",
    cache_policy=NO_CACHE,
    retries=len(FETCH_WAITS),
    retry_delay_seconds=FETCH_WAITS,
    retry_condition_fn=is_transient,
)(steps.store_raw)
normalise = task(name="normalise", task_run_name="normalise {name}", cache_policy=NO_CACHE)(normalise_file)
build = task(name="build and check", cache_policy=NO_CACHE)(steps.build)
publish = task(name="publish", cache_policy=NO_CACHE)(steps.publish)
publish_lakehouse = task(name="publish to the lakehouse", cache_policy=NO_CACHE)(steps.publish_lakehouse)
export = task(name="export tables", cache_policy=NO_CACHE)(steps.export)
report = task(name="write the report", cache_policy=NO_CACHE)(steps.report)


@flow(name="update", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def update(
    data_dir: str | Path = "data",
    releases: Path | None = None,
    populations: Path | None = None,
    lookups: Path | None = None,
) -> State[Run]:
    """Bring the published database up to date with the live services, or with local folders in their place."""
    settings = Settings.from_environment(data_store(data_dir))
    return run_steps(Run("update"), settings, steps.Folders(releases, populations, lookups))


def run_steps(
    run: Run,
    settings: Settings,
    folders: steps.Folders,
    level: str | None = None,
    refetch: bool = False,
    review: Callable[[Run], None] | None = None,
) -> State[Run]:
    """The steps of a run, its record in the run log, its artifacts, and word to whoever wants to hear of failures.

    review: what is to be added to a run that has a database, while it still holds the data folder.
    """
    try:
        with settings.store.lock():
            remove_leftovers(settings.data_dir)
            try:
                with nullcontext(None) if folders.named else catalogue.client(settings) as http:
                    _steps(run, settings, folders, http, level, refetch)
            except BaseException as error:  # a run that somebody stops is on record too
                run.error = describe_error(error)
                if not is_disk_full(error):
                    raise
            finally:
                run.end()
                if review is not None and run.database and not run.error:
                    review(run)
                _save(run, settings.store)
                notifications.notify(settings, run)
    except Exception as error:
        if not is_expected(error):
            raise
        run.error = describe_error(error)
        run.end()
    notifications.artifacts(settings, run)
    done = run.state in ("completed", "unchanged")
    return (Completed if done else Failed)(message=run.error or run.state, data=run)


def _steps(run: Run, settings: Settings, folders: steps.Folders, http: Client | None, level: str | None, refetch: bool) -> None:
    with timed(run, "discover"):
        steps.catch_up(settings)
        if http is None:
            batches = steps.discover_local(folders)
        else:
            batches, failed = discover(settings, http, level)
            run.items += failed
    of = len(batches) + 3
    with timed(run, "fetch and normalise"):
        _take_in(run, settings, batches, http, refetch, of)
    report_step("building and checking the database", len(batches), of)
    with timed(run, "build"):
        try:
            database, checks = build(settings)
        except BuildRefused as refused:
            run.error, run.checks = str(refused), refused.checks
            return
    run.checks = checks
    database, warnings = steps.chosen(settings, database)
    run.database = database.name
    run.warnings += warnings + steps.warnings_of(checks)
    _show(run, settings, database, of)


def _take_in(run: Run, settings: Settings, batches: Sequence[steps.Batch], http: Client | None, refetch: bool, of: int) -> None:
    """Fetch each batch and have it normalised meanwhile; what fails fails alone."""
    with executors.executor_for(settings, normalise) as start:
        waiting: list[Callable[[], FileResult]] = []
        silent: set[str] = set()  # services that gave no answer to the end: no more waiting for them
        for batch in batches:
            report_step(f"fetching {batch.name}", 0, of)
            service = batch.offer.service if batch.offer else ""
            patient = fetch.with_options(retries=0) if service in silent else fetch
            try:
                stored, downloaded = patient(settings, batch, http, refetch)
            except (SourceError, FileNameError, PublishedFileError, OSError) as error:
                if is_disk_full(error) or not is_expected(error):
                    raise
                if isinstance(error, UnreachableError):
                    silent.add(service)
                if batch.offer is not None and batch.offer.optional:
                    run.warnings.append(str(error))
                else:
                    run.items.append(FileResult(batch.name, batch.kind, "failed", describe_error(error)))
                continue
            run.downloaded += downloaded
            waiting.append(start(batch.name, batch.kind, stored))
        for number, item_of in enumerate(waiting, start=1):
            item = item_of()
            run.items.append(item)
            report_step(f"{item.state}: {item.name}", number, of)


def _show(run: Run, settings: Settings, database: Path, of: int) -> None:
    """Let readers see the database: as the file, in the lakehouse, as tables, as pages."""
    with timed(run, "publish"):
        run.published = publish(settings, database)
    report_step(f"{'published' if run.published else 'already published'}: {database.name}", of - 1, of)
    if settings.lakehouse:
        with timed(run, "publish to the lakehouse"):
            try:
                run.lakehouse = publish_lakehouse(settings, database)
            except CrimeRatesError as error:  # the file is published all the same, and its tables follow
                run.error = describe_error(error)
    with timed(run, "export"):
        run.tables = export(settings, database)
    report_step(f"wrote {run.tables} pairs of tables", of, of)
    if settings.report:
        with timed(run, "report"):
            pages = report(settings, database)
        report_step(f"wrote {pages} pages of the report", of, of)


def _save(run: Run, store: DataStore) -> None:
    try:
        run.save(store)
    except OSError as error:  # a full disk, most likely: the run's end is told all the same
        run.warnings.append(f"this run could not be written to the run log: {describe_error(error)}")
