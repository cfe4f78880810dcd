"""The pages name what is there: every path, link, function, make target, command and setting in them exists."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from flows.cli import pipeline_commands, query_commands  # noqa: F401, they register their commands
from flows.cli.app import app
from flows.settings import NOT_SET, PREFIX, Settings
from tests.support.world import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IN_TREE = re.compile(r"(?<![\w./-])(?:flows|sql|transforms|tools|tests|docs|data/(?:reference|sample))/[\w./*<>-]*")
MODULE = re.compile(r"python -m ((?:flows|sql|tools)(?:\.\w+)+)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CALL = re.compile(r"`(?:\w+\.)?(\w+)\(\)`")
MEASURED = re.compile(r"<!-- [^>]*(?:begin|from here) -->.*?<!-- (?:\w+: end|to here) -->", re.DOTALL)  # names of its day stay
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


each_page = pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])


def anchors(page: Path) -> set[str]:
    """The anchors that a code host gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def definitions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@each_page
def test_every_path_of_the_tree_exists(page: Path) -> None:
    for found in IN_TREE.findall(MEASURED.sub("", page.read_text(encoding="utf-8"))):
        pattern = re.sub(r"<\w+>", "*", found.rstrip("./"))
        assert any(ROOT.glob(pattern)), f"{found} is not there"


@each_page
def test_every_module_that_a_page_runs_exists(page: Path) -> None:
    for module in MODULE.findall(page.read_text(encoding="utf-8")):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), f"{module} is not there"


@each_page
def test_every_relative_link_resolves(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(there), f"{target}: no such heading"


@each_page
def test_a_function_is_defined_in_a_file_that_its_line_names(page: Path) -> None:
    for line in page.read_text(encoding="utf-8").splitlines():
        files = [ROOT / found for found in IN_TREE.findall(line) if found.endswith(".py")]
        names = {name for file in files for name in definitions(file)}
        for call in CALL.findall(line) if files else ():
            assert call in names, f"{call}() is in none of {', '.join(file.name for file in files)}"


@each_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for named in re.findall(r"`make ([a-z]+)", page.read_text(encoding="utf-8")):
        assert named in targets, f"make {named} is no target"


def test_every_command_and_setting_is_documented() -> None:
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    commands = {name for name in app if not name.startswith("-")}
    assert commands >= {"table", "update"}  # else the list is not what it is taken for
    assert not {name for name in commands if f"crime-rates {name}" not in text}
    settings = {one.name for one in fields(Settings)} - set(NOT_SET)
    assert not {name for name in settings if f"`{PREFIX}{name.upper()}`" not in text}
