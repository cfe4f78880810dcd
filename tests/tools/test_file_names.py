"""Names of files: a local folder may hold any that a file system allows, and nothing is written outside the data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.pipeline import normalise, steps
from flows.settings import Settings
from flows.storage import lake, raw_store
from flows.storage.data_store import LocalStore
from flows.storage.raw_store import FileKind
from tests.support.releases import CSP_2015, figures, write_csv, write_ods
from transforms.errors import PublishedFileError

READ = ["prc-csp (1).ods", "prc-csp-Ynys Môn & Gwynedd.ods", "prc-csp-it's.ods", "prс-сsp.ods", "prc-csp" + "x" * 180 + ".ods"]
REFUSED = [
    "prc-csp-a\nb.ods",
    "prc-csp-\x1b[31m.ods",
    'prc-csp-".ods',
    "prc-csp'; drop table x; --.ods",
    "prc-csp-[0-9]*?.ods",
    "prc-csp-" + "x" * 240 + ".ods",
    "prc-csp-\u202e.ods",
    "prc-csp-\udcff.ods",
    "prc-csp-{0}%s.ods",
    "prc-csp-..\\x.ods",
    "prc-csp-<script>alert(1)<.ods",
    "-prc-csp.ods",
    "$(reboot).ods",
    "prc-csp-[red].ods",
]


def rows(folder: Path, name: str, count: int = 36) -> Path:
    figure = figures("2015/16", 1, "West Mercia", count=count, csp="South Worcester")
    path = write_ods(folder / "one", [("2015_16", [CSP_2015, figure])])
    return path.rename(folder / name)


def taken_in(folder: Path, data: Path) -> dict[str, tuple[str, str]]:
    """Name of each group of a folder → its state, and what is said of it. As flows/pipeline/update.py takes them in."""
    settings = Settings(LocalStore(data))
    said = {}
    for group in steps.discover_local(steps.LocalFolders(releases=folder)):
        try:
            stored, _ = steps.store_raw(settings, group)
        except PublishedFileError as error:
            said[group.name] = ("failed", str(error))
            continue
        item = normalise.normalise(settings, group.name, group.kind, stored)
        said[group.name] = (item.state, item.message)
    return said


def test_a_bad_name_is_refused_alone_and_a_plain_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for count, name in enumerate([*READ, *REFUSED]):
        rows(tmp_path / "in", name, count)
    before = {path for path in tmp_path.rglob("*") if tmp_path / "data" not in path.parents}
    found = taken_in(tmp_path / "in", tmp_path / "data")
    assert len(found) == len(READ) + len(REFUSED)
    assert sorted(name for name, (state, _) in found.items() if state == "new") == sorted(READ)
    for name, (state, said) in found.items():
        assert name.isprintable() and said.isprintable() and len(said) < 600
        assert state == "new" or ": expected a plain file name such as prc-csp-" in said
    after = set(tmp_path.rglob("*")) - before
    assert after and all(path == tmp_path / "data" or tmp_path / "data" in path.parents for path in after)
    assert len(lake.partition_folders(tmp_path / "data" / "lake", FileKind.OFFENCES)) == len(READ)


def test_what_is_no_file_is_passed_over_with_a_word_and_never_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows(tmp_path, "prc-csp.ods")
    (tmp_path / "folder.ods").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "loop.xls").symlink_to("loop.xls")
    (tmp_path / "gone.xlsx").symlink_to("nowhere")
    (tmp_path / "a\nb.pdf").touch()
    with caplog.at_level("WARNING", "crime_rates"):
        [group] = steps.discover_local(steps.LocalFolders(releases=tmp_path))
    assert group.name == "prc-csp.ods"
    assert ": passed over a\\nb.pdf, folder.ods, gone.xlsx, loop.xls, pipe.csv (expected files whose" in caplog.text


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "nothing", "large"])
def test_the_store_takes_files_only(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.ods"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to("x.ods")
    elif kind == "large":
        path.touch()
        os.truncate(path, 10 << 40)  # a hole of 10 TB
    with pytest.raises(PublishedFileError, match=r"^x\.ods: expected (a file, found (nothing|something else)|at most 2,147,48)"):
        raw_store.store(tmp_path / "raw", raw_store.SourceFile(path, FileKind.OFFENCES))
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize("name", ["../../escape.ods", "/tmp/escape.ods", "..", "a/b.ods", "nul\0.ods"])
def test_the_store_keeps_nothing_under_a_name_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(PublishedFileError, match="expected a plain file name"):
        raw_store.store(tmp_path / "raw", raw_store.SourceFile(rows(tmp_path, "x.ods"), FileKind.OFFENCES, name=name))
    assert [path.name for path in tmp_path.iterdir()] == ["x.ods"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", ".", "sub/x.ods", ""])
def test_a_manifest_speaks_of_files_of_its_own_folder_only(tmp_path: Path, name: str) -> None:
    rows(tmp_path, "prc-csp.ods")
    write_csv(tmp_path, "m", [("2015_16", [["file", "kind"], [name, "offences"]])])[0].rename(tmp_path / "manifest.csv")
    [group] = steps.discover_local(steps.LocalFolders(releases=tmp_path))
    assert "manifest.csv, row 2, column file: expected the name of a file in" in str(group.refusal)


@pytest.mark.parametrize(
    "data",
    [
        b"file,kind\n\xff,offences",
        b'file,kind\n"' + b"x" * 200_000,
        b"\x00",
        b"<html>\n<p>",
        b"file,kind\nprc-csp.ods,\x1b[31m\n",
        b"file,kind,published\nprc-csp.ods,offences,1\n",
    ],
)
def test_a_manifest_that_is_none_is_a_sentence(tmp_path: Path, data: bytes) -> None:
    rows(tmp_path, "prc-csp.ods")
    (tmp_path / "manifest.csv").write_bytes(data)
    [group] = steps.discover_local(steps.LocalFolders(releases=tmp_path))
    if group.refusal is not None:
        assert "/manifest.csv" in str(group.refusal) and str(group.refusal).isprintable()
    else:
        assert data == b"\x00"  # one line, so a header without rows


def test_a_manifest_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    rows(tmp_path, "prc-csp.ods")
    os.mkfifo(tmp_path / "manifest.csv")
    [group] = steps.discover_local(steps.LocalFolders(releases=tmp_path))
    assert "expected a file, found something else" in str(group.refusal)


def test_files_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    for folder in ("lookups", "populations"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "data.csv").write_text("a")
    (tmp_path / "lookups" / "manifest.csv").write_text("file,kind\ndata.csv,lookup\n")
    found = steps.discover_local(steps.LocalFolders(populations=tmp_path / "populations", lookups=tmp_path / "lookups"))
    assert [(group.name, group.kind, len(group.files)) for group in found] == [
        ("data.csv", "lookup", 1),
        ("data.csv", "population", 1),
    ]
