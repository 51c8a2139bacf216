"""SQL of metrics as DAX.

DAX takes blank for 0, '' and false where SQL has null, and compares texts without case. So each condition is
said with what makes it true, or false, and arithmetic gives blank where a part of it is blank.
"""

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from lakehouse.semantics.gold import Gold, Table
from lakehouse.semantics.metrics import Aggregate, Derived, Metric, NoEqual, Ratio

_COMPARISONS: dict[type[exp.Expr], tuple[str, str]] = {
    exp.EQ: ("=", "<>"),
    exp.NEQ: ("<>", "="),
    exp.GT: (">", "<="),
    exp.GTE: (">=", "<"),
    exp.LT: ("<", ">="),
    exp.LTE: ("<=", ">"),
}
_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
# The function for a column, and the one for an expression on each row.
_FUNCTIONS = {
    "sum": ("SUM", "SUMX"),
    "average": ("AVERAGE", "AVERAGEX"),
    "min": ("MIN", "MINX"),
    "max": ("MAX", "MAXX"),
}


def quoted(name: str) -> str:
    """The name of a table in DAX."""
    return "'" + name.replace("'", "''") + "'"


def bracketed(name: str) -> str:
    """The name of a column or measure in DAX."""
    return "[" + name.replace("]", "]]") + "]"


def measure(metric: Metric, gold: Gold, labels: dict[str, str]) -> str:
    """The DAX of a metric; `labels` has the measures by name of metric.

    Raises:
        NoEqual: there is none.
    """
    match metric.formula:
        case Aggregate() as formula:
            return _aggregate(formula, gold.tables[gold.subjects[formula.subject].table])
        case Ratio(numerator, denominator):
            return f"DIVIDE({bracketed(labels[numerator])}, {bracketed(labels[denominator])})"
        case Derived(expression, metrics):
            return _Derived({alias: labels[name] for alias, name in metrics.items()}).plain(
                _parsed(expression)
            )


def _aggregate(formula: Aggregate, table: Table) -> str:
    row, rows = _parsed(formula.row), _Rows(table)
    value, name = rows.value(row), quoted(table.name)
    if formula.function == "count":
        return f"COUNTROWS(FILTER({name}, NOT ISBLANK({value})))"
    if formula.function == "count_distinct":
        if isinstance(row, exp.Column):
            return f"DISTINCTCOUNTNOBLANK({value})"
        values = f'DISTINCT(SELECTCOLUMNS({name}, "Value", {value}))'
        return f"COUNTROWS(FILTER({values}, NOT ISBLANK([Value])))"
    of_column, of_rows = _FUNCTIONS[formula.function]
    return f"{of_column}({value})" if isinstance(row, exp.Column) else f"{of_rows}({name}, {value})"


def _parsed(sql: str) -> exp.Expr:
    try:
        return parse_one(sql, dialect="databricks")
    except SqlglotError as error:
        raise NoEqual(f"its SQL cannot be read: {sql} ({str(error).splitlines()[0]})") from None


class _Expressions:
    """What expressions on rows and on measures have in common."""

    def name(self, column: exp.Column) -> str:
        raise NotImplementedError

    def plain(self, node: exp.Expr) -> str:
        """Arithmetic on what is not blank."""
        sign = _ARITHMETIC.get(type(node))
        match node:
            case exp.Column():
                return self.name(node)
            case exp.Literal() if not node.is_string:
                return str(node.this)
            case exp.Paren():
                return f"({self.plain(node.this)})"
            case exp.Neg():
                return f"-{self.plain(node.this)}"
            case exp.Binary() if sign:
                return f"{self.plain(node.this)} {sign} {self.plain(node.expression)}"
            case exp.Div() if isinstance(self, _Derived):
                return f"DIVIDE({self.plain(node.this)}, {self.plain(node.expression)})"
            case exp.Cast(to=exp.DataType(this=exp.DataType.Type.DOUBLE)):
                return self.plain(node.this)
            case exp.Cast(to=exp.DataType(this=exp.DataType.Type.DECIMAL) as kind):
                scale = kind.expressions[1].name if len(kind.expressions) > 1 else "0"
                return f"ROUND({self.plain(node.this)}, {scale})"
        raise NoEqual(f"DAX has no equal for {node.sql('databricks')}")


