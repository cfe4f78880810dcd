"""OpenDocument spreadsheets: what a bad file can not do."""

import struct
import zipfile
from pathlib import Path

import pytest

from tests.support.ods_books import cells, columns, document, empty, number, row, sheet, text, zipped
from transforms.readers import zips
from transforms.readers.ods import cells as ods_cells
from transforms.readers.ods import limits, reader
from transforms.readers.ods.reader import OdsError, read_ods


def test_a_web_page_named_ods(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><body>Not found</body></html>")
    with pytest.raises(OdsError, match="not a whole zip file"):
        columns(path)


def test_a_truncated_download(path: Path) -> None:
    cells(path, *(row(text(f"a {i}")) for i in range(999)))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OdsError, match="not a whole zip file"):
        columns(path)


def test_a_damaged_byte(path: Path) -> None:
    cells(path, *(row(text(f"a {i}")) for i in range(999)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(OdsError):
        columns(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document(sheet(row(text("a"))))[:-30], "not well-formed"),
        (document(sheet(row(text("a")), "</table:table-row>")), "not well-formed"),
        (document(sheet("<table:table-row>" + text("a"), row(text("a")), row(text("a")))), "not well-formed"),
        (document(sheet(row(text("a &nbsp; b")))), "not well-formed.*undefined entity"),
        (document().replace("spreadsheet", "text"), "no spreadsheet"),
        ("", "not well-formed"),
        (document().replace("UTF-8", "UTF-0"), "content.xml in the encoding UTF-0"),
        (document().replace("UTF-8", "hex"), "content.xml in the encoding hex"),
        (document(sheet(row(text("a"), times=0))), "number-rows-repeated '0' instead of a number from 1 on"),
    ],
)
def test_malformed_content(path: Path, content: str, message: str) -> None:
    with pytest.raises(OdsError, match=message):
        columns(zipped(path, content))


def test_a_bomb_of_entities_or_a_look_outside_is_refused_unread(path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(OdsError, match="document type"):
        columns(zipped(path, document(sheet(row(text("&b;&c;"))), before=bomb)))


def test_no_content_and_encrypted_content(path: Path) -> None:
    with pytest.raises(OdsError, match=r"no content\.xml"):
        columns(zipped(path, document(), name="other.xml"))
    with pytest.raises(OdsError, match="encrypted"):
        columns(zipped(path, "\x12", manifest="<m:encryption-data/>"))


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (row(text("a"), times=999_999_999), r"more than 67,108,864 cells up to sheet S \(at least 999,999,999\)"),
        (
            row(text("a", more=' table:number-columns-repeated="20000"')),
            r"more than 16,384 columns in sheet S \(at least 20,000\)",
        ),
        (row(empty(16000), text("a"), times=5000), "at least 80,005,000"),
        (row(text("a")) + row(empty(), times=99_999_999) + row(text("a")), "at least 100,000,001"),
        (row(text("a" * (limits.MAX_CELL + 1))), "1,048,576 characters in a cell of sheet S"),
        (row(text('<text:s text:c="999999999"/>')), "1,048,576 characters in a cell of sheet S"),
        (row(text("<text:span>" * 300 + "</text:span>" * 300)), "256 tags in each other"),
        (row(text("a" * 100_000, more=' table:number-columns-repeated="16000"')), "bytes of text in the columns of sheet S"),
        ("</table:table><table:table>" * 1100, "more than 1,024 sheets"),
    ],
)
def test_a_small_file_can_not_ask_for_much_memory(path: Path, rows: str, found: str) -> None:
    with pytest.raises(OdsError, match=found):
        cells(path, rows)


def test_the_widest_sheet_is_read_by_both_passes_and_a_wider_row_by_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "BLOCK", 1 << 14)
    for comment in ("", "<!-- -->"):
        found = cells(path, comment, row(*(number(str(i % 9)) for i in range(limits.MAX_COLUMNS))), row(text("a")))
        last = str((limits.MAX_COLUMNS - 1) % 9)
        assert [len(found), *found[0], *found[-1]] == [limits.MAX_COLUMNS, "0", "a", last, None]
        with pytest.raises(OdsError, match="in a row of sheet S"):
            cells(path, comment, row("<table:table-cell/>" * (3 * limits.MAX_COLUMNS)))


def test_a_book_larger_than_allowed(path: Path) -> None:
    zipped(path, document(sheet(*(row(text("a")) for _ in range(9999)))))
    with pytest.raises(OdsError, match="more than 5,000 bytes in content.xml"):
        list(read_ods(path, max_bytes=5000))
    with pytest.raises(OdsError, match=r"more than 5,000 cells up to sheet S \(at least 9,99"):
        list(read_ods(path, max_cells=5000))


def test_a_book_in_which_hardly_a_piece_comes_twice_is_left_to_expat_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_PIECES", 20)
    parts: list[str] = []
    monkeypatch.setattr(zips, "read_part", lambda *a, _read=zips.read_part: parts.append(a[1]) or _read(*a))
    for different, passes in ((10, 1), (999, 2)):
        parts.clear()
        assert cells(path, *(row(text(f"a {i % different}")) for i in range(999))) == [[f"a {i % different}" for i in range(999)]]
        assert parts.count("content.xml") == passes


def test_a_size_that_the_zip_directory_plays_down_is_not_believed(path: Path) -> None:
    content = document(sheet(*(row(text("a")) for _ in range(9999))))
    true_size, told = (struct.pack("<I", size) for size in (len(content), 100))
    path.write_bytes(zipped(path, content).read_bytes().replace(true_size, told))
    with zipfile.ZipFile(path) as book:
        assert book.getinfo("content.xml").file_size == 100
    assert [len(found.cells) for found in read_ods(path)] == [9999]
    with pytest.raises(OdsError, match=r"more than 5,000 bytes in content\.xml"):
        list(read_ods(path, max_bytes=5000))


def test_a_tag_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reader, ods_cells):
        monkeypatch.setattr(module, "MAX_TOKEN", 1 << 14)
    monkeypatch.setattr(zips, "BLOCK", 1 << 12)
    with pytest.raises(OdsError, match="bytes in a tag"):
        cells(path, row(text("a", more=f' office:string-value="{"a" * 999_999}"')))
