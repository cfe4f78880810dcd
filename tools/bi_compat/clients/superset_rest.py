"""A Superset of one's own on this machine: set up from nothing, served by gunicorn, and spoken to through its REST API."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import prison
import requests
from servers import free_port, serving

USER = PASSWORD = "bench"
BIN = Path(sys.executable).parent


@contextmanager
def superset(work: Path) -> Iterator[Superset]:
    config = work / "superset_config.py"
    config.write_text(
        f"SECRET_KEY = {secrets.token_hex(32)!r}\nSQLALCHEMY_DATABASE_URI = 'sqlite:///{work / 'superset.db'}'\n"
        "SQLLAB_TIMEOUT = 120\n"
    )  # for a query that outlasts a publication on a slow machine
    env = {"SUPERSET_CONFIG_PATH": str(config), "SUPERSET_HOME": str(work), "FLASK_APP": "superset", "SCARF_ANALYTICS": "false"}
    admin = [
        "fab",
        "create-admin",
        "--username",
        USER,
        "--password",
        PASSWORD,
        "--firstname",
        "A",
        "--lastname",
        "B",
        "--email",
        "bench@example.org",
    ]
    with (work / "setup.log").open("w") as log:
        for words in (["db", "upgrade"], admin, ["init"]):
            done = subprocess.run([str(BIN / "superset"), *words], env={**os.environ, **env}, stdout=log, stderr=log, check=False)
            if done.returncode:
                raise RuntimeError(f"SetupError: superset {' '.join(words[:2])} failed; see setup.log")
    port = free_port()
    # one process with threads, as Superset's own entry point starts it: its requests share one DuckDB
    command = [
        str(BIN / "gunicorn"),
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
        "--worker-class",
        "gthread",
        "--threads",
        "8",
        "--timeout",
        "120",
        "superset.app:create_app()",
    ]
    address = f"http://127.0.0.1:{port}"
    with serving(command, f"{address}/health", work / "server.log", **env):
        yield Superset(address)


class Superset:
    """What a user does in the browser, through the API that the browser uses."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = requests.Session()
        login = {"username": USER, "password": PASSWORD, "provider": "db", "refresh": True}
        token = self.post("security/login", login)["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._http.headers["X-CSRFToken"] = self.get("security/csrf_token/")["result"]
        self._http.headers["Referer"] = address

    def get(self, path: str, **query: object) -> dict:
        params = {"q": prison.dumps(query)} if query else None
        return self._answer(self._http.get(f"{self.address}/api/v1/{path}", params=params, timeout=120))

    def post(self, path: str, body: dict) -> dict:
        return self._answer(self._http.post(f"{self.address}/api/v1/{path}", json=body, timeout=120))

    def put(self, path: str, body: dict) -> dict:
        return self._answer(self._http.put(f"{self.address}/api/v1/{path}", json=body, timeout=120))

    def ask(self, database: int, sql: str) -> list[dict]:
        """Run a query in SQL Lab."""
        body = {"database_id": database, "sql": sql, "schema": "main", "runAsync": False, "queryLimit": 1000}
        return self.post("sqllab/execute/", body)["data"]

    def chart_data(self, dataset: int, **query: object) -> dict:
        """What a chart on a dataset is given to draw."""
        body = {
            "datasource": {"id": dataset, "type": "table"},
            "queries": [{"row_limit": 100, **query}],
            "result_format": "json",
            "result_type": "full",
        }
        return self.post("chart/data", body)["result"][0]

    @staticmethod
    def _answer(answer: requests.Response) -> dict:
        if not answer.ok:
            raise RuntimeError(f"SupersetError {answer.status_code}: {answer.text[:600]}")
        return answer.json()
