"""Many small files of a table become few: a stream leaves one a cycle."""

from contextlib import suppress

from dbt.adapters.lakehouse.delta import open_table
from deltalake.exceptions import CommitFailedError

# Larger files stay as they are, so that a table is not written over and over.
_SMALL_BYTES = 16 * 1024 * 1024
_MOST_FILES = 20


def compact(location: str, place: int = 0) -> bool:
    """Join the small files of the table in a folder or at an `s3://` address where it has many.

    Whether it did. Tables with another `place` do so in another cycle. What others write meanwhile comes
    first: then the files are left for the next time.
    """
    table = open_table(location)
    sizes = table.get_add_actions(flatten=True)["size_bytes"].to_pylist()
    if sum(size < _SMALL_BYTES for size in sizes) <= _MOST_FILES + place:
        return False
    with suppress(CommitFailedError):
        table.optimize.compact(target_size=_SMALL_BYTES)
    return True
