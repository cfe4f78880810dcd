"""The pipeline over real local HTTP, without Prefect: what is new is fetched once, kept for ever, and what fails fails alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flows.pipeline import normalise, notifications, steps
from flows.settings import Settings
from flows.sources.addresses import AllowList
from flows.sources.govuk import PAGE
from flows.sources.http_client import Client
from flows.storage import raw_store
from flows.storage.data_store import LocalStore
from flows.storage.raw_store import FileKind
from flows.storage.run_log import FileResult, ResultState, Run
from tests.support.releases import CSP_2015, PFA, cover, figures, write_ods

NOMIS = "/api/v01/dataset/NM_2002_1.data.csv"
ONS_COLUMNS = "file_name,url_path,kind,years,vintage,boundaries,note,source\n"


def workbook(folder: Path, level: str, count: int, published: date = date(2026, 4, 23)) -> bytes:
    rows = [
        figures("2015/16", quarter, "West Mercia", count=count, csp="South Worcester" if level == "csp" else None)
        for quarter in (1, 2)
    ]
    header = list(PFA) if level == "pfa" else list(CSP_2015)
    return write_ods(folder / f"{level}{count}.ods", [cover(published), ("2015_16", [header, *rows])]).read_bytes()


class Internet:
    """GOV.UK, Nomis, the portal and ONS on one local server; files by name, as bytes, and who asked for what."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.files: dict[str, bytes] = {}
        self.sent: list[str] = []
        self.lookup_error: dict[str, object] | None = None
        server.expect_request(f"/api/content{PAGE}").respond_with_handler(self.page)
        server.expect_request(NOMIS).respond_with_handler(self.nomis)
        for service in ("LAD17_CSP17_PFA17_EW_LU", "LAD24_CSP24_PFA24_EW_LU"):
            path = f"/ESMARspQHYMw9BZ9/arcgis/rest/services/{service}/FeatureServer/0/query"
            server.expect_request(path).respond_with_handler(self.portal)

    def put(self, name: str, body: bytes) -> None:
        if name not in self.files:
            self.server.expect_request(f"/media/{name}").respond_with_handler(lambda request: self.asset(request, name))
        self.files[name] = body

    def asset(self, request: Request, name: str) -> Response:
        tag = f'"{hash(self.files[name])}"'
        if request.headers.get("If-None-Match") == tag:
            return Response(status=304, headers={"ETag": tag})
        self.sent.append(name)
        return Response(self.files[name], headers={"ETag": tag})

    def page(self, _: Request) -> Response:
        called = {"csp": "Community Safety Partnership", "pfa": "Police Force Area"}
        attachments = [
            {
                "title": f"Police recorded crime {called[name[4:7]]} open data",
                "filename": name,
                "file_size": len(body),
                "url": self.server.url_for(f"/media/{name}"),
            }
            for name, body in self.files.items()
        ]
        return Response(json.dumps({"document_type": "statistical_data_set", "details": {"attachments": attachments}}))

    def nomis(self, _: Request) -> Response:
        rows = "".join(
            f'"2014","{name}","{code}",{persons},3\n'
            for code, name, persons in (
                ("E07000235", "Malvern Hills", 75_000),
                ("E07000237", "Worcester", 100_000),
                ("E07000238", "Wychavon", 125_000),
            )
        )
        return Response('"DATE_NAME","GEOGRAPHY_NAME","GEOGRAPHY_CODE","OBS_VALUE","RECORD_COUNT"\n' + rows)

    def portal(self, request: Request) -> Response:
        if self.lookup_error:
            return Response(json.dumps(self.lookup_error))
        y = request.path.split("/")[5][3:5]
        features = [
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
            for code, name in (("E07000235", "Malvern Hills"), ("E07000237", "Worcester"), ("E07000238", "Wychavon"))
        ]
        return Response(json.dumps({"features": features}))


@pytest.fixture
def internet(httpserver: HTTPServer, tmp_path: Path) -> Internet:
    internet = Internet(httpserver)
    for level in ("csp", "pfa"):
        internet.put(f"prc-{level}-mar2016-mar2020-tables-230426.ods", workbook(tmp_path, level, 3))
    return internet


@pytest.fixture
def settings(internet: Internet, tmp_path: Path) -> Settings:
    base = internet.server.url_for("").rstrip("/")
    reference = tmp_path / "reference"
    reference.mkdir()
    for path in Settings(LocalStore(tmp_path)).reference_dir.glob("*.csv"):
        (reference / path.name).write_bytes(path.read_bytes())
    (reference / "ons_files.csv").write_text(ONS_COLUMNS)
    return Settings(
        LocalStore(tmp_path / "data"), reference_dir=reference, govuk_url=base, nomis_url=base, geoportal_url=base, ons_url=base
    )


@pytest.fixture
def http(settings: Settings) -> Iterator[Client]:
    allowed = AllowList.from_settings(settings)
    with Client(
        "crime-rates/0.1 (+tests)", allowed=allowed, per_second=10_000, timeout=(2, 2), attempts=2, backoff=0.001
    ) as client:
        yield client


