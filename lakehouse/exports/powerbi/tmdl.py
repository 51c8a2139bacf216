"""Objects of a semantic model as TMDL, the text that Power BI reads: indented by tabs."""

import re
from dataclasses import dataclass

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Node:
    """An object; `value` is the expression behind its name.

    Properties are names and texts. One of several lines is an expression, an empty one stands for true.
    """

    kind: str
    name: str = ""
    value: str = ""
    description: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    children: tuple["Node", ...] = ()


def name_of(*parts: str) -> str:
    """A name, or that of a column and its table, as TMDL writes it."""
    return ".".join(part if _PLAIN_NAME.fullmatch(part) else _quoted(part) for part in parts)


def document(*nodes: Node) -> str:
    """The text of a file."""
    return "\n".join(_text(node, 0) for node in nodes)


def _text(node: Node, depth: int) -> str:
    tabs = "\t" * depth
    head = f"{tabs}{node.kind}{f' {name_of(node.name)}' if node.name else ''}"
    lines = [f"{tabs}/// {node.description}"] if node.description else []
    lines.append(head + _assigned(" =", node.value, depth + 2) if node.value else head)
    lines += [f"{tabs}\t{key}{_property(value, depth + 3)}" for key, value in node.properties]
    return (
        "\n".join([*lines, *(f"\n{_text(child, depth + 1)}".rstrip("\n") for child in node.children)]) + "\n"
    )


def _property(value: str, depth: int) -> str:
    if not value:
        return ""
    return _assigned(" =", value, depth) if "\n" in value else f": {_safe(value)}"


def _assigned(sign: str, expression: str, depth: int) -> str:
    if "\n" not in expression:
        return f"{sign} {expression}"
    return "\n".join([sign, *("\t" * depth + line for line in expression.split("\n"))])


def _safe(value: str) -> str:
    """A text that is not taken for something else."""
    quoted = value != value.strip() or value.startswith('"')
    return '"' + value.replace('"', '""') + '"' if quoted else value


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
