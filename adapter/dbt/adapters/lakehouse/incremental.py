"""How the new rows of an incremental model come into its table."""

import re
from collections.abc import Mapping
from typing import Any

from dbt_common.exceptions import DbtRuntimeError

from .engine import Engine, Name
from .options import as_list, options_of

# dbt's names of the two sides of a merge, in `incremental_predicates`.
_ALIASES = {"DBT_INTERNAL_DEST": "t", "DBT_INTERNAL_SOURCE": "s"}


STRATEGIES = ["append", "merge", "insert_overwrite", "delete+insert", "microbatch"]


def strategy_of(model: Mapping[str, Any]) -> str:
    """How a model adds rows.

    Raises:
        DbtRuntimeError: the strategy is not known, or lacks a setting.
    """
    config = model["config"]
    keys = as_list(config.get("unique_key"))
    strategy = config.get("incremental_strategy") or ("merge" if keys else "append")
    if strategy not in STRATEGIES:
        raise DbtRuntimeError(
            f"{model['name']}: there is no incremental strategy '{strategy}' here; "
            f"use {', '.join(STRATEGIES)}."
        )
    if strategy == "delete+insert" and not keys:
        raise DbtRuntimeError(f"{model['name']}: the incremental strategy delete+insert needs a unique_key.")
    return str(strategy)


def write_new(engine: Engine, name: Name, sql: str, model: Mapping[str, Any]) -> None:
    """Write the rows of a query by the strategy of its model, in one commit; a merge of no rows makes none.

    Raises:
        DbtRuntimeError: the strategy is not known, or lacks a setting.
        WriteError: a row breaks a constraint, or has a key that another one has too.
    """
    config = model["config"]
    strategy, keys, where = strategy_of(model), as_list(config.get("unique_key")), _where(config)
    options = options_of(model)
    if strategy == "append" or (strategy == "merge" and not keys):
        engine.append(name, sql, options)
    elif strategy == "merge":
        engine.merge(name, sql, keys, options, where=_renamed(where), update=_updated(engine, name, config))
    elif strategy == "insert_overwrite":
        engine.overwrite_partitions(name, sql, options)
    elif strategy == "delete+insert":
        engine.replace_keys(name, sql, keys, options, where or "true")
    else:
        engine.overwrite_where(name, sql, _batch(model), options)


def _where(config: Mapping[str, Any]) -> str:
    """What a model says that holds for the rows of its table that are updated or deleted."""
    predicates = as_list(config.get("predicates") or config.get("incremental_predicates"))
    return " and ".join(f"({predicate})" for predicate in predicates)


def _renamed(where: str) -> str | None:
    """SQL with the names that the two sides have in a merge here."""
    for alias, short in _ALIASES.items():
        where = re.sub(rf"\b{alias}\b", short, where, flags=re.IGNORECASE)
    return where or None


def _updated(engine: Engine, name: Name, config: Mapping[str, Any]) -> list[str] | None:
    """Columns that a merge updates, where a model does not update all."""
    chosen = as_list(config.get("merge_update_columns"))
    left_out = {column.lower() for column in as_list(config.get("merge_exclude_columns"))}
    if chosen and left_out:
        raise DbtRuntimeError("Say merge_update_columns or merge_exclude_columns, not both.")
    if not chosen and not left_out:
        return None
    wanted = {column.lower() for column in chosen}
    names = engine.columns(name).names
    return [n for n in names if (n.lower() in wanted if chosen else n.lower() not in left_out)]


def _batch(model: Mapping[str, Any]) -> str:
    """The rows of the batch that a microbatch model builds."""
    column, batch = model["config"].get("event_time"), model.get("batch") or {}
    start, end = batch.get("event_time_start"), batch.get("event_time_end")
    if not (column and start and end):
        raise DbtRuntimeError(f"{model['name']}: microbatch needs event_time, begin and batch_size.")
    return f"`{column}` >= {_time(start)} and `{column}` < {_time(end)}"


def _time(at: Any) -> str:
    """A literal that delta-rs compares with a timestamp."""
    return f"'{at:%Y-%m-%d %H:%M:%S%z}'" if hasattr(at, "strftime") else f"'{at}'"
