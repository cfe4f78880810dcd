"""The builds that lie side by side: swapped in one step, kept to go back to, never taken from under a reader."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest

from flows.common import errors
from flows.pipeline import steps
from flows.queries import connection
from flows.settings import Settings
from flows.warehouse import versions
from flows.warehouse.published import LINK, published
from tests.support.releases import figures
from tests.support.world import World, rows_of

Maker = Callable[..., Path]
Reader = Callable[[Path], subprocess.Popen[str]]
APRIL = date(2026, 4, 23)
READER = """
import sys, duckdb
con = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.readline()
"""


def database(path: Path, number: int) -> Path:
    """A small database in the place of a build; its one table says which."""
    with duckdb.connect(str(path)) as con:
        con.execute(f"create table build as select {number} as number")
    path.chmod(0o444)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "warehouse").mkdir()
    return tmp_path


@pytest.fixture
def make(data: Path) -> Maker:
    """Makes and publishes a build; each is published a second after the one before. Names say nothing of their order."""

    def make(number: int, keep: int = 3) -> Path:
        path = database(data / f"warehouse/crime_rates-{9 - number}abc.duckdb", number)
        assert versions.publish(path, keep)
        os.utime(path, (number, number))
        return path

    return make


def seen(data: Path) -> int:
    """The number of the build that a reader sees, through the name that readers use."""
    with duckdb.connect(str((data / "warehouse" / LINK).resolve()), read_only=True) as con:
        return int(rows_of(con, "from build")[0]["number"])


@pytest.fixture
def reader() -> Iterator[Reader]:
    """Starts another process that opens a database and holds it until its standard input gets a line."""
    started = []

    def start(path: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", READER, str(path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == "open\n"
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.communicate("\n")


# ---------------------------------------------------------------- the swap
def test_the_link_is_relative(data: Path, make: Maker) -> None:
    path = make(1)
    link = data / "warehouse" / LINK
    assert link.is_symlink() and link.readlink() == Path(path.name)  # the folder may be moved or mounted elsewhere
    assert published(data) == path.resolve()


def test_nothing_is_published_where_there_is_no_link(tmp_path: Path) -> None:
    assert published(tmp_path) is None


def test_a_link_to_a_build_that_is_gone_publishes_nothing(data: Path, make: Maker) -> None:
    make(1).unlink()
    assert published(data) is None
    with pytest.raises(connection.NotFound, match="holds no published database yet"):
        connection.connect(data)


def test_to_publish_twice_changes_nothing(make: Maker) -> None:
    path = make(1)
    before = path.stat().st_mtime_ns
    assert versions.publish(path, keep=3) is False
    assert path.stat().st_mtime_ns == before


def test_an_older_build_can_be_published_again(data: Path, make: Maker) -> None:
    first = make(1)
    make(2)
    assert versions.publish(first, keep=2)
    assert seen(data) == 1
    assert [build.stat().st_mtime_ns > 2e9 for build in versions.kept(data)] == [True, False]


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EOPNOTSUPP])
def test_without_symlinks_a_small_file_names_the_build(
    data: Path, make: Maker, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def refuse(*_: object) -> NoReturn:  # as FAT and some network shares do
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    make(1)
    path = make(2)
    assert (data / "warehouse/CURRENT").read_text() == f"{path.name}\n"
    assert published(data) == path.resolve()
    with connection.connect(data) as con:
        assert rows_of(con, "from build") == [{"number": 2}]
    monkeypatch.undo()
    make(3)  # and where they can be had again, the link is all there is
    assert not (data / "warehouse/CURRENT").exists() and seen(data) == 3


def test_a_link_that_cannot_be_made_for_another_reason_is_an_error(
    data: Path, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    make(1)
    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        make(2)
    assert seen(data) == 1 and not (data / "warehouse/CURRENT").exists()


# ---------------------------------------------------------------- what is kept
def test_so_many_published_builds_are_kept(data: Path, make: Maker) -> None:
    made = [make(number) for number in range(1, 6)]
    assert versions.kept(data) == [path.resolve() for path in reversed(made[-3:])]
    assert seen(data) == 5


def test_a_build_that_was_never_published_is_not_kept(data: Path, make: Maker) -> None:
    make(1)
    died = database(data / "warehouse/crime_rates-dead.duckdb", 7)
    os.utime(died, ns=(versions.UNPUBLISHED, versions.UNPUBLISHED))
    assert died not in versions.kept(data)
    make(2)
    assert not died.exists() and len(versions.kept(data)) == 2


def test_a_build_that_another_process_reads_stays_until_it_is_let_go(data: Path, make: Maker, reader: Reader) -> None:
    first = make(1)
    held = reader(data / "warehouse" / LINK)
    assert versions.is_open_elsewhere(first)
    second = make(2, keep=1)
    assert first.exists() and not versions.is_open_elsewhere(second)
    held.communicate("\n")
    assert not versions.is_open_elsewhere(first)
    make(3, keep=1)
    assert [path.stem for path in versions.kept(data)] == ["crime_rates-6abc"]


def test_an_update_with_nothing_new_clears_what_was_let_go(make: Maker, reader: Reader) -> None:
    first = make(1)
    held = reader(first)
    second = make(2, keep=1)
    held.communicate("\n")
    assert versions.publish(second, keep=1) is False and not first.exists()


# ---------------------------------------------------------------- the way back
def test_roll_back_shows_the_build_before(data: Path, make: Maker) -> None:
    paths = [make(number) for number in (1, 2, 3)]
    assert versions.roll_back(data) == (paths[2].resolve(), paths[1].resolve())
    assert seen(data) == 2
    versions.roll_back(data)
    assert seen(data) == 1
    with pytest.raises(versions.NoSuchBuild, match="There is no older build than crime_rates-8abc to go back to"):
        versions.roll_back(data)


def test_what_was_rolled_back_is_not_published_again_until_somebody_says_so(data: Path, make: Maker) -> None:
    _, second, third = (make(number) for number in (1, 2, 3))
    versions.roll_back(data)
    assert versions.publish(third, keep=3) is False and seen(data) == 2
    assert versions.roll_back(data, to="6abc") == (second.resolve(), third.resolve())
    assert seen(data) == 3 and not versions.is_rolled_back(third)
    assert versions.publish(third, keep=3) is False  # readers see it


def test_roll_back_to_a_name(data: Path, make: Maker) -> None:
    for number in (1, 2, 3):
        make(number)
    versions.roll_back(data, to="8abc")
    assert seen(data) == 1 and sum(map(versions.is_rolled_back, versions.kept(data))) == 2
    for wrong in ("nothing", "abc"):
        with pytest.raises(versions.NoSuchBuild, match=f"expected one build whose name holds '{wrong}', found [03]; kept"):
            versions.roll_back(data, to=wrong)
    assert seen(data) == 1
    with pytest.raises(versions.NoSuchBuild, match="Readers see crime_rates-8abc already"):
        versions.roll_back(data, to="8abc")


def test_there_is_nothing_to_roll_back_in_an_empty_folder(data: Path) -> None:
    with pytest.raises(versions.NoSuchBuild, match="holds no published database"):
        versions.roll_back(data)


# ---------------------------------------------------------------- room
@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.worcestershire()
    world.release(APRIL, [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)])
    return world


def test_a_build_that_has_no_room_is_not_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.build().close()
    before = published(world.data)
    world.release(date(2026, 7, 23), [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)])
    usage = type("usage", (), {"free": 12_000_000})
    monkeypatch.setattr(versions.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(versions.DiskFull, match="expected 20 MB of free disk for a build, found 12 MB; nothing was built"):
        world.make()
    assert published(world.data) == before and len(versions.kept(world.data)) == 1


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException('IO Error: Could not write file "work.duckdb": No space left on device'),
        duckdb.OutOfMemoryException("failed to offload data block. This limit was set by the 'max_temp_directory_size' setting."),
        RuntimeError("crime_rates-1.duckdb could not be written: IO Error: No space left on device"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "data/lake/x"),
    ],
)
def test_a_full_disk_is_told_in_one_sentence(error: Exception) -> None:
    assert errors.is_disk_full(error)
    assert re.fullmatch(
        r"(data/lake/x: )?the disk is full\. What is published stands; make room, then run the command again\.",
        errors.describe_error(error),
    )


def test_other_errors_speak_for_themselves() -> None:
    error = duckdb.ParserException("Parser Error:\nsyntax error")
    assert not errors.is_disk_full(error) and errors.describe_error(error) == "Parser Error: syntax error"


def test_steps_publish_what_was_built_and_keep_it(world: World) -> None:
    settings = Settings(data_dir=world.data, keep_builds=1)
    path, _ = steps.build(settings)
    assert path.stat().st_mtime_ns == versions.UNPUBLISHED  # nobody has seen it
    assert steps.publish(settings, path)
    assert versions.kept(world.data) == [path.resolve()]
