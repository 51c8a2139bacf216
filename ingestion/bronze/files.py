"""From the landing zone to bronze: every landed file once."""

import functools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from ingestion.bronze.batch import (
    Origin,
    as_metadata,
    bronze_schema,
    log,
    new_batch_id,
    recover,
    rows_of,
)
from ingestion.bronze.drift import differences
from ingestion.bronze.load_log import (
    LOADS,
    QUARANTINE,
    QUARANTINE_SCHEMA,
    FileLoad,
    History,
    create_tables,
    read_history,
)
from ingestion.bronze.suspects import ReadingNote
from ingestion.contracts import SourceTable
from ingestion.errors import root_cause
from ingestion.landing.discovery import Discovery, Listing
from ingestion.landing.zone import FileGlob, LandedFile, LandingError, check_landing
from ingestion.limits import DEFAULT, Limits
from ingestion.readers import FileRefused, check_compression, read_within, reader_for
from ingestion.tables import Tables
from ingestion.threads import threads
from ingestion.times import later_than

# More at once than cores only wait for each other.
_TABLES_AT_ONCE = 4

_UNREADABLE = (FileRefused, OSError, EOFError, zlib.error, pa.ArrowInvalid, UnicodeError, MemoryError)


class LoadError(Exception):
    """A table could not be loaded; the message names table and cause."""


@dataclass(frozen=True)
class TableProgress:
    """What the loader is doing with a table: `state` is waiting, loading, done or failed."""

    table: SourceTable
    state: str
    loads: tuple[FileLoad, ...] = ()


def load(
    tables: Tables,
    contracts: Sequence[SourceTable],
    landing: str,
    report: Callable[[TableProgress], None] = lambda progress: None,
    discovery: Discovery | None = None,
    limits: Limits = DEFAULT,
    note: Path | None = None,
) -> list[FileLoad]:
    """Load what landed since the last call, all tables side by side; returns a row per file.

    `landing` is the landing zone, a folder or `s3://bucket/prefix`, which is listed once where `discovery`
    does not tell what is new. `report` is called from several threads. The file `note` says what is being
    read. Refused files are among the result, with their reason.

    Raises:
        LandingError: the landing zone does not exist or cannot be listed.
        LoadError: a table failed, or its contract has changed; the others were loaded.
    """
    check_landing(landing)
    create_tables(tables)
    histories = read_history(tables)
    globs = [FileGlob.of(table, landing) for table in contracts]
    discover = discovery or Listing(globs)
    reading = ReadingNote(note)
    loaders = [
        FileLoader(tables, table, glob, histories[table.source, table.name], discover, limits, reading)
        for table, glob in zip(contracts, globs, strict=True)
    ]

    def run(loader: "FileLoader") -> list[FileLoad] | Exception:
        report(TableProgress(loader.table, "loading"))
        try:
            loads = loader.load()
        except Exception as error:
            report(TableProgress(loader.table, "failed"))
            return error
        report(TableProgress(loader.table, "done", tuple(loads)))
        return loads

    with reading, threads(_TABLES_AT_ONCE) as pool:
        results = list(pool.map(run, loaders))
    _raise_failures(contracts, results)
    return [load for loads in results if isinstance(loads, list) for load in loads]


def open_table(tables: Tables, table: SourceTable, history: History) -> list[FileLoad]:
    """Create the bronze table where it is missing; log and return what a killed load wrote.

    Raises:
        LoadError: the table is gone though the log says what it held, or the contract has changed.
    """
    if history.loaded_bytes and not tables.exists(table.bronze):
        raise LoadError(
            f"{table.bronze} is gone, but {LOADS} says what it held: "
            f"run `lakehouse clean {table.source}`, then load again"
        )
    _create(tables, table)
    if changes := differences(tables, table):
        raise LoadError(
            f"the contract has changed: {'; '.join(changes)}. "
            "Run with --overwrite-schema to take it over, or correct the contract"
        )
    return recover(tables, table, history)


