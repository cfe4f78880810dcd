"""The parts of a zip file come out whole or not at all, with the fast decompressor and without it."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.workbook_files import as_ods
from transforms.readers import zips
from transforms.readers.zips import ZipError, check_zip, read_part

WITHOUT_ISAL = """
import sys
sys.modules["isal"] = None
from pathlib import Path
from transforms.readers import zips
from transforms.readers.workbooks import read_workbook
assert zips.inflater.__name__ == "zlib"
print([sheet.text_rows() for sheet in read_workbook(Path(sys.argv[1]))])
"""


def archive(path: Path, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as book:
        book.writestr("part", content)
    return path


def change(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))


@pytest.fixture(params=["isal", "zlib"])
def inflater(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "zlib":
        monkeypatch.setattr(zips, "inflater", zlib)
    else:
        assert zips.inflater.__name__ == "isal.isal_zlib"


def test_a_workbook_reads_the_same_without_isal(tmp_path: Path) -> None:
    rows = [["4.10", f"row {i}"] for i in range(999)]
    done = subprocess.run([sys.executable, "-c", WITHOUT_ISAL, str(as_ods(tmp_path, [*rows]))], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str([rows])


@pytest.mark.usefixtures("inflater")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=99), st.integers(0, 300), st.sampled_from([1, 7, 1000]), st.sampled_from([1, 13, 1 << 15]))
def test_a_part_comes_out_as_it_went_in_however_it_is_cut(tmp_path: Path, word: bytes, times: int, block: int, read: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zips, "BLOCK", block)
        patch.setattr(zips, "READ", read)
        for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            blocks = list(read_part(archive(tmp_path / "a.zip", word * times, method), "part", 1 << 20))
            assert b"".join(blocks) == word * times
            assert all(0 < len(found) <= block for found in blocks)


@pytest.mark.usefixtures("inflater")
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_a_part_with_another_checksum_is_refused(tmp_path: Path, method: int) -> None:
    path = archive(tmp_path / "a.zip", b"abc" * 1000, method)
    change(path, struct.pack("<I", zlib.crc32(b"abc" * 1000)), struct.pack("<I", 1))
    with pytest.raises(ZipError, match="Bad CRC-32 for file 'part'"):
        check_zip(path, 1 << 20)


@pytest.mark.usefixtures("inflater")
def test_data_that_end_too_soon_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", bytes(range(256)) * 9)
    with zipfile.ZipFile(path) as book:
        size = book.getinfo("part").compress_size
    change(path, struct.pack("<I", size), struct.pack("<I", size - 9))
    with pytest.raises(ZipError, match="its data end too soon"):
        list(read_part(path, "part", 1 << 20))


@pytest.mark.usefixtures("inflater")
def test_data_that_are_damaged_are_refused(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9
    path = archive(tmp_path / "a.zip", content)
    data = bytearray(path.read_bytes())
    data[40:50] = b"\xff" * 10
    path.write_bytes(data)
    with pytest.raises(ZipError, match="not a whole zip file"):
        list(read_part(path, "part", 1 << 20))


@pytest.mark.usefixtures("inflater")
def test_a_part_is_not_decompressed_beyond_the_limit(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", bytes(50 << 20))
    found = 0
    with pytest.raises(ZipError, match="more than 10,000,000 bytes in part"):
        for block in read_part(path, "part", 10_000_000):
            found += len(block)
    assert found <= 10_000_000
