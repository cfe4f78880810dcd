"""Takes a hostile file in as a run does, in a process that may die or hang, and says what came of it.

raw.store, then steps.normalise: the file is read, or refused in one sentence. Anything else is a fault of ours.
"""

from __future__ import annotations

import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Queue
from typing import Any

MEMORY = 6 << 30  # bytes of address space that the process which reads may take
SECONDS = 120  # after which it is said to hang


@dataclass(frozen=True)
class Outcome:
    """What came of a file. state: read, refused, crashed (an error that is not ours to give, or a dead process) or hung."""

    name: str
    state: str
    said: str = ""  # the sentence, or the error
    rows: Any = None  # of a file that was read: its figures, without what only tells where they stood
    seconds: float = 0.0
    megabytes: int = 0

    @property
    def fault(self) -> str | None:
        """What is wrong with this outcome, or None."""
        if self.state not in ("read", "refused"):
            return f"{self.state}: {self.said}"
        return wrong_with(self.said) if self.state == "refused" else None


def wrong_with(sentence: str) -> str | None:
    """Why a text is not one sentence for a person, or None."""
    if not sentence.isprintable():
        return f"characters that do not print: {sentence!r}"
    if len(sentence) > 600:
        return f"{len(sentence)} characters: {sentence}"
    if re.search(r" object at 0x|<class|Traceback|\w+Error\b|panicked", sentence):
        return f"words of a machine: {sentence}"
    return None if ": expected " in sentence and sentence.endswith(".") else f"no sentence of ours: {sentence}"


def take_in(path: Path, kind: str, data: Path) -> Outcome:
    """Store and normalise a file, here."""
    from flows.pipeline import normalise
    from flows.settings import Settings
    from flows.storage import raw_store
    from flows.storage.data_store import LocalStore
    from transforms.errors import PublishedFileError

    settings = Settings(LocalStore(data))
    started = time.perf_counter()
    try:
        folder, _ = raw_store.store(data / "raw", raw_store.SourceFile(path, kind))
        item = normalise.normalise(settings, path.name, kind, [folder])
        state, said = ("refused" if item.state == "failed" else "read"), item.message
    except PublishedFileError as error:  # of the store
        state, said = "refused", str(error)
    except Exception as error:  # noqa: BLE001, whatever it is: it is the finding
        state, said = "crashed", f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    return Outcome(path.name, state, said, _rows(data / "lake", kind) if state == "read" else None, seconds, _peak())


def _rows(lake: Path, kind: str) -> list[dict[str, Any]]:
    """The figures that were written, in their schema; where they stood and in which release is left out."""
    import pyarrow.parquet as pq

    from transforms.areas import LOOKUP
    from transforms.offences import COUNTS
    from transforms.populations import POPULATIONS

    schema = {"offences": COUNTS, "population": POPULATIONS, "lookup": LOOKUP}[kind]
    rows = []
    for path in sorted(lake.rglob("*.parquet")):
        table = pq.read_table(path)
        assert table.column_names == schema.names, table.schema
        assert all(field.nullable or table[field.name].null_count == 0 for field in schema), path
        rows += table.select([n for n in schema.names if n not in ("release_id", "file_name", "sheet", "row")]).to_pylist()
    return rows


def _peak() -> int:
    """MB that this process held at most since the last call, where the system tells."""
    with suppress(OSError):
        status = Path("/proc/self/status").read_text()
        Path("/proc/self/clear_refs").write_text("5")
        return int(status.split("VmHWM:")[1].split()[0]) // 1024
    return 0


def _work(jobs: Connection) -> None:
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    while True:
        path, kind = jobs.recv()
        with tempfile.TemporaryDirectory() as data:
            jobs.send(take_in(path, kind, Path(data) / "data"))


class Worker:
    """A process that takes files in, and is replaced when it dies or hangs."""

    def __enter__(self) -> Worker:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def _start(self) -> None:
        here, there = multiprocessing.Pipe()
        self._jobs, self._process = here, multiprocessing.get_context("spawn").Process(target=_work, args=(there,), daemon=True)
        self._process.start()
        there.close()

    def take_in(self, path: Path, kind: str) -> Outcome:
        self._jobs.send((path, kind))
        try:
            if self._jobs.poll(SECONDS):
                outcome: Outcome = self._jobs.recv()
                return outcome
            state, said = "hung", f"no answer in {SECONDS} seconds"
        except EOFError:
            self._process.join()
            state, said = "crashed", f"the process ended with {self._process.exitcode}"
        self.__exit__()
        self._start()
        return Outcome(path.name, state, said)


Make = Callable[[Path], tuple[Path, str]]  # writes a file into an empty folder; the file and its kind


def outcomes(jobs: Iterable[tuple[str, Make]], at_once: int = 2) -> Iterator[tuple[str, Outcome]]:
    """(what made it, what came of it) of each file, in order; a few are taken in at once, each in a process of its own."""
    with ExitStack() as workers, ThreadPoolExecutor(at_once) as pool:
        idle: Queue[Worker] = Queue()
        for _ in range(at_once):
            idle.put(workers.enter_context(Worker()))

        def take(job: tuple[str, Make]) -> tuple[str, Outcome]:
            made, make = job
            worker = idle.get()
            try:
                with tempfile.TemporaryDirectory() as folder:
                    path, kind = make(Path(folder))
                    outcome = worker.take_in(path, kind)
                    if others := [p.name for p in Path(folder).rglob("*") if p != path]:
                        outcome = replace(outcome, state="crashed", said=f"left {others} beside the file")
                    return made, outcome
            finally:
                idle.put(worker)

        yield from pool.map(take, jobs)


def mutants(seeds: Iterable[int], formats: tuple[str, ...]) -> Iterator[tuple[str, Make]]:
    """A mutated file for each seed, of every kind and format in turn."""
    from tools.fuzz.base import KINDS, right
    from tools.fuzz.mutations import mutated

    def maker(kind: str, format: str, seed: int) -> Make:
        def make(folder: Path) -> tuple[Path, str]:
            name, data = right(kind, format)
            data = mutated(data, format, f"{kind} {format} {seed}", folder)
            (folder / name).write_bytes(data)
            return folder / name, kind

        return make

    for seed in seeds:
        kind, format = KINDS[seed % len(KINDS)], formats[seed // len(KINDS) % len(formats)]
        yield f"seed {seed}: {kind} as {format}", maker(kind, format, seed)
