"""Which landed files a load looks at: all that a listing finds, or what Auto Loader shows (`auto_loader`)."""

import os
from collections.abc import Callable, Iterable, Sequence

from ingestion.landing.zone import FileGlob, LandedFile, list_folder

# Calls the second argument with landed files, at least with those that are new since the last call.
Discovery = Callable[[FileGlob, Callable[[Iterable[LandedFile]], None]], None]


def on_databricks() -> bool:
    """Whether this process runs inside a Databricks cluster."""
    return "DATABRICKS_RUNTIME_VERSION" in os.environ


class Listing:
    """The files that match now; each folder is listed once, however many tables look into it.

    Raises:
        LandingError: a folder is unreadable.
    """

    def __init__(self, globs: Sequence[FileGlob]) -> None:
        places = {glob.folder: glob.landing for glob in globs}
        found = {folder: list_folder(folder, landing) for folder, landing in places.items()}
        self.files = {glob: list(glob.among(found[glob.folder])) for glob in globs}

    def __call__(self, glob: FileGlob, load: Callable[[Iterable[LandedFile]], None]) -> None:
        """Load the files of a pattern."""
        load(self.files[glob])
