"""The folders of a warehouse are its catalog: what lies in them is what there is."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_S3 = "s3://"
_LOG = "_delta_log"
# A commit, or the checkpoint that is left of commits which were cleaned up.
_COMMIT = re.compile(r"\d{20}\.(json|checkpoint.*\.parquet)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
# What looks like an escape of a URL delta-rs decodes, so it writes elsewhere; for the others it has no URL.
_UNUSABLE = re.compile(r"%[0-9A-Fa-f]{2}|[\[\]|^\\\x00-\x1f\x7f]")
# What no whole answer of object storage lacks.
_NEEDED = {"ListObjectsV2": "IsTruncated", "HeadObject": "LastModified", "GetObject": "LastModified"}
_MOST_ATTEMPTS = 5
# Of the bytes of a path, what the names of a table and its files take.
_FOR_FILES = 600


@dataclass(frozen=True)
class Folders:
    """Delta tables at `<root>/<schema>.db/<table>`; those of a schema in `elsewhere` at `<place>/<table>`.

    A place is a folder or `s3://bucket/prefix`. Names of folders have small letters, however they are given.

    Raises:
        ValueError: tables cannot lie in a place.
    """

    root: Path
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in (str(self.root), *self.elsewhere.values()):
            if not place.startswith(_S3) and (problem := problem_of(place)):
                raise ValueError(f"Tables cannot lie in {place}: {problem}.")
        object.__setattr__(self, "root", Path(os.path.abspath(self.root)))
        if any(place.startswith(_S3) for place in self.elsewhere.values()):
            _tell_rust_of_the_endpoint()

    def schema(self, schema: str) -> str:
        """Folder or address in which the tables of a schema are, whether it exists or not."""
        schema = schema.lower()
        place = self.elsewhere.get(schema) or str(self.root / f"{schema}.db")
        return place.rstrip("/") if place.startswith(_S3) else os.path.abspath(place)

    def location(self, schema: str, table: str) -> str:
        """Folder or address of a table, whether it exists or not."""
        return f"{self.schema(schema)}/{table.lower()}"

    def exists(self, schema: str, table: str) -> bool:
        """Whether there is such a table; without a commit it is one that was only begun."""
        return has_commit(self.location(schema, table))

    def is_begun(self, schema: str, table: str) -> bool:
        """Whether there is such a table, or what a kill left of one."""
        location = self.location(schema, table)
        if location.startswith(_S3):
            return any(_listed(f"{location}/", "CommonPrefixes", "Prefix"))
        return os.path.isdir(location)

    def tables(self) -> dict[str, str]:
        """Folder or address of every table, by `schema.table`."""
        found = [self.tables_of(schema) for schema in self.schemas()]
        return dict(sorted((name, location) for tables in found for name, location in tables.items()))

    def tables_of(self, schema: str) -> dict[str, str]:
        """Folder or address of every table of a schema, by `schema.table`."""
        folders = sorted(_folders_in(self.schema(schema)))
        return {
            f"{schema.lower()}.{folder.rsplit('/', 1)[1]}": folder for folder in folders if has_commit(folder)
        }

    def schemas(self) -> set[str]:
        """Schemas in which tables may be."""
        return {folder.name.removesuffix(".db") for folder in self.root.glob("*.db")} | set(self.elsewhere)


def problem_of(folder: str) -> str | None:
    """Why tables cannot lie in a folder, whether it exists or not, and what to do; null when they can."""
    if _SCHEME.match(folder):
        return "that is no folder; give one, or for bronze also s3://bucket/prefix"
    # Links are followed by who writes.
    path = os.path.realpath(folder)
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it or give another folder"
    if found := _UNUSABLE.search(path):
        return f"its path has {found[0]!r} in it, which Delta's writer cannot handle; give another folder"
    longest = os.pathconf("/", "PC_PATH_MAX") - _FOR_FILES
    if len(path.encode()) > longest:
        return f"its path is longer than {longest} bytes; give another folder"
    return None


def has_commit(location: str) -> bool:
    """Whether a folder or address holds a Delta table."""
    if location.startswith(_S3):
        return any(_COMMIT.fullmatch(name) for name in _listed(f"{location}/{_LOG}/", "Contents", "Key"))
    try:
        with os.scandir(f"{location}/{_LOG}") as files:
            return any(_COMMIT.fullmatch(file.name) for file in files)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _folders_in(place: str) -> list[str]:
    if place.startswith(_S3):
        return [f"{place}/{name}" for name in _listed(f"{place}/", "CommonPrefixes", "Prefix")]
    try:
        with os.scandir(place) as entries:
            return [f"{place}/{entry.name}" for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return []


def _listed(prefix: str, kind: str, attribute: str) -> list[str]:
    """Names one level below a prefix of object storage, of objects (`Contents`) or of folders."""
    bucket, _, key = prefix.removeprefix(_S3).partition("/")
    pages: Iterable[Mapping[str, Any]] = (
        _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, Delimiter="/")
    )
    return [entry[attribute].removeprefix(key).rstrip("/") for page in pages for entry in page.get(kind, [])]


@cache
def _client() -> "S3Client":
    # Takes a while to import, and a warehouse on a disk never needs it.
    import boto3
    from botocore.config import Config

    # A build asks thousands of times, so one answer that fails now and then must not end it.
    config = Config(retries={"mode": "standard", "max_attempts": 8})
    client: S3Client = boto3.client("s3", config=config)
    client.meta.events.register("needs-retry.s3", repeat_cut_off)  # type: ignore[arg-type]
    return client


def repeat_cut_off(response: Any, operation: Any, attempts: int, **_: Any) -> float | None:
    """Have boto ask again, after so many seconds, where an answer was cut off within its headers.

    It takes such an answer for whole, and a list of objects for empty.

    Raises:
        IncompleteReadError: it was cut off again and again.
    """
    needed = _NEEDED.get(operation.name)
    if response is None or needed is None or response[0].status_code != 200 or needed in response[1]:
        return None
    if attempts > _MOST_ATTEMPTS:
        from botocore.exceptions import IncompleteReadError

        raise IncompleteReadError(actual_bytes=0, expected_bytes=1)
    return 0.1 * attempts


def _tell_rust_of_the_endpoint() -> None:
    """Sail and delta-rs read the environment alone, not the files of AWS' settings."""
    meta = _client().meta
    os.environ.setdefault("AWS_ENDPOINT_URL", meta.endpoint_url)
    if meta.region_name:
        os.environ.setdefault("AWS_REGION", meta.region_name)
    if meta.endpoint_url.startswith("http://"):
        os.environ.setdefault("AWS_ALLOW_HTTP", "true")
