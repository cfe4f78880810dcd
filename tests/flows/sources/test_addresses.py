"""Who may be asked: the services, and whom the settings name; whoever says otherwise, a listing or a redirect, is not obeyed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from flows.settings import Settings
from flows.sources.addresses import AllowList, Origin, without_credentials
from flows.sources.errors import AddressError, SourceError, UnreachableError, is_transient
from flows.sources.http_client import Client
from flows.storage.data_store import LocalStore
from tests.support.raw_server import answer, serve
from transforms.errors import UsageError


def settings(tmp_path: Path, **given: str) -> Settings:
    return Settings(LocalStore(tmp_path), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "https://www.gov.uk/api/content/x",
        "https://assets.publishing.service.gov.uk/media/0a/table.ods",
        "https://www.ons.gov.uk:443/file?uri=/x",
        "https://WWW.NOMISWEB.CO.UK/api",
    ],
)
def test_the_public_services_may_be_asked(address: str) -> None:
    assert AllowList().check(address, service="ONS").scheme == "https"


@pytest.mark.parametrize(
    "address",
    [
        "http://www.gov.uk/x",  # not encrypted
        "https://www.gov.uk:8443/x",
        "https://www.gov.uk.example.org/x",
        "https://example.org/www.gov.uk",
        "https://user@www.gov.uk/x",
        "https://www.gov.uk@example.org/x",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:6379/",
        "http://2130706433/",
        "https:///x",
        "http://[",
        "http://x:99999/",
        "gopher://www.gov.uk/",
        "//www.gov.uk/x",
    ],
)
def test_nobody_else_may(address: str, client: Client) -> None:
    with pytest.raises(AddressError) as error:
        client.get_bytes(address, service="ONS")
    assert str(error.value).startswith("ONS, ") and not is_transient(error.value)


def test_a_mirror_may_be_asked_at_its_port_alone(tmp_path: Path) -> None:
    allowed = AllowList.from_settings(settings(tmp_path, govuk_url="http://127.0.0.1:8737"))
    assert allowed.check("http://127.0.0.1:8737/x", service="GOV.UK") == Origin("http", "127.0.0.1", 8737)
    with pytest.raises(AddressError, match="or one that CRIME_RATES_ALLOWED_HOSTS names"):
        allowed.check("http://127.0.0.1:8738/x", service="GOV.UK")


def test_a_setting_adds_hosts(tmp_path: Path) -> None:
    allowed = AllowList.from_settings(settings(tmp_path, allowed_hosts=" files.example.org, http://10.0.0.5:8080,"))
    for address in ("https://files.example.org/x", "http://10.0.0.5:8080/x"):
        assert allowed.check(address, service="ONS") in allowed.trusted
    with pytest.raises(UsageError, match='CRIME_RATES_ALLOWED_HOSTS: expected hosts such as .*, found "ftp://x"'):
        AllowList.from_settings(settings(tmp_path, allowed_hosts="ftp://x"))


@pytest.mark.parametrize(
    "peer", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:192.168.0.1", "224.0.0.1"]
)
def test_a_public_host_with_a_private_address_is_refused(peer: str) -> None:
    """A name can lead anywhere, so what counts is the address that was connected to."""
    origin = Origin.parse("https://www.gov.uk")
    with pytest.raises(
        AddressError, match=r"expected a public IP address of www\.gov\.uk; found .*, which is private or reserved"
    ):
        AllowList().check_peer(origin, peer, service="GOV.UK", url="https://www.gov.uk/x")
    AllowList.of("https://www.gov.uk").check_peer(origin, peer, service="GOV.UK", url="https://www.gov.uk/x")  # a setting says so
    AllowList().check_peer(origin, "151.101.0.144", service="GOV.UK", url="https://www.gov.uk/x")


def test_nothing_is_sent_to_a_private_address(httpserver: HTTPServer) -> None:
    origin = Origin.parse(httpserver.url_for(""))
    httpserver.expect_request("/x").respond_with_data("secret")
    with (
        Client(allowed=AllowList(public=frozenset({origin})), attempts=1) as client,
        pytest.raises(AddressError, match=r"found 127\.0\.0\.1, which is private or reserved"),
    ):
        client.get_bytes(httpserver.url_for("/x"), service="GOV.UK")
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("http://[", "an http or https address"),
        ("https://example.org/x", "or one that CRIME_RATES_ALLOWED_HOSTS names"),
        ("//example.org/x", "or one that CRIME_RATES_ALLOWED_HOSTS names"),
        ("http://user:pw@127.0.0.1/x", "an address without user name or password"),
        ("file:///etc/passwd", "an http or https address"),
        ("http://127.0.0.1:99999/x", "an http or https address"),
    ],
)
def test_an_odd_redirect_is_refused_in_a_sentence(location: str, says: str) -> None:
    with (
        serve(lambda _: [answer(b"", f"Location: {location}", status="302 Found")]) as server,
        Client(allowed=AllowList.of(server.url)) as client,
        pytest.raises(AddressError, match=f"expected .*{says}; found a redirect to ") as error,
    ):
        client.get_bytes(f"{server.url}/x", service="ONS")
    assert "pw" not in str(error.value)


def test_a_redirect_from_https_to_http_is_refused_even_within_the_list() -> None:
    allowed = AllowList.of("https://mirror.example.org", "http://mirror.example.org")
    with pytest.raises(AddressError, match="expected an answer over https"):
        allowed.check("http://mirror.example.org/x", service="ONS", by="https://mirror.example.org/x")


def test_a_mirror_with_a_password_is_let_in_and_the_password_shown_nowhere(httpserver: HTTPServer, tmp_path: Path) -> None:
    """The server says 200 only to the right user; a redirect within it is let in as well."""
    asked: list[str] = []

    def handler(request: object) -> Response:
        asked.append(str(request.headers.get("Authorization")))  # type: ignore[attr-defined]
        return Response("{}")

    httpserver.expect_request("/new").respond_with_handler(handler)
    httpserver.expect_request("/old").respond_with_response(Response(status=302, headers={"Location": "/new"}))
    base = httpserver.url_for("").replace("http://", "http://user:s3cret%20pw@")
    given = settings(tmp_path, ons_url=base)
    with Client(allowed=AllowList.from_settings(given), attempts=1) as client:
        assert client.get_json(f"{without_credentials(base)}old", service="ONS") == {}
        with pytest.raises(SourceError) as error:
            client.get_json(f"{without_credentials(base)}gone", service="ONS")
    assert asked == ["Basic dXNlcjpzM2NyZXQgcHc="]  # user:s3cret pw
    assert "s3cret" not in f"{error.value!r} {error.value} {given!r}"


def test_secrets_in_what_others_say_are_left_out() -> None:
    error = UnreachableError("ONS", "ftp://user:pw@host/x?token=abc&a=1", "an answer", "a redirect to https://u:pw@h/?sig=abc")
    assert str(error) == "ONS, ftp://host/x?token=…&a=1: expected an answer; found a redirect to https://h/?sig=…"
    assert "pw" not in repr(error)


def test_a_setting_that_is_no_address_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='CRIME_RATES_NOMIS_URL: expected an address such as .*, found "ftp://host/"') as error:
        settings(tmp_path, nomis_url="ftp://user:pw@host/")
    assert "pw" not in str(error.value)
