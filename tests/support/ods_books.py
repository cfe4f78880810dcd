"""OpenDocument spreadsheets put together from pieces of XML, and read again: by this reader, and by fastexcel."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

import fastexcel

from transforms.readers.ods.reader import read_ods

NAMES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "drawing")
)
CALCEXT = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
Column = list[str | None]


def text(*paragraphs: str, more: str = "") -> str:
    """A cell of text; the paragraphs are XML."""
    inner = "".join(f"<text:p>{paragraph}</text:p>" for paragraph in paragraphs)
    return f'<table:table-cell office:value-type="string"{more}>{inner}</table:table-cell>'


def number(value: str, kind: str = "float", shown: str = "as shown", more: str = "") -> str:
    start = f'<table:table-cell office:value-type="{kind}" office:value="{value}"{more}>'
    return f"{start}<text:p>{shown}</text:p></table:table-cell>"


def empty(times: int = 1) -> str:
    return f'<table:table-cell table:number-columns-repeated="{times}"/>'


def row(*cells: str, times: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def sheet(*rows: str, name: str = "S") -> str:
    return f"<table:table table:name={quoteattr(name)}><table:table-column/>{''.join(rows)}</table:table>"


def document(*sheets: str, names: str = NAMES, before: str = "") -> str:
    body = f"<office:body><office:spreadsheet>{''.join(sheets)}</office:spreadsheet></office:body>"
    start = f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content{names} xmlns:calcext="{CALCEXT}">'
    return f"{start}{body}</office:document-content>"


def zipped(path: Path, content: str, manifest: str = "<manifest/>", name: str = "content.xml") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        book.writestr("META-INF/manifest.xml", manifest)
        book.writestr(name, content)
    return path


def columns(path: Path) -> dict[str, list[Column]]:
    return {sheet.name: [column.to_pylist() for column in sheet.cells.columns] for sheet in read_ods(path)}


def cells(path: Path, *rows: str) -> list[Column]:
    """The columns of a book of one sheet."""
    return columns(zipped(path, document(sheet(*rows))))["S"]


def fastexcel_columns(path: Path) -> dict[str, list[Column]]:
    """The same as fastexcel reads it, without its blank cells, and the rows and columns after the last other one."""
    book = fastexcel.read_excel(path)
    tables = {name: book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_arrow() for name in book.sheet_names}
    return {name: without_blanks([column.to_pylist() for column in table.columns]) for name, table in tables.items()}


def without_blanks(columns: list[Column]) -> list[Column]:
    columns = [[cell if cell and cell.strip() else None for cell in column] for column in columns]
    height = max((i for column in columns for i, cell in enumerate(column, 1) if cell), default=0)
    width = max((j for j, column in enumerate(columns, 1) if any(column)), default=0)
    return [column[:height] for column in columns[:width]]
