"""Finding landed files on Databricks: Auto Loader shows those that are new, without listing the others."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from ingestion.landing.discovery import Discovery
from ingestion.landing.zone import FileGlob, LandedFile, literal_pattern
from ingestion.times import from_epoch_millis


def auto_loader(spark: SparkSession, checkpoints: Path) -> Discovery:
    """Files that Auto Loader has not shown yet, overwritten ones again; `checkpoints` is a Volume folder."""

    def discover(glob: FileGlob, load: Callable[[Iterable[LandedFile]], None]) -> None:
        def load_batch(files: DataFrame, number: int) -> None:
            landed = (LandedFile(from_epoch_millis(row[1]), row[0], row[2]) for row in files.collect())
            load(filter(glob.matches, landed))

        files = spark.readStream.format("cloudFiles").options(
            **{
                "cloudFiles.format": "binaryFile",
                "cloudFiles.allowOverwrites": "true",
                "pathGlobFilter": glob.name,
                "recursiveFileLookup": "true",
            }
        )
        names = files.load(literal_pattern(glob.folder)).select(
            F.regexp_replace("path", "^(file|dbfs):/+", "/"),
            F.unix_millis("modificationTime"),
            "length",
        )
        stream = names.writeStream.foreachBatch(load_batch).trigger(availableNow=True)
        stream.option(
            "checkpointLocation", str(checkpoints / "bronze" / glob.label)
        ).start().awaitTermination()

    return discover
