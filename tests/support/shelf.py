"""A file on a local server, served as GOV.UK's assets are, that can be cut, changed and taken away; and how it is fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from werkzeug import Request, Response

from flows.sources.download import DownloadedFile, download
from flows.sources.http_client import Client

PUBLISHED = "Thu, 23 Jul 2026 08:30:00 GMT"


@dataclass
class Shelf:
    """One file, served as GOV.UK's assets are: ETag, Last-Modified, Range, If-Range, 304.

    cuts: how many bytes each next answer sends before the connection closes (Content-Length promises all).
    """

    body: bytes
    etag: str | None = '"one"'
    modified: str | None = PUBLISHED
    content_type: str = "application/vnd.oasis.opendocument.spreadsheet"
    ranges: bool = True
    honours_if_range: bool = True
    cuts: list[int] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        response = self._answer(request)
        self.answered.append(response.status_code)
        return response

    def _answer(self, request: Request) -> Response:
        headers = {"Content-Type": self.content_type}
        headers |= {"ETag": self.etag} if self.etag else {}
        headers |= {"Last-Modified": self.modified} if self.modified else {}
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return Response(status=304, headers=headers)
        body, status = self.body, 200
        same = request.headers.get("If-Range") in (self.etag, self.modified) or not self.honours_if_range
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if self.ranges and same and match:
            start = int(match[1])
            if start >= len(body):
                return Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            body, status = body[start:], 206
        headers["Content-Length"] = str(len(body))
        # a list, because werkzeug corrects the Content-Length of a plain body
        return Response([body[: self.cuts.pop(0)] if self.cuts else body], status, headers)


def fetch(client: Client, url: str, folder: Path, **more: object) -> DownloadedFile:
    """Fetch what is there, and see that it is not called unchanged."""
    got = download(client, url, folder, "table.ods", service="GOV.UK", **more)  # type: ignore[arg-type]
    assert isinstance(got, DownloadedFile)
    return got
