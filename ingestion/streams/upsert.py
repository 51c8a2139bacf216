"""What to change in a table so that the order in which rows come does not matter."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from ingestion.streams.tables import StreamTable

CHANGE = "_change"
INSERT, REPLACE, DELETE = "insert", "replace", "delete"


def changes(
    table: StreamTable,
    rows: DataFrame,
    stored: DataFrame,
    order: Sequence[str] = (),
    stale: DataFrame | None = None,
) -> DataFrame:
    """Rows to insert, replace and delete, as `_change` says, with the table's columns but `_updated_at`.

    Of several rows with one key, the greatest by `order` counts, and where that is equal the greatest by
    the other columns. Without an order, the rows say how it is now and replace what differs. What has the
    keys of `stale`, which are not those of `rows`, is deleted. `stored` has all rows of the table with
    these keys.
    """
    keys, values = list(table.keys), _by_weight(table, order)
    known = stored.select(*keys, F.lit(True).alias("_is_stored"), *_struct(values, "_stored"))
    change = F.when(F.col("_is_stored").isNull(), F.lit(INSERT))
    if values:
        # Of two structs that begin alike, the greater is that with a value where the other has none.
        new, old = F.struct(*values), F.col("_stored")
        change = change.when(new > old if order else ~new.eqNullSafe(old), F.lit(REPLACE))
    todo = one_per_key(table, rows, order).join(known, keys, "left").withColumn(CHANGE, change)
    todo = todo.where(F.col(CHANGE).isNotNull()).select(*keys, *values, CHANGE)
    if stale is None:
        return todo
    gone = stored.select(keys).join(stale.select(keys), keys, "left_semi")
    return todo.unionByName(gone.withColumn(CHANGE, F.lit(DELETE)), allowMissingColumns=True)


def one_per_key(table: StreamTable, rows: DataFrame, order: Sequence[str] = ()) -> DataFrame:
    """The greatest row of each key."""
    keys, values = list(table.keys), _by_weight(table, order)
    return greatest(rows.select(*keys, *values), keys, values) if values else rows.select(keys).distinct()


def greatest(rows: DataFrame, keys: Sequence[str], order: Sequence[str]) -> DataFrame:
    """Of the rows with the same keys the one that is greatest by `order`; null is less than anything."""
    # The maximum of structs says the same, but not on Sail where something is null.
    ranked = Window.partitionBy(*keys).orderBy(*(F.col(name).desc_nulls_last() for name in order))
    return rows.withColumn("_rank", F.row_number().over(ranked)).where(F.col("_rank") == 1).drop("_rank")


def _by_weight(table: StreamTable, order: Sequence[str]) -> tuple[str, ...]:
    first = [name for name in order if name not in table.keys]
    return (*first, *(name for name in table.values if name not in first))


def _struct(columns: Sequence[str], name: str) -> list[Column]:
    return [F.struct(*columns).alias(name)] if columns else []