def create_missing(tables: Tables, contracts: Sequence[SourceTable]) -> None:
    """Create bronze tables of which nothing was loaded yet, so that they can be read."""
    create_tables(tables)
    histories = read_history(tables)
    for table in contracts:
        if not histories[table.source, table.name].loaded_bytes and not tables.exists(table.bronze):
            _create(tables, table)


def _create(tables: Tables, table: SourceTable) -> None:
    # Readers ask for what is new.
    properties = {"delta.appendOnly": "true", "delta.dataSkippingStatsColumns": "_ingested_at"}
    tables.create(table.bronze, bronze_schema(table), table.arrives.partitioned_by, properties)


class FileLoader:
    """Loads one table from the landing zone."""

    def __init__(
        self,
        tables: Tables,
        table: SourceTable,
        glob: FileGlob,
        history: History,
        discovery: Discovery,
        limits: Limits,
        note: ReadingNote,
    ) -> None:
        self.table = table
        self._tables = tables
        self._glob = glob
        self._history = history
        self._discovery = discovery
        self._limits = limits
        self._note = note
        self._reader = reader_for(table, limits)
        # What this call loaded, and what a killed one had.
        self._loads: list[FileLoad] = []

    def load(self) -> list[FileLoad]:
        """Load new files, and those that were overwritten or refused before."""
        self._loads = open_table(self._tables, self.table, self._history)
        refused = {path for path, load in self._history.newest.items() if load.status == "refused"}
        self._discovery(self._glob, self._load_files)
        # Auto Loader does not show them again.
        if again := refused - {load.path for load in self._loads}:
            self._load_files(file for file in self._glob.files() if file.path in again)
        return self._loads

    def _load_files(self, landed: Iterable[LandedFile]) -> None:
        files = [file for file in sorted(landed) if not self._is_known(file)]
        if not files:
            return
        loads = self._examine_all(files)
        try:
            self._write(files, loads)
        except Exception:
            loads = self._refuse_unreadable(files, loads)
            self._write(files, loads)
        loads = _without_checksum_of_changed(files, loads)
        new = [load for load in loads if not self._is_refused_as_before(load)]
        counted = {load.path: load for load in log(self._tables, self.table, self._history, new)}
        self._loads += [counted.get(load.path, load) for load in loads]

    def _is_known(self, file: LandedFile) -> bool:
        """Whether the file was loaded, or found to be a duplicate, as it lies there now."""
        before = self._history.newest.get(file.path)
        return (
            before is not None
            and before.status != "refused"
            and (before.modified_at, before.size_bytes) == (file.modified_at, file.size)
        )

    def _examine_all(self, files: Sequence[LandedFile]) -> list[FileLoad]:
        """Decide about each file of a batch, and give each its time of ingestion."""
        started_at, batch_id = datetime.now(UTC), new_batch_id()
        first = later_than(self._history.last_ingested_at)
        seen = dict(self._history.loaded_bytes)
        loads = []
        for position, file in enumerate(files):
            status, reason, checksum = self._examine(file, seen)
            if status == "loaded" and checksum:
                seen[checksum] = file.path
            loads.append(
                FileLoad(
                    source=self.table.source,
                    table_name=self.table.name,
                    _source_file=file.path,
                    status=status,
                    reason=reason,
                    rows_loaded=0,
                    rows_rescued=0,
                    rows_quarantined=0,
                    size_bytes=file.size,
                    sha256=checksum,
                    modified_at=file.modified_at,
                    _ingested_at=first + timedelta(microseconds=position),
                    _batch_id=batch_id,
                    started_at=started_at,
                    finished_at=started_at,
                )
            )
        return loads

    def _examine(self, file: LandedFile, seen: dict[str, str]) -> tuple[str, str | None, str | None]:
        """Status, reason and checksum of a file, before it is read."""
        checksum = None
        try:
            checksum = file.sha256()
            if checksum in seen:
                return "duplicate", f"the same bytes as {seen[checksum]}", checksum
            check_compression(file)
            with self._note.reading(self.table, file, self._limits):
                self._reader.check(self.table, file)
        except _UNREADABLE as error:
            return "refused", _reason(error), checksum
        return "loaded", None, checksum

    def _write(self, files: Sequence[LandedFile], loads: Sequence[FileLoad]) -> None:
        """Commit what is refused and rejected to quarantine, and what the files hold to bronze."""
        if refused := [
            _refusal(x) for x in loads if x.status == "refused" and not self._is_refused_as_before(x)
        ]:
            self._tables.append(QUARANTINE, pa.Table.from_pylist(refused, schema=QUARANTINE_SCHEMA))
        by_path = {load.path: load for load in loads if load.status == "loaded"}
        if by_path:
            accepted = [(file, by_path[file.path]) for file in files if file.path in by_path]
            read = functools.partial(_read, self.table, self._limits, self._note)
            self._tables.append_items(self.table.bronze, QUARANTINE, accepted, read, as_metadata(loads))

    def _refuse_unreadable(self, files: Sequence[LandedFile], loads: Sequence[FileLoad]) -> list[FileLoad]:
        """The loads, refused where a file cannot be read to its end; raises what that does not explain."""
        refused = []
        for file, load in zip(files, loads, strict=True):
            reason = self._why_unreadable(file) if load.status == "loaded" else None
            refused.append(replace(load, status="refused", reason=reason) if reason else load)
        if refused == list(loads):
            raise
        return refused

    def _why_unreadable(self, file: LandedFile) -> str | None:
        try:
            with self._note.reading(self.table, file, self._limits):
                for _ in read_within(self.table, file, self._limits):
                    pass
        except _UNREADABLE as error:
            return _reason(error)
        return None

    def _is_refused_as_before(self, load: FileLoad) -> bool:
        """Whether a file was tried again and nothing has changed, so that nothing is recorded."""
        before = self._history.newest.get(load.path)
        return (
            load.status == "refused"
            and before is not None
            and (before.status, before.reason, before.sha256) == (load.status, load.reason, load.sha256)
        )


