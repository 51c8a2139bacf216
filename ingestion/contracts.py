"""Source contracts: the dbt sources files, read into typed objects.

`models/silver/<source>/_<source>__sources.yml` is the one declaration of a source table. dbt takes
tests, docs and lineage from it; ingestion takes what this module reads.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, AliasPath, BaseModel, ConfigDict, Field, ValidationError, model_validator

METADATA_COLUMNS = {
    "_rescued_data": "string",
    "_source_file": "string",
    "_ingested_at": "timestamp",
    "_batch_id": "string",
}

# The loader's own, in the table and while a file is read.
_RESERVED = {*METADATA_COLUMNS, "_uri", "_extra", "_unparsed"}

_DATA_TYPE = re.compile(
    r"string|boolean|smallint|int|bigint|float|double|date|timestamp|decimal\(\d+, ?\d+\)"
    r"|(array|map|struct)<.+>"
)


# What a reader can be told, by format.
_OPTIONS = {
    "csv": {"sep", "delimiter", "quote", "escape", "encoding", "nullValue"},
    "json": {"encoding"},
    "json_array": {"encoding"},
    "xlsx": {"sheet"},
}

# What a connector can be told, by its name.
_CONNECTOR_OPTIONS: dict[str, set[str]] = {
    "postgres": set(),
    "rest": {
        "next", "next_parameter", "paging", "parameters",
        "records", "since_parameter", "size", "size_parameter",
    },
    "shopify": set(),
    "stripe": {"expand"},
}  # fmt: skip


def _problem(option: str, value: str) -> str | None:
    """Why a reader cannot work with the value of an option; null where it can."""
    if option == "encoding":
        try:
            "".encode(value)
        except (LookupError, ValueError):
            return "is no encoding that Python knows: write it as utf-8, windows-1252 or utf-16"
    if option in ("quote", "escape") and (len(value) != 1 or not value.isascii()):
        return "cannot be: give a single ASCII character"
    if option in ("sep", "delimiter") and (not value or "\r" in value or "\n" in value):
        return "cannot be: give the characters between two fields"
    return None


class ContractError(Exception):
    """A sources file is wrong; the message names file, table and column."""


def _listable(path: str) -> str:
    folder, _, name = path.rpartition("/")
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"'{path}' leads out of the landing zone; give a path below it")
    if any(c in folder for c in "*?[]{}") or any(c in name for c in "[]{}") or not name:
        raise ValueError(f"'{path}' cannot be listed: only the file name may hold the wildcards * and ?")
    return path


def _plain_name(name: str) -> str:
    # It becomes the name of a folder and of a table.
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise ValueError(f"{name!r} is no name: give letters, digits and _, beginning with no digit")
    return name


def _storable(name: str) -> str:
    if not name or any(c in name for c in " ,;{}()=.`\"'/\\") or not name.isprintable():
        raise ValueError(
            f"{name!r} cannot be a column's name: it may have no blanks, quotes, slashes or control "
            "characters, and none of ,;{}()=.`"
        )
    return name


def _known_type(data_type: str) -> str:
    if not _DATA_TYPE.fullmatch(data_type):
        raise ValueError(f"unknown data_type '{data_type}'; use a Databricks SQL type in lower case")
    return data_type


# What a column tells of a person.
PersonalData = Literal["name", "email", "phone", "address", "birth_date", "demographic", "device", "message"]


class Period(BaseModel):
    """A length of time, as dbt declares it: `{count: 2, period: day}`."""

    count: int
    period: Literal["minute", "hour", "day"]

    @property
    def duration(self) -> timedelta:
        """The period as a timedelta."""
        return timedelta(**{f"{self.period}s": self.count})


class Extract(BaseModel):
    """Where a table is extracted from: `resource` of a `connector`.

    What changed since the last time is asked for again from `overlap` before it, by the column `cursor`: a
    timestamp, or epoch seconds. Without a cursor, the connector decides what it asks for. `options` go to the
    connector. `settings` rename those that the connector reads: `{DATABASE_URL: SHIPPING_URL}`.
    """

    model_config = ConfigDict(extra="forbid")

    connector: str
    resource: str
    cursor: str | None = None
    overlap: Period | None = None
    options: dict[str, str] = {}
    settings: dict[str, str] = {}

    @model_validator(mode="after")
    def _known_connector(self) -> "Extract":
        if self.connector not in _CONNECTOR_OPTIONS:
            known = ", ".join(sorted(_CONNECTOR_OPTIONS))
            raise ValueError(f"there is no connector '{self.connector}'; use one of {known}")
        known_options = _CONNECTOR_OPTIONS[self.connector]
        if unknown := ", ".join(sorted(self.options.keys() - known_options)):
            known = ", ".join(sorted(known_options)) or "none"
            raise ValueError(f"options: unknown {unknown}; the connector {self.connector} takes {known}")
        return self


class Column(BaseModel):
    """A column of a source table: name, Databricks SQL type, description.

    `config.meta` may have more: `header` is its name in the files, where that is another. A column with
    `day_of` or `week_of` is not in the files: the loader computes it from a column of epoch seconds, as the
    day (UTC) or the Monday before it. `pii` says what it tells of a person.
    """

    name: Annotated[str, AfterValidator(_storable)]
    data_type: Annotated[str, AfterValidator(_known_type)]
    description: str
    header: str = Field(
        validation_alias=AliasPath("config", "meta", "header"), default_factory=lambda given: given["name"]
    )
    day_of: str | None = Field(None, validation_alias=AliasPath("config", "meta", "day_of"))
    week_of: str | None = Field(None, validation_alias=AliasPath("config", "meta", "week_of"))
    pii: PersonalData | None = Field(None, validation_alias=AliasPath("config", "meta", "pii"))

    @property
    def computed_from(self) -> str | None:
        """The column of epoch seconds that the loader computes this one from; null for one in the files."""
        return self.day_of or self.week_of


class Delivery(BaseModel):
    """How a table arrives (`config.meta` of the source table).

    `path` is a folder below the landing zone and a file name with `*` and `?`, which is looked for in
    subfolders too; `format` names a reader; `delivery` says whether each file is the complete table or
    only changes; `keys` identify a record; `options` go to the reader. Records that may also come over
    Kafka have its `topics`: a message's value is a record of the format json, or, where the columns are key,
    value, topic and so on, a message is the record. `partitioned_by` are columns of the bronze table. Of
    several records of a key in one file, that with the greatest `newest_by` counts. `subject` is the column
    that says whose personal data a row holds. `extract` is for a table that a connector brings.
    """

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, AfterValidator(_listable)]
    format: Literal["csv", "json", "json_array", "xlsx"]
    delivery: Literal["complete", "changes"]
    keys: list[str]
    options: dict[str, str] = {}
    topics: list[str] = []
    partitioned_by: list[str] = []
    newest_by: str | None = None
    subject: str | None = None
    extract: Extract | None = None

    @model_validator(mode="after")
    def _known_options(self) -> "Delivery":
        if unknown := sorted(self.options.keys() - _OPTIONS[self.format]):
            known = ", ".join(sorted(_OPTIONS[self.format]))
            names = ", ".join(unknown)
            raise ValueError(f"options: unknown {names}; a reader of {self.format} takes {known}")
        for name, value in self.options.items():
            if problem := _problem(name, value):
                raise ValueError(f"options: {name} {value!r} {problem}")
        separator = self.options.get("sep", self.options.get("delimiter", ","))
        if {"sep", "delimiter"} <= self.options.keys() or self.options.get("quote", '"') in separator:
            raise ValueError("options: give sep or delimiter, not both, and another character as quote")
        return self

    @model_validator(mode="after")
    def _landed_by_connector(self) -> "Delivery":
        name = self.path.rpartition("/")[2]
        if self.extract and (self.format != "json" or self.delivery != "changes"):
            raise ValueError(
                "extract: connectors land what changed as JSON lines: format json, delivery changes"
            )
        if self.extract and (name.count("*") != 1 or "?" in name):
            raise ValueError(
                f"extract: the file name '{name}' needs one *, where the page's name goes, and no ?"
            )
        return self


class Freshness(BaseModel):
    """When a table without a new load is late, and when it is stale."""

    warn_after: Period | None = None
    error_after: Period | None = None


class SourceTable(BaseModel):
    """A source table: `source.name` in dbt, `bronze.<identifier>` in the warehouse."""

    source: Annotated[str, AfterValidator(_plain_name)]
    name: Annotated[str, AfterValidator(_plain_name)]
    identifier: Annotated[str, AfterValidator(_plain_name)]
    arrives: Delivery
    freshness: Freshness = Freshness()
    declared: list[Column] = Field(validation_alias="columns")

    @property
    def bronze(self) -> str:
        """The bronze table's name with its schema."""
        return f"bronze.{self.identifier}"

    @property
    def columns(self) -> list[Column]:
        """Columns that are in the files."""
        return [column for column in self.declared if column.computed_from is None]

    @property
    def label(self) -> str:
        """The name a user knows the table by."""
        return f"{self.source}.{self.name}"

    @property
    def schema_ddl(self) -> str:
        """Columns and types of the bronze table, metadata columns last."""
        declared = {column.name: column.data_type for column in self.declared}
        return ", ".join(f"`{name}` {kind}" for name, kind in (declared | METADATA_COLUMNS).items())

    @model_validator(mode="after")
    def _consistent(self) -> "SourceTable":
        names = [column.name for column in self.declared]
        lower_case = [name.lower() for name in names]  # Spark does not tell the cases apart
        for name in names:
            if lower_case.count(name.lower()) > 1:
                raise ValueError(f"column '{name}' is declared twice")
            if name.lower() in _RESERVED:
                raise ValueError(f"column '{name}' is reserved for the loader")
        headers = [column.header for column in self.columns]
        for header in headers:
            if headers.count(header) > 1:
                raise ValueError(f"header '{header}' is declared twice")
        for key in [*self.arrives.keys, *self.arrives.partitioned_by]:
            if key not in names:
                raise ValueError(f"key '{key}' is not among the columns {names}")
        for setting in ("newest_by", "subject"):
            if (column := getattr(self.arrives, setting)) and column not in names:
                raise ValueError(f"{setting} '{column}' is not among the columns {names}")
        times = [column.name for column in self.columns if column.data_type in ("timestamp", "bigint")]
        if self.arrives.extract and (cursor := self.arrives.extract.cursor) and cursor not in times:
            raise ValueError(f"extract.cursor '{cursor}' is not among the columns of times {times}")
        personal = [column.name for column in self.declared if column.pii]
        if personal and not self.arrives.subject:
            raise ValueError(f"columns {personal} are personal: say whose, with config.meta.subject")
        integers = [column.name for column in self.columns if column.data_type in ("int", "bigint")]
        for column in self.declared:
            if column.computed_from and (column.computed_from not in integers or column.data_type != "date"):
                raise ValueError(
                    f"column '{column.name}' is computed: give it the type date, and day_of or week_of "
                    f"an integer column of the files: {integers}"
                )
        return self


