"""Statements of hooks and macros that are no queries: delta-rs carries them out."""

from collections.abc import Callable

import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

from .arrow import WriteError, spark_type
from .delta import describe, quoted
from .engine import Engine, Name
from .options import Options
from .sail import is_query

_DIALECT = "databricks"
_QUERY_STARTS = {TokenType.SELECT, TokenType.WITH, TokenType.VALUES}


class StatementError(Exception):
    """A statement is not understood; the message says what can be written."""


def execute(engine: Engine, sql: str) -> pa.Table:
    """Carry out statements, which may be several; the result is that of the last one.

    Raises:
        StatementError: a statement is neither a query nor one of those below.
        WriteError: a table is missing, or rows do not fit.
        PySparkException: Sail does not understand a query.
    """
    if is_query(sql):
        return engine.sail.stream(_without_end(sql)).read_all()
    result = pa.table({})
    for statement in _split(sql):
        if is_query(statement):
            result = engine.sail.stream(statement).read_all()
        else:
            result = _carry_out(engine, statement)
    return result


def _carry_out(engine: Engine, sql: str) -> pa.Table:
    words = " ".join(token.text for token in _tokens(sql)).lower().split()
    if words[0] == "show":
        return _show(engine, words)
    if words[0] not in _VERBS:
        raise StatementError(
            f"`{words[0]}` is not understood here. What is: queries, {', '.join(_VERBS)}, show.\n{sql}"
        )
    head, query = _head_and_query(sql)
    try:
        parsed = sqlglot.parse_one(head, dialect=_DIALECT)
    except SqlglotError as error:
        raise StatementError(f"This statement is not understood: {_first_line(error)}\n{sql}") from error
    if type(parsed) not in _KNOWN:
        raise StatementError(f"This statement is not understood:\n{sql}")
    return _KNOWN[type(parsed)](engine, parsed, query) or pa.table({})


def _create(engine: Engine, create: exp.Create, query: str) -> pa.Table | None:
    if create.kind in ("SCHEMA", "DATABASE"):
        engine.create_schema(create.this.db or create.this.name)
        return None
    if create.kind == "VIEW" and create.find(exp.TemporaryProperty):
        engine.sail.create_view(create.this.name, query)
        return None
    if create.kind not in ("TABLE", "VIEW"):
        raise StatementError(f"There are tables and schemas here, and no {str(create.kind).lower()}.")
    columns = create.this.expressions if isinstance(create.this, exp.Schema) else []
    name = _name(create.find(exp.Table))
    if engine.exists(name) and not create.args.get("replace"):
        if create.args.get("exists"):
            return None
        raise WriteError(f"Table {'.'.join(name)} exists already.")
    clone = create.args.get("clone")
    if clone:
        query = f"select * from {_sql(clone.this)}"
    engine.overwrite(name, query or engine.empty_sql(_types(columns)), _options(create, columns))
    return None


def _options(create: exp.Create, columns: list[exp.Expression]) -> Options:
    """Description, comments, partitions and properties of a `create table`."""
    comment = create.find(exp.SchemaCommentProperty)
    partitions = create.find(exp.PartitionedByProperty)
    properties = create.args.get("properties")
    return Options(
        description=comment.name if comment else None,
        comments=_comments(columns),
        partition_by=tuple(column.name for column in partitions.this.expressions) if partitions else (),
        configuration={
            entry.name: entry.args["value"].name
            for entry in (properties.expressions if properties else [])
            if type(entry) is exp.Property
        },
    )


def _insert(engine: Engine, insert: exp.Insert, query: str) -> None:
    name = _name(insert.find(exp.Table))
    named = [column.name for column in insert.this.expressions] if isinstance(insert.this, exp.Schema) else []
    columns = named or engine.columns(name).names
    width = engine.width_of(query)
    if width != len(columns):
        raise WriteError(
            f"The rows to insert have {width} columns, where {'.'.join(name)} takes {len(columns)}: "
            f"{', '.join(columns)}."
        )
    # Like every `insert`, by position.
    rows = f"select * from (\n{query}\n) as given ({', '.join(map(quoted, columns))})"
    if insert.args.get("overwrite"):
        engine.overwrite_partitions(name, rows, Options())
    else:
        engine.append(name, rows)


