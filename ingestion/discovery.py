"""Finding newly landed files: the one place where a laptop and Databricks part ways.

Both are a stream of file names with a checkpoint; contents are read later, by the format's reader.
"""

import os
from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.readwriter import DataStreamReader

from ingestion.landing import FileGlob, LandedFile, literal_pattern
from ingestion.times import from_epoch_millis

_FILES = "path string, modificationTime timestamp, length bigint, content binary"


def on_databricks() -> bool:
    """Whether this process runs inside a Databricks cluster."""
    return "DATABRICKS_RUNTIME_VERSION" in os.environ


def stream_of_files(spark: SparkSession, glob: FileGlob) -> DataFrame:
    """Stream of files that match, each once: path, modified_ms, size, uri."""
    stream: DataStreamReader = spark.readStream.schema(_FILES)
    if on_databricks():
        stream = stream.format("cloudFiles").option("cloudFiles.format", "binaryFile")
    else:
        # By default a file a week older than the newest would be passed over.
        stream = stream.format("binaryFile").option("maxFileAge", "36500d")
    stream = stream.option("pathGlobFilter", glob.name).option("recursiveFileLookup", True)
    return _names(stream.load(literal_pattern(glob.folder)))


def look_up(spark: SparkSession, files: Sequence[LandedFile]) -> list[LandedFile]:
    """The same files with the `uri` under which Spark reports their rows; some it does not show."""
    try:
        found = collect(_names(spark.read.format("binaryFile").load([file.pattern for file in files])))
    except AnalysisException:
        # One that is gone, or that has a name by which it cannot be opened, keeps Spark from finding any.
        if len(files) == 1:
            return list(files)
        return sorted(found for file in files for found in look_up(spark, [file]))
    return sorted([*found, *(file for file in files if file.size == 0)])


def collect(names: DataFrame) -> list[LandedFile]:
    """Files of a batch, in the order of arrival."""
    return sorted(
        LandedFile(from_epoch_millis(row.modified_ms), row.path, row.size, row.uri) for row in names.collect()
    )


def _names(files: DataFrame) -> DataFrame:
    return files.select(
        F.regexp_replace("path", "^file:/+", "/").alias("path"),
        F.unix_millis("modificationTime").alias("modified_ms"),
        F.col("length").alias("size"),
        F.col("_metadata.file_path").alias("uri"),
    )
