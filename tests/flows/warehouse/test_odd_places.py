"""A data folder may have any name, and lie on any file system; a connection reaches that folder and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flows.common.sealed_database import scratch_folder, seal
from flows.storage.data_store import LocalStore
from flows.warehouse import table_export, versions
from flows.warehouse.published import LINK, published
from tests.flows.warehouse.test_build import world_in
from tests.support.explanations import say
from tests.support.world import World

ODD = "quarter=7 a?b *[c] #d%20e 'f' {g,h}"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = world_in(tmp_path_factory.mktemp("odd") / ODD)
    world.build().close()
    return world


def test_a_folder_of_any_name_is_built_in_and_read(odd: World, tmp_path: Path) -> None:
    plain = world_in(tmp_path / "plain", sources=odd.sources)
    plain.make()
    [expected] = plain.warehouse.glob("crime_rates-*.duckdb")
    found = published(LocalStore(odd.data))
    assert found is not None and found.name == expected.name
    assert found.read_bytes() == expected.read_bytes()
    assert "South Worcester" in say(odd.data, "South Worcester")
    assert table_export.export(LocalStore(odd.data), found) > 0
    assert sorted(path.name for path in odd.warehouse.iterdir()) == sorted([expected.name, LINK, "published.json"])


def test_a_sealed_connection_reaches_its_folders_only(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with duckdb.connect() as con:
        seal(con, tmp_path / "folder")
        for query in (
            f"from read_csv('{secret}')",
            "from read_text('/etc/passwd')",
            f"copy (select 1) to '{tmp_path}/out.csv'",
            f"attach '{tmp_path}/other.duckdb'",
            "install httpfs",
            "load httpfs",
            "from read_csv('http://127.0.0.1:1/x.csv')",
        ):
            with pytest.raises(duckdb.Error, match=r"Permission|disabled|extension"):
                con.execute(query)
    assert list(tmp_path.iterdir()) == [secret]


def test_a_locked_connection_keeps_its_settings(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        seal(con, tmp_path)
        for setting in ("enable_external_access = true", "autoload_known_extensions = true", "threads = 1"):
            with pytest.raises(duckdb.Error):
                con.execute(f"set {setting}")
        con.execute(f"copy (select 1 as a) to '{tmp_path}/in.csv'")


def test_a_folder_with_a_question_mark_is_not_written_in_by_duckdb(tmp_path: Path) -> None:
    (tmp_path / "a?b").mkdir()
    for folder in (tmp_path / "plain", tmp_path / "a?b" / "odd"):
        with scratch_folder(folder) as place:
            duckdb.connect(str(place / "x.duckdb")).execute("create table t as select 1").close()
            assert (place == folder) is ("?" not in str(folder))
        assert not place.exists() and not folder.exists()


# ---------------------------------------------------------------- without symlinks
@pytest.fixture(params=[errno.EPERM, errno.EOPNOTSUPP, errno.EACCES, errno.EINVAL])
def no_symlinks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without symlinks, such as exFAT or a share; of the first kind without hard links, too."""

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(request.param, os.strerror(request.param), str(path))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    if request.param == errno.EPERM:
        monkeypatch.setattr(Path, "hardlink_to", refuse)


@pytest.fixture
def copied(odd: World, tmp_path: Path) -> Iterator[LocalStore]:
    """A data folder that was copied, its link followed, and a second build that may be published there."""
    shutil.copytree(odd.data, tmp_path / "data", symlinks=False)
    yield LocalStore(tmp_path / "data")


def second_build(store: LocalStore) -> Path:
    """A build with another table in it, as a file that nobody has published yet."""
    current = published(store)
    assert current is not None
    new = current.with_name("crime_rates-0123456789ab.duckdb")
    shutil.copyfile(current, new)
    new.chmod(0o644)
    with duckdb.connect(str(new)) as con:
        con.execute("create table main.second as select 2 as b")
    new.chmod(0o444)
    return new


@pytest.mark.usefixtures("no_symlinks")
def test_without_symlinks_readers_of_the_link_see_each_build_that_is_published(copied: LocalStore) -> None:
    link = copied.folder / "warehouse" / LINK
    assert not link.is_symlink()
    first, old = published(copied), link.read_bytes()
    assert first is not None
    with duckdb.connect(str(link), read_only=True) as reader:  # is reading while another build is published
        new = second_build(copied)
        assert versions.publish(copied, new, keep=3)
        assert reader.execute("select count(*) from half_years").fetchall()
    assert link.is_file() and link.read_bytes() == new.read_bytes() != old
    assert not link.stat().st_mode & 0o222
    assert versions.publish(copied, new, keep=3) is False
    versions.roll_back(copied)
    assert link.read_bytes() == old == first.read_bytes()
    assert not list(link.parent.glob(".*"))


@pytest.mark.usefixtures("no_symlinks")
def test_a_link_that_was_left_old_is_mended_by_the_next_run(copied: LocalStore) -> None:
    link = copied.folder / "warehouse" / LINK
    current = published(copied)
    assert current is not None
    link.unlink()
    link.write_bytes(b"an older build")
    assert versions.publish(copied, current, keep=3) is False
    assert link.read_bytes() == current.read_bytes()


@pytest.mark.usefixtures("no_symlinks")
def test_a_copy_for_which_there_is_no_room_is_said_and_readers_keep_what_they_see(
    copied: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, new = copied.folder / "warehouse" / LINK, second_build(copied)
    before = link.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(link))

    monkeypatch.setattr(Path, "hardlink_to", full)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        versions.publish(copied, new, keep=3)
    assert link.read_bytes() == before
