"""Bronze: everything that arrived, once, in append-only tables that the contract types."""

from ingestion.bronze.drift import has_changed, overwrite_changed
from ingestion.bronze.files import LoadError, TableProgress, create_missing, load
from ingestion.bronze.load_log import LOADS, QUARANTINE, FileLoad

__all__ = [
    "LOADS",
    "QUARANTINE",
    "FileLoad",
    "LoadError",
    "TableProgress",
    "create_missing",
    "has_changed",
    "load",
    "overwrite_changed",
]
