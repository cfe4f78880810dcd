"""DuckDB's command line: a session of it is held open by a pipe."""

import json
import subprocess
import sys
from pathlib import Path

from talk import COMMENT, DATABASE, MACRO, TABLES, TOP, WRITE, tell

DUCKDB = str(Path(sys.executable).with_name("duckdb"))


class Session:
    def __init__(self) -> None:
        command = [DUCKDB, "-readonly", "-no-init", "-jsonlines", DATABASE]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def ask(self, sql: str) -> list[str]:
        self._process.stdin.write(f"{sql};\nselect 'END' as said;\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if "END" in line:
                break
            lines.append(line.strip())
        return [line for line in lines if line]

    def rows(self, sql: str = TOP) -> list[list[object]]:
        return [list(json.loads(line).values()) for line in self.ask(sql)]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


session = Session()
[[comment]] = session.rows(COMMENT)
types = session.rows(f"select column_type from (describe {TOP})")
tell(
    version=subprocess.run([DUCKDB, "-version"], capture_output=True, text=True, check=True).stdout.split()[0],
    setting="duckdb -readonly PATH",
    tables=[name for (name,) in session.rows(TABLES)],
    top=session.rows(),
    types=", ".join(types[i][0] for i in (0, 2, 4, 6)),
    macro=session.rows(MACRO),
    comments=comment,
    refused=" ".join(session.ask(WRITE)),
)
tell(top=session.rows())
second = Session()
ways = [("a second session while the first is open", second.rows())]
second.close()
session.close()
tell(ways=ways)
