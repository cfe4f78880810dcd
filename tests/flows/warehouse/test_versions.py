"""The builds that lie side by side: swapped in one step, kept to go back to, never taken from under a reader."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
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
from flows.storage.data_store import LocalStore
from flows.warehouse import versions
from flows.warehouse.published import FILE, LINK, is_open_elsewhere, published, read_publication
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
    """Makes and publishes a build. Neither names nor dates say anything of their order."""

    def make(number: int, keep: int = 3) -> Path:
        path = database(data / f"warehouse/crime_rates-{9 - number}abc.duckdb", number)
        assert versions.publish(LocalStore(data), path, keep)
        os.utime(path, (9 - number, 9 - number))
        return path

    return make


def kept(data: Path) -> list[str]:
    """The names of the builds that are kept, the last published first."""
    return [build.name for build in versions.kept_builds(LocalStore(data))]


def rolled_back(data: Path) -> list[str]:
    """The names of the builds that were rolled back."""
    return [build.name for build in versions.kept_builds(LocalStore(data)) if build.is_rolled_back]


def publish(path: Path, keep: int) -> bool:
    """Publish a build of a data folder."""
    return versions.publish(LocalStore(path.parents[1]), path, keep)


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
    assert published(LocalStore(data)) == path.resolve()


def test_nothing_is_published_where_there_is_no_link(tmp_path: Path) -> None:
    assert published(LocalStore(tmp_path)) is None


def test_a_link_to_a_build_that_is_gone_publishes_nothing(data: Path, make: Maker) -> None:
    make(1).unlink()
    assert published(LocalStore(data)) is None
    with pytest.raises(connection.NotFound, match="holds no published database yet"):
        connection.connect(LocalStore(data))


def test_to_publish_twice_changes_nothing(make: Maker) -> None:
    path = make(1)
    before = {one: one.lstat().st_mtime_ns for one in path.parent.iterdir()}
    assert publish(path, keep=3) is False
    assert {one: one.lstat().st_mtime_ns for one in path.parent.iterdir()} == before


def test_an_older_build_can_be_published_again(data: Path, make: Maker) -> None:
    first = make(1)
    make(2)
    assert publish(first, keep=2)
    assert seen(data) == 1
    assert kept(data) == ["crime_rates-8abc", "crime_rates-7abc"]


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.EOPNOTSUPP])
def test_without_symlinks_a_copy_of_the_build_takes_the_name(
    data: Path, make: Maker, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def refuse(*_: object) -> NoReturn:  # as FAT and some network shares do
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    make(1)
    path = make(2)
    link = data / "warehouse" / LINK
    assert json.loads((data / FILE).read_text())["current"] == path.name
    assert not link.is_symlink() and link.read_bytes() == path.read_bytes()
    assert published(LocalStore(data)) == path.resolve()
    with connection.connect(LocalStore(data)) as con:
        assert rows_of(con, "from build") == [{"number": 2}]
    monkeypatch.undo()
    make(3)  # and where they can be had again, there is a link
    assert seen(data) == 3 and link.is_symlink()


def test_a_link_that_cannot_be_made_for_another_reason_is_an_error(
    data: Path, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    make(1)
    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        make(2)
    assert seen(data) == 1
    monkeypatch.undo()
    assert publish(data / "warehouse/crime_rates-7abc.duckdb", keep=3) is False and seen(data) == 2  # the next run mends it


# ---------------------------------------------------------------- what is kept
def test_so_many_published_builds_are_kept(data: Path, make: Maker) -> None:
    made = [make(number) for number in range(1, 6)]
    assert kept(data) == [path.stem for path in reversed(made[-3:])]
    assert sorted(data.glob("warehouse/*-*.duckdb")) == sorted(made[-3:])
    assert seen(data) == 5


def test_a_build_that_was_never_published_is_not_kept(data: Path, make: Maker) -> None:
    make(1)
    died = database(data / "warehouse/crime_rates-dead.duckdb", 7)
    make(2)
    assert died.exists()  # another run might be about to publish it
    yesterday = (data / FILE).stat().st_mtime - 90_000
    os.utime(died, (yesterday, yesterday))
    make(3)
    assert not died.exists() and kept(data) == ["crime_rates-6abc", "crime_rates-7abc", "crime_rates-8abc"]


def test_a_build_that_another_process_reads_stays_until_it_is_let_go(data: Path, make: Maker, reader: Reader) -> None:
    first = make(1)
    held = reader(data / "warehouse" / LINK)
    assert is_open_elsewhere(first)
    second = make(2, keep=1)
    assert first.exists() and not is_open_elsewhere(second)
    held.communicate("\n")
    assert not is_open_elsewhere(first)
    make(3, keep=1)
    assert kept(data) == ["crime_rates-6abc"] and not first.exists()


def test_an_update_with_nothing_new_clears_what_was_let_go(make: Maker, reader: Reader) -> None:
    first = make(1)
    held = reader(first)
    second = make(2, keep=1)
    held.communicate("\n")
    assert publish(second, keep=1) is False and not first.exists()


# ---------------------------------------------------------------- the way back
def test_roll_back_shows_the_build_before(data: Path, make: Maker) -> None:
    paths = [make(number) for number in (1, 2, 3)]
    assert versions.roll_back(LocalStore(data)) == (paths[2].name, paths[1].name)
    assert seen(data) == 2
    versions.roll_back(LocalStore(data))
    assert seen(data) == 1
    with pytest.raises(versions.NoSuchBuild, match="There is no older build than crime_rates-8abc to go back to"):
        versions.roll_back(LocalStore(data))


def test_what_was_rolled_back_is_not_published_again_until_somebody_says_so(data: Path, make: Maker) -> None:
    _, second, third = (make(number) for number in (1, 2, 3))
    versions.roll_back(LocalStore(data))
    assert publish(third, keep=3) is False and seen(data) == 2
    assert versions.roll_back(LocalStore(data), to="6abc") == (second.name, third.name)
    assert seen(data) == 3 and not rolled_back(data)
    assert publish(third, keep=3) is False  # readers see it


def test_roll_back_to_a_name(data: Path, make: Maker) -> None:
    for number in (1, 2, 3):
        make(number)
    versions.roll_back(LocalStore(data), to="8abc")
    assert seen(data) == 1 and rolled_back(data) == ["crime_rates-6abc", "crime_rates-7abc"]
    for wrong in ("nothing", "abc"):
        with pytest.raises(versions.NoSuchBuild, match=f"expected one build whose name holds '{wrong}', found [03]; kept"):
            versions.roll_back(LocalStore(data), to=wrong)
    assert seen(data) == 1
    with pytest.raises(versions.NoSuchBuild, match="Readers see crime_rates-8abc already"):
        versions.roll_back(LocalStore(data), to="8abc")


def test_there_is_nothing_to_roll_back_in_an_empty_folder(data: Path) -> None:
    with pytest.raises(versions.NoSuchBuild, match="holds no published database"):
        versions.roll_back(LocalStore(data))


# ---------------------------------------------------------------- copies of a data folder, and old ones
def copied(data: Path, to: Path) -> Path:
    """A copy as a share or a zip makes it: links followed, every file as new as the copy."""
    shutil.copytree(data, to, symlinks=False, copy_function=shutil.copyfile)
    return to


def test_a_copy_knows_what_is_published_and_rolls_back_to_the_right_build(
    data: Path, make: Maker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for number in (1, 2, 3):
        make(number)
    versions.roll_back(LocalStore(data))
    copy = copied(data, tmp_path_factory.mktemp("share") / "data")
    assert not (copy / "warehouse" / LINK).is_symlink()
    assert published(LocalStore(copy)) == (copy / "warehouse/crime_rates-7abc.duckdb").resolve()
    assert rolled_back(copy) == ["crime_rates-6abc"]
    assert publish(copy / "warehouse/crime_rates-6abc.duckdb", keep=3) is False
    assert versions.roll_back(LocalStore(copy)) == ("crime_rates-7abc.duckdb", "crime_rates-8abc.duckdb")
    assert seen(copy) == 1 and (copy / "warehouse" / LINK).is_symlink()


def test_the_copy_of_a_link_is_replaced_where_no_link_can_take_its_place(
    data: Path, make: Maker, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(1)
    second = make(2)
    copy = copied(data, tmp_path_factory.mktemp("share") / "data")

    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    versions.roll_back(LocalStore(copy))
    assert (copy / "warehouse" / LINK).read_bytes() == first.read_bytes()  # it would show build 2 for ever
    assert published(LocalStore(copy)) == (copy / "warehouse/crime_rates-8abc.duckdb").resolve()
    assert second.exists()


def test_a_copy_of_nothing_but_the_published_file_is_read(
    data: Path, make: Maker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = make(1)
    alone = tmp_path_factory.mktemp("alone")
    (alone / "warehouse").mkdir()
    shutil.copyfile(path, alone / "warehouse" / LINK)
    assert published(LocalStore(alone)) == (alone / "warehouse" / LINK).resolve()
    shutil.copyfile(data / FILE, alone / FILE)
    assert published(LocalStore(alone)) == (alone / "warehouse" / LINK).resolve()


@pytest.fixture
def old(data: Path) -> Path:
    """A data folder of before published.json: three builds, of which the second is seen and the third was rolled back."""
    for number in (1, 2, 3):
        os.utime(database(data / f"warehouse/crime_rates-{9 - number}abc.duckdb", number), (number, number))
    os.utime(database(data / "warehouse/crime_rates-dead.duckdb", 9), (0, 0))  # never published
    (data / "warehouse/crime_rates-6abc.duckdb.rolled_back").write_text("rolled back to crime_rates-7abc.duckdb\n")
    (data / "warehouse" / LINK).symlink_to("crime_rates-7abc.duckdb")
    return data


def test_an_old_data_folder_is_read_as_it_was_meant(old: Path) -> None:
    before = sorted(old.rglob("*"))
    assert published(LocalStore(old)) == (old / "warehouse/crime_rates-7abc.duckdb").resolve()
    assert kept(old) == ["crime_rates-6abc", "crime_rates-7abc", "crime_rates-8abc"] and rolled_back(old) == ["crime_rates-6abc"]
    assert sorted(old.rglob("*")) == before


def test_an_old_data_folder_is_taken_over_by_the_first_run(old: Path) -> None:
    warehouse = old / "warehouse"
    assert publish(warehouse / "crime_rates-6abc.duckdb", keep=3) is False  # it was rolled back
    assert publish(warehouse / "crime_rates-7abc.duckdb", keep=3) is False  # nothing new
    assert json.loads((old / FILE).read_text()) == {
        "current": "crime_rates-7abc.duckdb",
        "kept": [f"crime_rates-{n}abc.duckdb" for n in (6, 7, 8)],
        "rolled_back": ["crime_rates-6abc.duckdb"],
    }
    assert not list(warehouse.glob("*.rolled_back")) and not (warehouse / "crime_rates-dead.duckdb").exists()
    assert versions.roll_back(LocalStore(old)) == ("crime_rates-7abc.duckdb", "crime_rates-8abc.duckdb") and seen(old) == 1


def test_a_roll_back_takes_an_old_data_folder_over(old: Path) -> None:
    assert versions.roll_back(LocalStore(old)) == ("crime_rates-7abc.duckdb", "crime_rates-8abc.duckdb")
    assert rolled_back(old) == ["crime_rates-6abc", "crime_rates-7abc"] and not list(old.rglob("*.rolled_back"))


def test_an_old_data_folder_without_symlinks_is_taken_over(old: Path) -> None:
    warehouse = old / "warehouse"
    (warehouse / LINK).unlink()
    (warehouse / "CURRENT").write_text("crime_rates-7abc.duckdb\n")
    assert published(LocalStore(old)) == (warehouse / "crime_rates-7abc.duckdb").resolve()
    assert publish(warehouse / "crime_rates-7abc.duckdb", keep=3) is False
    assert seen(old) == 2 and not (warehouse / "CURRENT").exists()
    publication = read_publication(LocalStore(old))
    assert publication is not None and publication.rolled_back == ("crime_rates-6abc.duckdb",)


# ---------------------------------------------------------------- dying in between
@pytest.mark.parametrize("dies_at", ["link", "_prune"])
def test_a_run_that_dies_while_it_publishes_leaves_a_whole_build_and_the_next_mends_it(
    data: Path, make: Maker, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    make(1)
    second = database(data / "warehouse/crime_rates-7abc.duckdb", 2)

    def die(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(versions, dies_at, die)
        with pytest.raises(KeyboardInterrupt):
            publish(second, keep=1)
    assert seen(data) == (1 if dies_at == "link" else 2)  # through the link
    assert published(LocalStore(data)) == second.resolve()  # by published.json
    assert publish(second, keep=1) is False and seen(data) == 2


# ---------------------------------------------------------------- room
@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.worcestershire()
    world.release(APRIL, [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)])
    return world


def test_a_build_that_has_no_room_is_not_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.build().close()
    before = published(LocalStore(world.data))
    world.release(date(2026, 7, 23), [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)])
    usage = type("usage", (), {"free": 12_000_000})
    monkeypatch.setattr(versions.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(versions.DiskFull, match="expected 20 MB of free disk for a build, found 12 MB; nothing was built"):
        world.make()
    assert published(LocalStore(world.data)) == before and len(kept(world.data)) == 1


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
    assert not errors.is_disk_full(error) and errors.describe_error(error) == (
        "This is a fault of crime-rates, not of your input: ParserException: Parser Error: syntax error."
    )


def test_steps_publish_what_was_built_and_keep_it(world: World) -> None:
    settings = Settings(LocalStore(world.data), keep_builds=1)
    path, _ = steps.build(settings)
    assert published(settings.store) is None
    assert steps.publish(settings, path)
    assert kept(world.data) == [path.stem]
