"""ONS Open Geography Portal (ArcGIS REST): which councils make up which CSP and police force, as of one year."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import astuple, dataclass, fields
from typing import Any

from flows.sources.errors import ContentError, IncompleteError, SourceError
from flows.sources.http_client import Client, join
from transforms.areas import lookup_headers, match_lookup_headers

SERVICE = "ONS Open Geography"
PATH = "/ESMARspQHYMw9BZ9/arcgis/rest/services/{service}/FeatureServer/0/query"
LOOKUPS = ("LAD17_CSP17_PFA17_EW_LU", "LAD24_CSP24_PFA24_EW_LU")  # the services that are known to exist

MOST_ROWS = 100_000  # a lookup has 400; a service may page without end
_CODE = re.compile(r"[EW]\d{8}")


@dataclass(frozen=True, order=True)
class LookupRow:
    """A council, or the part of one, that belongs to one CSP of one force. A council may have several rows."""

    council_code: str
    council_name: str
    csp_code: str
    csp_name: str
    pfa_code: str
    pfa_name: str


@dataclass(frozen=True)
class Lookup:
    """A whole lookup. year: that of its CSPs (2024); rows: sorted; url: without its query."""

    service: str
    year: int
    rows: tuple[LookupRow, ...]
    url: str

    def csv(self) -> str:
        """One CSV document with ONS's own column names (`LAD24CD`, `LAD24NM`, …), sorted: same rows, same bytes."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(lookup_headers(self.year))
        writer.writerows(astuple(row) for row in self.rows)
        return out.getvalue()


def lookup(client: Client, base_url: str, service: str) -> Lookup:
    """All rows of a lookup service such as `LAD24_CSP24_PFA24_EW_LU` under `base_url` (`https://services1.arcgis.com`).

    Paged by `resultOffset` while the answer says `exceededTransferLimit`. Raises `SourceError` for an `error` object,
    which ArcGIS sends with HTTP 200; `ContentError` without features, fields or codes; `IncompleteError` for a repeated
    row (as when pages overlap, so that others are missing) or an empty page where more was promised.
    """
    if not re.fullmatch(r"\w+", service):
        raise ValueError(f"lookup: expected a service's name, of letters, digits and underscores; found {service!r}")
    url = join(base_url, PATH.format(service=service))
    query = {"where": "1=1", "outFields": "*", "returnGeometry": "false", "f": "json"}
    rows: dict[LookupRow, None] = {}
    year, more = 0, True
    while more:
        answer = client.get_json(url, service=SERVICE, params=query | ({"resultOffset": str(len(rows))} if rows else {}))
        if isinstance(error := answer.get("error"), dict):
            raise SourceError(SERVICE, url, "features", f"error {error.get('code')}: {error.get('message')}")
        features = answer.get("features")
        if not isinstance(features, list) or not features:
            if rows:
                raise IncompleteError(SERVICE, url, f"more rows after the first {len(rows):,}", "a page without any")
            raise ContentError(SERVICE, url, "features", "none")
        names, page_year = _names(features[0], url)
        if year and page_year != year:
            raise IncompleteError(SERVICE, url, f"pages of the lookup of {year}", f"a page of {page_year}")
        year = page_year
        for feature in features:
            row = _row(feature, names, url)
            if row in rows:
                raise IncompleteError(SERVICE, url, "each row once over all pages", f"{row.council_code} in {row.csp_code} twice")
            rows[row] = None
        more = bool(answer.get("exceededTransferLimit"))
        if len(rows) > MOST_ROWS:
            raise ContentError(SERVICE, url, f"at most {MOST_ROWS:,} rows", "more")
    return Lookup(service, year, tuple(sorted(rows)), url)


def _names(feature: object, url: str) -> tuple[dict[str, str], int]:
    """Which attribute holds which field, and the year that the CSP's attribute is named for."""
    attributes = list(_attributes(feature, url))
    names, year = {}, 0
    for name, matches in match_lookup_headers(attributes).items():
        if len(matches) != 1:
            found = " and ".join(attributes[place] for place, _ in matches) or f"none among {', '.join(attributes)}"
            raise ContentError(SERVICE, url, f"one attribute like {_example(name)} for {name}", found)
        names[name] = attributes[matches[0][0]]
        if name == "csp_code":
            year = matches[0][1]
    return names, year


def _row(feature: object, names: dict[str, str], url: str) -> LookupRow:
    attributes = _attributes(feature, url)
    values = {name: str(attributes.get(attribute) or "").strip() for name, attribute in names.items()}
    for name, value in values.items():
        if not value or (name.endswith("_code") and not _CODE.fullmatch(value)):
            wanted = "a code such as E22000332" if name.endswith("_code") else "a name"
            raise ContentError(SERVICE, url, f"{wanted} in {names[name]}", f"{value!r} in {attributes}")
    return LookupRow(**{field.name: values[field.name] for field in fields(LookupRow)})


def _attributes(feature: object, url: str) -> dict[str, Any]:
    attributes = feature.get("attributes") if isinstance(feature, dict) else None
    if not isinstance(attributes, dict):
        raise ContentError(SERVICE, url, "a feature with attributes", repr(feature)[:100])
    return attributes


def _example(name: str) -> str:
    return lookup_headers(2024)[[field.name for field in fields(LookupRow)].index(name)]
