"""Lookups from ONS Open Geography: whole, typed, and deaf to nothing that ArcGIS says in HTTP 200."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.sources.errors import ContentError, IncompleteError, SourceError
from flows.sources.geoportal import PATH, LookupRow, lookup
from flows.sources.http_client import Client

SERVICE = "LAD24_CSP24_PFA24_EW_LU"
SOUTH = [("E07000235", "Malvern Hills"), ("E07000237", "Worcester"), ("E07000238", "Wychavon")]


def attributes(code: str, name: str, year: int = 24, **more: Any) -> dict[str, Any]:
    values = {
        "LADCD": code,
        "LADNM": name,
        "CSPCD": "E22000332",
        "CSPNM": "South Worcester",
        "PFACD": "E23000016",
        "PFANM": "West Mercia",
    }
    return {f"{key[:3]}{year}{key[3:]}": value for key, value in values.items()} | more


def serve(httpserver: HTTPServer, rows: list[dict[str, Any]], size: int = 2, step: int | None = None) -> list[Request]:
    """Pages of `size` rows; a `step` other than the size makes the pages overlap."""
    asked: list[Request] = []

    def handler(request: Request) -> Response:
        asked.append(request)
        offset = int(request.args.get("resultOffset", 0))
        offset = offset // size * step if step is not None else offset
        page: dict[str, Any] = {"features": [{"attributes": row} for row in rows[offset : offset + size]]}
        if offset + size < len(rows):
            page["exceededTransferLimit"] = True
        return Response(json.dumps(page), content_type="application/json")

    httpserver.expect_request(PATH.format(service=SERVICE)).respond_with_handler(handler)
    return asked


def test_pages_are_read_to_their_end(client: Client, httpserver: HTTPServer) -> None:
    asked = serve(httpserver, [attributes(*council, FID=n) for n, council in enumerate(reversed(SOUTH))])
    found = lookup(client, httpserver.url_for(""), SERVICE)
    assert [request.args.get("resultOffset") for request in asked] == [None, "2"]
    assert asked[0].args["where"] == "1=1"
    assert (found.year, [row.council_code for row in found.rows]) == (2024, [code for code, _ in SOUTH])
    assert found.rows[0] == LookupRow("E07000235", "Malvern Hills", "E22000332", "South Worcester", "E23000016", "West Mercia")
    assert found.csv().splitlines()[:2] == [
        "LAD24CD,LAD24NM,CSP24CD,CSP24NM,PFA24CD,PFA24NM",
        "E07000235,Malvern Hills,E22000332,South Worcester,E23000016,West Mercia",
    ]


def test_the_year_is_in_the_names_of_the_attributes(client: Client, httpserver: HTTPServer) -> None:
    serve(httpserver, [attributes("W06000001", "Isle of Anglesey", 17, LAD17NMW="Ynys Môn")])
    found = lookup(client, httpserver.url_for(""), SERVICE)
    assert (found.year, found.csv()[:7]) == (2017, "LAD17CD")


def test_a_council_may_belong_to_two_csps(client: Client, httpserver: HTTPServer) -> None:
    serve(httpserver, [attributes(*SOUTH[0]), attributes(*SOUTH[0]) | {"CSP24CD": "E22000368"}])
    assert len(lookup(client, httpserver.url_for(""), SERVICE).rows) == 2


def test_an_error_inside_http_200_is_an_error(client: Client, httpserver: HTTPServer) -> None:
    body = {"error": {"code": 400, "message": "Invalid URL", "details": ["Invalid URL"]}}
    httpserver.expect_request(PATH.format(service=SERVICE)).respond_with_json(body)
    with pytest.raises(SourceError, match="expected features; found error 400: Invalid URL"):
        lookup(client, httpserver.url_for(""), SERVICE)


def test_an_error_on_the_second_page_is_an_error(client: Client, httpserver: HTTPServer) -> None:
    path = PATH.format(service=SERVICE)
    first = {"features": [{"attributes": attributes(*SOUTH[0])}], "exceededTransferLimit": True}
    httpserver.expect_ordered_request(path).respond_with_json(first)
    httpserver.expect_ordered_request(path).respond_with_json({"error": {"code": 500, "message": "Timed out"}})
    with pytest.raises(SourceError, match="error 500: Timed out"):
        lookup(client, httpserver.url_for(""), SERVICE)


def test_pages_that_overlap_are_an_error(client: Client, httpserver: HTTPServer) -> None:
    serve(httpserver, [attributes(*council) for council in SOUTH], step=1)
    with pytest.raises(IncompleteError, match="E07000237 in E22000332 twice"):
        lookup(client, httpserver.url_for(""), SERVICE)


def test_a_page_that_promises_more_and_gives_nothing(client: Client, httpserver: HTTPServer) -> None:
    path = PATH.format(service=SERVICE)
    first = {"features": [{"attributes": attributes(*SOUTH[0])}], "exceededTransferLimit": True}
    httpserver.expect_ordered_request(path).respond_with_json(first)
    httpserver.expect_ordered_request(path).respond_with_json({"features": [], "exceededTransferLimit": True})
    with pytest.raises(IncompleteError, match="a page without any"):
        lookup(client, httpserver.url_for(""), SERVICE)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "expected features; found none"),
        ([{"LAD24CD": "E07000235"}], "one attribute like LAD24NM for council_name; found none among LAD24CD"),
        ([attributes(*SOUTH[0], CSP23CD="E22000332")], "found CSP24CD and CSP23CD"),
        ([attributes("E07000235", "Malvern Hills") | {"CSP24CD": None}], "a code such as E22000332 in CSP24CD"),
        ([attributes("Malvern Hills", "E07000235")], "a code such as E22000332 in LAD24CD"),
    ],
    ids=["empty", "fields missing", "two years", "no code", "swapped"],
)
def test_rows_that_are_no_lookup(client: Client, httpserver: HTTPServer, rows: list[dict[str, Any]], message: str) -> None:
    serve(httpserver, rows)
    with pytest.raises(ContentError, match=message):
        lookup(client, httpserver.url_for(""), SERVICE)


def test_a_service_name_is_no_path(client: Client) -> None:
    with pytest.raises(ValueError, match="a service's name"):
        lookup(client, "http://127.0.0.1:1", "../admin")
