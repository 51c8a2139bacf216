"""What Sail and Spark answer differently, found in parsed SQL. `docs/sql.md` tells of each."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp, parse_one, tokenize
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.tokens import Token, TokenType

_DIALECT = "databricks"

Schema = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Types of columns by schema, table and column."""

_REFUSED = {
    "approx_percentile": "percentile",
    "bround": "round",
    "decode": "case",
    "element_at": "try_element_at",
    "get_json_object": "from_json with the type of the member",
    "initcap": "upper and lower of parts of the text",
    "percentile_approx": "percentile",
    "session_window": "lag and a running sum",
    "to_json": "columns; as text, decimals and times are written differently",
    "weekday": "(dayofweek(day) + 5) % 7",
    "window": "date_trunc",
}

# Values are the same and their types are not, or their last digits differ.
_CAST = {
    "corr": "round(corr(...), 9)",
    "date_diff": "cast(date_diff(...) as int)",
    "datediff": "cast(datediff(...) as int)",
    "exp": "round(exp(...), 9)",
    "regexp_count": "cast(regexp_count(...) as int)",
    "round": "cast(... as decimal(p, s)), which rounds",
}

_FLOATS = (exp.DType.DOUBLE, exp.DType.FLOAT)
_TIMES = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPNTZ)
_DATE = exp.DType.DATE
_DECIMAL = exp.DType.DECIMAL
_TEXTS = exp.DataType.TEXT_TYPES
_UNKNOWN = (exp.DType.UNKNOWN, exp.DType.NULL, exp.DType.USERDEFINED)
_EXTRA_PLACES = 4
_DIGITS = 38
_LONGEST = 150


@dataclass(frozen=True)
class Difference:
    """An expression that engines answer differently, and what to write in its place."""

    expression: str
    instead: str

    def __str__(self) -> str:
        return f"{self.expression}\n    engines differ; use {self.instead}"


def differences(sql: str, schema: Schema | None = None) -> list[Difference]:
    """What is refused in a query; types of columns are known from `schema`.

    Raises:
        ValueError: the query cannot be parsed.
    """
    try:
        query = parse_one(sql, dialect=_DIALECT)
    except SqlglotError as error:
        raise ValueError(str(error)) from error
    query = _typed(query, schema or {})
    found = [*_functions(sql), *(difference for node in query.walk() for difference in _of(node))]
    return list(dict.fromkeys(found))


def _functions(sql: str) -> Iterator[Difference]:
    """Functions that are refused whatever they are asked; the parser gives some of them other names."""
    tokens = tokenize(sql, dialect=_DIALECT)
    for place, (name, bracket) in enumerate(pairwise(tokens)):
        if bracket.token_type != TokenType.L_PAREN or name.token_type == TokenType.STRING:
            continue
        arguments = list(_arguments(tokens[place + 1 :]))
        text = " ".join(sql[name.start : arguments[-1].end + 1].split())
        if instead := _REFUSED.get(name.text.lower()):
            yield Difference(_short(text), instead)
        texts = [token.text.lower() for token in arguments if token.token_type == TokenType.STRING]
        if name.text.lower() == "from_json" and any(
            re.search(r"\btimestamp\s*(,|>|$)", text) for text in texts
        ):
            yield Difference(_short(text), "from_json with a string, and cast that as timestamp")


def _arguments(tokens: Sequence[Token]) -> Iterator[Token]:
    """From a bracket to the one that closes it."""
    depth = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        yield token
        if depth == 0:
            return


def _typed(query: exp.Expr, schema: Schema) -> exp.Expr:
    known: dict[str, object] = {name: dict(tables) for name, tables in schema.items()}
    # Names that it cannot resolve leave columns without a type.
    with suppress(SqlglotError):
        query = qualify(
            query.copy(),
            schema=known,
            dialect=_DIALECT,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
    return annotate_types(query, schema=known, dialect=_DIALECT)


def _of(node: exp.Expr) -> Iterator[Difference]:
    for rule in _RULES:
        if instead := rule(node):
            yield Difference(_short(node.sql(dialect=_DIALECT, comments=False)), instead)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.name).lower()
    return node.sql_name().lower() if isinstance(node, exp.Func) else ""


