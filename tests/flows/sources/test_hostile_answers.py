"""What a service, or a mirror in its place, can not do to us: write elsewhere, fill memory or disk, or end the run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.common.file_names import FileNameError
from flows.sources import download as downloads
from flows.sources import geoportal, http_client, nomis
from flows.sources.download import download
from flows.sources.errors import ContentError, SourceError
from flows.sources.govuk import PAGE, discover
from flows.sources.http_client import Client
from tests.flows.sources.test_govuk import ASSETS, CSP, PFA, page, redirect

NAMES = [
    "../../escape.ods",
    "..\\..\\escape.ods",
    "/etc/escape.ods",
    "C:\\escape.ods",
    "a\nb.ods",
    "a\0b.ods",
    "\x1b[31m.ods",
    "'; drop table x; --.ods",
    "[*].ods",
    "~.ods",
    ".hidden.ods",
    "..",
    "x" * 300 + ".ods",
    "\u202egro.ods",
    "-rf.ods",
    "a\udcff.ods",
]


def told(error: SourceError | str) -> str:
    text = str(error)
    assert text.isprintable() and len(text) < 2000
    return text


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_that_leads_elsewhere_is_refused_and_the_others_go_on(
    client: Client, httpserver: HTTPServer, tmp_path: Path, name: str
) -> None:
    bad = CSP | {"filename": f"prc-csp-{name}" if name[0] in "x'[" else name}
    found = discover(client, page(httpserver, [CSP, PFA, bad | {"url": f"{ASSETS}/x/y.ods"}]))
    assert [a.file_name for a in found.attachments] == [CSP["filename"], "prc-pfa-mar2013-onwards-tables-230726.ods"]
    assert all(told(problem) for problem in found.problems)
    with pytest.raises(FileNameError) as error:
        download(client, httpserver.url_for("/x"), tmp_path / "in", name, service="GOV.UK")
    assert told(error.value) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "..%2F..%2Fprc-csp-x.ods",
        "../../prc-csp-%00.ods",
        "/media/prc-csp-a%0Ab.ods",
        "https://[/prc-csp-x.ods",
        "file:///etc/prc-csp-passwd.ods",
        "javascript:prc-csp-x.ods",
    ],
)
def test_an_address_that_leads_elsewhere_is_told(client: Client, httpserver: HTTPServer, url: str) -> None:
    bad = {"title": CSP["title"], "url": url}
    found = discover(client, page(httpserver, [CSP, PFA, bad]))
    assert len(found.attachments) == 2 and len(found.problems) == 1 and told(found.problems[0])


@pytest.mark.parametrize(
    "document",
    [
        {"details": {"attachments": 5}},
        {"details": [1]},
        {"details": {"attachments": {"a": 1}}},
        {"document_type": "redirect"},
        {"document_type": "redirect", "redirects": 7},
        {"details": {"attachments": [{"title": {"a": 1}, "url": [2], "filename": 3}]}},
    ],
)
def test_a_page_of_another_shape_is_a_sentence(client: Client, httpserver: HTTPServer, document: dict[str, Any]) -> None:
    httpserver.expect_request(f"/api/content{PAGE}").respond_with_json(document)
    httpserver.expect_request(PAGE).respond_with_data("<a href='https://[/x.ods'>x</a><a href='x.ods'>y")
    with pytest.raises(ContentError) as error:
        discover(client, httpserver.url_for(""))
    assert told(error.value)


def test_a_redirect_to_no_address_is_a_sentence(client: Client, httpserver: HTTPServer) -> None:
    redirect(httpserver, PAGE, "https://[")
    with pytest.raises(ContentError, match="a redirect to"):
        discover(client, httpserver.url_for(""))


def test_json_as_deep_as_a_well_is_no_json(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x").respond_with_data("[" * 200_000)
    with pytest.raises(ContentError, match="a JSON object"):
        client.get_json(httpserver.url_for("/x"), service="GOV.UK")


def test_a_small_answer_that_unpacks_to_too_much_is_left_unread(
    client: Client, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "MAX_ANSWER", 1 << 20)
    httpserver.expect_request("/x").respond_with_data(gzip.compress(bytes(1 << 24)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(ContentError, match="expected at most 1,048,576 bytes; found more"):
        client.get_bytes(httpserver.url_for("/x"), service="Nomis")


def test_a_file_without_end_does_not_fill_the_disk(
    client: Client, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 1 << 20)
    httpserver.expect_request("/x").respond_with_handler(lambda _: Response([b"PK\x03\x04" * 65_536 for _ in range(99)]))
    with pytest.raises(ContentError, match="expected at most 1,048,576 bytes; found more"):
        download(client, httpserver.url_for("/x"), tmp_path, "table.ods", service="GOV.UK")
    assert list(tmp_path.iterdir()) == []


def test_pages_without_end_come_to_an_end(client: Client, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def more(request: Request) -> Response:
        at = int(request.args.get("recordoffset") or request.args.get("resultOffset") or 0)
        if "recordoffset" in request.args or "geography" in request.args:
            rows = [f"2014,Area,E{at + i:08},5,999999999" for i in range(10)]
            return Response("\n".join(["DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,OBS_VALUE,RECORD_COUNT", *rows]) + "\n")
        row = {f"{kind}24{part}": f"E{at:08}" for kind in ("LAD", "CSP", "PFA") for part in ("CD", "NM")}
        return Response(json.dumps({"features": [{"attributes": row}], "exceededTransferLimit": True}))

    httpserver.expect_request(nomis.PATH).respond_with_handler(more)
    httpserver.expect_request(geoportal.PATH.format(service="LAD24")).respond_with_handler(more)
    for module in (nomis, geoportal):
        monkeypatch.setattr(module, "MOST_ROWS", 25)
    with pytest.raises(ContentError, match="expected at most 25 records; found more"):
        nomis.populations(client, httpserver.url_for(""), [2014])
    with pytest.raises(ContentError, match="expected at most 25 rows; found more"):
        geoportal.lookup(client, httpserver.url_for(""), "LAD24")
