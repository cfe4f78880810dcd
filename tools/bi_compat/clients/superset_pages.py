"""Apache Superset: a database connection, a data set, a chart of the newest half-year, SQL Lab; and a query that is still
running when another build is published."""

import datetime
import json
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path

from servers import browse
from superset_rest import PASSWORD, USER, Superset, superset
from talk import DATABASE, MACRO, TOP, WRITE, attempt, tell

URI = "duckdb:///PATH?access_mode=read_only"
FIELDS = TOP.removeprefix("select ").partition(" from ")[0].split(", ")
# the same rows, after as long as a publication takes and longer
BUSY = "(select count(*) from range(40000) a, range(40000) b where (a.range * b.range) % 7 = 8) = 0"
SLOW = TOP.replace(" order by", f" and {BUSY} order by")
work = Path(DATABASE).parent


class Pages:
    def __init__(self, server: Superset) -> None:
        self.server = server
        self.database = server.post(
            "database/",
            {
                "database_name": "Crime rates",
                "sqlalchemy_uri": URI.replace("PATH", DATABASE),
                "expose_in_sqllab": True,
            },
        )["id"]
        found = server.get(f"database/{self.database}/tables/", schema_name="main", force=True)["result"]
        self.tables = [table["value"] for table in found]
        self.rates = self.dataset({"schema": "main", "table_name": "ranked_rates"})
        self.newest = self.dataset({"schema": "main", "table_name": "Newest half-year, forces", "sql": TOP})
        self.chart = self.bar_chart()

    def dataset(self, of: dict) -> int:
        return self.server.post("dataset/", {"database": self.database, **of})["id"]

    def bar_chart(self) -> int:
        metric = {
            "expressionType": "SIMPLE",
            "column": {"column_name": "rate_per_10k"},
            "aggregate": "MAX",
            "label": "Offences per 10,000 residents",
        }
        form = {
            "viz_type": "echarts_timeseries_bar",
            "datasource": f"{self.newest}__table",
            "x_axis": "area_name",
            "metrics": [metric],
            "groupby": [],
            "x_axis_sort_asc": False,
            "x_axis_sort": metric["label"],
            "orientation": "horizontal",
            "row_limit": 100,
            "show_value": True,
            "time_range": "No filter",
        }
        return self.server.post(
            "chart/",
            {
                "slice_name": "Newest half-year: highest rates",
                "viz_type": form["viz_type"],
                "datasource_id": self.newest,
                "datasource_type": "table",
                "params": json.dumps(form),
            },
        )["id"]

    def top(self) -> list[list[object]]:
        """The rows of the data set, as a table chart gets them."""
        found = self.server.chart_data(self.newest, columns=FIELDS, metrics=[], orderby=[["rank", True]])
        return plain(found["data"])

    def picture(self, name: str) -> None:
        browse(
            url=f"{self.server.address}/explore/?slice_id={self.chart}",
            wait=".slice_container canvas",
            rest=3000,
            picture=str(work / f"{name}.png"),
            login={"url": f"{self.server.address}/login/", "user": USER, "password": PASSWORD},
        )


def plain(data: list[dict]) -> list[list[object]]:
    return [[day(name, row[name]) for name in FIELDS] for row in data]


def day(name: str, value: object) -> object:
    """Superset sends a date to its charts as milliseconds since 1970."""
    if name not in ("period_start", "population_vintage"):
        return value
    if isinstance(value, int | float):
        return str(datetime.datetime.fromtimestamp(value / 1000, datetime.UTC).date())
    return str(value)[:10]


with superset(work) as server:
    pages = Pages(server)
    columns = {c["column_name"]: c for c in server.get(f"dataset/{pages.rates}")["result"]["columns"]}
    server.put(f"database/{pages.database}", {"allow_dml": True})  # else Superset refuses before DuckDB is asked
    refused = attempt(lambda: server.ask(pages.database, WRITE))
    server.put(f"database/{pages.database}", {"allow_dml": False})
    pages.picture("before")
    running: list[list[list[object]]] = []
    slow = threading.Thread(target=lambda: running.append(plain(server.ask(pages.database, SLOW))))
    macro = plain(server.ask(pages.database, MACRO))
    slow.start()
    time.sleep(2)  # until it has opened the file
    top = pages.top()  # beside it: two connections of one process to one file
    tell(
        version=f"Superset {version('apache-superset')}, duckdb-engine {version('duckdb-engine')}, duckdb {version('duckdb')}",
        setting=URI,
        tables=pages.tables,
        top=top,
        macro=macro,
        refused=refused,
        types=", ".join(columns[c]["type"] for c in ("rank", "offences", "rate_per_10k", "population_vintage")),
        comments=columns["rank"].get("description") or "",
    )
    if not slow.is_alive():
        sys.exit("BenchError: the slow query was done before the publication")
    meanwhile = pages.top()
    during = slow.is_alive()
    slow.join()
    tell(top=running[0])
    ways = [("the chart asked again, while an older query runs", meanwhile)] if during else []
    ways.append(("the chart asked again", pages.top()))
    pages.picture("after")
    tell(ways=ways)
