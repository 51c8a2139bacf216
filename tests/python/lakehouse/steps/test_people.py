"""Who is the same person: 60,000 records against a union-find. `test_verify.py` has Spark find the same."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5

import pyarrow as pa
import pytest

from ..conftest import Lakehouse, write_table

LONGEST_CHAIN = 12
SHARED_BY_MOST = 5
BLOCKED = ("noreply@shop.example", "+10000000000", "+11234567890")
MODELS = (
    "person_identifiers",
    "person_links",
    "person_components",
    "person_identities",
    "dim_person",
    "identity_history",
)

# A record: number, e-mail address, phone number.
Record = tuple[int, str | None, str | None]


@dataclass
class Records:
    """Records with planted chains, shared and blocked identifiers; each identifier is made once."""

    chance: random.Random = field(default_factory=lambda: random.Random(32))
    rows: list[Record] = field(default_factory=list)
    made: int = 0

    def email(self) -> str:
        self.made += 1
        return f"p{self.made}@mail.example"

    def phone(self) -> str:
        self.made += 1
        return f"+1218{self.made:07}"

    def add(self, email: str | None, phone: str | None) -> None:
        self.rows.append((len(self.rows), email, phone))

    def chain(self, length: int) -> None:
        """Records of which each shares its address or its number with the next, in turn."""
        email, phone = self.email(), self.phone()
        by_email = self.chance.random() < 0.5
        for _ in range(length):
            self.add(email, phone)
            email, phone = (email, self.phone()) if by_email else (self.email(), phone)
            by_email = not by_email

    def shared(self, others: int) -> None:
        """An address with many numbers, or a number with many addresses."""
        if self.chance.random() < 0.5:
            email = self.email()
            for _ in range(others):
                self.add(email, self.phone())
        else:
            phone = self.phone()
            for _ in range(others):
                self.add(self.email(), phone)

    def blocked(self) -> None:
        """A record with a blocked identifier, and perhaps one of its own."""
        value = self.chance.choice(BLOCKED)
        if "@" in value:
            self.add(value, self.phone() if self.chance.random() < 0.5 else None)
        else:
            self.add(self.email() if self.chance.random() < 0.5 else None, value)

    def fill(self, size: int) -> list[Record]:
        """Records of all kinds, in any order."""
        while len(self.rows) < size:
            self.chain(self.chance.randint(1, LONGEST_CHAIN))
            if self.chance.random() < 0.1:
                self.shared(self.chance.randint(SHARED_BY_MOST - 1, 2 * SHARED_BY_MOST))
            if self.chance.random() < 0.1:
                self.blocked()
            if self.chance.random() < 0.1:
                self.add(None, None)
        rows = self.rows[:size]
        self.chance.shuffle(rows)
        return rows


def key(number: int) -> str:
    """Key that a record would have as a person of its own."""
    return md5(f"shopify|{number}".encode()).hexdigest()


def first_seen_at(number: int) -> datetime | None:
    """When a record was seen first; of some at the same time, of some nobody knows."""
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number * 7919 % 20_011)
    return None if number % 50 == 0 else at


def people(records: Sequence[Record]) -> dict[int, str]:
    """Key of the person by number of the record: a union-find, with the guards."""
    others: dict[str, set[str | None]] = defaultdict(set)
    for _, email, phone in records:
        for identifier, other in ((email, phone), (phone, email)):
            if identifier:
                others[identifier] |= {other} - {None}
    parent = {number: number for number, _, _ in records}

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    having: dict[str, int] = {}
    for number, *identifiers in records:
        for identifier in identifiers:
            if identifier and identifier not in BLOCKED and len(others[identifier]) <= SHARED_BY_MOST:
                parent[root(number)] = root(having.setdefault(identifier, number))
    members = defaultdict(list)
    for number in parent:
        members[root(number)].append(number)
    latest = datetime.max.replace(tzinfo=UTC)
    first = {
        group: min(numbers, key=lambda number: (first_seen_at(number) or latest, key(number)))
        for group, numbers in members.items()
    }
    return {number: key(first[root(number)]) for number in parent}


def build(lakehouse: Lakehouse, records: Sequence[Record]) -> dict[int, str]:
    """Keys of people that the models find, by number of the record."""
    numbers, emails, phones = zip(*records, strict=True)
    columns = {
        "source": pa.array(["shopify"] * len(numbers)),
        "source_id": pa.array(map(str, numbers)),
        "record_key": pa.array(map(key, numbers)),
        "person_name": pa.nulls(len(numbers), pa.string()),
        "email": pa.array(emails),
        "phone": pa.array(phones),
        "is_verified": pa.array([False] * len(numbers)),
        "first_seen_at": pa.array(map(first_seen_at, numbers), pa.timestamp("us", "UTC")),
    }
    write_table(lakehouse.warehouse.folders.root, "silver.person_records", pa.table(columns))
    # Tests that compare with other tables would fail, as those hold other records here.
    lakehouse.run("build", "--select", *MODELS, "--indirect-selection", "cautious")
    found = lakehouse.rows("select source_id, person_key from gold.person_identities")
    return {int(str(number)): str(person) for number, person in found}


@pytest.fixture(scope="module")
def storefront(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """A run of one source in an empty home."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("people"), sources=("storefront",), scale=0.02)
    lakehouse.deliver(1)
    assert " 0 failed" in lakehouse.run(*lakehouse.run_arguments)
    return lakehouse


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return Records().fill(60_000)


def test_a_source_alone_is_built_with_what_its_models_need_of_others(storefront: Lakehouse) -> None:
    assert storefront.value("select count(*) from silver.stg_shopify__customers") == 0
    customers = storefront.value("select count(*) from silver.stg_storefront__customers")
    assert storefront.value("select count(*) from gold.person_identities") == customers
    unknown = "select customer_key from gold.dim_storefront_customer where person_key = '-1'"
    assert storefront.rows(unknown) == [("-1",)]


def test_people_are_the_components_of_a_union_find(storefront: Lakehouse, records: list[Record]) -> None:
    found = build(storefront, records)
    assert found == people(records)
    sizes = Counter(Counter(found.values()).values())
    assert sizes[LONGEST_CHAIN] > 0 and sizes[1] > 0


def test_a_key_stays_when_people_grow_and_leads_on_when_they_merge(storefront: Lakehouse) -> None:
    chains = Records()
    while len(chains.rows) < 3_000:
        chains.chain(chains.chance.randint(1, LONGEST_CHAIN))
    before = build(storefront, [record for record in chains.rows if record[0] % 10])
    after = build(storefront, chains.rows)
    history = storefront.rows("select old_person_key, person_key from gold.identity_history")
    moved = {str(old): str(new) for old, new in history}
    for number, person in before.items():
        assert moved.get(person, person) == after[number]
    # Only who turned out to be somebody seen earlier has another key.
    for number, person in after.items():
        if person == key(number) and number in before:
            assert before[number] == person
    merged = set(before.values()) - set(after.values())
    assert merged and merged <= moved.keys()


def test_a_chain_that_is_too_long_fails(storefront: Lakehouse) -> None:
    records = Records()
    records.chain(4 * LONGEST_CHAIN)
    with pytest.raises(AssertionError, match=r"identity_rounds"):
        build(storefront, records.rows)
