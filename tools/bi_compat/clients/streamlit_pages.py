"""Streamlit: a real server, whose page is loaded in a browser. The argument says how the page holds its connection."""

import json
import sys
import time
from pathlib import Path

from servers import browse, free_port, serving
from talk import DATABASE, tell

HOLDS = sys.argv[1]
SETTING = {
    "each-run": 'with duckdb.connect("PATH", read_only=True) as con, in each run of the page',
    "kept": '@st.cache_resource on duckdb.connect("PATH", read_only=True)',
    "kept-for-a-while": '@st.cache_resource(ttl=2) on duckdb.connect("PATH", read_only=True)',
    "connection": 'st.connection("…", type="sql", url="duckdb:///PATH?access_mode=read_only").query(sql, ttl=2)',
    "connection-unpooled": 'st.connection("…", type="sql", url="duckdb:///PATH?access_mode=read_only", poolclass=NullPool)'
    ".query(sql, ttl=2)",
}
work = Path(DATABASE).parent
address = f"http://127.0.0.1:{(port := free_port())}"
command = [
    sys.executable,
    "-m",
    "streamlit",
    "run",
    str(Path(__file__).with_name("streamlit_app.py")),
    "--server.headless=true",
    "--server.address=127.0.0.1",
    f"--server.port={port}",
    "--browser.gatherUsageStats=false",
]


def load(name: str, query: str = "") -> dict[str, object]:
    return json.loads(browse(url=address + query, wait="[data-testid=stCode] code", picture=str(work / f"{name}.png")))


with serving(command, f"{address}/_stcore/health", work / "server.log", BI_HOLDS=HOLDS):
    first = load("before", "?write")
    streamlit, duckdb = first.pop("versions")
    tell(version=f"Streamlit {streamlit}, duckdb {duckdb}", setting=SETTING[HOLDS], comments="", **first)
    time.sleep(3)  # until its answers, and what it keeps for a while, are as old as they may be
    after = load("after")["top"]
    tell(top=after if after == first["top"] else None)
    ways = [("the page loaded again", after)]
    if ways[0][1] == first["top"]:
        ways.append(("st.cache_resource.clear()", load("cleared", "?clear")["top"]))
    tell(ways=ways)
