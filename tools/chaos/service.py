"""GOV.UK, Nomis, the Open Geography portal and ONS on one local server, well behaved until it is told how to misbehave.

The standard library's server, and not the one that the tests share, because a fault must reach below HTTP: to a body that
stops, a connection that is reset, bytes that come a drop at a time.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flows.sources.geoportal import LOOKUPS
from flows.sources.govuk import PAGE
from flows.sources.nomis import PATH as NOMIS
from flows.sources.ons_files import COLUMNS
from tests.support.world import PERSONS, REFERENCE, SOUTH_WORCESTER

LISTING = f"/api/content{PAGE}"
ONS = "/mid2013.csv"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
MODIFIED = "Wed, 20 Jan 2016 09:30:00 GMT"
CALLED = {"csp": "Community Safety Partnership", "pfa": "Police Force Area"}


class Handler(BaseHTTPRequestHandler):
    """One request: answered as told by the service."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        service = self.server.service
        path = urlsplit(self.path).path
        service.asked.append(path)
        with suppress(ConnectionError, TimeoutError):  # the client has had enough
            service.fault(path)(self)

    def whole(self, body: bytes, status: int = 200, **headers: str) -> None:
        """An answer as it should be."""
        self.head(status, len(body), **headers)
        self.wfile.write(body)

    def head(self, status: int, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing: the bench tells what came of it."""


Fault = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    service: Service

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that is gone, or a fault that has closed the connection under its own feet: both are the point here."""


@dataclass
class Service:
    """What is offered, and which fault waits on which address. bodies: every body that was ever offered as a file."""

    base: str
    releases: dict[str, bytes] = field(default_factory=dict)  # name → bytes, in the order of the page
    asked: list[str] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)  # the last stays, unless it is `behave`
    elsewhere: dict[str, str] = field(default_factory=dict)  # name → another address than ours
    over: threading.Event = field(default_factory=threading.Event)  # ends answers that never end

    def fault(self, path: str) -> Fault:
        waiting = self.faults.get(path, [])
        return waiting.pop(0) if len(waiting) > 1 else (waiting[0] if waiting else self.behave)

    def body(self, path: str) -> bytes | None:
        """What stands at an address."""
        if path == LISTING:
            listed = [
                {
                    "title": f"Police recorded crime {CALLED[name[4:7]]} open data",
                    "filename": name,
                    "file_size": len(body),
                    "url": self.elsewhere.get(name, f"{self.base}/media/{name}"),
                }
                for name, body in self.releases.items()
            ]
            return json.dumps({"document_type": "statistical_data_set", "details": {"attachments": listed}}).encode()
        if path == NOMIS:
            rows = "".join(
                f'"{year}","{name}","{code}",{PERSONS[code]},6\n'
                for year in (2013, 2014)
                for code, name in SOUTH_WORCESTER.items()
            )
            return ('"DATE_NAME","GEOGRAPHY_NAME","GEOGRAPHY_CODE","OBS_VALUE","RECORD_COUNT"\n' + rows).encode()
        if path == ONS:
            return (
                "code,name,year,population\n"
                + "".join(f"{code},{name},2013,{PERSONS[code]}\n" for code, name in SOUTH_WORCESTER.items())
            ).encode()
        if path in map(lookup, LOOKUPS):
            y = path.split("/")[5][3:5]
            return json.dumps(
                {
                    "features": [
                        {
                            "attributes": {
                                f"LAD{y}CD": code,
                                f"LAD{y}NM": name,
                                f"CSP{y}CD": "E22000332",
                                f"CSP{y}NM": "South Worcester",
                                f"PFA{y}CD": "E23000016",
                                f"PFA{y}NM": "West Mercia",
                            }
                        }
                        for code, name in SOUTH_WORCESTER.items()
                    ]
                }
            ).encode()
        return self.releases.get(path.removeprefix("/media/"))

    def behave(self, handler: Handler) -> None:
        """Answer as the services do: ETag, Last-Modified, Range, If-Range, 304."""
        body = self.body(urlsplit(handler.path).path)
        if body is None:
            handler.whole(b"Not found", 404)
            return
        headers = {"ETag": tag(body), "Last_Modified": MODIFIED, "Content_Type": ODS}
        if handler.headers.get("If-None-Match") == tag(body):
            handler.head(304, **headers)
            return
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if asked and handler.headers.get("If-Range") in (tag(body), MODIFIED):
            start = int(asked[1])
            headers["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            handler.whole(body[start:], 206, **headers)
        else:
            handler.whole(body, **headers)

    def environment(self, reference: Path) -> dict[str, str]:
        """The settings that make this server all four services."""
        names = ("GOVUK", "NOMIS", "GEOPORTAL", "ONS")
        return {f"CRIME_RATES_{name}_URL": self.base for name in names} | {"CRIME_RATES_REFERENCE_DIR": str(reference)}


def tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def lookup(service: str) -> str:
    """The address of a lookup service."""
    return f"/ESMARspQHYMw9BZ9/arcgis/rest/services/{service}/FeatureServer/0/query"


def reference_with_one_ons_file(folder: Path) -> Path:
    """data/reference with one ONS file, which is sure to be there."""
    folder.mkdir()
    for path in REFERENCE.glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    row = f"mid2013.csv,{ONS},population,2013,2014-06-26,2013,,a listing"
    (folder / "ons_files.csv").write_text(f"{','.join(COLUMNS)}\n{row}\n", encoding="utf-8")
    return folder


@contextmanager
def served(releases: dict[str, bytes]) -> Iterator[Service]:
    """The services, until the end of the block."""
    server = Server(("127.0.0.1", 0), Handler)
    service = server.service = Service(f"http://127.0.0.1:{server.server_address[1]}", dict(releases))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
