"""When a contract changes: what differs from the bronze table, and taking it over."""

from collections.abc import Sequence

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from ingestion.conform import conform
from ingestion.contracts import METADATA_COLUMNS, SourceTable
from ingestion.readers import EXTRA

_MAP = "map<string,string>"


def struct_type(ddl: str) -> StructType:
    """The Spark type of columns such as `id int, name string`."""
    parsed = StructType.fromDDL(ddl)
    assert isinstance(parsed, StructType)
    return parsed


def differences(spark: SparkSession, table: SourceTable) -> list[str]:
    """What differs between an existing bronze table and its contract, a line per column."""
    stored = _stored_types(spark, table)
    declared = {field.name: field.dataType for field in struct_type(table.schema_ddl).fields}
    lines = []
    for name in [*stored, *(name for name in declared if name not in stored)]:
        before, after = stored.get(name), declared.get(name)
        if after is None:
            lines.append(f"column {name} is no longer in the contract")
        elif before is None:
            lines.append(f"column {name} ({after.simpleString()}) is new in the contract")
        elif before != after:
            lines.append(
                f"column {name} is {before.simpleString()} in the table "
                f"and {after.simpleString()} in the contract"
            )
    return lines


def overwrite_changed(spark: SparkSession, tables: Sequence[SourceTable]) -> dict[str, list[str]]:
    """Give bronze tables the schema of their contracts; returns the differences by table.

    Values that the new types do not take, and those of columns that are gone, move to `_rescued_data`;
    values that were rescued are tried again. Earlier versions of the table stay readable.
    """
    changed = {}
    for table in tables:
        if spark.catalog.tableExists(table.bronze) and (lines := differences(spark, table)):
            _overwrite(spark, table)
            changed[table.label] = lines
    return changed


def _overwrite(spark: SparkSession, table: SourceTable) -> None:
    stored = _stored_types(spark, table)
    rescued = F.from_json("_rescued_data", _MAP)
    computed = {*METADATA_COLUMNS, *table.computed}
    texts = {name: _as_text(name, kind) for name, kind in stored.items() if name not in computed}
    declared = {column.name: column.header for column in table.columns}
    values = {
        name: F.coalesce(texts.get(name, F.lit(None)), rescued[name], rescued[header])
        for name, header in declared.items()
    }
    gone = {name: text for name, text in texts.items() if name not in declared}
    declared_names = F.array(*(F.lit(name) for pair in declared.items() for name in pair))
    gone_values = F.map_filter(
        F.create_map(*(part for name, text in gone.items() for part in (F.lit(name), text))).cast(_MAP),
        lambda _, value: value.isNotNull(),
    )
    still_rescued = F.map_filter(rescued, lambda name, _: ~F.array_contains(declared_names, name))
    kept = F.map_concat(*(F.coalesce(part, _nothing()) for part in (still_rescued, gone_values)))
    metadata = [name for name in METADATA_COLUMNS if name != "_rescued_data"]
    records = spark.table(table.bronze).select(
        *(value.alias(name) for name, value in values.items()),
        F.when(F.size(kept) > 0, kept).alias(EXTRA),
        *metadata,
    )
    columns = [*declared, *table.computed, *METADATA_COLUMNS]
    _set_append_only(spark, table, False)
    try:
        (
            conform(records, table)
            .select(columns)
            .write.format("delta")
            .mode("overwrite")
            .option("overwriteSchema", True)
            .partitionBy(table.arrives.partitioned_by)
            .saveAsTable(table.bronze)
        )
    finally:
        _set_append_only(spark, table, True)


def _nothing() -> Column:
    return F.create_map().cast(_MAP)


def _as_text(name: str, kind: DataType) -> Column:
    is_nested = kind.simpleString().startswith(("array", "map", "struct"))
    return F.to_json(name) if is_nested else F.col(name).cast("string")


def _stored_types(spark: SparkSession, table: SourceTable) -> dict[str, DataType]:
    return {field.name: field.dataType for field in spark.table(table.bronze).schema.fields}


def _set_append_only(spark: SparkSession, table: SourceTable, value: bool) -> None:
    spark.sql(f"alter table {table.bronze} set tblproperties ('delta.appendOnly' = '{str(value).lower()}')")
