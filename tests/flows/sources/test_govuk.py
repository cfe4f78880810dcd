"""Finding the releases on GOV.UK, however the page is moved, renamed or broken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from flows.sources.errors import ContentError, StatusError
from flows.sources.govuk import PAGE, discover
from flows.sources.http_client import Client

ASSETS = "https://assets.publishing.service.gov.uk/media"
CSP = {
    "title": "Police recorded crime Community Safety Partnership open data, year ending March 2021 to year ending March 2026",
    "url": f"{ASSETS}/6a5f8ab4f869f6a53d0c898e/prc-csp-mar2021-mar2026-tables-230726.ods",
    "filename": "prc-csp-mar2021-mar2026-tables-230726.ods",
    "content_type": "application/vnd.oasis.opendocument.spreadsheet",
    "file_size": 50_000_000,
}
PFA = {
    "title": "Police recorded crime open data Police Force Area tables, year ending March 2013 onwards",
    "url": f"{ASSETS}/6a5e588624d44672cf1b4649/prc-pfa-mar2013-onwards-tables-230726.ods",
}
OLD = {
    "title": "Police recorded crime data by Community Safety Partnership year ending March 2003 to year ending March 2007",
    "url": f"{ASSETS}/5a/prc-csp-0203-to-0607-tabs.xlsx",
}
AREAS = {"title": "Recorded crime data geographical reference table", "url": f"{ASSETS}/0b/recrime-geo-pfa.csv"}
OTHERS = [
    {"title": "Police recorded crime outcomes open data by Police Force Area", "url": f"{ASSETS}/0c/outcomes.ods"},
    {"title": "Knife crime open data, Police Force Area", "url": f"{ASSETS}/0d/knife-crime.xlsx"},
    {"title": "User guide to police recorded crime open data", "url": f"{ASSETS}/0e/user-guide.pdf"},
    {"title": "Offence reference table", "url": f"{ASSETS}/0f/prc-offence-ref-table-290126.ods"},
]


def page(httpserver: HTTPServer, attachments: list[dict[str, Any]], path: str = PAGE) -> str:
    """Put a page with these attachments on the content API; the base address."""
    document = {
        "document_type": "statistical_data_set",
        "public_updated_at": "2026-07-23T09:30:00.000+01:00",
        "details": {"attachments": attachments},
    }
    httpserver.expect_request(f"/api/content{path}").respond_with_json(document)
    return httpserver.url_for("")


def redirect(httpserver: HTTPServer, path: str, destination: str) -> None:
    item = {"path": path, "type": "exact", "destination": destination}
    document = {"document_type": "redirect", "schema_name": "redirect", "redirects": [item]}
    httpserver.expect_request(f"/api/content{path}").respond_with_json(document)


def test_our_tables_are_told_from_the_others(client: Client, httpserver: HTTPServer) -> None:
    found = discover(client, page(httpserver, [CSP, OTHERS[0], PFA, OLD, AREAS, *OTHERS[1:]]))
    assert [(a.kind, a.level, a.file_name) for a in found.attachments] == [
        ("offences", "csp", "prc-csp-mar2021-mar2026-tables-230726.ods"),
        ("offences", "pfa", "prc-pfa-mar2013-onwards-tables-230726.ods"),
        ("offences", "csp", "prc-csp-0203-to-0607-tabs.xlsx"),
        ("areas", None, "recrime-geo-pfa.csv"),
    ]
    assert found.ignored == tuple(other["title"] for other in OTHERS)
    assert found.problems == ()
    newest = found.attachments[0]
    assert (newest.url, newest.file_size, newest.content_type) == (CSP["url"], 50_000_000, CSP["content_type"])
    assert newest.public_updated_at == datetime(2026, 7, 23, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "missing"), [([PFA], "Community Safety Partnership"), ([CSP], "Police Force Area")], ids=["pfa", "csp"]
)
def test_of_a_page_with_one_of_the_tables_that_one_is_offered_and_the_other_reported(
    client: Client, httpserver: HTTPServer, left: list[dict[str, Any]], missing: str
) -> None:
    found = discover(client, page(httpserver, [*left, OTHERS[2]]))
    assert [attachment.url for attachment in found.attachments] == [left[0]["url"]]
    [problem] = found.problems
    assert problem.startswith(f"expected a {missing} table on the page ") and "found none among: " in problem
    assert left[0]["title"] in problem and OTHERS[2]["title"] in problem


def test_a_page_without_either_table_is_an_error_that_names_what_is_there(client: Client, httpserver: HTTPServer) -> None:
    with pytest.raises(ContentError, match="expected a Community Safety Partnership or Police Force Area table") as caught:
        discover(client, page(httpserver, OTHERS))
    assert OTHERS[2]["title"] in caught.value.found


def test_a_title_that_matches_nothing_is_a_problem_that_names_it(client: Client, httpserver: HTTPServer) -> None:
    found = discover(client, page(httpserver, [CSP | {"title": "Local crime tables"}, PFA]))
    assert "Local crime tables" in found.problems[0] and "name says Community Safety Partnership" in found.problems[0]
    assert "expected a Community Safety Partnership table" in found.problems[1]


def test_a_withdrawn_page_says_so_and_what_stands_there_is_offered(client: Client, httpserver: HTTPServer) -> None:
    document = {
        "document_type": "statistical_data_set",
        "details": {"attachments": [CSP, PFA]},
        "withdrawn_notice": {
            "explanation": "<div class=\"govspeak\"><p>This page has been replaced by <a href='/new'>new tables</a>.</p></div>",
            "withdrawn_at": "2026-10-01T09:30:00+01:00",
        },
    }
    httpserver.expect_request(f"/api/content{PAGE}").respond_with_json(document)
    found = discover(client, httpserver.url_for(""))
    assert len(found.attachments) == 2
    assert found.withdrawn == "GOV.UK has withdrawn this page on 2026-10-01: This page has been replaced by new tables."


def test_a_file_name_that_contradicts_its_title_is_a_problem_and_the_rest_goes_on(client: Client, httpserver: HTTPServer) -> None:
    wrong = OLD | {"url": f"{ASSETS}/5a/prc-pfa-0203-to-0607-tabs.ods"}
    found = discover(client, page(httpserver, [CSP, PFA, wrong]))
    assert len(found.attachments) == 2
    assert "the file name says Police Force Area, the title names Community Safety Partnership" in found.problems[0]


@pytest.mark.parametrize("name", ["../prc-csp-x.ods", "/etc/cron.d/prc-csp-x.ods", "prc-csp-x\0.ods", "..\\prc-csp-x.ods"])
def test_a_file_name_that_tries_to_leave_the_folder(client: Client, httpserver: HTTPServer, name: str) -> None:
    found = discover(client, page(httpserver, [CSP, PFA, OLD | {"filename": name}]))
    assert len(found.attachments) == 2
    assert "expected a plain file name" in found.problems[0]


def test_a_file_name_hidden_in_the_address(client: Client, httpserver: HTTPServer) -> None:
    found = discover(client, page(httpserver, [CSP, PFA, OLD | {"url": f"{ASSETS}/5a/..%2Fprc-csp-x.ods"}]))
    assert len(found.attachments) == 2 and "expected a plain file name" in found.problems[0]


def test_an_address_that_is_not_on_the_web(client: Client, httpserver: HTTPServer) -> None:
    found = discover(client, page(httpserver, [CSP, PFA, OLD | {"url": "file:///etc/prc-csp-x.ods"}]))
    assert len(found.attachments) == 2 and "expected an http(s) address" in found.problems[0]


@pytest.mark.parametrize("target", ["/government/moved", "https://www.gov.uk/government/moved#tables"])
def test_a_redirect_document_is_followed(client: Client, httpserver: HTTPServer, target: str) -> None:
    redirect(httpserver, PAGE, target)
    found = discover(client, page(httpserver, [CSP, PFA], "/government/moved"))
    assert len(found.attachments) == 2
    assert found.found_on.endswith("/api/content/government/moved")


def test_a_redirect_loop_is_an_error(client: Client, httpserver: HTTPServer) -> None:
    redirect(httpserver, PAGE, "/government/a")
    redirect(httpserver, "/government/a", PAGE)
    with pytest.raises(ContentError, match=f"the redirects {PAGE} → /government/a → {PAGE}$"):
        discover(client, httpserver.url_for(""))


def test_redirects_that_never_end_are_an_error(client: Client, httpserver: HTTPServer) -> None:
    redirect(httpserver, PAGE, "/1")
    for step in range(1, 9):
        redirect(httpserver, f"/{step}", f"/{step + 1}")
    with pytest.raises(ContentError, match="within 5 redirects"):
        discover(client, httpserver.url_for(""))


@pytest.mark.parametrize("target", ["https://example.org/tables", "", "/", "file:///etc"])
def test_a_redirect_that_leads_away_from_gov_uk_is_an_error(client: Client, httpserver: HTTPServer, target: str) -> None:
    redirect(httpserver, PAGE, target)
    with pytest.raises(ContentError, match="expected a redirect to another page of GOV.UK"):
        discover(client, httpserver.url_for(""))


def test_the_html_page_serves_when_the_content_api_lists_nothing(client: Client, httpserver: HTTPServer) -> None:
    anchors = "".join(
        f'<section><div><a class="govuk-link" href="{a["url"]}"><svg></svg></a></div>'
        f'<h3><a class="govuk-link gem-c-attachment__link" href="{a["url"]}">{a["title"]}\n</a></h3></section>'
        for a in (CSP, PFA, OTHERS[1])
    )
    html = f'<!DOCTYPE html><a href="/browse">Browse &amp; find</a>{anchors}<a>nowhere</a>'
    httpserver.expect_request(PAGE).respond_with_data(html, content_type="text/html")
    found = discover(client, page(httpserver, []))
    assert [(a.level, a.title, a.url) for a in found.attachments] == [
        ("csp", CSP["title"], CSP["url"]),
        ("pfa", PFA["title"], PFA["url"]),
    ]
    assert (found.attachments[0].file_size, found.ignored) == (None, (OTHERS[1]["title"],))
    assert found.found_on == httpserver.url_for(PAGE)


def test_a_page_with_nothing_at_all(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PAGE).respond_with_data("<html>Soon</html>")
    with pytest.raises(ContentError, match="among: no attachment at all"):
        discover(client, page(httpserver, []))


def test_a_page_that_is_gone(client: Client, httpserver: HTTPServer) -> None:
    httpserver.expect_request(f"/api/content{PAGE}").respond_with_json({"document_type": "gone"}, status=410)
    with pytest.raises(StatusError, match="410"):
        discover(client, httpserver.url_for(""))


def test_a_file_listed_twice_is_one_file(client: Client, httpserver: HTTPServer) -> None:
    assert len(discover(client, page(httpserver, [CSP, PFA, CSP])).attachments) == 2
