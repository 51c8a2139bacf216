"""`lakehouse replay`: recorded files of the gyms as a live stream."""

from pathlib import Path
from typing import Literal

from rich.console import Console

from ingestion import s3
from ingestion.bronze.topics import KafkaUnavailable
from ingestion.replay import ReplayError, replay_to_kafka, replay_to_landing
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings


def replay_folder(
    settings: Settings, folder: Path, to: Literal["kafka", "landing"], speed: float, console: Console
) -> None:
    """Send what was recorded in `folder` and show what was sent.

    Raises:
        UsageError: no recorded files, a speed below 0, a landing zone in object storage, or no Kafka.
        LakehouseError: messages were not taken.
    """
    if settings.landing.startswith(s3.SCHEME):
        raise UsageError(f"Replayed files go to a folder; give one with --landing, not {settings.landing}.")
    landing = Path(settings.landing)
    try:
        if to == "landing":
            summary = replay_to_landing(folder, landing, speed)
        elif settings.kafka is None:
            raise UsageError(
                "LAKEHOUSE_KAFKA is not set: give Kafka's address, host:port. `make kafka` runs a broker."
            )
        else:
            summary = replay_to_kafka(folder, settings.kafka, landing, speed)
    except (ValueError, KafkaUnavailable) as error:
        raise UsageError(str(error)) from None
    except (ReplayError, OSError) as error:
        raise LakehouseError(str(error)) from None
    console.print(f"{summary}.", highlight=False)
