"""`deploy/governance.sql` says of every personal column of the project who may see it."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

import pytest
import sqlglot
from sqlglot import exp

from ingestion.contracts import PersonalData
from tests.python import PROJECT
from tests.python.sql.engines import ask
from tools.governance import FILE, governance, personal_columns

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# What sqlglot does not know of Databricks, as Databricks documents it.
NOT_PARSED = [
    r"create or replace policy mask_(\w+) on catalog identifier\(:catalog\)\n"
    r"column mask identifier\(:catalog\)\.governance\.mask_\1\n"
    r"to `account users` except identifier\(:pii_readers\)\n"
    r"for tables match columns has_tag_value\('pii', '\1'\) as value on column value",
    r"alter table \w+\.\w+ alter column `\w+` set tags \('pii' = '\w+'\)",
]
MOST_POLICIES_OF_A_CATALOG = 10

# Parts of the names of columns that tell of a person.
PERSONAL = re.compile(
    r"\b(address|addresses|bdate|birth|birthday|contact|dob|email|fax|firstname|gender|gndr|iban|ip|"
    r"lastname|mac|marital|mobile|notes?|passport|phone|postal|postcode|sex|ssn|street|surname|zip|"
    r"(first|last|full|middle|customer|billing|shipping|person|contact|user) name)\b"
)
# What such a name does not say: whether and how many; codes and what they mean.
IMPERSONAL = {"email_marketing", "is_email_verified", "records_with_email", "records_with_phone"}
IMPERSONAL_IN = {"genders", "marital_statuses"}
# Of a band and of a person; an amount, and returns with notes; the number of a training, and a visit that a
# browser makes; an amount, and an address at Stripe; an address that nobody has, and what a wearable sent.
TWO_MEANINGS = {"name", "returns", "session_id", "shipping", "value"}


@pytest.fixture(scope="module")
def statements() -> list[str]:
    text = re.sub(r"^--.*\n", "", (PROJECT / FILE).read_text(), flags=re.M)
    return [statement.strip() for statement in text.split(";") if statement.strip()]


def test_the_file_is_what_the_yaml_says(project: "Manifest") -> None:
    assert (PROJECT / FILE).read_text() == governance(project), "run `make governance`"


def test_every_statement_is_one_of_databricks(statements: list[str]) -> None:
    for statement in statements:
        parsed = None
        if not statement.startswith("create or replace policy"):
            parsed = sqlglot.parse_one(statement, dialect="databricks", error_level=sqlglot.ErrorLevel.RAISE)
        if parsed is None or isinstance(parsed, exp.Command):
            assert any(re.fullmatch(form, statement) for form in NOT_PARSED), statement


def test_each_kind_has_one_policy_and_a_catalog_holds_them(statements: list[str]) -> None:
    policies = [s.split()[4].removeprefix("mask_") for s in statements if " policy " in s.split("\n")[0]]
    assert sorted(policies) == sorted(get_args(PersonalData))
    assert len(policies) <= MOST_POLICIES_OF_A_CATALOG


def test_masks_hide(statements: list[str]) -> None:
    masks = dict(re.findall(r"function governance\.mask_(\w+)\(.*\nreturn (.*)", "\n".join(statements)))
    canaries = {"email": "jane@shop.example", "birth_date": "1990-05-17"}
    asked = {}
    for kind, mask in masks.items():
        kind_of_value = "date" if kind == "birth_date" else "string"
        for value in (f"'{canaries.get(kind, '+44 20 7946 0958')}'", "null"):
            asked[kind, value] = re.sub(r"\bvalue\b", f"cast({value} as {kind_of_value})", mask)
    asked["email", "a phone number"] = re.sub(r"\bvalue\b", "'+44 20 7946 0958'", masks["email"])
    answers = ask("sail", list(asked.values()))
    for (kind, value), expression in asked.items():
        shown = answers[expression]
        if value == "null":
            assert "None" in shown, (kind, shown)
        elif kind == "email":
            assert (
                ("***@shop.example" in shown) == ("@" in value) and "jane" not in shown and "44" not in shown
            )
        elif kind == "birth_date":
            assert "1990-01-01" in shown or "1990, 1, 1" in shown
        else:
            assert "***" in shown and "44" not in shown


def columns(project: "Manifest") -> Iterator[tuple[str, str, str | None]]:
    """Table, column and kind of all that is declared."""
    kinds = ("model", "snapshot", "seed")
    nodes = [node for node in project.nodes.values() if node.resource_type in kinds]
    for node in (*project.sources.values(), *nodes):
        for column in node.columns.values():  # type: ignore[union-attr]
            yield node.name, column.name, column.config.meta.get("pii")


def test_no_column_whose_name_sounds_personal_is_untagged(project: "Manifest") -> None:
    found = {
        f"{table}.{column}"
        for table, column, kind in columns(project)
        if kind is None
        and column not in IMPERSONAL
        and table not in IMPERSONAL_IN
        and PERSONAL.search(column.lower().replace("_", " "))
    }
    assert found == set()


def test_a_name_is_tagged_alike_in_every_table(project: "Manifest") -> None:
    tagged: dict[str, set[str | None]] = defaultdict(set)
    for table, column, kind in columns(project):
        if table not in IMPERSONAL_IN:
            tagged[column].add(kind)
    assert tagged["gender"] == {"demographic"}
    assert {name for name, kinds in tagged.items() if len(kinds) > 1} == TWO_MEANINGS


def test_what_did_not_fit_is_personal_as_its_table_is(project: "Manifest") -> None:
    assert ("bronze.crm_cust_info", "_rescued_data", "message") in personal_columns(project)
    assert ("bronze.crm_prd_info", "_rescued_data", "message") not in personal_columns(project)
