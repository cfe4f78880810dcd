"""How fast, and in how much memory, a workbook is read: python -m tests.bench.ods PATH.ods"""

import resource
import sys
import time
import zipfile
from pathlib import Path

from transforms.ods import read_ods
from transforms.zips import BLOCK


def inflate(path: Path) -> tuple[int, float]:
    """Bytes of content.xml, and the seconds that zipfile alone needs for them."""
    start, size = time.perf_counter(), 0
    with zipfile.ZipFile(path) as book, book.open("content.xml") as content:
        while block := content.read(BLOCK):
            size += len(block)
    return size, time.perf_counter() - start


def read(path: Path) -> float:
    start, rows = time.perf_counter(), 0
    for sheet in read_ods(path):
        print(f"  {sheet.name}: {sheet.cells.num_rows:,} × {sheet.cells.num_columns}")
        rows += sheet.cells.num_rows
    print(f"  {rows:,} rows")
    return time.perf_counter() - start


def main() -> None:
    path = Path(sys.argv[1])
    size, first = inflate(path)
    processor = time.process_time()
    whole = read(path)
    processor = time.process_time() - processor
    alone = min(first, inflate(path)[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{size / 1e9:.2f} GB of XML: inflated in {alone:.2f} s, read in {whole:.2f} s", end=" ")
    print(f"({whole / alone:.1f} times as long; {processor:.2f} s of processor), at most {peak:.0f} MB")


if __name__ == "__main__":
    main()