def _update(engine: Engine, update: exp.Update, _: str) -> None:
    name = _name(update.this)
    values = {change.this.name.lower(): _sql(change.expression) for change in update.expressions}
    where = update.args.get("where")
    condition = _sql(where.this) if where else "true"
    select = []
    for column in engine.columns(name):
        value = values.pop(column.name.lower(), None)
        kind = spark_type(column.type)
        changed = f"case when {condition} then cast({value} as {kind}) else {quoted(column.name)} end"
        select.append(f"{changed} as {quoted(column.name)}" if value else quoted(column.name))
    if values:
        raise WriteError(f"{'.'.join(name)} has no column {', '.join(values)}.")
    engine.overwrite_rows(name, f"select {', '.join(select)} from {_sql(update.this)}")


def _delete(engine: Engine, delete: exp.Delete, _: str) -> None:
    where = delete.args.get("where")
    name = _name(delete.this)
    if where is None:
        return engine.truncate(name)
    kept = f"select * from {_sql(delete.this)} where not coalesce({_sql(where.this)}, false)"
    return engine.overwrite_rows(name, kept)


def _truncate(engine: Engine, truncate: exp.TruncateTable, _: str) -> None:
    for table in truncate.expressions:
        engine.truncate(_name(table))


def _drop(engine: Engine, drop: exp.Drop, _: str) -> None:
    for table in drop.args["tables"]:
        if drop.kind in ("SCHEMA", "DATABASE"):
            engine.drop_schema(table.db or table.name)
        elif drop.kind in ("TABLE", "VIEW") and not table.db:
            engine.sail.drop_view(table.name)
        elif drop.kind in ("TABLE", "VIEW"):
            if not drop.args.get("exists"):
                engine.table(_name(table))
            engine.drop(_name(table))
        else:
            raise StatementError(f"There are tables and schemas here, and no {str(drop.kind).lower()}.")


def _alter(engine: Engine, alter: exp.Alter, _: str) -> None:
    name = _name(alter.this)
    for action in alter.args["actions"]:
        if isinstance(action, exp.Schema | exp.ColumnDef):
            columns = action.expressions if isinstance(action, exp.Schema) else [action]
            engine.add_columns(name, _types(columns))
            engine.comment_columns(name, Options(comments=_comments(columns)))
        elif isinstance(action, exp.Drop):
            tables = action.args["tables"]
            gone = tables[0].expressions if isinstance(tables[0], exp.Schema) else tables
            engine.change_columns(name, {column.name: None for column in gone})
        elif isinstance(action, exp.RenameColumn):
            old, new = action.this.name, action.args["to"].name
            engine.change_columns(name, {old: f"{quoted(old)} as {quoted(new)}"}, {old: new})
        elif isinstance(action, exp.AlterRename):
            engine.rename(name, _name(action.this))
        elif isinstance(action, exp.AlterColumn) and action.args.get("comment"):
            engine.comment_columns(name, _commented(action.name, action.args["comment"].name))
        elif isinstance(action, exp.AlterColumn) and action.args.get("dtype"):
            column = quoted(action.name)
            engine.change_columns(
                name, {action.name: f"cast({column} as {_sql(action.args['dtype'])}) as {column}"}
            )
        else:
            raise StatementError(
                f"A table is altered by {', '.join(_ALTERATIONS)}; this is not understood here."
            )


_ALTERATIONS = [
    "add column",
    "drop column",
    "rename column",
    "rename to",
    "alter column type",
    "alter column comment",
]


def _comment_on(engine: Engine, comment: exp.Comment, _: str) -> None:
    text = comment.expression.name
    if str(comment.args["kind"]).upper() == "COLUMN":
        *_, schema, table, column = comment.this.parts
        engine.comment_columns((schema.name, table.name), _commented(column.name, text))
    else:
        name = _name(comment.this)
        engine.table(name)
        describe(engine.location(name), text)


