"""Workbooks and their figures as a good analyst would read them with pandas: part of the baseline, and of nothing else.

No line of flows/, transforms/ or sql/ is used, so that it costs what a script of its own costs.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

COLUMNS = {
    "Financial Year": "financial_year",
    "Financial Quarter": "quarter",
    "Force Name": "force_name",
    "Police Force": "force_name",
    "CSP Name": "published_name",
    "Offence Description": "offence_name",
    "Offence Group": "offence_group",
    "Offence Subgroup": "subgroup",
    "Offence Code": "offence_code",
    "Number of Offences": "offences",
    "Offence Count": "offences",
}
TEXTS = ["level", "published_name", "force_name", "financial_year", "offence_code", "offence_name", "subgroup", "offence_group"]


def read_release(path: Path) -> tuple[pd.DataFrame, str]:
    """The figures of a workbook, and the text of its other sheets."""
    figures, said = [], []
    for sheet in pd.read_excel(path, engine="calamine", sheet_name=None, dtype=str).values():
        if "Offence Code" not in sheet.columns:
            said += [str(c) for c in sheet.columns] + sheet.iloc[:, 0].dropna().tolist() if len(sheet.columns) else []
            continue
        sheet = sheet.rename(columns=COLUMNS).dropna(subset=["offence_code"])
        sheet["level"] = "csp" if "published_name" in sheet.columns else "pfa"
        if "published_name" not in sheet.columns:
            sheet["published_name"] = sheet["force_name"]
        sheet["offences"] = pd.to_numeric(sheet["offences"].str.replace(",", ""), errors="coerce")
        sheet["quarter"] = pd.to_numeric(sheet["quarter"]).astype("int8")
        figures.append(sheet.astype(dict.fromkeys(TEXTS, "category")))
    return pd.concat(figures, ignore_index=True), "".join(said)


def read_releases(folder: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """All figures, of each quarter those of the newest release; release → what its notes say."""
    listed = folder / "manifest.csv"
    manifest = pd.read_csv(listed, dtype=str).set_index("file")["published"].to_dict() if listed.exists() else {}
    frames, notes = [], {}
    for path in sorted(folder.glob("*.ods")):
        frame, said = read_release(path)
        day = re.search(r"-(\d\d)(\d\d)(\d\d)\b", path.stem)
        published = manifest.get(path.name) or (f"20{day[3]}-{day[2]}-{day[1]}" if day else "")
        notes[path.stem] = re.sub(r"\s", "", said)
        frames.append(frame.assign(release_id=path.stem, published=published))
    every = pd.concat(frames, ignore_index=True)
    for column in (*TEXTS, "release_id", "published"):
        every[column] = every[column].astype(str).astype("category")
    held = every[["level", "financial_year", "quarter", "published"]].drop_duplicates().astype({"published": str})
    newest = held.sort_values("published").drop_duplicates(["level", "financial_year", "quarter"], keep="last")
    return (every if len(held) == len(newest) else every.astype({"published": str}).merge(newest)), notes
