"""Transforms are pure: they read the files that they are given, and neither a clock nor the environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.world import ROOT

CLOCK_OR_ENVIRONMENT = r"\b(datetime|date)\.(now|today|utcnow)\(|^import time\b|os\.environ|getenv"


@pytest.mark.parametrize("path", sorted((ROOT / "transforms").rglob("*.py")), ids=lambda path: path.name)
def test_a_transform_reads_neither_a_clock_nor_the_environment(path: Path) -> None:
    assert not re.search(CLOCK_OR_ENVIRONMENT, path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("line", ["now = datetime.now(UTC)", "import time", 'home = os.environ["HOME"]'])
def test_one_that_did_would_be_seen(line: str) -> None:
    assert re.search(CLOCK_OR_ENVIRONMENT, line, re.MULTILINE)
