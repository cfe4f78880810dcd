"""The flow `update`: discover, fetch, normalise, build, check, publish, export. A bad release fails alone.

One task a file, with paths as arguments; retries stand on the fetch alone, because only a network mends itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
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
from flows.sources.errors import SourceError, UnreachableError, is_transient
from flows.sources.http_client import Client
from flows.storage.data_store import DataStore
from flows.storage.run_log import FileResult, Run, timed
from flows.warehouse.build import BuildRefused
from transforms.errors import CrimeRatesError, PublishedFileError

FETCH_WAITS: list[float] = [5, 20, 60]  # seconds; urllib3 has retried for a while before


def _is_worth_another_try(_task: Any, _run: Any, state: State[Any]) -> bool:
    return is_transient(state.result(raise_on_failure=False))


discover = task(name="discover", cache_policy=NO_CACHE)(steps.discover_live)
fetch = task(
    name="fetch",
    task_run_name="fetch {batch.name}",
    cache_policy=NO_CACHE,
    retries=len(FETCH_WAITS),
    retry_delay_seconds=FETCH_WAITS,
    retry_condition_fn=_is_worth_another_try,
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
    run = Run("update")
    with on_record(run, settings):
        run_steps(run, settings, steps.Folders(releases, populations, lookups))
    return end_state(run, settings)


def run_steps(run: Run, settings: Settings, folders: steps.Folders, level: str | None = None, refetch: bool = False) -> None:
    """Discover, fetch and normalise, build and check, publish, export, report; `run` hears what each step did.

    folders: local ones in place of the live services. level: only releases of it. refetch: download also what is stored.
    A required check that fails ends the run before anything is published.
    """
    with nullcontext(None) if folders.named else catalogue.client(settings) as http:
        with timed(run, "discover"):
            batches = _discover(run, settings, folders, http, level)
        last = len(batches) + 3  # steps, for the progress bar
        with timed(run, "fetch and normalise"):
            _fetch_and_normalise(run, settings, batches, http, refetch, last)

    report_step("building and checking the database", len(batches), last)
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


def _discover(run: Run, settings: Settings, folders: steps.Folders, http: Client | None, level: str | None) -> list[steps.Batch]:
    """What is to be taken in; a service that cannot be listed is on the run's record as a failure."""
    steps.catch_up(settings)
    if http is None:
        return steps.discover_local(folders)
    batches, failed = discover(settings, http, level)
    run.items += failed
    return batches


def _fetch_and_normalise(
    run: Run, settings: Settings, batches: Sequence[steps.Batch], http: Client | None, refetch: bool, last: int
) -> None:
    """Fetch each batch and have it normalised meanwhile; what fails fails alone."""
    with executors.executor_for(settings, normalise) as start:
        results: list[Callable[[], FileResult]] = []
        silent_services: set[str] = set()  # that gave no answer to the end: they are not waited for again
        for batch in batches:
            report_step(f"fetching {batch.name}", 0, last)
            service = batch.offer.service if batch.offer else ""
            patient_fetch = fetch.with_options(retries=0) if service in silent_services else fetch
            try:
                folders, downloaded = patient_fetch(settings, batch, http, refetch)
            except (SourceError, FileNameError, PublishedFileError, OSError) as error:
                if is_disk_full(error) or not is_expected(error):
                    raise
                if isinstance(error, UnreachableError):
                    silent_services.add(service)
                if batch.offer is not None and batch.offer.optional:
                    run.warnings.append(describe_error(error))
                else:
                    run.items.append(FileResult(batch.name, batch.kind, "failed", describe_error(error)))
                continue
            run.downloaded += downloaded
            results.append(start(batch.name, batch.kind, folders))
        for number, wait_for_result in enumerate(results, start=1):
            result = wait_for_result()
            run.items.append(result)
            report_step(f"{result.state}: {result.name}", number, last)


def _build(run: Run, settings: Settings) -> Path | None:
    """The database that readers are to see; None, with the reason on the run's record, when the build is refused."""
    try:
        database, run.checks = build(settings)
    except BuildRefused as refused:
        run.error, run.checks = str(refused), refused.checks
        return None
    database, warnings = steps.chosen(settings, database)
    run.database = database.name
    run.warnings += warnings + steps.warnings_of(run.checks)
    return database


def _publish_to_lakehouse(run: Run, settings: Settings, database: Path) -> None:
    """Publish there too; a failure makes the run fail, but the file is published all the same, and its tables follow."""
    try:
        run.lakehouse = publish_lakehouse(settings, database)
    except CrimeRatesError as error:
        run.error = describe_error(error)


@contextmanager
def on_record(run: Run, settings: Settings) -> Iterator[None]:
    """Hold the data folder while the block runs, and put on record how the run ended, whatever ended it.

    An error that a person can act on is the run's own (`run.error`); any other, and an interrupt, is raised again.
    """
    try:
        with settings.store.lock():
            remove_leftovers(settings.data_dir)
            try:
                yield
            except BaseException as error:  # a run that somebody stops is on record too
                run.error = describe_error(error)
                if not is_disk_full(error):
                    raise
            finally:
                run.end()
                notifications.notify_webhook(run, settings)
                _save(run, settings.store)
    except Exception as error:
        if not is_expected(error):
            raise
        run.error = describe_error(error)
        run.end()


def end_state(run: Run, settings: Settings) -> State[Run]:
    """Leave the artifacts of a run that has ended; returns Prefect's state of it, whose result is the run."""
    known = len(run.warnings)
    notifications.create_artifacts(run, settings)
    if len(run.warnings) > known and run.steps:  # a run that found the folder busy leaves it alone
        _save(run, settings.store)
    done = run.state in ("completed", "unchanged")
    return (Completed if done else Failed)(message=run.error or run.state, data=run)


def _save(run: Run, store: DataStore) -> None:
    try:
        run.save(store)
    except (OSError, CrimeRatesError) as error:  # a full disk, most likely: the run's end is printed all the same
        run.warnings.append(f"this run could not be written to the run log: {describe_error(error)}")