def read_contracts(models: Path) -> list[SourceTable]:
    """Source tables that are loaded, declared below the folder `models`, in the order of their files.

    Those with `config.meta.written_by` are written by what it names, and not among them.

    Raises:
        ContractError: a sources file cannot be read or breaks the rules above.
    """
    tables: list[SourceTable] = []
    for file in sorted(models.rglob("_*__sources.yml")):
        for table in _read_file(file):
            if table.bronze in (other.bronze for other in tables):
                raise ContractError(
                    f"{file}: table {table.label}: another table is loaded to {table.bronze} too"
                )
            tables.append(table)
    return tables


def select_sources(tables: Sequence[SourceTable], names: Iterable[str]) -> list[SourceTable]:
    """Tables of the named sources, or all of them when no name is given.

    Raises:
        ValueError: a name is no declared source; the message lists those that are.
    """
    wanted = set(names)
    known = {table.source for table in tables}
    if unknown := sorted(wanted - known):
        raise ValueError(f"unknown source {', '.join(unknown)}; declared are {', '.join(sorted(known))}")
    return [table for table in tables if not wanted or table.source in wanted]


def _read_file(file: Path) -> list[SourceTable]:
    try:
        # Python's own loader takes a second for all files.
        declared = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{file}: not valid YAML: {error}") from None
    try:
        return [
            _read_table(file, source, table)
            for source in declared.get("sources") or []
            for table in source.get("tables") or []
            if not _written_by(source, table)
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise ContractError(f"{file}: not a list of sources with names and tables: {error}") from None


def _written_by(source: dict[str, Any], table: dict[str, Any]) -> str | None:
    """What writes a table that does not arrive as files; null where it does."""
    meta = (source.get("config") or {}).get("meta", {}) | (table.get("config") or {}).get("meta", {})
    written_by: str | None = meta.get("written_by")
    return written_by


def _read_table(file: Path, source: dict[str, Any], table: dict[str, Any]) -> SourceTable:
    name = table.get("name", "without a name")
    config = source.get("config", {}) | table.get("config", {})
    try:
        return SourceTable.model_validate(
            {
                "source": source["name"],
                "name": name,
                "identifier": table.get("identifier", f"{source['name']}_{name}"),
                "arrives": config.get("meta", {}),
                "freshness": config.get("freshness") or {},
                "columns": table.get("columns") or [],
            }
        )
    except ValidationError as error:
        problems = "; ".join(_describe(problem, table) for problem in error.errors())
        raise ContractError(f"{file}: table {source['name']}.{name}: {problems}") from None


def _describe(problem: Any, table: dict[str, Any]) -> str:
    """Say which column or setting a pydantic problem is about."""
    message = str(problem["msg"]).removeprefix("Value error, ")
    match problem["loc"]:
        case ("columns", int(index), *field):
            column = table["columns"][index].get("name", f"number {index + 1}")
            return f"column {column}: {'.'.join(map(str, field))}: {message}"
        case ("arrives", *field):
            return f"config.meta.{'.'.join(map(str, field))}: {message}"
        case ("source" | "name" | "identifier" as field, *_):
            return f"{field}: {message}"
        case _:
            return message
