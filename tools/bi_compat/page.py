"""The results as a table: for the terminal, and between the markers of docs/clients.md."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from tools.bi_compat.running import Result

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
START, END = "<!-- written by make bi, from here -->", "<!-- to here -->"
HEAD = ("client", "version", "reads", "after a publication", "types of rank, offences, rate, date", "comments")


def row(result: Result) -> tuple[str, ...]:
    if result.not_tried:
        return (result.client, "", f"not tried: {result.not_tried}", "", "", "")
    if result.broke:
        return (result.client, result.version, f"**no**: {result.broke}", "", "", "")
    return (result.client, result.version, reads(result), sees(result), result.types, "yes" if result.comments else "by SQL")


def reads(result: Result) -> str:
    asked = {
        "its tables": result.tables,
        "the newest half-year": result.right,
        "a macro": result.macro,
        "read-only": result.refused,
    }
    wrong = [what for what, right in asked.items() if not right]
    return f"**wrong**: {', '.join(wrong)}" if wrong else "yes"


def sees(result: Result) -> str:
    """What shows the new build, and what did not; whether a connection that was open went on."""
    builds = [build for _, build in result.ways]
    first = builds.index("new") if "new" in builds else len(builds)
    still = ", ".join(way for way, _ in result.ways[:first])
    parts = [
        {True: "goes on with the old", False: "**an open connection breaks**", None: ""}[result.survives],
        still and f"still old: {still}",
        f"new: {result.ways[first][0]}" if first < len(builds) else "**never new**",
    ]
    return "; ".join(part for part in parts if part)


def markdown(results: Sequence[Result], command: str) -> str:
    lines = [f"Made on {date.today():%-d %B %Y} by `{command}`: {machine()}.", "", _line(HEAD), _line("---" for _ in HEAD)]
    lines += [_line(cell.replace("|", "\\|") for cell in row(result)) for result in results]
    settings: dict[str, list[str]] = {}
    for result in results:
        settings.setdefault(result.setting, []).append(result.client)
    lines += ["", _line(("client", "setting")), _line(("---", "---"))]
    lines += [_line((", ".join(clients), f"`{setting}`")) for setting, clients in settings.items() if setting]
    return "\n".join(lines)


def machine() -> str:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return f"{system}, {platform.machine()}, Python {platform.python_version()}"


def write(results: Sequence[Result], command: str) -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{markdown(results, command)}\n\n{END}{after}", encoding="utf-8")


def text(result: Result) -> str:
    """One result as a few lines for the terminal."""
    _, version, reading, seeing, types, _ = (cell.replace("**", "") for cell in row(result))
    more = [f"    {line}" for line in (version, seeing, types, result.setting, result.note) if line]
    return "\n".join([f"{result.client}: {reading}", *more])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