class _Derived(_Expressions):
    """Expressions on measures, by the names that a metric gives them."""

    def __init__(self, measures: dict[str, str]) -> None:
        self._measures = measures

    def name(self, column: exp.Column) -> str:
        if column.name not in self._measures:
            raise NoEqual(f"{column.name} is none of its metrics")
        return bracketed(self._measures[column.name])


class _Rows(_Expressions):
    """Expressions on a row of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def name(self, column: exp.Column) -> str:
        if column.name not in self._table.columns:
            raise NoEqual(f"{self._table.name} has no column {column.name}")
        return quoted(self._table.name) + bracketed(column.name)

    def value(self, node: exp.Expr) -> str:
        """A value that is blank where SQL has null."""
        match node:
            case exp.Paren():
                return self.value(node.this)
            case exp.Literal(is_string=True):
                return '"' + str(node.this).replace('"', '""') + '"'
            case exp.Boolean():
                return "TRUE()" if node.this else "FALSE()"
            case exp.Null():
                return "BLANK()"
            case exp.Case(this=None):
                otherwise = node.args.get("default")
                result = self.value(otherwise) if otherwise else "BLANK()"
                for branch in reversed(node.args["ifs"]):
                    result = f"IF({self.holds(branch.this)}, {self.value(branch.args['true'])}, {result})"
                return result
            case exp.Nullif():
                same = exp.EQ(this=node.this.copy(), expression=node.expression.copy())
                return f"IF({self.holds(same)}, BLANK(), {self.value(node.this)})"
            case exp.Coalesce():
                parts = [node.this, *node.expressions]
                return f"COALESCE({', '.join(self.value(part) for part in parts)})"
            case exp.Cast(to=exp.DataType(this=exp.DataType.Type.DOUBLE)):
                return self.value(node.this)
        return self._strict(node)

    def _strict(self, node: exp.Expr) -> str:
        value = self.plain(node)
        if isinstance(node, exp.Column | exp.Literal):
            return value
        names = dict.fromkeys(self.name(column) for column in node.find_all(exp.Column))
        blank = " || ".join(f"ISBLANK({name})" for name in names)
        return f"IF(NOT ({blank}), {value})" if blank else value

    def holds(self, node: exp.Expr, wanted: bool = True) -> str:
        """Whether a condition is true (or false, if that is wanted), which it is not where SQL has null."""
        match node:
            case exp.Paren():
                return self.holds(node.this, wanted)
            case exp.Not():
                return self.holds(node.this, not wanted)
            case exp.And() | exp.Or():
                sign = "&&" if isinstance(node, exp.And) is wanted else "||"
                return f"({self.holds(node.this, wanted)} {sign} {self.holds(node.expression, wanted)})"
            case exp.Is(expression=exp.Null()):
                blank = f"ISBLANK({self.value(node.this)})"
                return blank if wanted else f"NOT {blank}"
            case exp.Boolean():
                return "TRUE()" if bool(node.this) is wanted else "FALSE()"
            case exp.Column():
                return f"{self.value(node)} == {'TRUE()' if wanted else 'FALSE()'}"
            case exp.Binary() if type(node) in _COMPARISONS:
                return self._compared(node, wanted)
        raise NoEqual(f"DAX has no equal for the condition {node.sql('databricks')}")

    def _compared(self, node: exp.Binary, wanted: bool) -> str:
        sides = [node.this, node.expression]
        left, right = (self.value(side) for side in sides)
        sign = _COMPARISONS[type(node)][0 if wanted else 1]
        if any(isinstance(side, exp.Literal) and side.is_string for side in sides):
            if sign not in ("=", "<>"):
                raise NoEqual(f"DAX orders texts in another way: {node.sql('databricks')}")
            said = f"{'' if sign == '=' else 'NOT '}EXACT({left}, {right})"
        else:
            said = f"{left} {sign} {right}"
        known = [
            f"NOT ISBLANK({value})"
            for side, value in zip(sides, (left, right), strict=True)
            if not isinstance(side, exp.Literal)
        ]
        return f"({' && '.join([*known, said])})"