def _type(node: exp.Expr | None) -> exp.DataType:
    found = node.type if node is not None else None
    return found if isinstance(found, exp.DataType) else exp.DataType.build("unknown")


def _is(node: exp.Expr | None, *types: exp.DType) -> bool:
    return _type(node).this in types


def _is_decimal(node: exp.Expr | None) -> bool:
    if isinstance(node, exp.Literal) and not node.is_string:
        return "." in node.name and "e" not in node.name.lower()
    return _is(node, _DECIMAL) or (isinstance(node, exp.Avg | exp.Filter) and _is_decimal(node.this))


def _is_float(node: exp.Expr | None) -> bool:
    return _is(node, *_FLOATS) and not _is_decimal(node)


def _digits(node: exp.Expr | None) -> tuple[int, int] | None:
    """Precision and scale of a decimal; null where they are not known."""
    if _is(node, *exp.DataType.INTEGER_TYPES):
        return (20 if _is(node, exp.DType.BIGINT) else 10), 0
    sizes = [int(size.name) for size in _type(node).expressions]
    return (sizes[0], sizes[1]) if _is(node, _DECIMAL) and len(sizes) == 2 else None


def _outer(node: exp.Expr) -> exp.Expr | None:
    """What an expression stands in, brackets and a filter aside."""
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Filter):
        parent = parent.parent
    return parent


def _is_rounded(node: exp.Expr) -> bool:
    return isinstance(_outer(node), exp.Cast | exp.Round)


def _function_without_cast(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Round) and not _is_decimal(node.this) and not _is(node.this, *_UNKNOWN):
        return None
    return None if _is_rounded(node) else _CAST.get(_name(node))


def _statement(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Qualify):
        return "a subquery and where"
    if isinstance(node, exp.Group) and node.args.get("all"):
        return "the columns in group by"
    if isinstance(node, exp.Pivot):
        return "an aggregate with filter for each column"
    if isinstance(node, exp.With) and node.args.get("recursive"):
        return "sequence and explode"
    return None


def _division(node: exp.Expr) -> str | None:
    if not isinstance(node, exp.Div) or _is_float(node.left) or _is_float(node.right):
        return None
    if all(_is(side, *exp.DataType.INTEGER_TYPES) for side in (node.left, node.right)):
        return None
    outer, dividend = _outer(node), _digits(node.left)
    if isinstance(outer, exp.Cast) and outer.to.this == _DECIMAL and dividend:
        places = int(outer.to.expressions[1].name) if len(outer.to.expressions) == 2 else 0
        # Sail cuts off after four places more than the dividend has; rounded to fewer, both give the same.
        if places < dividend[1] + _EXTRA_PLACES:
            return None
    return "the macro divide for money, or cast one side as double"


def _average(node: exp.Expr) -> str | None:
    exact = isinstance(node, exp.Avg) and _is_decimal(node.this) and not _is_rounded(node)
    return "cast(avg(...) as decimal(p, s)) with the places of the column" if exact else None


def _product(node: exp.Expr) -> str | None:
    if not isinstance(node, exp.Mul):
        return None
    left, right = _digits(node.left), _digits(node.right)
    too_wide = left and right and left[0] + right[0] + 1 > _DIGITS and left[1] and right[1]
    return "casts to decimals that have 37 digits together" if too_wide else None


def _days_between(node: exp.Expr) -> str | None:
    days = isinstance(node, exp.Sub) and _is(node.left, _DATE) and _is(node.right, _DATE)
    return "cast(datediff(later, earlier) as int)" if days else None


def _text_of(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Cast) and node.to.this in _TEXTS and _is_float(node.this):
        return "cast to a decimal first"
    if isinstance(node, exp.Concat | exp.ConcatWs | exp.DPipe):
        parts = [*node.expressions, node.args.get("this"), node.args.get("expression")]
        if any(_is_float(part) or _is(part, *_TIMES) for part in parts if isinstance(part, exp.Expr)):
            return "casts of its numbers and times: to a decimal, or cast(time as string)"
    return None


