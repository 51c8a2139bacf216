"""What tasks select: each model and each test once, in layers."""

import os
import shlex
from collections.abc import Callable
from unittest import mock

import pytest

from lakehouse.deployment.rules import all_tasks
from lakehouse.engines.dbt import invoke, read_project
from lakehouse.settings import load_settings

from .test_bundle import bundle

Select = Callable[..., list[str]]
_NO_UNIT_TESTS = ["--exclude-resource-type", "unit_test"]
_LAYERS = ("silver", "gold", "across_layers")


@pytest.fixture(scope="module")
def select(tmp_path_factory: pytest.TempPathFactory) -> Select:
    """Names of what options of dbt select, in order."""
    settings = load_settings(LAKEHOUSE_HOME=str(tmp_path_factory.mktemp("home")))
    with mock.patch.dict(os.environ):
        manifest = read_project(settings, "databricks")

    def names(*options: str) -> list[str]:
        with mock.patch.dict(os.environ):
            arguments = ["ls", "--quiet", "--target", "databricks", *options]
            listed = invoke(settings, arguments, manifest=manifest).result
        assert isinstance(listed, list)
        return sorted(str(name) for name in listed)

    return names


def test_layers_have_each_model_and_test_but_those_of_the_gyms_once(select: Select) -> None:
    layers = [name for layer in _LAYERS for name in select("--selector", layer)]
    assert sorted(layers) == select("--exclude", "source:gym+", *_NO_UNIT_TESTS)


def test_silver_reads_nothing_of_gold(select: Select) -> None:
    # With tests that look at gold and something else.
    gold = select("--select", "path:models/gold")
    assert set(select("--selector", "silver")) & set(gold) == set()


def test_the_layers_of_crm_and_erp_have_what_is_made_of_these(select: Select) -> None:
    layers = [name for layer in ("silver", "gold") for name in select("--selector", f"crm_erp_{layer}")]
    made = select("--select", "source:crm+", "source:erp+", *_NO_UNIT_TESTS)
    kinds = ("metric:", "exposure:", "semantic_model:")
    assert sorted(n for n in layers if not n.startswith(kinds)) == [
        n for n in made if not n.startswith(kinds)
    ]


def test_a_year_is_processed_between_what_it_needs_and_what_needs_it(select: Select) -> None:
    tasks = [task for task in all_tasks(bundle().jobs["process_data_by_year"]) if "dbt_task" in task]
    chosen = {task["task_key"]: select(*_choice(task["dbt_task"]["commands"][0])) for task in tasks}
    orders = "lakehouse.gold.orders"
    assert chosen["process-data"] == [
        f"{orders}.fct_orders",
        # What looks at other tables, too, is not true after a part of the years.
        f"{orders}.fct_orders_key_missing_or_repeated",
        f"{orders}.fct_orders_price_out_of_range",
    ]
    assert f"{orders}.dim_storefront_product" in chosen["prepare"]
    assert f"{orders}.profit_by_year" in chosen["aggregates"]
    names = [name for names in chosen.values() for name in names]
    assert len(names) == len(set(names))


def _choice(command: str) -> list[str]:
    """The arguments of a command that say what is built."""
    words = shlex.split(command)
    return words[words.index("--select") : words.index("--target")]
