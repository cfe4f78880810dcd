"""A download that is not finished: `<name>.part`, and `<name>.part.json` with what is needed to resume it.

The requests themselves belong to download.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

import requests

BLOCK = 1 << 16  # bytes read at once; at most so many are lost when a connection breaks


@dataclass
class Notes:
    """What is needed to resume a part, as kept in `<name>.part.json`."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    total: int | None = None

    @property
    def validator(self) -> str | None:
        """What If-Range may carry: a strong ETag, else the date; a weak ETag promises nothing about bytes."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass
class Part:
    """A file that is being downloaded, and the notes beside it."""

    path: Path
    url: str
    notes: Notes = field(init=False)

    def __post_init__(self) -> None:
        """Read the notes; a part that is of another address, or cannot be resumed, is discarded."""
        self.notes = Notes(self.url)
        with contextlib.suppress(OSError, ValueError, TypeError):
            self.notes = Notes(**json.loads(self.notes_path.read_text("utf-8")))
        if self.notes.url != self.url or not self.notes.validator:
            self.discard()

    @property
    def notes_path(self) -> Path:
        """Where the notes lie."""
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        """Bytes that have come so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def discard(self) -> None:
        """Remove the part and its notes."""
        self.path.unlink(missing_ok=True)
        self.notes_path.unlink(missing_ok=True)
        self.notes = Notes(self.url)

    def range(self) -> dict[str, str]:
        """Headers that ask for the rest. Of a part that is whole, the last byte is asked again: is it still current?"""
        if not self.notes.validator:
            self.discard()
        total = self.notes.total
        if total is not None and self.size >= total > 0:
            os.truncate(self.path, total - 1)
        if not self.size:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self.notes.validator or ""}

    def continues(self, response: requests.Response) -> bool:
        """Whether a 206 is the rest of this very file; a server may ignore If-Range, or answer another range.

        A 206 must repeat the ETag of the whole (RFC 9110, 15.3.7): one that leaves it out speaks for no version.
        """
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        etag, modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        return (
            match is not None
            and int(match[1]) == self.size
            and match[2] in ("*", str(self.notes.total))
            and etag == self.notes.etag
            and (modified is None or modified == self.notes.last_modified)
        )

    def start(self, response: requests.Response) -> None:
        """Begin anew, with a whole answer. The old part goes before its notes, so that no kill pairs them wrongly."""
        length = response.headers.get("Content-Length", "")
        plain = not is_encoded(response)
        self.path.unlink(missing_ok=True)
        self.notes = Notes(
            self.url,
            etag=response.headers.get("ETag") if plain else None,
            last_modified=response.headers.get("Last-Modified") if plain else None,
            total=int(length) if plain and length.isdigit() else None,
        )
        scratch = self.notes_path.with_suffix(".new")
        scratch.write_text(json.dumps(asdict(self.notes)), "utf-8")
        scratch.replace(self.notes_path)

    def receive(self, response: requests.Response, most: int) -> str:
        """Append the body; the SHA-256 of the whole part, with what had come before. The file is synced.

        Stops once the part is larger than `most` bytes: a server may send without end.
        """
        digest = hashlib.sha256()
        with self.path.open("a+b") as file:
            file.seek(0)
            while block := file.read(BLOCK):
                digest.update(block)
            for block in response.raw.stream(BLOCK, decode_content=is_encoded(response)):
                file.write(block)
                digest.update(block)
                if file.tell() > most:
                    break
            file.flush()
            os.fsync(file.fileno())
        return digest.hexdigest()


def is_encoded(response: requests.Response) -> bool:
    """Whether the body is compressed, so that sizes and ranges do not count the bytes of the file."""
    return response.headers.get("Content-Encoding", "identity").lower() != "identity"
