"""From text to the contract's types; what does not fit is kept in `_rescued_data`."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from ingestion.contracts import SourceTable
from ingestion.readers import EXTRA

_REPLACEMENT_CHARACTER = "\ufffd"
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
_ISO_TIMESTAMP = r"^\d{4}-\d{2}-\d{2}([ T].+)?$"


def conform(records: DataFrame, table: SourceTable) -> DataFrame:
    """Type the contract's columns of `records` (strings), compute others, and add `_rescued_data`.

    A value that its type does not take becomes null and is kept, as JSON by its name in the file, in
    `_rescued_data`, together with values under undeclared names. All other columns pass through.
    """
    typed = {column.name: _typed(column.name, column.data_type) for column in table.columns}
    misfits = {column.header: _misfit(column.name, typed[column.name]) for column in table.columns}
    passed = [name for name in records.columns if name not in typed and name != EXTRA]
    conformed = records.select(
        *(value.alias(name) for name, value in typed.items()),
        _rescued(misfits).alias("_rescued_data"),
        *passed,
    )
    for name, expression in table.computed.items():
        conformed = conformed.withColumn(name, F.expr(expression))
    return conformed


def _typed(name: str, data_type: str) -> Column:
    text = F.col(name)
    if data_type == "string":
        # Bytes that are not in the file's encoding were decoded to the replacement character.
        return F.when(~text.contains(_REPLACEMENT_CHARACTER), text)
    if data_type == "date":
        # Spark would take "2024" for the first of January.
        return F.when(F.trim(text).rlike(_ISO_DATE), text.try_cast("date"))
    if data_type == "timestamp":
        # It would take "2024" likewise, and "12:30" for half past twelve of the day of the load.
        return F.when(F.trim(text).rlike(_ISO_TIMESTAMP), text.try_cast("timestamp"))
    if data_type.startswith(("array<", "map<", "struct<")):
        return _nested(text, data_type)
    return text.try_cast(data_type)


def _nested(text: Column, data_type: str) -> Column:
    """Parse JSON; null as a whole where a part does not fit, so that the misfit is seen."""
    parsed = F.from_json(
        F.concat(F.lit('{"value":'), text, F.lit("}")),
        f"value {data_type}, misfit string",
        {"columnNameOfCorruptRecord": "misfit"},
    )
    return F.when(parsed["misfit"].isNull(), parsed["value"])


def _misfit(name: str, typed: Column) -> Column:
    """The text of a value that its type does not take, else null."""
    return F.when(typed.isNull() & (F.trim(F.col(name)) != ""), F.col(name))


def _rescued(misfits: dict[str, Column]) -> Column:
    misfit_values = F.map_filter(
        F.create_map(*(part for name, misfit in misfits.items() for part in (F.lit(name), misfit))),
        lambda _, value: value.isNotNull(),
    )
    undeclared = F.coalesce(F.col(EXTRA), F.create_map().cast("map<string,string>"))
    is_misfit = (misfit.isNotNull() for misfit in misfits.values())
    any_rescued = reduce(Column.__or__, is_misfit, F.col(EXTRA).isNotNull())
    return F.when(any_rescued, F.to_json(F.map_concat(misfit_values, undeclared)))
