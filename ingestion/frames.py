"""Data frames from Arrow tables, which need no Python processes of Spark as lists do."""

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType


def from_arrow(spark: SparkSession, table: pa.Table, schema: StructType | None = None) -> DataFrame:
    """The table as a data frame, its columns cast to `schema` where that is given."""
    # Spark 4.2 takes a batch without rows for the end of the table.
    whole = table.combine_chunks()
    return spark.createDataFrame(whole, schema=schema) if schema else spark.createDataFrame(whole)
