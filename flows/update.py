"""The flow `update`: take in each release, build, check, publish, export. One task a release file, paths as arguments."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed, State
from prefect.task_runners import ThreadPoolTaskRunner

from flows import steps
from flows.locks import FolderBusy, sole_run
from flows.progress import step
from flows.raw import Found
from flows.runs import Run
from flows.settings import Settings
from flows.warehouse import BuildRefused

take_in = task(steps.take_in, name="take in a release", task_run_name="take in {name}", cache_policy=NO_CACHE)
build = task(steps.build, name="build and check", cache_policy=NO_CACHE)
publish = task(steps.publish, name="publish", cache_policy=NO_CACHE)
export = task(steps.export, name="export tables", cache_policy=NO_CACHE)


@flow(name="update", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def update(
    data_dir: Path = Path("data"),
    releases: Path | None = None,
    populations: Path | None = None,
    lookups: Path | None = None,
) -> State[Run]:
    """Bring the published database up to date with what the sources hold. A bad release fails alone."""
    settings = Settings(data_dir=data_dir)
    run = Run("update")
    try:
        with sole_run(settings.data_dir):
            try:
                _steps(run, settings, steps.discover(releases, populations, lookups))
            except Exception as error:
                run.error = str(error)
                raise
            finally:
                run.end()
                run.save(settings.data_dir)
    except (ValueError, OSError, FolderBusy) as error:  # a sentence for the person, not a fault of the flow
        run.error = str(error)
        run.end()
    done = run.state in ("completed", "unchanged")
    return (Completed if done else Failed)(message=run.error or run.state, data=run)


def _steps(run: Run, settings: Settings, groups: dict[str, list[Found]]) -> None:
    of = len(groups) + 3
    clock = perf_counter()

    def done(name: str, message: str, number: int) -> None:
        nonlocal clock
        run.seconds[name] = round(perf_counter() - clock, 2)
        clock = perf_counter()
        step(message, number, of)

    futures = [take_in.submit(settings, name, group) for name, group in groups.items()]
    for number, future in enumerate(futures, start=1):
        item = future.result()
        run.items.append(item)
        step(f"{item.state}: {item.name}", number, of)
    done("take in", "building and checking the database", len(groups))
    try:
        database, checks = build(settings)
    except BuildRefused as refused:
        run.error = str(refused)
        return
    run.database = database.name
    run.warnings = steps.warnings_of(checks)
    done("build", f"built {database.name}", len(groups) + 1)
    run.published = publish(settings, database)
    done("publish", "published" if run.published else "already published", len(groups) + 2)
    run.tables = export(settings, database)
    done("export", f"wrote {run.tables} pairs of tables", of)
