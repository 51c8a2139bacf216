"""Gold as other programs need to know it: tables, references and subjects, out of dbt's manifest."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@dataclass(frozen=True)
class Column:
    """A column as its contract says it; `type` is that of Databricks SQL."""

    name: str
    type: str
    description: str
    unit: str | None
    personal: bool

    @property
    def technical(self) -> bool:
        """Whether it is there for joins and loads, not for people."""
        return self.name.startswith("_") or self.name.endswith("_key")


@dataclass(frozen=True)
class Table:
    """A table; of a calendar, `day` is its column of days."""

    schema: str
    name: str
    description: str
    columns: dict[str, Column]
    day: str | None


@dataclass(frozen=True)
class Reference:
    """Each row of `table` has one of `to_table`, at most."""

    table: str
    column: str
    to_table: str
    to_column: str


@dataclass(frozen=True)
class Subject:
    """A semantic model: a table, its dimensions by name as SQL, and the one that days are counted by."""

    name: str
    table: str
    description: str
    entity: str | None
    dimensions: dict[str, str]
    time: str | None


@dataclass(frozen=True)
class Gold:
    """All tables of gold and those they refer to, references, subjects; each in the order of names."""

    tables: dict[str, Table]
    references: tuple[Reference, ...]
    subjects: dict[str, Subject]

    @property
    def calendar(self) -> Table | None:
        """The table of days."""
        return next((table for table in self.tables.values() if table.day), None)


def read_gold(manifest: "Manifest") -> Gold:
    """Gold as `models/gold/` declares it."""
    nodes = {
        id: node for id, node in sorted(manifest.nodes.items()) if node.resource_type in ("model", "seed")
    }
    own = {id for id, node in nodes.items() if id.startswith("model.") and node.fqn[1] == "gold"}
    found = [(test, *_ends(test)) for test in _relationship_tests(manifest)]
    inside = [(test, child, parent) for test, child, parent in found if child in own]
    tables = (_table(nodes[id]) for id in sorted(own | {parent for _, _, parent in inside}))
    references = (
        Reference(
            nodes[child].alias, test.column_name, nodes[parent].alias, test.test_metadata.kwargs["field"]
        )
        for test, child, parent in inside
    )
    subjects = (_subject(model) for model in manifest.semantic_models.values())
    return Gold(
        tables={table.name: table for table in sorted(tables, key=lambda table: table.name)},
        references=tuple(sorted(references, key=lambda r: (r.table, r.column, r.to_table))),
        subjects={subject.name: subject for subject in sorted(subjects, key=lambda s: s.name)},
    )


def one_line(text: str | None) -> str:
    """A description without the line breaks of its YAML."""
    return " ".join((text or "").split())


def _relationship_tests(manifest: "Manifest") -> Iterable[Any]:
    for node in manifest.nodes.values():
        metadata = getattr(node, "test_metadata", None)
        if metadata and metadata.name == "relationships":
            yield node


def _ends(test: Any) -> tuple[str, str]:
    """Unique ids of the table that is tested and of the one it refers to, which may be the same."""
    child = test.attached_node
    return child, next((id for id in test.depends_on.nodes if id != child), child)


def _table(node: Any) -> Table:
    spine = getattr(node, "time_spine", None)
    return Table(
        schema=node.schema,
        name=node.alias,
        description=one_line(node.description),
        columns={column.name: _column(column) for column in node.columns.values()},
        day=spine.standard_granularity_column if spine else None,
    )


def _column(column: Any) -> Column:
    meta = column.config.meta
    return Column(
        column.name,
        (column.data_type or "string").lower(),
        one_line(column.description),
        meta.get("unit"),
        "pii" in meta,
    )


def _subject(model: Any) -> Subject:
    entities = [entity.name for entity in model.entities if entity.type.value == "primary"]
    return Subject(
        name=model.name,
        table=model.node_relation.alias,
        description=one_line(model.description),
        entity=model.primary_entity or next(iter(entities), None),
        dimensions={dimension.name: dimension.expr or dimension.name for dimension in model.dimensions},
        time=model.defaults.agg_time_dimension if model.defaults else None,
    )
