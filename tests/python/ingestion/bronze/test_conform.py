"""Types: which texts they take, and that all others are kept in `_rescued_data`."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from ingestion.bronze.conform import arrow_type, conform
from ingestion.contracts import SourceTable
from ingestion.readers.records import schema

MakeContract = Callable[..., SourceTable]
RESCUED = object()


class Case(NamedTuple):
    type: str
    text: str | None
    value: Any

    def __str__(self) -> str:
        return f"{self.type}: {self.text!r}"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


NESTED = "struct<x:int,y:string,at:timestamp,n:decimal(10,2)>"


def nested(**values: Any) -> dict[str, Any]:
    return {"x": None, "y": None, "at": None, "n": None} | values


CASES = [
    Case("string", "", ""),
    Case("string", " blanks stay ", " blanks stay "),
    Case("string", "J\ufffdrg", RESCUED),
    Case("string", "a\0b", RESCUED),
    Case("string", "J\ufffdrg\0", RESCUED),
    Case("int", " 12 ", 12),
    Case("int", "\t12\n", 12),
    Case("int", "-7", -7),
    Case("int", "+007", 7),
    Case("int", "2147483647", 2147483647),
    Case("int", "2147483648", RESCUED),
    Case("int", "1.5", RESCUED),
    Case("int", "1e3", RESCUED),
    Case("int", "0x1F", RESCUED),
    Case("int", "\u0663", RESCUED),
    Case("int", "1,000", RESCUED),
    Case("int", "1_000", RESCUED),
    Case("int", "twelve", RESCUED),
    Case("int", "0" * 50 + "7", 7),
    Case("int", "  ", None),
    Case("int", "\t", RESCUED),
    Case("int", None, None),
    Case("smallint", "-32768", -32768),
    Case("smallint", "32768", RESCUED),
    Case("bigint", "9223372036854775807", 9223372036854775807),
    Case("bigint", "9223372036854775808", RESCUED),
    Case("decimal(10,2)", " 12.5 ", Decimal("12.50")),
    Case("decimal(10,2)", "12345678.90", Decimal("12345678.90")),
    Case("decimal(10,2)", "12.5000", Decimal("12.50")),
    Case("decimal(10,2)", "+1.5e3", Decimal("1500.00")),
    Case("decimal(10,2)", "12.345", RESCUED),
    Case("decimal(10,2)", "0.001", RESCUED),
    Case("decimal(10,2)", "1e-400", RESCUED),
    Case("decimal(10,2)", "123456789.00", RESCUED),
    Case("decimal(10,2)", "99999999.995", RESCUED),
    Case("decimal(10,2)", "1,5", RESCUED),
    Case("decimal(10,2)", "\u0661\u0662", RESCUED),
    Case("decimal(10,2)", "12D", RESCUED),
    Case("decimal(10,2)", "1e99999999999999999999", RESCUED),
    Case("decimal(10,2)", "NaN", RESCUED),
    Case("decimal(4,4)", "0.1234", Decimal("0.1234")),
    Case("decimal(4,4)", "1.2345", RESCUED),
    Case("decimal(5, 0)", "12345", Decimal("12345")),
    Case("decimal(38,18)", "0.123456789012345678", Decimal("0.123456789012345678")),
    # Arrow, which multiplies before it looks, would take it for 16804559104599565020.7...
    Case("decimal(38,18)", "357086926025538028484.171535370110", RESCUED),
    Case("decimal(38,18)", "12345678901234567890.123456789012345678",
         Decimal("12345678901234567890.123456789012345678")),
    Case("double", "1.5e3", 1500.0),
    Case("double", "+.5", 0.5),
    Case("double", " 1e308 ", 1e308),
    Case("double", "NaN", RESCUED),
    Case("double", "-Infinity", RESCUED),
    Case("double", "inf", RESCUED),
    Case("double", "1_000", RESCUED),
    Case("double", "1" * 400, RESCUED),
    Case("double", "12D", RESCUED),
    Case("double", "7f", RESCUED),
    Case("double", "0x1p3", RESCUED),
    Case("double", "1e400", RESCUED),
    Case("double", "\uff11.5", RESCUED),
    Case("double", "much", RESCUED),
    Case("float", "0.5", 0.5),
    Case("float", "1e39", RESCUED),
    Case("float", "nan", RESCUED),
    Case("boolean", "true", True),
    Case("boolean", " T ", True),
    Case("boolean", "N", False),
    Case("boolean", "0", False),
    Case("boolean", "on", RESCUED),
    Case("boolean", "maybe", RESCUED),
    Case("date", " 2024-02-29 ", date(2024, 2, 29)),
    Case("date", "2024-02-29\n", date(2024, 2, 29)),
    Case("date", "0001-01-01", date(1, 1, 1)),
    Case("date", "9999-12-31", date(9999, 12, 31)),
    Case("date", "0000-01-01", RESCUED),
    Case("date", "10000-01-01", RESCUED),
    Case("date", "2023-02-29", RESCUED),
    Case("date", "2024-02-31", RESCUED),
    Case("date", "2024-2-9", RESCUED),
    Case("date", "2024", RESCUED),
    Case("date", "2024-02", RESCUED),
    Case("date", "20240229", RESCUED),
    Case("date", "29.02.2024", RESCUED),
    Case("date", "2024-02-29T10:00:00", RESCUED),
    Case("timestamp", "2024-02-29", at(2024, 2, 29)),
    Case("timestamp", "2024-02-29 1:2", at(2024, 2, 29, 1, 2)),
    Case("timestamp", "2024-02-29T10:00:00Z", at(2024, 2, 29, 10)),
    Case("timestamp", "2024-02-29 10:00:00.5", at(2024, 2, 29, 10, 0, 0, 500_000)),
    Case("timestamp", "2024-02-29 10:00:00.123456+02:00", at(2024, 2, 29, 8, 0, 0, 123_456)),
    Case("timestamp", "2024-02-29 10:00:00.123456000", at(2024, 2, 29, 10, 0, 0, 123_456)),
    Case("timestamp", "2024-02-29 10:00:00.1234567", RESCUED),
    Case("timestamp", "2024-02-29T10:00:00-5:30", at(2024, 2, 29, 15, 30)),
    Case("timestamp", "2024-02-29T10:00:00 GMT+1", at(2024, 2, 29, 9)),
    Case("timestamp", "2024-07-29 10:00:00 Europe/Berlin", at(2024, 7, 29, 8)),
    Case("timestamp", "2024-02-29 10:00:00 Europe/Atlantis", RESCUED),
    Case("timestamp", "2024-02-29 10:00:00+19:00", RESCUED),
    Case("timestamp", "2024-02-29 10:00Z", RESCUED),
    Case("timestamp", "2024-02-29Z", RESCUED),
    Case("timestamp", "2024-02-31 10:00:00", RESCUED),
    Case("timestamp", "2024-02-29 24:00:00", RESCUED),
    Case("timestamp", "0001-01-01 00:00:00+02:00", RESCUED),
    Case("timestamp", "9999-12-31 23:59:59-02:00", RESCUED),
    Case("timestamp", "2024", RESCUED),
    Case("timestamp", "1700000000000", RESCUED),
    Case("timestamp", "12:30:00", RESCUED),
    Case("array<int>", "[1, 2]", [1, 2]),
    Case("array<int>", '[1, "2", null, " "]', [1, 2, None, None]),
    Case("array<int>", '[1, "two"]', RESCUED),
    Case("array<int>", "[1.5]", RESCUED),
    Case("array<int>", "[1", RESCUED),
    Case("array<int>", "[1][2]", RESCUED),
    Case("array<int>", "{}", RESCUED),
    Case("array<string>", '[1.10, true, {"a": [1]}]', ["1.10", "true", '{"a":[1]}']),
    Case("array<string>", r'["\ud800"]', RESCUED),
    Case("array<string>", r'["a\u0000"]', RESCUED),
    Case("array<date>", '["2024-02-29"]', [date(2024, 2, 29)]),
    Case("array<date>", '["2024", "2024-02-29"]', RESCUED),
    Case("array<date>", '["2024-02-30"]', RESCUED),
    Case("array<double>", '["12D"]', RESCUED),
    Case("array<double>", "[1e400]", RESCUED),
    Case("array<double>", "[0.5, NaN]", RESCUED),
    Case("map<string,double>", '{"x": "Infinity"}', RESCUED),
    Case("map<string,timestamp>", '{"x": "10000-01-01"}', RESCUED),
    Case("map<string,date>", '{"x": "0000-01-01"}', RESCUED),
    Case("array<array<struct<a:int>>>", '[[{"a": 1, "A": 2}]]', RESCUED),
    Case("map<string,struct<a:decimal(4,2)>>", '{"x": {"a": 1.005}}', RESCUED),
    Case(NESTED, '{"x": 1, "y": "b"}', nested(x=1, y="b")),
    Case(NESTED, '{"x": "one", "y": "b"}', RESCUED),
    Case(NESTED, '{"at": "2024-02-29 10:00:00"}', nested(at=at(2024, 2, 29, 10))),
    Case(NESTED, '{"n": 1.5}', nested(n=Decimal("1.50"))),
    Case(NESTED, '{"n": 1.005}', RESCUED),
    Case(NESTED, '{"at": "12:30"}', RESCUED),
    Case(NESTED, '{"at": 1700000000000}', RESCUED),
    Case(NESTED, '{"x": 1, "z": 2}', RESCUED),
    Case(NESTED, '{"x": 1, "z": null}', nested(x=1)),
    Case(NESTED, '{"X": 1}', RESCUED),
    Case(NESTED, '{"x": 1, "x": 1}', RESCUED),
    Case("array<struct<sku:string,qty:int>>", '[{"sku":"A","qty":1,"price":9.99},{"sku":"B"}]', RESCUED),
    Case("array<struct<sku:string,qty:int>>", '[{"sku":"A"},null]', [{"sku": "A", "qty": None}, None]),
    Case("struct<a:struct<b:decimal(38,18)>>", '{"a":{"b":1234567890123456.789}}',
         {"a": {"b": Decimal("1234567890123456.789000000000000000")}}),
    Case("map<string,int>", '{"x": 1}', [("x", 1)]),
    Case("map<string,int>", '{"x": 1, "x": 2}', RESCUED),
    Case("map<int,string>", '{"one": "a"}', RESCUED),
    Case("map<int,string>", '{"1": "a", "01": "b"}', RESCUED),
    Case("map<boolean,int>", '{"true": 1, "t": 2}', RESCUED),
    Case("map<string,array<int>>", "7", RESCUED),
]  # fmt: skip


def batch(table: SourceTable, records: Sequence[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(records), schema=schema(table))


def is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("neighbours", [(), ("",), (None, "?!")], ids=["alone", "blank", "misfit"])
def test_a_text_becomes_a_value_or_is_rescued(
    contract: MakeContract, case: Case, neighbours: Sequence[str | None]
) -> None:
    table = contract(columns={"c": case.type}, keys=[])
    conformed = conform(batch(table, [{"c": text} for text in (case.text, *neighbours)]), table)
    conformed.validate(full=True)
    assert conformed.schema.field("c").type == arrow_type(case.type)
    row = conformed.to_pylist()[0]
    assert is_same(row["c"], None if case.value is RESCUED else case.value)
    assert row["_rescued_data"] == (json.dumps({"c": case.text}, ensure_ascii=False, separators=(",", ":"))
                                    if case.value is RESCUED else None)  # fmt: skip


def test_undeclared_values_are_rescued_too_and_unparsed_records_pass(contract: MakeContract) -> None:
    table = contract(columns="id int, name string, day date", headers={"day": "The Day"})
    records = [
        {"id": "1", "name": "Ann"},
        {"id": "x", "name": "Bob", "day": "today"},
        {"id": "x", "name": "Cid", "_extra": [("tier", 'g"old'), ("\u00fc", "\u00fc")]},
        {"name": "Dan", "_extra": [("tier", "gold")]},
        {"id": 'a"\t\\', "_extra": [("a\nb", "\x1f")]},
        {"_unparsed": "7"},
        {"_unparsed": "a\0\0b"},
    ]
    conformed = conform(batch(table, records), table)
    assert conformed.schema.names == ["id", "name", "day", "_rescued_data", "_unparsed"]
    assert [tuple(row.values()) for row in conformed.to_pylist()] == [
        (1, "Ann", None, None, None),
        (None, "Bob", None, '{"id":"x","The Day":"today"}', None),
        (None, "Cid", None, '{"id":"x","tier":"g\\"old","\u00fc":"\u00fc"}', None),
        (None, "Dan", None, '{"tier":"gold"}', None),
        (None, None, None, r'{"id":"a\"\t\\","a\nb":"\u001f"}', None),
        (None, None, None, None, "7"),
        (None, None, None, None, "a\ufffd\ufffdb"),
    ]


def test_a_part_of_a_batch_is_conformed_as_the_whole(contract: MakeContract) -> None:
    table = contract(columns="id int, name string")
    texts = ("x", "1", "\ufffd", "2", "y")
    records = batch(table, [{"id": n, "name": n, "_extra": [("n", n), ("m", n)]} for n in texts])
    assert conform(records.slice(1, 3), table).equals(conform(records, table).slice(1, 3))
    assert conform(records.slice(0, 0), table).num_rows == 0


def test_days_and_weeks_are_computed_from_seconds(contract: MakeContract) -> None:
    table = contract(columns="at bigint, day date, week date", keys=[])
    declared = {column.name: column for column in table.declared}
    declared["day"].day_of = declared["week"].week_of = "at"
    seconds = [0, 345_599, 345_600, 1_709_164_800, 4_102_444_800, 4_102_444_801, -1, None]
    rows = conform(batch(table, [{"at": None if s is None else str(s)} for s in seconds]), table).to_pylist()
    assert [(row["day"], row["week"]) for row in rows] == [
        (date(1970, 1, 1), date(1969, 12, 29)),
        (date(1970, 1, 4), date(1969, 12, 29)),
        (date(1970, 1, 5), date(1970, 1, 5)),
        (date(2024, 2, 29), date(2024, 2, 26)),
        (date(2100, 1, 1), date(2099, 12, 28)),
        (None, None),
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize("name", ["nonsense", "array<nonsense>", "map<string>", "struct<a>", "decimal(10)"])
def test_an_unknown_type_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=r"nonsense|map<string>|'a'|decimal"):
        arrow_type(name)
