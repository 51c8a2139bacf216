"""The adapter: what dbt asks about tables is read from their folders, what it builds is one commit each."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from dbt.adapters.base import available
from dbt.adapters.base.impl import ConstraintSupport
from dbt.adapters.base.relation import BaseRelation
from dbt.adapters.spark import SparkColumn
from dbt.adapters.spark.impl import SparkAdapter
from dbt_common.contracts.constraints import ConstraintType

from . import delta
from .arrow import spark_type
from .connections import LakehouseConnectionManager
from .engine import Engine, Name
from .incremental import STRATEGIES, strategy_of, write_new
from .options import options_of
from .seeds import stream_of

if TYPE_CHECKING:
    import agate


class LakehouseAdapter(SparkAdapter):
    """Sail computes, delta-rs writes, the folders are the catalog."""

    ConnectionManager = LakehouseConnectionManager  # type: ignore[assignment]
    connections: LakehouseConnectionManager

    CONSTRAINT_SUPPORT = {  # noqa: RUF012
        ConstraintType.check: ConstraintSupport.ENFORCED,
        ConstraintType.not_null: ConstraintSupport.ENFORCED,
        ConstraintType.unique: ConstraintSupport.NOT_ENFORCED,
        ConstraintType.primary_key: ConstraintSupport.NOT_ENFORCED,
        ConstraintType.foreign_key: ConstraintSupport.NOT_ENFORCED,
    }

    @classmethod
    def type(cls) -> str:
        """The adapter's name in profiles.yml."""
        return "lakehouse"

    @property
    def engine(self) -> Engine:
        """What answers and writes."""
        return self.connections.engine

    # What there is.

    def list_schemas(self, database: str | None) -> list[str]:
        """Schemas in which tables may be."""
        return sorted(self.engine.folders.schemas())

    def check_schema_exists(self, database: str | None, schema: str) -> bool:
        """Whether there is such a schema."""
        return schema.lower() in self.engine.folders.schemas()

    def create_schema(self, relation: BaseRelation) -> None:
        """Make the folder of a schema."""
        self.engine.create_schema(_schema(relation))

    def drop_schema(self, relation: BaseRelation) -> None:
        """Delete a schema with all its tables."""
        self.engine.drop_schema(_schema(relation))
        self.cache.drop_schema(None, _schema(relation))

    def list_relations_without_caching(self, schema_relation: BaseRelation) -> list[BaseRelation]:
        """The tables of a schema."""
        schema = _schema(schema_relation)
        names = [name.split(".", 1) for name in self.engine.folders.tables_of(schema)]
        return [
            self.Relation.create(schema=schema, identifier=table, type="table", is_delta=True)  # type: ignore[arg-type]
            for _, table in names
        ]

    def get_columns_in_relation(self, relation: BaseRelation) -> list[SparkColumn]:
        """The columns of a table, none where there is no such table, or of a named query."""
        if not relation.include_policy.schema or not relation.schema:
            types = self.engine.types_of(f"select * from {relation}")
        elif self.engine.exists(_name(relation)):
            types = {column.name: spark_type(column.type) for column in self.engine.columns(_name(relation))}
        else:
            types = {}
        return [SparkColumn(column=name, dtype=kind) for name, kind in types.items()]

    def _get_columns_for_catalog(self, relation: BaseRelation) -> Iterable[dict[str, Any]]:
        """A table's columns, comments, rows and bytes, from the log of the table."""
        table = self.engine.table(_name(relation))
        files = pa.table(table.get_add_actions(flatten=True))
        statistics = {
            "bytes": ("Size", sum(files["size_bytes"].to_pylist()), "bytes"),
            "rows": ("Rows", table.count(), "rows"),
            "last_modified": ("Last change", _last_change(table), "UTC"),
        }
        shared: dict[str, Any] = {
            "table_database": None,
            "table_schema": relation.schema,
            "table_name": relation.identifier,
            "table_type": "table",
            "table_comment": table.metadata().description or None,
            "table_owner": None,
        }
        for name, (label, value, description) in statistics.items():
            shared[f"stats:{name}:label"] = label
            shared[f"stats:{name}:value"] = value
            shared[f"stats:{name}:description"] = description
            shared[f"stats:{name}:include"] = True
        for index, column in enumerate(delta.arrow_schema(table), 1):
            comment = (column.metadata or {}).get(b"comment", b"").decode() or None
            yield shared | {
                "column_name": column.name,
                "column_index": index,
                "column_type": spark_type(column.type),
                "column_comment": comment,
            }

    # What dbt's macros call.

    def drop_relation(self, relation: BaseRelation) -> None:
        """Delete a table."""
        if relation.include_policy.schema and relation.schema:
            self.engine.drop(_name(relation))
            self.cache_dropped(relation)
        else:
            self.engine.sail.drop_view(str(relation.identifier))

    def truncate_relation(self, relation: BaseRelation) -> None:
        """Delete all rows of a table."""
        self.engine.truncate(_name(relation))

    def rename_relation(self, from_relation: BaseRelation, to_relation: BaseRelation) -> None:
        """Give a table another name."""
        self.cache_renamed(from_relation, to_relation)
        self.engine.rename(_name(from_relation), _name(to_relation))

    @available.parse_none
    def name_query(self, relation: BaseRelation, sql: str) -> None:
        """Let `relation`, which has no schema, stand for a query as long as this process lasts."""
        with self.explained():
            self.engine.sail.create_view(str(relation.identifier), sql)

    @available.parse_none
    def write_table(self, relation: BaseRelation, sql: str, model: Mapping[str, Any]) -> None:
        """Make or replace a table by a query's rows, with what the model says of it, in one commit."""
        self._warn_of_constraints(model)
        with self.explained():
            self.engine.overwrite(_name(relation), sql, options_of(model))

    @available.parse_none
    def write_new_rows(self, relation: BaseRelation, sql: str, model: Mapping[str, Any]) -> None:
        """Add a query's rows to an incremental model's table by its strategy, in one commit."""
        self._warn_of_constraints(model)
        with self.explained():
            write_new(self.engine, _name(relation), sql, model)
            self._describe(relation, model)

    @available.parse_none
    def write_snapshot(
        self,
        relation: BaseRelation,
        sql: str,
        model: Mapping[str, Any],
        columns: Mapping[str, str],
        current: str | None,
    ) -> None:
        """Merge the rows of a snapshot's staging query, in one commit."""
        with self.explained():
            self.engine.merge_snapshot(_name(relation), sql, columns, current)
            self._describe(relation, model)

    @available.parse_none
    def write_seed(self, relation: BaseRelation, rows: "agate.Table", model: Mapping[str, Any]) -> None:
        """Make or replace a table by the rows of a seed, in one commit."""
        given = {name.lower(): kind for name, kind in (model["config"].get("column_types") or {}).items()}
        types = {
            name: given.get(name.lower()) or str(self.convert_type(rows, n))
            for n, name in enumerate(rows.column_names)
        }
        options = options_of(model)
        with self.explained():
            delta.overwrite(
                self.engine.location(_name(relation)),
                options.checked(str(relation), stream_of(self.engine, rows, types)),
                description=options.description,
                partition_by=options.partition_by,
                configuration=options.configuration,
            )

    @available.parse_none
    def change_columns(
        self, relation: BaseRelation, add: list[SparkColumn] | None, remove: list[SparkColumn] | None
    ) -> None:
        """Add columns to a table, and take others out of it."""
        with self.explained():
            self.engine.add_columns(_name(relation), {column.name: column.dtype for column in add or []})
            self.engine.change_columns(_name(relation), {column.name: None for column in remove or []})

    @available.parse_none
    def change_type(self, relation: BaseRelation, column: str, kind: str) -> None:
        """Write a table again with another type of a column."""
        quoted = delta.quoted(column)
        with self.explained():
            self.engine.change_columns(_name(relation), {column: f"cast({quoted} as {kind}) as {quoted}"})

    def valid_incremental_strategies(self) -> list[str]:
        """How an incremental model may add rows."""
        return STRATEGIES

    @available.parse_none
    def check_strategy(self, model: Mapping[str, Any]) -> None:
        """Refuse an incremental model whose strategy is not known, before anything is built."""
        strategy_of(model)

    @classmethod
    def quote(cls, identifier: str) -> str:
        """A name in SQL; dbt asks the class for it."""
        return delta.quoted(identifier)

    def explained(self) -> Any:
        """Turn errors of Sail and delta-rs into dbt's, with a message in a paragraph."""
        return self.connections.exception_handler("")

    def _describe(self, relation: BaseRelation, model: Mapping[str, Any]) -> None:
        """Set description and comments of a table that stays, where they are others than before."""
        options = options_of(model)
        delta.describe(self.engine.location(_name(relation)), options.description, options.configuration)
        self.engine.comment_columns(_name(relation), options)

    def _warn_of_constraints(self, model: Mapping[str, Any]) -> None:
        if (model["config"].get("contract") or {}).get("enforced"):
            self.render_raw_columns_constraints(model["columns"])
            self.render_raw_model_constraints(model["constraints"])


def _name(relation: BaseRelation) -> Name:
    return _schema(relation), str(relation.identifier)


def _schema(relation: BaseRelation) -> str:
    return str(relation.schema)


def _last_change(table: Any) -> str:
    at = table.history(1)[0]["timestamp"] / 1000
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
