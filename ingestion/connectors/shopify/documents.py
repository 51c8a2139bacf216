"""What is asked of Shopify: the files `*.graphql` beside this one, and what continues their lists.

A file has the query of a stream's page, a query that counts, and fragments. A connection inside of another
object stands in a fragment of its own name, `fragment lineItems on Order`, so that it can be asked for alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Quarterly, and served for a year at least: https://shopify.dev/docs/api/usage/versioning.
VERSION = "2026-10"

_DEFINITION = re.compile(r"^(query|fragment) (\w+)", re.M)
_SPREAD = re.compile(r"\.\.\.(\w+)")
_SIZED = re.compile(r"first: \$(\w+), after: \$(\w+)")
_TYPES = {"size": "Int!", "next": "String", "inner": "Int!", "innerNext": "String", "filter": "String"}


@dataclass(frozen=True)
class Continuation:
    """A query for the next page of a connection: variables `id`, `root` and what `size` and `after` name."""

    text: str
    size: str
    after: str


@dataclass(frozen=True)
class Documents:
    """The queries of a file, and the fragments that they may use."""

    queries: Mapping[str, str]
    fragments: Mapping[str, str]

    @property
    def page(self) -> str:
        """The query of a page."""
        return self.whole(next(iter(self.queries.values())))

    @property
    def count(self) -> str | None:
        """The query that counts; null where the API cannot."""
        return next((self.whole(text) for name, text in self.queries.items() if name.endswith("Count")), None)

    def whole(self, text: str) -> str:
        """A query with the fragments that it needs."""
        needed: dict[str, str] = {}
        names = [name for name in _SPREAD.findall(text) if name != "on"]
        while names:
            if (name := names.pop()) not in needed:
                needed[name] = self.fragments[name]
                names += [inner for inner in _SPREAD.findall(self.fragments[name]) if inner != "on"]
        return "\n".join([text, *(needed[name] for name in sorted(needed))])

    def continuation(self, field: str, root_type: str, through: str | None = None) -> Continuation:
        """What asks for more of a connection, and when its `root` was changed.

        The connection is that of the node `id`; or, where `through` names another connection of it, that of
        the first one behind the cursor `before` there.
        """
        sized = _SIZED.search(self.fragments[field])
        assert sized is not None
        inside = f"...{field}"
        if through:
            entry = f"{through}(first: 1, after: $before) {{ nodes {{ id {inside} }} }}"
            inside = f"... on {root_type} {{ {entry} }}"
        body = f"root: node(id: $root) {{ ... on {root_type} {{ updatedAt }} }} node(id: $id) {{ {inside} }}"
        used = set(re.findall(r"\$(\w+)", self.whole(body)))
        declared = "".join(f", ${name}: {kind}" for name, kind in _TYPES.items() if name in used)
        before = ", $before: String" if through else ""
        text = f"query More($root: ID!, $id: ID!{declared}{before}) {{ {body} }}"
        return Continuation(self.whole(text), *sized.groups())


@cache
def read_documents(name: str) -> Documents:
    """The documents of a file, with the fragments that all share."""
    shared, own = _read("shared"), _read(name)
    return Documents(own.queries, {**shared.fragments, **own.fragments})


def _read(name: str) -> Documents:
    text = re.sub(r"^#.*\n", "", (Path(__file__).parent / f"{name}.graphql").read_text("utf-8"), flags=re.M)
    starts = list(_DEFINITION.finditer(text))
    ends = [*(start.start() for start in starts[1:]), len(text)]
    found: dict[str, dict[str, str]] = {"query": {}, "fragment": {}}
    for start, end in zip(starts, ends, strict=True):
        found[start[1]][start[2]] = text[start.start() : end].strip()
    return Documents(found["query"], found["fragment"])
