"""Rates, intervals and ranks are computed in the SQL models and nowhere else. Who may import whom is kept by import-linter."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.world import ROOT

PYTHON = sorted(path for room in ("transforms", "flows", "sql") for path in (ROOT / room).rglob("*.py"))
MODELS = sorted((ROOT / "sql").rglob("*.sql"))


def test_there_is_something_to_look_at() -> None:
    assert len(PYTHON) >= 30 and len(MODELS) >= 30


FIGURES = {  # what a rate, an interval or a rank would look like, as code or as SQL in a string
    "a rate": r"\*\s*(10_?000|1e4)(\.0)?\b|\b(10_?000|1e4)(\.0)?\s*\*|/\s*(population|persons|rated_population)\b",
    "an interval": r"\b1\.95\d*|\b1\.96|inv_cdf|chi2|poisson\.|norm\.ppf|\bsqrt\b|\bpow\s*\(",
    "a rank": r"\b(dense_|percent_)?rank\s*\(\s*\)|\.rank\s*\(|rankdata",
}


def code_of(path: Path) -> Iterator[tuple[int, str]]:
    """(line, its code) without comments and docstrings; SQL in strings stays, for it is code."""
    text = path.read_text(encoding="utf-8")
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            docstrings |= set(range(body[0].lineno, (body[0].end_lineno or body[0].lineno) + 1))
    lines = text.splitlines()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    return ((number, line) for number, line in enumerate(lines, start=1) if number not in docstrings)


def computed(path: Path, pattern: str) -> list[str]:
    return [f"{path.name}:{number}: {line.strip()}" for number, line in code_of(path) if re.search(pattern, line, re.IGNORECASE)]


@pytest.mark.parametrize("what", FIGURES)
def test_a_figure_is_computed_in_the_models_and_nowhere_else(what: str) -> None:
    assert [line for path in PYTHON for line in computed(path, FIGURES[what])] == []
    # and the pattern knows one when it sees one
    assert any(re.search(FIGURES[what], path.read_text(encoding="utf-8"), re.IGNORECASE) for path in MODELS)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a rate", "value = offences / persons * 10_000"),
        ("a rate", 'con.execute("select 10000 * offences / people")'),
        ("a rate", "rate = row['offences'] / population"),
        ("an interval", "z = NormalDist().inv_cdf(0.975)"),
        ("an interval", "half = 1.96 * math.sqrt(n)"),
        ("a rank", '"select rank() over (order by rate desc)"'),
        ("a rank", "frame['rate'].rank(method='min')"),
    ],
)
def test_a_figure_in_python_would_be_seen(tmp_path: Path, what: str, line: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(f'"""Not * 10000."""\n# nor rank() over\n{line}\n')
    assert computed(path, FIGURES[what]) == [f"module.py:3: {line}"]
    assert [n for n, _ in code_of(path) if n == 1] == []


def test_a_rate_is_computed_once() -> None:
    # one macro: every table is its rows, so no two of them can disagree
    holders = [path.name for path in MODELS if "10000" in path.read_text(encoding="utf-8")]
    assert holders == ["81_rate_figures_on.sql"]
