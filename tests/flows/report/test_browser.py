"""The site in a real Chromium: opened from a folder, filtered, sorted, sent as a link, by keyboard, on a phone, on paper."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

STALKING = "table/csp/8q-stalking.html"
KINDS = [
    "index.html",
    "offences.html",
    "areas.html",
    "method.html",
    STALKING,
    "table/csp/4-2-infanticide.html",
    "table/country/total.html",
    "area/csp/south-worcester.html",
    "area/pfa/west-mercia.html",
    "area/csp/unassigned-kent.html",
]
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def opened(browser: Browser, root: Path) -> Iterator[Open]:
    """Opens a page of the site; whatever any page asked for, and whatever went wrong in it, is looked at in the end."""
    asked: list[str] = []
    wrong: list[str] = []
    contexts: dict[str, BrowserContext] = {}

    def open_page(address: str, **options: Any) -> Page:
        key = repr(sorted(options.items()))
        if key not in contexts:
            contexts[key] = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
            contexts[key].on("request", lambda request: asked.append(request.url))
            contexts[key].on("weberror", lambda error: wrong.append(str(error.error)))
            contexts[key].on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        for old in contexts[key].pages:
            old.close()
        page = contexts[key].new_page()
        page.goto(f"{root.as_uri()}/{address}")
        return page

    yield open_page
    assert asked and [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert wrong == []


def names(page: Page) -> list[str]:
    """The areas that the ranked table shows, in its order."""
    return page.locator("#ranked tbody tr:visible th").all_inner_texts()


def shown_rows(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('#ranked tbody tr:not([hidden])').length"))


def hash_of(page: Page) -> str:
    return str(page.evaluate("decodeURIComponent(location.hash)"))


# ---------------------------------------------------------------- the ranked table
def test_a_name_typed_leaves_its_rows(opened: Open) -> None:
    page = opened(STALKING)
    assert shown_rows(page) == 313
    page.get_by_label("Filter by name").fill("worc")
    assert names(page) == ["North Worcestershire", "South Worcester"]
    assert page.locator("#shown").inner_text() == "2 of 357 shown."
    page.get_by_label("Filter by name").fill("west mercia")
    assert shown_rows(page) == 5  # by force, too
    page.get_by_label("Filter by name").fill("nowhere")
    assert page.get_by_text("No matches.").is_visible()
    page.keyboard.press("Escape")
    assert shown_rows(page) == 313 and not page.get_by_text("No matches.").is_visible()


def test_a_column_sorts_both_ways_and_says_so(opened: Open) -> None:
    page = opened(STALKING)
    head = page.locator("#ranked thead th")
    before = names(page)
    assert head.nth(0).get_attribute("aria-sort") == "ascending"
    head.filter(has_text="Offences").get_by_role("button").click()
    assert head.filter(has_text="Offences").get_attribute("aria-sort") == "descending"
    assert head.nth(0).get_attribute("aria-sort") is None
    counts = [int(text.replace(",", "")) for text in page.locator("#ranked tbody td:nth-child(4)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True) and len(counts) == 313
    head.filter(has_text="Area").get_by_role("button").click()
    assert names(page)[:2] == ["Adur", "Allerdale"]
    head.filter(has_text="Area").get_by_role("button").click()
    assert head.filter(has_text="Area").get_attribute("aria-sort") == "descending" and names(page)[-1] == "Adur"
    head.filter(has_text="Per 10,000").get_by_role("button").click()
    assert names(page) == before  # by the unrounded rate, as ranked
    assert page.locator("#shown").inner_text() == "Sorted by Per 10,000, descending."


def test_a_link_carries_the_area_from_offence_to_offence(opened: Open) -> None:
    page = opened(STALKING)
    page.get_by_label("Highlight an area").select_option(label="South Worcester")
    assert hash_of(page) == "#area=south-worcester"
    row = page.locator("tr[aria-current]")
    assert row.locator("th").inner_text() == "South Worcester"
    row.wait_for(state="visible")
    assert page.evaluate(
        "(() => { const b = document.querySelector('tr.chosen').getBoundingClientRect();"
        " return b.top > 30 && b.bottom < innerHeight })()"
    )
    cells = row.locator("td").all_inner_texts()
    said = page.locator("#chosen").inner_text()
    assert said == (
        f"South Worcester: rank {cells[0]} of 313, {cells[4]} per 10,000 ({cells[5]}), from {cells[2]} offences and "
        f"{cells[3]} residents. Its page"
    )
    page.get_by_role("navigation", name="Related offences").get_by_role("link", name="Harassment", exact=True).click()
    assert page.title().startswith("Harassment by") and hash_of(page) == "#area=south-worcester"
    assert page.locator("tr[aria-current] th").inner_text() == "South Worcester"
    again = opened(f"{STALKING}#area=unassigned-kent")  # as somebody who was sent it opens it
    assert again.locator("#chosen").inner_text() == (
        "Unassigned Kent: not ranked, unassigned: not a place: offences that are recorded under no single area. Its page"
    )
    assert again.get_by_label("Highlight an area").evaluate("node => node.value") == "area=unassigned-kent"
    again.get_by_label("Highlight an area").select_option(label="None")
    assert hash_of(again) == "" and again.locator("tr[aria-current]").count() == 0


def test_the_link_is_copied(opened: Open) -> None:
    page = opened(f"{STALKING}#area=adur", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Link copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_download_is_this_table(opened: Open) -> None:
    page = opened(STALKING)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    assert download.value.suggested_filename == "8q-stalking.csv"
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 357 and rows[0]["area_name"] == names(page)[0] and {row["offence_code"] for row in rows} == {"8Q"}


def test_the_header_stays_in_sight_and_the_national_line_stands_at_its_rate(opened: Open) -> None:
    page = opened(STALKING)
    page.evaluate("scrollTo(0, 4000)")
    assert page.locator("#ranked thead th").first.bounding_box()["y"] == pytest.approx(0, abs=1)  # type: ignore[index]
    for width in (1280, 360):
        page = opened("table/country/total.html", viewport={"width": width, "height": 740})
        # England's rate is that of England and Wales to a hundredth
        at = page.evaluate("""() => {
            const row = document.getElementById('area=england'), cell = row.querySelector('td.w');
            const dot = row.querySelector('circle').getBoundingClientRect();
            const line = parseFloat(getComputedStyle(cell, '::before').left);
            return [cell.getBoundingClientRect().left + line, dot.left + dot.width / 2];
        }""")
        assert at[0] == pytest.approx(at[1], abs=1.5)


def test_by_keyboard_alone(opened: Open) -> None:
    page = opened(STALKING)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")

    def tab_to(test: str) -> None:
        for _ in range(25):
            page.keyboard.press("Tab")
            if page.evaluate(f"(node => {test})(document.activeElement)"):
                width = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
                assert width >= 2  # the focus is seen
                return
        raise AssertionError(f"no way by Tab to {test}")

    tab_to("node.id === 'filter'")
    page.keyboard.type("worc")
    assert names(page) == ["North Worcestershire", "South Worcester"]
    tab_to("node.id === 'choose'")
    page.keyboard.type("South Worc")
    page.keyboard.press("Enter")
    assert page.locator("tr[aria-current] th").inner_text() == "South Worcester"
    tab_to("node.textContent === 'Area'")
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert page.locator("#ranked thead th").nth(1).get_attribute("aria-sort") == "descending"
    tab_to("node.textContent === 'South Worcester'")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("area/csp/south-worcester"))
    assert page.locator("h1").inner_text() == "South Worcester"


def test_the_front_page_finds_an_area(opened: Open) -> None:
    page = opened("index.html")
    page.get_by_label("Find an area").fill("wor")
    page.keyboard.press("Enter")
    assert "areas match" in page.locator("#find-said").inner_text()
    page.get_by_label("Find an area").fill("south worcester")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("area/csp/south-worcester.html"))


def test_the_lists_filter(opened: Open) -> None:
    page = opened("areas.html")
    page.get_by_label("Filter by name").fill("worcester")
    assert page.locator(".listed li:visible").all_inner_texts() == ["North Worcestershire", "South Worcester"]
    assert page.locator(".listed:visible").count() == 1
    page = opened("offences.html")
    page.get_by_label("Filter by name or code").fill("8q")
    assert page.locator("tbody tr:visible th").all_inner_texts() == ["Stalking"]


# ---------------------------------------------------------------- charts
def test_a_chart_is_drawn_from_the_table_below_it(opened: Open) -> None:
    page = opened("area/csp/south-worcester.html")
    assert page.locator(".chart svg[role=img]").count() == 6
    first = page.locator(".chart svg").first
    label = first.get_attribute("aria-label") or ""
    rows = page.locator("#t-total tbody tr")
    rates = [rows.nth(i).locator("td").nth(2).text_content() for i in range(4)]
    assert label == (
        f"Total recorded crime in South Worcester: offences per 10,000 residents in 4 half-years, from 2014/15 H1 "
        f"({float(rates[0] or 0):g}) to 2015/16 H2 ({float(rates[3] or 0):g}). The figures are in the table below."
    )
    dots = page.evaluate(
        "[...document.querySelectorAll('.chart svg')[0].querySelectorAll('.dots circle')].map(dot => +dot.getAttribute('cy'))"
    )
    order = sorted(range(4), key=lambda i: -float(rates[i] or 0))
    assert sorted(range(4), key=lambda i: dots[i]) == order  # the higher the rate, the higher the dot
    assert page.locator("details[open]").count() == 0
    page.locator("summary").first.click()
    assert rows.first.is_visible()


# ---------------------------------------------------------------- everywhere
@pytest.mark.parametrize("address", KINDS)
def test_a_phone_shows_it_without_scrolling_sideways(opened: Open, address: str) -> None:
    page = opened(address, viewport={"width": 360, "height": 740}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_phone_shows_few_columns_and_all_of_them_on_demand(opened: Open) -> None:
    page = opened(STALKING, viewport={"width": 360, "height": 740}, color_scheme="dark")
    assert page.locator("#ranked thead th:visible").count() == 4
    assert page.locator("#ranked").bounding_box()["width"] <= 328  # type: ignore[index]  # the drawing is in sight, too
    page.get_by_label("Show all columns").check()
    assert page.locator("#ranked thead th:visible").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.get_by_role("group", name="Ranked table").get_attribute("tabindex") == "0"  # it scrolls by keyboard, too


def test_dark_and_light_follow_the_reader(opened: Open) -> None:
    def paper(scheme: str) -> int:
        page = opened("index.html", color_scheme=scheme)
        return sum(map(int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))))

    assert paper("dark") < 120 and paper("light") > 700


def test_without_javascript_the_table_and_the_highlight_are_there(opened: Open) -> None:
    page = opened(f"{STALKING}#area=south-worcester", java_script_enabled=False)
    assert page.locator("#ranked tbody tr").count() == 313 and not page.locator("#filter").is_visible()
    row = page.locator("tr:target")
    assert row.locator("th").inner_text() == "South Worcester" and row.is_visible()
    page = opened("area/csp/south-worcester.html", java_script_enabled=False)
    assert page.locator("#t-total tbody tr").count() == 4 and page.locator("#t-total").is_visible()


def test_it_prints_with_every_row_and_without_what_only_a_screen_needs(opened: Open) -> None:
    page = opened(STALKING)
    page.emulate_media(media="print")
    assert not page.locator(".tools").is_visible() and page.locator("#ranked thead th:visible").count() == 8
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF") and 5 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 14
    page.emulate_media(media="screen")


EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize(("scheme", "rules"), [("light", EVERYTHING), ("dark", ["wcag2aa"])])
@pytest.mark.parametrize("address", KINDS)
def test_axe_finds_nothing(opened: Open, address: str, scheme: str, rules: list[str]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    page = opened(address, color_scheme=scheme)
    if address == STALKING:  # a few rows are like the rest of them
        page.get_by_label("Filter by name").fill("dors")
        page.get_by_label("Highlight an area").select_option(label="Dorset")
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    violations = axe.Axe().run(page, options=options).response["violations"]
    assert [(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in violations] == []
