"""How a build grows as vintages pile up in the lake: seconds, size, and rows of count_history; and a drawing of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.benchmark.measuring import child
from tools.benchmark.report import Row
from tools.benchmark.work import Work, say

VINTAGES = (1, 5, 10, 20)


@dataclass(frozen=True)
class Point:
    """A lake of so many vintages."""

    vintages: int
    anew: float  # seconds of a build that works out the digests of every release
    newest: float  # seconds of a build that has those of all but the newest vintage, as after each quarter
    mb: float
    history: int  # rows of count_history
    revisions: int
    peak_mb: float


def measure(work: Work) -> list[Point]:
    """Build from lakes of 1, 5, 10 and 20 vintages, each once with all digests anew, and twice after a vintage came in."""
    points = []
    for vintages in VINTAGES:
        data = work.lakes / str(vintages)
        say(f"growth: a lake of {vintages} vintages")
        anew = child("build", data / "lake", data / "warehouse", "4GB")
        runs = []
        for turn in ("second", "third"):
            _forget(data, _newest(data, vintages))
            runs.append(child("build", data / "lake", data / turn, "4GB"))
        newest = min(runs, key=lambda run: run.work)
        points.append(
            Point(
                vintages,
                anew.work,
                newest.work,
                newest.answer["mb"],
                newest.answer["history"],
                newest.answer["revisions"],
                max(anew.peak_mb, newest.peak_mb),
            )
        )
    return points


def row(points: Sequence[Point]) -> Row:
    one, many = points[0], points[-1]
    return Row(
        f"build from a lake of {many.vintages} vintages, the newest of them new",
        "the same build from one vintage",
        "≤ 1.3 ×",
        f"{many.newest / one.newest:.2f} ×",
        many.newest <= 1.3 * one.newest,
        f"{many.newest:.1f} s against {one.newest:.1f} s, better of 2; with the digests of all vintages to be worked out "
        f"anew, {many.anew:.1f} s ({many.anew / one.anew:.2f} ×). {many.revisions:,} revisions",
    )


def _newest(data: Path, vintages: int) -> set[str]:
    """Ids of the releases that came last; of all releases where there is one vintage."""
    days: dict[str, str] = {}
    for folder in (data / "lake/offences").iterdir():
        release = folder.name.rpartition(".")[0]
        days[release] = release.partition("@")[0][-6:]
    last = max(days.values(), key=lambda day: day[4:] + day[2:4] + day[:2] if day.isdigit() else "")
    return {release for release, day in days.items() if day == last or vintages == 1}


def _forget(data: Path, releases: set[str]) -> None:
    """Remove what data/cache holds of releases, as if they had just come in."""
    for file in (data / "cache").rglob("*.parquet"):
        if any(release in file.name for release in releases):
            file.unlink()


def markdown(points: Sequence[Point]) -> str:
    """The numbers behind the drawing."""
    lines = [
        "| vintages | build, newest vintage new | build, all digests anew | database | rows of count_history | revisions | "
        "peak of one process |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {p.vintages} | {p.newest:.1f} s | {p.anew:.1f} s | {p.mb:,.0f} MB | {p.history:,} | {p.revisions:,} | "
        f"{p.peak_mb:,.0f} MB |"
        for p in points
    ]
    return "\n".join(lines)


# ---------------------------------------------------------------- the drawing
WIDTH, HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 300, 250, 54, 44, 52, 18
STYLE = """
  text { font: 15px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 16px; }
  .grid { stroke: #d1d9e0; stroke-width: 1; }
  .line { fill: none; stroke: #0b62c4; stroke-width: 2.5; }
  .dot { fill: #0b62c4; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .grid { stroke: #3d444d; }
    .line { stroke: #6cb2ff; }
    .dot { fill: #6cb2ff; }
  }"""


def svg(points: Sequence[Point]) -> str:
    """Three small charts over the number of vintages, each from nought, for a light or a dark page."""
    panels = (
        ("Build, seconds", [p.newest for p in points]),
        ("Database, MB", [p.mb for p in points]),
        ("count_history, million rows", [p.history / 1e6 for p in points]),
    )
    said = "; ".join(f"{title.lower()}: " + ", ".join(f"{v:.3g}" for v in values) for title, values in panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH * len(panels)} {HEIGHT}" role="img" '
        'aria-labelledby="title">',
        f'<title id="title">Growth over {", ".join(str(p.vintages) for p in points)} vintages: {said}.</title>',
        f"<style>{STYLE}\n</style>",
    ]
    for number, (title, values) in enumerate(panels):
        parts += [f'<g transform="translate({number * WIDTH} 0)">', *_panel(title, [p.vintages for p in points], values), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(title: str, xs: Sequence[int], ys: Sequence[float]) -> list[str]:
    step = _step(max(ys))
    top = step * -(-max(ys) // step)
    floor, wide, high = HEIGHT - BOTTOM, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    at = [(LEFT + wide * x / max(xs), floor - high * y / top) for x, y in zip(xs, ys, strict=True)]
    out = [f'<text class="title" x="{LEFT}" y="24">{title}</text>']
    for turn in range(round(top / step) + 1):
        y = floor - high * turn * step / top
        out += [
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<text x="{LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{turn * step:g}</text>',
        ]
    for x, (left, _) in zip(xs, at, strict=True):
        out.append(f'<text x="{left:.1f}" y="{floor + 20}" text-anchor="middle">{x}</text>')
    out.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 6}" text-anchor="middle">vintages</text>')
    out.append('<polyline class="line" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in at) + '"/>')
    out += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in at]
    return out


def _step(most: float) -> float:
    """A round number that goes into `most` four times at the most."""
    size = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    return next(step for step in (size * f for f in (0.25, 0.5, 1, 2, 2.5, 5, 10)) if most / step <= 4)
