"""What is written is what the contract declares: a model that makes something else stops the build, and is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

import sql
from flows.warehouse import build, table_maker
from flows.warehouse.table_maker import ModelError, check_finished, check_models
from sql import SCHEMAS, Model, read_models
from tests.support.releases import figures
from tests.support.world import World

MODELS = read_models(*SCHEMAS)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.worcestershire()
    world.release(date(2026, 4, 23), [figures("2015/16", q, "West Mercia", count=9, csp="South Worcester") for q in (1, 2)])
    return world


@pytest.fixture
def refuse(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[Model]], str]:
    """Builds with other models than ours, and gives the sentence of the refusal."""

    def refuse(models: Sequence[Model]) -> str:
        def read_other_models(*folders: str) -> list[Model]:
            others = [model for model in sql.read_models(*folders) if model.folder not in SCHEMAS]
            return [*others, *(model for model in models if model.folder in folders)]

        for module in (build, table_maker):
            monkeypatch.setattr(module, "read_models", read_other_models)
        with pytest.raises(ModelError) as error:
            world.make()
        assert list(world.warehouse.iterdir()) == []  # nothing is left, and nothing is published
        return str(error.value)

    return refuse


def with_query(name: str, query: Callable[[str], str]) -> list[Model]:
    """The models, one of 30_public with another text."""
    return [
        replace(model, query=query(model.query)) if (model.folder, model.name) == ("30_public", name) else model
        for model in MODELS
    ]


Refuse = Callable[[Sequence[Model]], str]


# ---------------------------------------------------------------- what a model is
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("create table areas as {}", "CREATE"),
        ("create or replace table areas as {}", "CREATE"),
        ("create table areas as {}; from areas", "CREATE, SELECT"),
        ("insert into areas {}", "INSERT"),
        ("-- nothing but a remark", "no statement"),
    ],
)
def test_a_model_that_is_no_select_is_refused(refuse: Refuse, statement: str, found: str) -> None:
    said = refuse(with_query("areas", statement.format))
    assert said == f"sql/30_public/21_areas.sql: expected one select, of which the build makes areas; found {found}."


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select * exclude (is_place) from ({})", "area_key INTEGER as column 8, not is_place BOOLEAN"),
        ("select *, 1 as extra from ({})", "10 columns, not 9"),
        ("select area_code, * exclude (area_code) from ({})", "area_code VARCHAR as column 1, not level VARCHAR"),
        ("select * replace (is_place::integer as is_place) from ({})", "is_place INTEGER as column 8, not is_place BOOLEAN"),
    ],
    ids=["a column is missing", "a column too many", "in another order", "of another type"],
)
def test_a_model_with_other_columns_than_its_table_is_refused(refuse: Refuse, query: str, found: str) -> None:
    said = refuse(with_query("areas", query.format))
    assert said == f"sql/30_public/21_areas.sql: expected the columns of areas in sql/contract.py, found {found}."


# ---------------------------------------------------------------- all that is declared, and nothing else
@pytest.mark.parametrize("name", ["offence_counts", "latest_half_year", "ranked_rates_for", "rates_on"])
def test_what_no_model_makes_is_named(refuse: Refuse, name: str) -> None:
    said = refuse([model for model in MODELS if model.name != name])
    assert said == f"The models do not make what the contract declares: no model makes {name}, which sql/contract.py declares."


def test_a_table_too_many_is_named(refuse: Refuse) -> None:
    said = refuse([*MODELS, Model("30_public", "99_more_areas.sql", "from areas")])
    assert "sql/30_public makes more_areas, which sql/contract.py does not declare" in said


def test_a_table_that_two_models_make_is_named(refuse: Refuse) -> None:
    said = refuse([*MODELS, Model("30_public", "99_areas.sql", "from areas")])
    assert said == "The models do not make what the contract declares: two models make main.areas."


def test_our_models_are_those_of_the_contract() -> None:
    check_models(MODELS)
    assert {model.name for model in MODELS if model.folder == "30_public"} >= {"ranked_rates", "areas", "ranked_rates_for"}


# ---------------------------------------------------------------- the finished file
def test_a_file_that_lost_rows_or_tables_is_refused(world: World) -> None:
    database, _ = world.make()
    with duckdb.connect(str(database), read_only=True) as con:
        tables = con.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        rows_made = {name: con.execute(f"select count(*) from {name}").fetchall()[0][0] for (name,) in tables}
    check_finished(database, rows_made)
    with pytest.raises(ModelError, match=r"main\.areas: expected a table of 999 rows, found a table of \d+ rows\.$"):
        check_finished(database, rows_made | {"main.areas": 999})
    with pytest.raises(ModelError, match=r"main\.lost: expected a table of 5 rows, found nothing\.$"):
        check_finished(database, rows_made | {"main.lost": 5})
    del rows_made["main.areas"]
    with pytest.raises(ModelError, match=r"main\.areas: expected a table, found a table of \d+ rows\.$"):
        check_finished(database, rows_made)