def _describe(engine: Engine, described: exp.Describe, _: str) -> pa.Table:
    columns = engine.columns(_name(described.this))
    return pa.table(
        {
            "col_name": columns.names,
            "data_type": [spark_type(column.type) for column in columns],
            "comment": [(column.metadata or {}).get(b"comment", b"").decode() for column in columns],
        }
    )


def _show(engine: Engine, words: list[str]) -> pa.Table:
    if words[1:] in (["schemas"], ["databases"]):
        return pa.table({"namespace": sorted(engine.folders.schemas())})
    if len(words) == 4 and words[1] == "tables" and words[2] in ("in", "from"):
        tables = [name.split(".", 1) for name in engine.folders.tables_of(words[3])]
        return pa.table(
            {
                "namespace": [schema for schema, _ in tables],
                "tableName": [table for _, table in tables],
                "isTemporary": [False] * len(tables),
            }
        )
    raise StatementError(
        "What can be shown is: show schemas, show tables in a schema; describe shows a table."
    )


_VERBS = (
    "create",
    "drop",
    "alter",
    "truncate",
    "insert",
    "update",
    "delete",
    "comment",
    "describe",
    "desc",
)
_KNOWN: dict[type, Callable[..., pa.Table | None]] = {
    exp.Create: _create,
    exp.Insert: _insert,
    exp.Update: _update,
    exp.Delete: _delete,
    exp.TruncateTable: _truncate,
    exp.Drop: _drop,
    exp.Alter: _alter,
    exp.Comment: _comment_on,
    exp.Describe: _describe,
}


def _split(sql: str) -> list[str]:
    """Statements between semicolons."""
    starts = [0]
    ends = []
    for token in _tokens(sql):
        if token.token_type == TokenType.SEMICOLON:
            ends.append(token.start)
            starts.append(token.end + 1)
    parts = [sql[start:end] for start, end in zip(starts, [*ends, len(sql)], strict=True)]
    return [part for part in parts if _tokens(part)]


def _without_end(sql: str) -> str:
    """A query without a semicolon at its end."""
    return sql.rstrip().rstrip(";")


def _head_and_query(sql: str) -> tuple[str, str]:
    """What a statement does, with any query, and the query that it does it with, as it is written.

    SQL that a parser has written again may mean something else, so queries stay as they are.
    """
    depth = 0
    tokens = _tokens(sql)
    creates = tokens[0].token_type == TokenType.CREATE
    if not creates and tokens[0].token_type != TokenType.INSERT:
        return sql, ""
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        if depth == 0 and creates and token.token_type == TokenType.ALIAS:
            return f"{sql[: token.start]} as select 1", sql[token.end + 1 :]
        opens = token.token_type == TokenType.L_PAREN
        starts = token.token_type in _QUERY_STARTS or (opens and following.token_type in _QUERY_STARTS)
        if depth == 0 and not creates and starts:
            return f"{sql[: token.start]} select 1", sql[token.start :]
        depth += opens - (token.token_type == TokenType.R_PAREN)
    return sql, ""


def _tokens(sql: str) -> list[Token]:
    try:
        return sqlglot.tokenize(sql, read=_DIALECT)
    except SqlglotError as error:
        raise StatementError(f"This statement is not understood: {_first_line(error)}\n{sql}") from error


def _name(table: exp.Expression | None) -> Name:
    if not isinstance(table, exp.Table) or not table.db:
        raise StatementError(
            f"Write the schema before the name of table {table.sql(_DIALECT) if table else ''}."
        )
    return table.db, table.name


def _types(columns: list[exp.Expression]) -> dict[str, str]:
    untyped = [column.name for column in columns if not column.args.get("kind")]
    if not columns or untyped:
        raise StatementError(f"A column needs a type: {', '.join(untyped) or 'the table has no columns'}.")
    return {column.name: _sql(column.args["kind"]) for column in columns}


def _comments(columns: list[exp.Expression]) -> dict[str, str]:
    found = {column.name.lower(): column.find(exp.CommentColumnConstraint) for column in columns}
    return {name: comment.name for name, comment in found.items() if comment}


def _commented(column: str, comment: str) -> Options:
    return Options(comments={column.lower(): comment})


def _sql(expression: exp.Expression) -> str:
    return expression.sql(_DIALECT)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
