"""Populations from Nomis: all of them, or an error."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.sources.errors import ContentError, IncompleteError, StatusError
from flows.sources.http_client import Client
from flows.sources.nomis import PATH, PopulationRow, populations

SOUTH = [("Malvern Hills", "E07000235", 75911), ("Worcester", "E07000237", 100842), ("Wychavon", "E07000238", 119752)]
LINES = [f'"{year}","{name}","{code}",{persons}' for year in (2014, 2015) for name, code, persons in SOUTH]
HEADER = '"DATE_NAME","GEOGRAPHY_NAME","GEOGRAPHY_CODE","OBS_VALUE"'


class Nomis:
    """Answers in pages of `size`; `fault` may turn a page, by its number and text, into another answer."""

    def __init__(self, size: int = 25_000, counted: bool = True) -> None:
        self.size, self.counted, self.asked = size, counted, list[Request]()
        self.lines = LINES

    def fault(self, _: int, text: str) -> str | Response:
        return text

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        offset = int(request.args.get("recordoffset", 0))
        tail = f",{len(self.lines)}" if self.counted else ""
        header = HEADER + (',"RECORD_COUNT"' if self.counted else "")
        page = [header, *(line + tail for line in self.lines[offset : offset + self.size])]
        answer = self.fault(offset // self.size, "\r\n".join(page) + "\r\n")
        return answer if isinstance(answer, Response) else Response(answer, content_type="text/csv")


def serve(httpserver: HTTPServer, nomis: Nomis) -> str:
    httpserver.expect_request(PATH).respond_with_handler(nomis)
    return httpserver.url_for("")


def test_one_page_with_all_years_in_one_query(client: Client, httpserver: HTTPServer) -> None:
    nomis = Nomis()
    answer = populations(client, serve(httpserver, nomis), [2015, 2014, 2001])
    assert (answer.count, answer.rows[1]) == (6, PopulationRow(2014, "E07000237", "Worcester", 100_842))
    assert answer.text.splitlines()[0] == '"DATE_NAME","GEOGRAPHY_NAME","GEOGRAPHY_CODE","OBS_VALUE","RECORD_COUNT"'
    (asked,) = nomis.asked
    assert dict(asked.args) == {
        "geography": "TYPE424",
        "date": "2001,2014-2015",
        "gender": "0",
        "c_age": "200",
        "measures": "20100",
        "select": "date_name,geography_name,geography_code,obs_value,record_count",
    }


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_pages_become_one_document(client: Client, httpserver: HTTPServer, size: int, counted: bool) -> None:
    nomis = Nomis(size, counted)
    answer = populations(client, serve(httpserver, nomis), [2014, 2015], page_size=size)
    lines = answer.text.splitlines()
    assert (answer.count, len(lines), sum("DATE_NAME" in line for line in lines)) == (6, 7, 1)
    assert [row.code for row in answer.rows] == ["E07000235", "E07000237", "E07000238"] * 2


def test_a_second_page_that_fails_is_an_error_and_never_half_an_answer(client: Client, httpserver: HTTPServer) -> None:
    nomis = Nomis(4)
    nomis.fault = lambda page, text: Response("busy", 500) if page else text  # type: ignore[method-assign]
    with pytest.raises(StatusError, match="recordoffset=4.*500"):
        populations(client, serve(httpserver, nomis), [2014, 2015])


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ('"DATE_NAME","OBS_VALUE"\r\n', "the header of the first page"),
        (f'{HEADER},"RECORD_COUNT"\r\n', "6 records; found 4"),
        (f'{HEADER},"RECORD_COUNT"\r\n{LINES[0]},6', "E07000235 of 2014 twice"),
        (f'{HEADER},"RECORD_COUNT"\r\n{LINES[4]},9', "a page that says 9"),
    ],
    ids=["other header", "empty", "first page again", "count changes"],
)
def test_a_second_page_that_does_not_fit(client: Client, httpserver: HTTPServer, second: str, message: str) -> None:
    nomis = Nomis(4)
    nomis.fault = lambda page, text: second if page else text  # type: ignore[method-assign]
    with pytest.raises(IncompleteError, match=message):
        populations(client, serve(httpserver, nomis), [2014, 2015])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("DATE_NAME,GEOGRAPHY_NAME,OBS_VALUE\n2014,Worcester,1\n", "no GEOGRAPHY_CODE in"),
        ("<html>Sorry</html>", "expected the columns"),
        ("", "expected the columns"),
        ("DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,OBS_VALUE\n", "records of 2014 for TYPE424; found none"),
        ("DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,OBS_VALUE\n2014,Worcester,E07000237,many\n", "'many'"),
        ("DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,OBS_VALUE\n2014,Worcester\n", "in each record"),
        (b"DATE_NAME,GEOGRAPHY_NAME,GEOGRAPHY_CODE,OBS_VALUE\n2014,M\xf4n,W06000001,1\n", "UTF-8"),
    ],
)
def test_an_answer_that_is_no_table_of_populations(
    client: Client, httpserver: HTTPServer, answer: str | bytes, message: str
) -> None:
    nomis = Nomis()
    nomis.fault = lambda *_: Response(answer)  # type: ignore[method-assign]
    with pytest.raises(ContentError, match=message):
        populations(client, serve(httpserver, nomis), [2014])


def test_no_figure_is_not_nought(client: Client, httpserver: HTTPServer) -> None:
    nomis = Nomis()
    nomis.lines = ['"2014","Worcester","E07000237",']
    assert populations(client, serve(httpserver, nomis), [2014]).rows[0].persons is None
