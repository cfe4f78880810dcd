"""Plain `table` calls are read without the command-line library: with the same answer, and the same errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import main
from flows.cli.table_command import parse_plain_table
from tests.flows.cli.conftest import Command

PLAIN = [
    "table 2015-16-H1",
    "table 2015-16-H1 --offence 8Q",
    "table 2015-16-H1 --offence 8Q --level pfa --top 1 --format csv",
    "table 2015-16-H1 --area Dover --format json",
    "table 2015-16-H1 --area Nowhere",
    "table 2015-16-H9",
    "table 1999-00-H1 --format markdown",
]
NOT_PLAIN = [
    "table",
    "series --area Dover",
    "table 2015-16-H1 --offence",
    "table 2015-16-H1 --offence=8Q",
    "table 2015-16-H1 --as-of 2016-02-01",
    "table 2015-16-H1 --level ward",
    "table 2015-16-H1 --top 0",
    "table 2015-16-H1 --top -1",
    "table 2015-16-H1 --format yaml",
    "table 2015-16-H1 --offence 8Q --offence 8L",
    "table --offence 8Q 2015-16-H1",
    "table --help",
    "table 2015-16-H1 2015-16-H2 --top 1",
]


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_call_answers_as_the_full_parser_does(line: str, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_plain_table(line.split()) is not None
    plain = run(*line.split())
    monkeypatch.setattr(main, "parse_plain_table", lambda words: None)  # noqa: ARG005
    assert plain == run(*line.split())


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_full_parser(line: str) -> None:
    assert parse_plain_table(line.split()) is None


def test_a_plain_call_loads_no_command_line_library(data: Path) -> None:
    code = (
        "import sys; from flows.cli.main import main; main()\n"
        "print(sorted({'cyclopts', 'rich', 'pydantic', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "table", "2015-16-H1", "--data-dir", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_the_environment_names_the_data_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRIME_RATES_DATA_DIR", str(data))
    monkeypatch.setattr(sys, "argv", ["crime-rates", "table", "2015-16-H1"])
    main.main()
    assert "South Worcester" in capsys.readouterr().out