def run(settings: Settings, http: Client, level: str | None = None) -> tuple[list[FileResult], int]:
    """Discover, fetch and normalise as flows/pipeline/update.py does; (what became of each file, how many were downloaded)."""
    groups, items, _ = steps.discover_live(settings, http, level)
    downloads = 0
    for group in groups:
        stored, downloaded = steps.store_raw(settings, group, http)
        downloads += downloaded
        items.append(normalise.normalise(settings, group.name, group.kind, stored))
    return items, downloads


def test_an_empty_folder_becomes_a_database_with_the_rates_of_what_the_services_gave(settings: Settings, http: Client) -> None:
    items, _ = run(settings, http)
    assert {item.state for item in items} == {"new"}
    database, _ = steps.build(settings)
    steps.publish(settings, database)
    from flows.queries import connection

    with connection.connect(settings.store) as con:
        row = con.execute(
            "select offences, population, round(rate_per_10k, 4), status from ranked_rates "
            "where level = 'csp' and half_year = '2015/16 H1' and offence_code = '8Q'"
        ).fetchall()
    assert row == [(6, 300_000, 0.2, "ranked")]


def test_a_second_run_downloads_no_file_and_finds_everything_unchanged(
    settings: Settings, http: Client, internet: Internet
) -> None:
    run(settings, http)
    internet.sent.clear()
    items, downloads = run(settings, http)
    assert (internet.sent, downloads) == ([], 0)
    assert {item.state for item in items} == {"unchanged"}


def test_new_bytes_at_an_old_address_are_a_new_release_and_the_old_ones_stay(
    settings: Settings, http: Client, internet: Internet, tmp_path: Path
) -> None:
    run(settings, http)
    name = "prc-csp-mar2016-mar2020-tables-230426.ods"
    before = internet.files[name]
    internet.put(name, workbook(tmp_path, "csp", 4))
    items, downloads = run(settings, http)
    assert downloads == 1
    assert [item.name for item in items if item.state == "new"] == [name]
    kept = [
        file.path.read_bytes()
        for file in raw_store.raw_files(settings.data_dir / "raw", FileKind.OFFENCES)
        if file.path.name == name
    ]
    assert sorted(map(len, kept)) == sorted(map(len, [before, internet.files[name]]))
    assert before in kept and internet.files[name] in kept


def test_a_service_that_fails_does_not_stop_the_others(settings: Settings, http: Client, internet: Internet) -> None:
    del internet.files["prc-csp-mar2016-mar2020-tables-230426.ods"]
    items, _ = run(settings, http)
    failed = [item for item in items if item.state == "failed"]
    assert [item.name for item in failed] == ["GOV.UK"]
    assert "Community Safety Partnership" in failed[0].message
    assert sum(item.state == "new" for item in items) == 4  # the force table, Nomis and two lookups


def test_a_lookup_that_answers_with_an_error_is_an_error(settings: Settings, http: Client, internet: Internet) -> None:
    from flows.sources.errors import SourceError

    internet.lookup_error = {"error": {"code": 400, "message": "Invalid URL", "details": []}}
    with pytest.raises(SourceError, match="Invalid URL"):
        run(settings, http)


def test_only_the_releases_of_a_level_are_offered_when_one_is_named(settings: Settings, http: Client) -> None:
    groups, _, _ = steps.discover_live(settings, http, "pfa")
    assert [group.name for group in groups if group.kind == "offences"] == ["prc-pfa-mar2016-mar2020-tables-230426.ods"]


def test_a_stored_file_that_went_missing_is_fetched_again(settings: Settings, http: Client, internet: Internet) -> None:
    run(settings, http)
    file = next(f for f in raw_store.raw_files(settings.data_dir / "raw", FileKind.OFFENCES) if "csp" in f.path.name)
    shutil.rmtree(file.path.parent)
    internet.sent.clear()
    run(settings, http)
    assert internet.sent == [file.path.name]
    assert file.path.exists()


def test_the_webhook_is_told_of_a_partial_run_and_not_of_a_good_one(settings: Settings, httpserver: HTTPServer) -> None:
    told: list[dict[str, object]] = []

    def hook(request: Request) -> Response:
        told.append(json.loads(request.data))
        return Response("ok")

    httpserver.expect_request("/hook", method="POST").respond_with_handler(hook)
    settings = replace(settings, webhook_url=httpserver.url_for("/hook"))
    good = Run("update", published=True)
    good.end()
    notifications.notify_webhook(good, settings)
    assert told == []
    bad = Run(
        "update",
        results=[FileResult("a.ods", FileKind.OFFENCES, ResultState.FAILED, "a.ods: expected a workbook, found an HTML page.")],
    )
    bad.end()
    notifications.notify_webhook(bad, settings)
    assert told[0]["state"] == "partial"
    assert "a.ods: expected a workbook" in str(told[0]["text"])