def _read(
    table: SourceTable, limits: Limits, note: ReadingNote, item: tuple[LandedFile, FileLoad]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    file, load = item
    origin = Origin(load.path, load.ingested_at, load.batch_id)
    with note.reading(table, file, limits):
        yield from rows_of(table, read_within(table, file, limits), origin)


def _without_checksum_of_changed(files: Sequence[LandedFile], loads: Sequence[FileLoad]) -> list[FileLoad]:
    """Which bytes were read of a file that changed meanwhile is not known; it is loaded next time."""
    finished_at = datetime.now(UTC)
    return [
        replace(load, sha256=load.sha256 if file.is_unchanged() else None, finished_at=finished_at)
        for file, load in zip(files, loads, strict=True)
    ]


def _refusal(load: FileLoad) -> dict[str, object]:
    """The row of the quarantine for a whole file."""
    return {
        "source": load.source,
        "table_name": load.table_name,
        "_source_file": load.path,
        "reason": load.reason,
        "record": None,
        "_ingested_at": load.ingested_at,
        "_batch_id": load.batch_id,
    }


def _reason(error: Exception) -> str:
    if isinstance(error, FileRefused):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "the file is gone, or its name is not in UTF-8: rename it"
    return f"the file cannot be read: {getattr(error, 'strerror', None) or root_cause(error)}"


def _raise_failures(contracts: Sequence[SourceTable], results: Sequence[list[FileLoad] | Exception]) -> None:
    failures = [
        (t, error) for t, error in zip(contracts, results, strict=True) if isinstance(error, Exception)
    ]
    for _, error in failures:
        if isinstance(error, LandingError):
            raise error
    if failures:
        causes = "; ".join(f"{table.label}: {root_cause(error)}" for table, error in failures)
        raise LoadError(f"{causes}. What was loaded of the other tables stays.") from failures[0][1]
