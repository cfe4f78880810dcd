"""A fetched file is kept for ever: once for its bytes, with what its source said of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.common.atomic_files import new_folder, read_json
from flows.storage import raw_store
from flows.storage.raw_store import FileKind
from transforms.errors import PublishedFileError

DAY = date(2016, 1, 21)


def file(folder: Path, name: str = "prc-csp.ods", content: bytes = b"January") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def store(folder: Path, path: Path, **said: object) -> raw_store.RawFile:
    return raw_store.read(raw_store.store(folder / "raw", raw_store.SourceFile(path, FileKind.OFFENCES, **said))[0])  # type: ignore[arg-type]


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    path = file(tmp_path / "in")
    folder, new = raw_store.store(tmp_path / "raw", raw_store.SourceFile(path, FileKind.OFFENCES))
    assert new
    first = raw_store.read(folder)
    again, renamed = path, file(tmp_path / "in", "another-name.ods")
    assert raw_store.store(tmp_path / "raw", raw_store.SourceFile(again, FileKind.OFFENCES)) == (folder, False)
    other, new = raw_store.store(tmp_path / "raw", raw_store.SourceFile(renamed, FileKind.OFFENCES))
    assert new and other != folder and raw_store.read(other).path.name == "another-name.ods"
    assert raw_store.store(tmp_path / "raw", raw_store.SourceFile(renamed, FileKind.OFFENCES)) == (other, False)
    assert raw_store.read(other).path.samefile(first.path)  # what is said of a name is its own, the bytes are shared
    assert raw_store.read(folder) == first
    assert path.read_bytes() == first.path.read_bytes() == b"January"  # the original stays where it is


@pytest.mark.parametrize("day", [date(2002, 12, 31), date(2099, 6, 1)])
def test_a_date_that_cannot_be_is_refused_wherever_it_is_told(tmp_path: Path, day: date) -> None:
    expected = rf"expected a date of publication from 2003 to today \({datetime.now(UTC).date()} by the clock of this machine\), "
    for name, said, updated, source in (
        ("prc-csp.ods", {"published": day}, None, "manifest"),
        (f"prc-csp-tables-{day:%d%m%y}.ods", {}, None, "file name"),
        ("a.ods", {}, day, "workbook"),
        ("b.ods", {"last_modified": day}, None, "Last-Modified"),
    ):
        stored = store(tmp_path, file(tmp_path / "in", name, name.encode()), **said)
        with pytest.raises(PublishedFileError, match=rf"^{name}: {expected}found {day} \({source}\)\.$"):
            stored.published_on(updated)


def test_new_bytes_under_an_old_name_stand_beside_the_old(tmp_path: Path) -> None:
    january = store(tmp_path, file(tmp_path / "in"))
    april = store(tmp_path, file(tmp_path / "in", content=b"April"))
    assert january.path.name == april.path.name == "prc-csp.ods"
    assert (january.path.read_bytes(), april.path.read_bytes()) == (b"January", b"April")
    assert {f.sha256 for f in raw_store.raw_files(tmp_path / "raw", FileKind.OFFENCES)} == {january.sha256, april.sha256}


def test_a_kind_is_a_folder_of_its_own(tmp_path: Path) -> None:
    path = file(tmp_path / "in")
    store(tmp_path, path)
    raw_store.store(tmp_path / "raw", raw_store.SourceFile(path, FileKind.POPULATION))
    assert [len(raw_store.raw_files(tmp_path / "raw", kind)) for kind in ("offences", "population", "lookup")] == [1, 1, 0]


def test_the_manifest_says_what_and_whence(tmp_path: Path) -> None:
    path = file(tmp_path / "in")
    before = datetime.now(UTC).replace(microsecond=0)
    stored = store(
        tmp_path,
        path,
        published=DAY,
        covers="2015",
        note="SIMULATED",
        source_url="https://example.org/x.ods",
        last_modified=date(2016, 1, 22),
    )
    manifest = read_json(stored.path.parent / "manifest.json")
    fetched = datetime.fromisoformat(manifest.pop("fetched_at"))
    assert before <= fetched <= datetime.now(UTC)
    assert manifest == {
        "file_name": "prc-csp.ods",
        "kind": "offences",
        "sha256": hashlib.sha256(b"January").hexdigest(),
        "size": 7,
        "published": "2016-01-21",
        "last_modified": "2016-01-22",
        "covers": "2015",
        "note": "SIMULATED",
        "source_url": "https://example.org/x.ods",
        "licence": "Open Government Licence v3.0",
    }


def test_a_local_file_comes_from_its_own_address(tmp_path: Path) -> None:
    path = file(tmp_path / "in")
    assert store(tmp_path, path).source_url == path.resolve().as_uri()


def test_what_a_later_manifest_tells_is_added(tmp_path: Path) -> None:
    path = file(tmp_path / "in")
    first = store(tmp_path, path)
    assert first.published is None
    told = store(tmp_path, path, published=DAY, covers="2015", note="as first published")
    assert (told.published, told.covers, told.note) == (DAY, "2015", "as first published")
    assert (told.fetched_at, told.sha256, told.source_url) == (first.fetched_at, first.sha256, first.source_url)
    # and what is not said again is not forgotten, but may be corrected
    assert store(tmp_path, path) == told
    assert store(tmp_path, path, published=date(2016, 1, 22)).published == date(2016, 1, 22)


@pytest.mark.parametrize(
    ("name", "published", "updated", "last_modified", "expected"),
    [
        ("prc-csp-tables-230426.ods", DAY, date(2026, 1, 2), date(2026, 1, 3), (DAY, "manifest")),
        ("prc-csp-tables-230426.ods", None, date(2026, 1, 2), date(2026, 1, 3), (date(2026, 4, 23), "file name")),
        ("prc-csp-tables-230426_2015_16.csv", None, None, None, (date(2026, 4, 23), "file name")),  # in its middle
        ("prc-csp-tables.ods", None, date(2026, 1, 2), date(2026, 1, 3), (date(2026, 1, 2), "workbook")),
        ("prc-csp-tables.ods", None, None, date(2026, 1, 3), (date(2026, 1, 3), "Last-Modified")),
    ],
)
def test_the_publication_date_is_found_where_it_is_told_best(
    tmp_path: Path,
    name: str,
    published: date | None,
    updated: date | None,
    last_modified: date | None,
    expected: tuple[date, str],
) -> None:
    stored = store(tmp_path, file(tmp_path / "in", name), published=published, last_modified=last_modified)
    assert stored.published_on(updated) == expected


def test_where_nobody_tells_a_date_it_is_the_day_on_which_these_bytes_were_first_fetched(tmp_path: Path) -> None:
    stored = store(tmp_path, file(tmp_path / "in"))
    assert stored.published_on(None) == (date.fromisoformat(stored.fetched_at[:10]), "first fetched")


def test_a_folder_that_fails_half_way_was_never_there(tmp_path: Path) -> None:
    final = tmp_path / "final"
    with pytest.raises(ValueError, match="half-way"), new_folder(final) as aside:
        (aside / "part.txt").write_text("part")
        raise ValueError("half-way")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_somebody_else_finished_first_stands(tmp_path: Path) -> None:
    final = tmp_path / "final"
    with new_folder(final) as aside:
        (aside / "file.txt").write_text("mine")
        final.mkdir()
        (final / "file.txt").write_text("theirs")
    assert (final / "file.txt").read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["final"]
