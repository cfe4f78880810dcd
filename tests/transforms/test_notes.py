"""What a release says in words: its day, whether it is a simulation, and notes that withdraw figures."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.support.releases import Row, cover, notes, write_ods
from transforms.errors import PublishedFileError
from transforms.notes import Notes, read_notes
from transforms.readers.workbooks import read_workbook

# verbatim, the missing blanks are theirs
DERBYSHIRE = (
    "For the year ending March 2025, data for some areas withinDerbyshirehave been recorded under an "
    "unassigned CSP group. This issue is expected to be corrected for the next publication."
)
KENT = (
    "Kent: Due to ongoing IT issues, crime data for Maidstone, Medway, Tonbridge and Malling, Dartford and "
    "Gravesham, and Tunbridge Wells are recorded under an unassigned CSP group from 2024 onwards."
)


def notes_of(folder: Path, *rows: Row) -> Notes:
    [sheet] = read_workbook(write_ods(folder / "book.ods", [("Notes", rows)]))
    return read_notes(sheet)


def test_the_notes_of_july_2026_read_word_for_word(tmp_path: Path) -> None:
    _, rows = notes([KENT, DERBYSHIRE], date(2026, 7, 23), ["Negative counts correct earlier quarters."])
    assert notes_of(tmp_path, *rows) == Notes(date(2026, 7, 23), False, [KENT, DERBYSHIRE])


def test_only_what_stands_between_its_headings_is_a_force_note(tmp_path: Path) -> None:
    read = notes_of(tmp_path, ["Notes"], ["Before"], ["Force Notes"], [KENT], [], [" additional notes "], ["After"])
    assert read.force_notes == [KENT]


def test_force_notes_may_be_the_last_thing_on_the_sheet(tmp_path: Path) -> None:
    assert notes_of(tmp_path, ["FORCE NOTES"], [KENT], [DERBYSHIRE]).force_notes == [KENT, DERBYSHIRE]


def test_a_note_that_speaks_of_force_notes_is_no_heading(tmp_path: Path) -> None:
    assert notes_of(tmp_path, ["See the Force Notes below"], ["Something else"]).force_notes == []


def test_a_note_over_several_cells_is_one_note(tmp_path: Path) -> None:
    assert notes_of(tmp_path, ["Force Notes"], ["Kent", None, "figures are missing"]).force_notes == ["Kent figures are missing"]


@pytest.mark.parametrize(
    ("line", "day"),
    [
        (["Updated: 23 July 2026"], date(2026, 7, 23)),
        (["Updated:", "1st August 2026"], date(2026, 8, 1)),  # the day in a cell of its own
        (["updated:  3 March 2026 (revised)"], date(2026, 3, 3)),
        (["Date published: 25 June 2021"], date(2021, 6, 25)),  # ONS
        (["Last Updated: 23 July 2026"], None),
        (["Updated: July 2026"], None),
        (["Updated: 31 June 2026"], None),  # no such day
        (["Updated: 5 Brumaire 2026"], None),
    ],
)
def test_the_day_of_update_is_read_from_its_line(tmp_path: Path, line: Row, day: date | None) -> None:
    assert notes_of(tmp_path, ["A title"], line).updated == day


def test_the_first_day_on_a_sheet_counts(tmp_path: Path) -> None:
    assert notes_of(tmp_path, ["Updated: 23 July 2026"], ["Updated: 23 April 2026"]).updated == date(2026, 7, 23)


def test_a_simulation_says_so_at_the_start_of_a_line(tmp_path: Path) -> None:
    _, rows = cover(date(2026, 4, 23), simulated="SIMULATED: real force totals, split by chance.")
    assert notes_of(tmp_path, *rows).simulated
    assert not notes_of(tmp_path, ["These figures are not SIMULATED."], ["Simulated annealing was not used."]).simulated


def test_an_empty_sheet_says_nothing(tmp_path: Path) -> None:
    assert notes_of(tmp_path) == Notes()


def test_what_several_sheets_say_is_taken_together_and_each_note_once() -> None:
    read = Notes(None, False, [KENT])
    read.add(Notes(date(2026, 7, 23), True, [KENT, DERBYSHIRE]))
    read.add(Notes(date(2026, 4, 23), False, []))
    assert read == Notes(date(2026, 7, 23), True, [KENT, DERBYSHIRE])


def test_a_note_longer_than_any_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublishedFileError) as error:
        notes_of(tmp_path, ["a", "a"], ["b" * 30_000, "b" * 30_000])
    assert str(error.value) == "book.ods, sheet Notes, row 2: expected notes of at most 20,000 characters, found 60,000."
