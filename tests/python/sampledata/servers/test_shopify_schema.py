"""Our queries and our part of the schema are the vendor's, of this version and the next one."""

import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLSchema,
    build_client_schema,
    build_schema,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    parse,
    validate,
)

from ingestion.connectors.shopify.documents import VERSION, Documents, read_documents
from sampledata.push.shopify import CHANGES, LISTS
from sampledata.servers.shopify.answers import SDL
from tests.python import PROJECT

# The vendor's package of developers' tools has the schemas of all versions that are served.
PACKAGE, SHA256 = (
    "@shopify/dev-mcp@1.16.0",
    "4663c79229028e98f825a09d5f04ec6c3736331b740ce50260f9ffac10709474",
)

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed"),
]


@pytest.fixture(scope="module")
def package() -> Path:
    """The vendor's package, fetched once."""
    folder = PROJECT / ".cache" / "shopify"
    folder.mkdir(parents=True, exist_ok=True)
    if not (found := sorted(folder.glob("*.tgz"))):
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, timeout=300)
        found = sorted(folder.glob("*.tgz"))
    assert hashlib.sha256(found[0].read_bytes()).hexdigest() == SHA256
    return found[0]


def vendor(package: Path, version: str) -> GraphQLSchema:
    """The vendor's schema of a version."""
    with tarfile.open(package) as files:
        member = files.extractfile(f"package/dist/data/admin_{version}.json.gz")
        assert member is not None
        introspection = json.loads(gzip.decompress(member.read()))
    # Theirs does not obey each rule of the specification.
    return build_client_schema(introspection.get("data", introspection), assume_valid=True)


def documents() -> Iterator[str]:
    """All that is asked, and all that continues lists."""
    roots = {
        "orders": "Order",
        "products": "Product",
        "customers": "Customer",
        "inventory_levels": "Location",
    }
    yield from (*LISTS.values(), *CHANGES.values())
    for name in (*roots, "product_deletions", "shared"):
        found: Documents = read_documents(name)
        yield from (found.whole(query) for query in found.queries.values())
        for field in found.fragments:
            if name in roots and f"  {field}(first: $" in found.fragments[field]:
                through = "agreements" if field == "sales" else None
                yield found.continuation(field, roots[name], through).text


@pytest.mark.parametrize("version", [VERSION, "unstable"])
def test_queries_are_valid(package: Path, version: str) -> None:
    schema = vendor(package, version)
    asked = list(documents())
    assert len(asked) > 20
    assert [error.message for text in asked for error in validate(schema, parse(text))] == []


def test_our_schema_is_a_part_of_the_vendors(package: Path) -> None:
    theirs = vendor(package, VERSION).type_map
    for name, kind in build_schema(SDL).type_map.items():
        other: Any = theirs[name]
        if is_enum_type(kind):
            assert kind.values.keys() <= other.values.keys(), name
        if is_input_object_type(kind):
            assert {n: str(f.type) for n, f in kind.fields.items()}.items() <= {
                n: str(f.type) for n, f in other.fields.items()
            }.items(), name
        if is_object_type(kind) or is_interface_type(kind):
            for field, definition in kind.fields.items():
                assert str(definition.type) == str(other.fields[field].type), f"{name}.{field}"
                arguments = other.fields[field].args
                assert {a: str(d.type) for a, d in definition.args.items()}.items() <= {
                    a: str(d.type) for a, d in arguments.items()
                }.items(), f"{name}.{field}"
