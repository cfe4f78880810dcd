"""Which clients there are, and with what each is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tools.bi_compat import environments
from tools.bi_compat.builds import Build
from tools.bi_compat.environments import HERE, NotTried
from tools.bi_compat.running import Result, run

Command = list[str]
SCRIPTS = HERE / "clients"
OTHER_VERSIONS = ("1.1.3", "1.2.2", "1.3.2", "1.4.5", "1.5.6", "2.0.0")
TOO_OLD = {"DuckDB 1.1.3 for Python"}  # run to see what it says: no other client may fail
PYTHON = {  # client: its script and arguments
    "DuckDB for Python": ("duckdb_python.py",),
    "DuckDB, file attached": ("attached.py",),
    "SQLAlchemy, default pool": ("sqlalchemy_engine.py",),
    "SQLAlchemy, NullPool": ("sqlalchemy_engine.py", "unpooled"),
    "ibis": ("ibis_client.py",),
    "pandas": ("frames.py", "pandas"),
    "pandas, Arrow types": ("frames.py", "pandas-arrow"),
    "Polars": ("frames.py", "polars"),
    "Polars, read_database": ("frames.py", "polars-database"),
    "ADBC for Python": ("adbc.py",),
}
STREAMLIT = {
    "Streamlit, connect each run": "each-run",
    "Streamlit, cache_resource": "kept",
    "Streamlit, cache_resource with ttl": "kept-for-a-while",
    "Streamlit, st.connection": "connection",
    "Streamlit, st.connection with NullPool": "connection-unpooled",
}
UNREACHED = {  # on none of PyPI, npm and Debian 12, which is all that the bench installs from
    "R, package duckdb": "not among Debian 12's packages; CRAN was not reached",
    "JDBC (DBeaver, Metabase)": "the driver lies on Maven Central, which was not reached",
    "ODBC (Excel, Power BI, Tableau)": "the driver was found on none of PyPI, npm and Debian 12",
}


def clients(envs: Path) -> Iterator[tuple[str, Callable[[], Command]]]:
    """(client, what gives the command that runs it); that may raise NotTried."""
    for client, script in PYTHON.items():
        yield client, partial(_script, envs, "clients", *script)
    for version in OTHER_VERSIONS:
        yield f"DuckDB {version} for Python", partial(_script, envs, f"duckdb-{version}", "duckdb_python.py")
    yield "DuckDB command line", partial(_script, envs, "clients", "command_line.py")
    yield "Node, @duckdb/node-api", partial(_node, envs)
    yield "R, by the command line", partial(_r, envs)
    for client, holds in STREAMLIT.items():
        yield client, partial(_page, envs, "clients", "streamlit_pages.py", holds)
    yield "Apache Superset", partial(_page, envs, "superset", "superset_pages.py")


def run_all(folder: Path, builds: tuple[Build, Build], wanted: Callable[[str], bool]) -> Iterator[Result]:
    """The result of each client, as it comes."""
    envs, runs = folder / "envs", folder / "runs"
    envs.mkdir(parents=True, exist_ok=True)
    for client, command in clients(envs):
        if wanted(client):
            try:
                yield run(client, command(), runs, builds)
            except NotTried as why:
                yield Result(client, not_tried=str(why))
    yield from (Result(client, not_tried=why) for client, why in UNREACHED.items() if wanted(client))


def _script(envs: Path, environment: str, script: str, *arguments: str) -> Command:
    return [str(environments.python(envs, environment)), str(SCRIPTS / script), *arguments]


def _node(envs: Path) -> Command:
    return ["node", str(_beside_modules(envs, "node_api.mjs"))]


def _beside_modules(envs: Path, script: str) -> Path:
    # Node looks for node_modules where the script lies
    here = environments.node(envs) / script
    here.write_bytes((SCRIPTS / script).read_bytes())
    return here


def _page(envs: Path, environment: str, script: str, *arguments: str) -> Command:
    """A client that is a web server, looked at in a browser."""
    chromium, browser = environments.found("chromium"), _beside_modules(envs, "browser.mjs")
    command = _script(envs, environment, script, *arguments)
    return ["env", f"BI_CHROMIUM={chromium}", f"BI_BROWSER={browser}", *command]


def _r(envs: Path) -> Command:
    environments.found("Rscript")
    duckdb = environments.python(envs, "clients").with_name("duckdb")
    return ["env", f"BI_DUCKDB={duckdb}", "Rscript", "--vanilla", str(SCRIPTS / "r.R")]
