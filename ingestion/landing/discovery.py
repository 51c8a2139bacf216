"""Which landed files a load looks at: all that a listing finds, or what Auto Loader shows (`auto_loader`)."""

import os
from collections.abc import Callable, Iterable

from ingestion.landing.zone import FileGlob, LandedFile

# Calls the second argument with landed files, at least with those that are new since the last call.
Discovery = Callable[[FileGlob, Callable[[Iterable[LandedFile]], None]], None]


def on_databricks() -> bool:
    """Whether this process runs inside a Databricks cluster."""
    return "DATABRICKS_RUNTIME_VERSION" in os.environ


def list_files(glob: FileGlob, load: Callable[[Iterable[LandedFile]], None]) -> None:
    """All files that match now."""
    load(glob.files())
