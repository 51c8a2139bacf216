"""Tables of a catalog that Spark reads and writes, on Databricks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from ingestion.tables import ReadItem

_NEWEST_COMMITS = 20


class SparkTables:
    """The tables that `spark` knows by name; new ones lie below `location` where that is given."""

    def __init__(self, spark: SparkSession, location: str | None = None) -> None:
        self._spark = spark
        self._location = location

    def exists(self, name: str) -> bool:
        """Whether the table is there."""
        return self._spark.catalog.tableExists(name)

    def schema(self, name: str) -> pa.Schema:
        """Columns and types of a table."""
        return self._spark.table(name).limit(0).toArrow().schema

    def create(
        self,
        name: str,
        schema: pa.Schema,
        partitioned_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Create an empty table where there is none; metadata `comment` of a field becomes the column's."""
        self._spark.sql(f"create schema if not exists {name.split('.')[0]}")
        if self.exists(name):
            return
        from delta.tables import DeltaTable

        builder = DeltaTable.createIfNotExists(self._spark).tableName(name)
        kinds = from_arrow_schema(schema)
        for field in schema:
            comment = (field.metadata or {}).get(b"comment", b"").decode()
            builder = builder.addColumn(field.name, kinds[field.name].dataType, comment=comment)
        if partitioned_by:
            builder = builder.partitionedBy(*partitioned_by)
        if self._location and name.startswith("bronze."):
            builder = builder.location(f"{self._location}/{name.split('.')[1]}")
        for key, value in (properties or {}).items():
            builder = builder.property(key, value)
        builder.execute()

    def select(self, name: str, query: str) -> pa.Table:
        """The answer to a query that names the table `{t}`."""
        return self._spark.sql(query, t=self._spark.table(name)).toArrow()

    def append(self, name: str, rows: pa.Table, metadata: str | None = None) -> None:
        """Append rows; new columns are added to the table. `metadata` is kept with the commit."""
        # Spark 4.2 takes a batch without rows for the end of the table.
        self._append(name, self._spark.createDataFrame(rows.combine_chunks()), metadata)

    def append_items(
        self, name: str, rejects: str, items: Sequence[Any], read: ReadItem, metadata: str
    ) -> None:
        """Append what `read` gives for each item, a task an item: first the rejects, then the rows."""
        rejected = self._frame(
            rejects, items, lambda item: (left_out for _, left_out in read(item))
        ).toArrow()
        if rejected.num_rows:
            self.append(rejects, rejected)
        self._append(name, self._frame(name, items, lambda item: (rows for rows, _ in read(item))), metadata)

    def overwrite(self, name: str, rows: pa.Table, partitioned_by: Sequence[str] = ()) -> None:
        """Replace rows and columns of a table that may be append-only."""
        alter = f"alter table {name} set tblproperties ('delta.appendOnly' = '{{}}')"
        self._spark.sql(alter.format("false"))
        writer = self._spark.createDataFrame(rows.combine_chunks()).write.format("delta").mode("overwrite")
        writer.option("overwriteSchema", True).partitionBy(*partitioned_by).saveAsTable(name)
        self._spark.sql(alter.format("true"))

    def delete(self, name: str, where: str) -> None:
        """Delete the rows for which an SQL condition holds."""
        self._spark.sql(f"delete from {name} where {where}")

    def commit_metadata(self, name: str) -> str | None:
        """The metadata that the newest commit with some was given."""
        history = self._spark.sql(f"describe history {name} limit {_NEWEST_COMMITS}")
        row = history.where("userMetadata is not null").orderBy("version", ascending=False).first()
        return None if row is None else str(row["userMetadata"])

    def _append(self, name: str, frame: DataFrame, metadata: str | None) -> None:
        writer = frame.write.format("delta").mode("append").option("mergeSchema", True)
        (writer.option("userMetadata", metadata) if metadata else writer).saveAsTable(name)

    def _frame(
        self, like: str, items: Sequence[Any], read: Callable[[Any], Iterator[pa.RecordBatch]]
    ) -> DataFrame:
        """What `read` gives for each item, with the columns of the table `like`."""

        def rows(numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in numbers:
                for number in batch.column(0).to_pylist():
                    yield from read(items[number])

        numbers = self._spark.range(len(items), numPartitions=len(items))
        return numbers.mapInArrow(rows, self._spark.table(like).schema)