def _number_of_text(node: exp.Expr) -> str | None:
    bad = isinstance(node, exp.TryCast) and node.to.this in _FLOATS and _is(node.this, *_TEXTS, *_UNKNOWN)
    return "try_cast to a decimal, and cast that as double" if bad else None


def _branches(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Case):
        values = [branch.args["true"] for branch in node.args["ifs"]] + [node.args.get("default")]
    elif isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        values = [node.args["true"], node.args.get("false")]
    elif isinstance(node, exp.Coalesce):
        values = [node.this, *node.expressions]
        kinds = {_kind(value).split("(")[0] for value in values if value is not None} - {""}
        mixed = len(kinds) > 1 and kinds & {"text", "date", "time"}
        return "casts to one type" if mixed else None
    else:
        return None
    kinds = {_kind(value) for value in values if value is not None} - {""}
    return "casts of the branches to one type" if len(kinds) > 1 else None


def _kind(node: exp.Expr) -> str:
    """Type of a value as far as branches must agree; '' where it is not known."""
    if _is(node, *_TEXTS):
        return "text"
    if _is(node, *_TIMES):
        return "time"
    if _is(node, *_UNKNOWN) or isinstance(node, exp.Null):
        return ""
    if isinstance(node, exp.Literal) and _is_decimal(node):
        return "decimal"
    if _is(node, _DECIMAL):
        return f"decimal{_digits(node)}" if _digits(node) else ""
    return str(_type(node).this.value).lower()


def _seconds(node: exp.Expr) -> str | None:
    seconds = node.this if isinstance(node, exp.UnixToTime) else None
    if isinstance(node, exp.Anonymous) and _name(node) == "timestamp_seconds":
        seconds = node.expressions[0]
    whole = seconds is None or _is(seconds, *exp.DataType.INTEGER_TYPES)
    return None if whole else "cast(seconds as bigint), or of a fraction the macro gym_timestamp"


def _day_of_week(node: exp.Expr) -> str | None:
    parts = ("dow", "dayofweek", "dow_iso", "dayofweek_iso")
    bad = isinstance(node, exp.Extract) and node.name.lower() in parts
    return "dayofweek(day)" if bad else None


def _truncated_day(node: exp.Expr) -> str | None:
    truncated = isinstance(node, exp.TimestampTrunc) and _is(node.this, _DATE)
    wrapped = isinstance(_outer(node), exp.Cast | exp.TsOrDsToDate | exp.Date)
    return "trunc(day, 'month'), or cast(date_trunc(...) as date)" if truncated and not wrapped else None


def _null_in_array(node: exp.Expr) -> str | None:
    bad = isinstance(node, exp.ArrayContains) and not isinstance(_outer(node), exp.Coalesce)
    return "coalesce(array_contains(...), false)" if bad else None


def _part_of_generated(node: exp.Expr) -> str | None:
    bad = isinstance(node, exp.Dot) and isinstance(node.this, exp.Explode | exp.Posexplode)
    return "explode in a query of its own, and the field of its column in the next" if bad else None


def _literal(node: exp.Expr) -> str | None:
    if isinstance(node, exp.Literal) and node.is_string and re.search(r"\(\?<?[=!]", node.name):
        return "a pattern without look-ahead and look-behind"
    return None


def _condition(node: exp.Expr) -> str | None:
    conditions = (
        [branch.this for branch in node.args["ifs"]] if isinstance(node, exp.Case) and not node.this else []
    )
    return "cast(null as boolean)" if any(isinstance(each, exp.Null) for each in conditions) else None


_RULES: tuple[Callable[[exp.Expr], str | None], ...] = (
    _function_without_cast,
    _statement,
    _division,
    _average,
    _product,
    _days_between,
    _text_of,
    _number_of_text,
    _branches,
    _seconds,
    _day_of_week,
    _truncated_day,
    _null_in_array,
    _part_of_generated,
    _literal,
    _condition,
)
