"""The counts of a bench as one table, on the terminal and between two marks of docs/reliability.md."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEADER = (
    "trouble",
    "rounds",
    "reads",
    "torn reads",
    "errors",
    "lost raw files",
    "unreadable databases",
    "runs to recover, most",
    "what happened",
)


@dataclass
class Outcome:
    """What came of one kind of trouble. `errors` are what readers or operators met and should not have; `notes` are facts."""

    trouble: str
    rounds: int = 0
    reads: int = 0
    torn: int = 0
    errors: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    recovered: list[int] = field(default_factory=list)  # runs, of each round; 0 is never
    never: list[str] = field(default_factory=list)  # why, of each round that did not recover
    happened: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        return bool(self.torn or self.lost or self.unreadable or self.never)

    def recovery(self, runs: int, why: str, where: str) -> None:
        self.recovered.append(runs)
        if not runs:
            self.never.append(f"{where}: {why}")

    def row(self) -> tuple[str, ...]:
        most = "never" if self.never else (str(max(self.recovered)) if self.recovered else "–")
        reads = (f"{self.reads:,}", f"{self.torn:,}") if self.reads else ("–", "–")
        return (
            self.trouble,
            f"{self.rounds:,}",
            *reads,
            f"{len(self.errors):,}",
            f"{len(self.lost):,}",
            f"{len(self.unreadable):,}",
            most,
            self.happened,
        )

    def details(self) -> list[str]:
        """What a reader may want to know beyond the counts; equal sentences once, with how often."""
        said = [
            f"{what}: {text}" + (f" ({times} times)" if times > 1 else "")
            for what, texts in (
                ("LOST", self.lost),
                ("UNREADABLE", self.unreadable),
                ("NEVER RECOVERED", self.never),
                ("error", self.errors),
            )
            for text, times in Counter(texts).items()
        ]
        return [*said, *self.notes]


def counted(things: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in things.most_common())


def text(outcomes: list[Outcome]) -> str:
    """The table for a terminal, and below it what is behind each row."""
    rows = [HEADER[:-1], *(outcome.row()[:-1] for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER) - 1)]
    lines = [
        "  ".join(
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    for outcome in outcomes:
        lines += ["", f"{outcome.trouble}: {outcome.happened}", *(f"  {detail}" for detail in outcome.details())]
    return "\n".join(lines)


def markdown(outcomes: list[Outcome], made: str) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [made, "", line(HEADER), line(("---", *("---:",) * 7, "---")), *(line(outcome.row()) for outcome in outcomes)]
    for outcome in outcomes:
        if outcome.details():
            lines += ["", f"**{outcome.trouble}**", "", *(f"- {detail}" for detail in outcome.details())]
    return "\n".join(lines)


def write(page: Path, outcomes: list[Outcome], made: str) -> None:
    """Replace what stands between the marks of the page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{markdown(outcomes, made)}\n\n{END}{after}", encoding="utf-8")
