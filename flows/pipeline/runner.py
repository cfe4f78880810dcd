"""Declares flows and tasks, and runs them: orchestrated by the Prefect server that is configured, else in this process.

A flow and a task are declared once. Prefect's own objects are made of the declaration when a server is there to orchestrate them;
without one the same functions run with the same retries, waits and names, nothing is started, and Prefect is not even imported.
"""

from __future__ import annotations

import inspect
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from flows.common.errors import describe_error
from flows.common.progress import LOGGER
from flows.settings import PrefectEnvironment
from flows.storage.run_log import Run, utc_now
from transforms.errors import CrimeRatesError

if TYPE_CHECKING:
    import prefect
    from prefect.client.schemas.objects import State, TaskRun

P = ParamSpec("P")
R = TypeVar("R")

THREADS = 2  # tasks of a run at a time: a large release each, in a process of its own
DEPLOYMENTS = "flows.pipeline.deployments"  # where Prefect's workers find the flows by name
NO_ANSWER = ("Failed to reach API", "Timed out while attempting to connect")  # how Prefect's RuntimeError begins

log = logging.getLogger(LOGGER)


class PrefectServerError(CrimeRatesError):
    """The Prefect server that is configured does not answer as one."""


@dataclass(frozen=True)
class Task(Generic[P, R]):
    """A function that is one task of a flow. `run_name` may name its arguments: `fetch {group.name}`.

    After an error that is worth retrying, it is tried again after each of `waits`, in seconds.
    """

    function: Callable[P, R]
    name: str
    run_name: str = ""
    waits: Sequence[float] = ()
    is_worth_retrying: Callable[[BaseException], bool] = lambda _: True

    def __call__(self, *arguments: P.args, **options: P.kwargs) -> R:
        """Run the task: as a task run of Prefect's within a flow run of Prefect's, else here. Raises what the function raises."""
        if is_orchestrated():
            return self.orchestrated(*arguments, **options)
        for wait in self.waits:
            try:
                return self.function(*arguments, **options)
            except Exception as error:
                if not self.is_worth_retrying(error):
                    raise
                named = inspect.signature(self.function).bind(*arguments, **options).arguments
                name = (self.run_name or self.name).format(**named)
                log.info("%s: %s It is tried again in %g seconds.", name, describe_error(error), wait)
            time.sleep(wait)
        return self.function(*arguments, **options)

    @cached_property
    def orchestrated(self) -> prefect.Task[P, R]:
        """The task as Prefect knows it."""
        from prefect import task
        from prefect.cache_policies import NO_CACHE

        def is_worth_retrying(_task: prefect.Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
            error = state.result(raise_on_failure=False)
            return isinstance(error, BaseException) and self.is_worth_retrying(error)

        return task(
            name=self.name,
            task_run_name=self.run_name or None,
            cache_policy=NO_CACHE,
            retries=len(self.waits),
            retry_delay_seconds=list(self.waits) or None,
            retry_condition_fn=is_worth_retrying if self.waits else None,
        )(self.function)


@dataclass(frozen=True)
class Flow(Generic[P]):
    """A function that is a flow: it makes a run, and returns it when it has ended."""

    function: Callable[P, Run]
    name: str

    def __call__(self, *arguments: P.args, **options: P.kwargs) -> Run:
        """Run the flow in this process, whether or not a server is configured."""
        return self.function(*arguments, **options)

    @cached_property
    def orchestrated(self) -> prefect.Flow[P, State[Run]]:
        """The flow as Prefect knows it: its state is Completed only if the run did all that it was asked to do."""
        from prefect import flow
        from prefect.states import Completed, Failed
        from prefect.task_runners import ThreadPoolTaskRunner

        @wraps(self.function)
        def function(*arguments: P.args, **options: P.kwargs) -> State[Run]:
            run = self.function(*arguments, **options)
            return (Completed if run.succeeded else Failed)(message=run.error or run.state, data=run)

        function.__module__ = DEPLOYMENTS
        # with its types, whose names Prefect would look for in this module
        function.__dict__["__signature__"] = inspect.signature(self.function, eval_str=True)
        runner: Any = ThreadPoolTaskRunner(max_workers=THREADS)
        return flow(name=self.name, flow_run_name=lambda: f"{self.name} {utc_now()[:10]}", task_runner=runner)(function)


def flow(name: str) -> Callable[[Callable[P, Run]], Flow[P]]:
    """Declare a function to be the flow of this name."""
    return lambda function: Flow(function, name)


def is_orchestrated() -> bool:
    """Whether this thread is at work for a flow run of Prefect's; none can be where Prefect is not imported."""
    context = sys.modules.get("prefect.context")
    return context is not None and context.FlowRunContext.get() is not None


def find_server() -> str:
    """The address of the Prefect server that PREFECT_API_URL or the active profile names; empty where none is configured."""
    environment = PrefectEnvironment.from_environment()
    if environment.api_url or not environment.has_profiles:
        return environment.api_url
    from prefect.settings import PREFECT_API_URL

    return PREFECT_API_URL.value() or ""


def run_flow(flow: Flow[P], *arguments: P.args, **options: P.kwargs) -> Run:
    """Run a flow where it belongs: orchestrated by the server that is configured, else in this process, which the log says.

    Raises PrefectServerError where a server is configured and does not answer, and what the flow raises.
    """
    server = find_server()
    if server:
        return _run_orchestrated(flow, server, *arguments, **options)
    log.info("no Prefect server is configured: the run goes on in this process alone")
    return flow(*arguments, **options)


def _run_orchestrated(flow: Flow[P], server: str, *arguments: P.args, **options: P.kwargs) -> Run:
    """Run a flow by Prefect in this process.

    Prefect's heartbeats are off unless the environment turns them on, because each flow waits for their thread at its end, for
    up to a second. They tell a server whether a run that it started is alive; whoever starts a run in a terminal sees that.
    """
    import httpx
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    wanted = PrefectEnvironment.from_environment().heartbeats
    try:
        with temporary_settings({} if wanted else {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            state: State[Any] = flow.orchestrated(*arguments, **options, return_state=True)  # type: ignore[call-overload]
        result: Run | BaseException = state.result(raise_on_failure=False)
    except (httpx.HTTPError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith(NO_ANSWER):
            raise
        raise PrefectServerError(
            f"expected a Prefect server that answers ({server}), found none: {' '.join(str(error).split())}"
        ) from error
    if isinstance(result, BaseException):  # a fault of the program or of the machine
        raise result
    return result
