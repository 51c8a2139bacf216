"""TMDL, read back: by the indentation and quotes of its grammar, not by how it was written."""

import re
from dataclasses import dataclass, field

from lakehouse.exports.powerbi.tmdl import Node

_KINDS = "annotation|column|database|expression|measure|model|partition|ref table|relationship|table"
_HEAD = re.compile(rf"({_KINDS})(?: ('(?:[^']|'')*'|[A-Za-z_]\w*))?(?: =(?: (.*))?)?")
_PROPERTY = re.compile(r"(\w+)(?:: (.*)| (=))?")


@dataclass
class _Open:
    """An object whose lines are being read."""

    kind: str
    name: str
    value: str
    description: str
    properties: list[tuple[str, str]] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def closed(self) -> Node:
        return Node(
            self.kind,
            self.name,
            self.value,
            self.description,
            tuple(self.properties),
            tuple(self.children),
        )


def read(text: str) -> list[Node]:
    """The objects of a file."""
    lines = [
        (len(line) - len(line.lstrip("\t")), line.lstrip("\t")) for line in text.split("\n") if line.strip()
    ]
    nodes, rest = _nodes(lines, 0)
    assert not rest, rest[0]
    return nodes


def columns(node: Node) -> dict[str, dict[str, str]]:
    """Properties of a table's columns."""
    return {child.name: dict(child.properties) for child in node.children if child.kind == "column"}


def _nodes(lines: list[tuple[int, str]], depth: int) -> tuple[list[Node], list[tuple[int, str]]]:
    found: list[Node] = []
    while lines and lines[0][0] == depth:
        description = ""
        if lines[0][1].startswith("/// "):
            description, lines = lines[0][1][4:], lines[1:]
        head = _HEAD.fullmatch(lines[0][1])
        assert head, lines[0]
        kind, name, value = head.groups()
        lines = lines[1:]
        if lines and lines[0][0] > depth + 1:
            value, lines = _block(lines, depth + 2)
        node = _Open(kind, _unquoted(name or ""), value or "", description)
        lines = _inside(node, lines, depth + 1)
        found.append(node.closed())
    return found, lines


def _inside(node: _Open, lines: list[tuple[int, str]], depth: int) -> list[tuple[int, str]]:
    while lines and lines[0][0] == depth:
        text = lines[0][1]
        if text.startswith("///") or _HEAD.fullmatch(text):
            children, lines = _nodes(lines, depth)
            node.children += children
            continue
        found = _PROPERTY.fullmatch(text)
        # Properties stand before what an object contains.
        assert found and not node.children, text
        key, value, sign = found.groups()
        lines = lines[1:]
        if sign:
            value, lines = _block(lines, depth + 2)
        node.properties.append((key, _plain(value or "")))
    return lines


def _block(lines: list[tuple[int, str]], depth: int) -> tuple[str, list[tuple[int, str]]]:
    end = next((number for number, (tabs, _) in enumerate(lines) if tabs < depth), len(lines))
    return "\n".join("\t" * (tabs - depth) + text for tabs, text in lines[:end]), lines[end:]


def _plain(value: str) -> str:
    return value[1:-1].replace('""', '"') if value.startswith('"') else value


def _unquoted(name: str) -> str:
    return name[1:-1].replace("''", "'") if name.startswith("'") else name
