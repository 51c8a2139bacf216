"""The storefront's customers: a spreadsheet that people have typed into."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from ingestion.landing.writer import complete_file
from sampledata.extract import Extract
from sampledata.files import delivery_file
from sampledata.names import FEMALE_NAMES, LAST_NAMES, MALE_NAMES
from sampledata.places import CITIES, CITIES_OF_LEADING_ZERO
from sampledata.sampling import IntArray, Marks, Streams, pick, scatter

HEADERS = ["Customer ID", "Customer Name", "email", "phone", "address", "Segment"]
HEADERS += ["Country", "City", "State", "Postal Code", "Region"]

_AT_SCALE_1 = 800
_AT_LEAST = 40
_FIRST_NAMES = MALE_NAMES + FEMALE_NAMES
_ASCII_NAMES = [name.lower() for name in _FIRST_NAMES + LAST_NAMES if name.isascii()]
_SEGMENTS = {"Consumer": 0.52, "Corporate": 0.30, "Home Office": 0.18}

# Names that a cleaning rule must leave alone, and what it must take out.
_REAL_NAMES = {
    "apostrophe": ["O'Brien", "O'Donnell", "D'Angelo"],
    "umlaut": ["Häberlin", "Jürgens", "Törnqvist"],
    "hyphen": ["Bell-Moreau", "Fortune-Hale"],
}
_NOISE = {
    "digits": ["567", " 0009", " 12313", "55"],
    "dots": [".       ..", "...."],
    "blanks": ["         ", "  "],
    "symbols": ["&^*", "_", "@#$", "%^&*(", "<>><>", ";'[]", "-=%&*"],
}
_NAME_DEFECTS = {"without_name": 0.010, "digits": 0.025, "dots": 0.005, "blanks": 0.018, "symbols": 0.030}
_NAME_RATES = {**_NAME_DEFECTS, "apostrophe": 0.011, "umlaut": 0.010, "hyphen": 0.004}

# What a spreadsheet makes of a phone number: it computes some, and drops leading zeros.
_PHONE_RATES = {"#ERROR!": 0.130, "negative": 0.040, "number": 0.083}
# Before, after the area code, before the last four digits.
_PHONE_STYLES = [("(", ")", "-"), ("", ".", "."), ("", "-", "-"), ("001-", "-", "-")]
_PHONE_STYLE_WEIGHTS: list[float] = [150, 167, 152, 123]
_EXTENSION_DIGITS = {0: 203, 3: 130, 4: 156, 5: 103}
_POSTAL_CODE_RATES = {"leading_zero_lost": 0.040, "text": 0.0013}
_POSTAL_CODES_PER_CITY = 8
_ROWS_AT_MOST = 1_048_575
# A code that begins with a zero is a text.
_LIKE_A_NUMBER = re.compile(r"-?[1-9]\d*")

_STREETS = ["Ridges", "Unions", "Lane", "Turnpike", "Ways", "Prairie", "Mall", "Hill", "Squares", "Ferry"]
_TOWNS = ["ville", "ton", "bury", "fort", "haven", "view", "side", "mouth"]
_TOWN_PREFIXES = ["", "", "North ", "East ", "South ", "West ", "New ", "Port ", "Lake "]
_UNITS = ["", "", " Suite ", " Apt. "]
_STATES = ["AK", "AR", "CA", "DC", "FM", "IA", "KS", "MH", "NY", "OK", "PR", "SD", "TX", "VA", "WY"]
_MILITARY_SHARE = 0.06


@dataclass(frozen=True)
class Customers:
    """All customers ever, known by their row number, as one delivery sees them."""

    extract: Extract

    @classmethod
    def of(cls, streams: Streams, scale: float, delivery: int) -> "Customers":
        """Return the customers at this scale, at least 40 of them."""
        first = max(_AT_LEAST, round(_AT_SCALE_1 * scale))
        return cls(Extract(streams, "storefront.customers", first, delivery))

    @property
    def present(self) -> IntArray:
        """The sorted rows that this delivery holds."""
        return self.extract.present

    @cached_property
    def ids(self) -> pa.Array:
        """The ids of all rows: initials and a number, such as JK-15370."""
        return pa.concat_arrays([self._ids(block) for block in self.extract.blocks()])

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows of this delivery, all as text."""
        for block in self.extract.blocks():
            low, high = np.searchsorted(self.present, (block.start, block.stop))
            yield self._table(block).take(pa.array(self.present[low:high] - block.start))

    def _table(self, block: range) -> pa.Table:
        rng = self._stream("rest", block)
        size = len(block)
        segment = pick(rng, list(_SEGMENTS.values()), size)
        columns = [
            self._ids(block),
            self._names(block),
            _emails(rng, block),
            self._phones(block),
            self._addresses(block),
            pa.array(list(_SEGMENTS)).take(pa.array(segment)),
            pa.repeat("United States", size),
            *self._places(block),
        ]
        return pa.table(columns, HEADERS)

    def _ids(self, block: range) -> pa.Array:
        first, last = self.real_names(block)
        numbers = 10_000 + 5 * scatter(np.arange(block.start, block.stop), self.extract.id_bits)
        initials = [pc.utf8_slice_codeunits(name, 0, 1) for name in (first, last)]
        return _join(*initials, "-", pa.array(numbers).cast(pa.string()))

    def real_names(self, block: range) -> tuple[pa.Array, pa.Array]:
        """Return first and last names of a block as they should have been typed."""
        rng = self._stream("name", block)
        first = _drawn(rng, _FIRST_NAMES, len(block))
        codes = rng.integers(0, len(LAST_NAMES), len(block))
        names = list(LAST_NAMES)
        for kind, special in _REAL_NAMES.items():
            rows = self._name_marks.at(kind, block)
            codes[rows] = len(names) + np.arange(len(rows)) % len(special)
            names += special
        return first, pa.array(names).take(pa.array(codes))

    def _names(self, block: range) -> pa.Array:
        """Return names as typed: some with noise before or inside the first name, or in the last."""
        first, last = self.real_names(block)
        before, in_first, in_last = (self._noise(block, place) for place in range(3))
        halves = [pc.utf8_slice_codeunits(first, 0, 2), in_first, pc.utf8_slice_codeunits(first, 2)]
        halves += [" ", pc.utf8_slice_codeunits(last, 0, 2), in_last, pc.utf8_slice_codeunits(last, 2)]
        missing = _mask(block, self._name_marks.at("without_name", block))
        return pc.if_else(missing, "", _join(before, *halves))

    def _noise(self, block: range, place: int) -> pa.Array:
        """Return what disturbs the names at one of three places, mostly nothing."""
        noise = [""]
        codes = np.zeros(len(block), np.int64)
        for kind, choices in _NOISE.items():
            rows = self._name_marks.at(kind, block)
            here = np.arange(len(rows)) % 3 == place
            codes[rows[here]] = len(noise) + np.arange(len(rows))[here] % len(choices)
            noise += choices
        return pa.array(noise).take(pa.array(codes))

    def _phones(self, block: range) -> pa.Array:
        rng = self._stream("phone", block)
        size = len(block)
        style = pa.array(pick(rng, _PHONE_STYLE_WEIGHTS, size))
        before, between, last = (pa.array(part).take(style) for part in zip(*_PHONE_STYLES, strict=True))
        area, exchange, line = (_digits(rng, {count: 1}, size) for count in (3, 3, 4))
        extension = _digits(rng, _EXTENSION_DIGITS, size)
        extension = pc.if_else(pc.equal(extension, ""), "", _join("x", extension))
        phones = _join(before, area, between, exchange, last, line, extension)
        spoilt = {
            "#ERROR!": "#ERROR!",
            "negative": pa.array(rng.integers(-10_600, -600, size)).cast(pa.string()),
            "number": pc.utf8_ltrim(_join(area, exchange, line), "0"),
        }
        for kind, values in spoilt.items():
            phones = pc.if_else(_mask(block, self._phone_marks.at(kind, block)), values, phones)
        return phones

    def _addresses(self, block: range) -> pa.Array:
        addresses = _addresses(self._stream("address", block), len(block))
        for number, change in enumerate(self.extract.changes, start=2):
            rows = change.at("changed", block)
            rng = self.extract.streams.of("storefront.customers.moved", number, block.start)
            addresses = pc.replace_with_mask(addresses, _mask(block, rows), _addresses(rng, len(rows)))
        return addresses

    def _places(self, block: range) -> list[pa.Array]:
        """Return city, state, postal code and region; a leading zero is there in a text only."""
        rng = self._stream("place", block)
        codes = pick(rng, [city.weight for city in CITIES], len(block))
        text = self._postal_code_marks.at("text", block)
        rows = np.concatenate([self._postal_code_marks.at("leading_zero_lost", block), text])
        weights = [city.weight for city in CITIES_OF_LEADING_ZERO]
        codes[rows] = len(CITIES) + pick(rng, weights, len(rows))
        names, states, regions, first_codes, _ = zip(*CITIES, *CITIES_OF_LEADING_ZERO, strict=True)
        city = pa.array(codes)
        postal = np.array(first_codes)[codes] + rng.integers(0, _POSTAL_CODES_PER_CITY, len(block))
        postal_code = pa.array(postal).cast(pa.string())
        postal_code = pc.if_else(_mask(block, text), _join("0", postal_code), postal_code)
        return [
            pa.array(names).take(city),
            pa.array(states).take(city),
            postal_code,
            pa.array(regions).take(city),
        ]

    @cached_property
    def _name_marks(self) -> Marks:
        return self.extract.marks("name", _NAME_RATES)

    @cached_property
    def _phone_marks(self) -> Marks:
        return self.extract.marks("phone", _PHONE_RATES)

    @cached_property
    def _postal_code_marks(self) -> Marks:
        return self.extract.marks("postal_code", _POSTAL_CODE_RATES)

    def _stream(self, what: str, block: range) -> np.random.Generator:
        return self.extract.streams.of(f"storefront.customers.{what}", block.start)


def write_customers(folder: Path, customers: Customers) -> Path:
    """Write a delivery of the customers as a spreadsheet and return its path.

    Raises ValueError for more customers than a spreadsheet holds.
    """
    if len(customers.present) > _ROWS_AT_MOST:
        raise ValueError(f"a spreadsheet holds {_ROWS_AT_MOST:,} customers; choose a scale up to 1000")
    path = delivery_file(folder, "Customer", customers.extract.delivery, "xlsx")
    with complete_file(path) as partial, Workbook(partial, {"constant_memory": True}) as workbook:
        # The time of writing would make equal files differ.
        workbook.set_properties({"created": datetime(2024, 1, 1)})
        sheet = workbook.add_worksheet("Worksheet")
        tables = (zip(*(column.to_pylist() for column in t.columns), strict=True) for t in customers.tables())
        for row, cells in enumerate(itertools.chain([HEADERS], *tables)):
            for column, cell in enumerate(cells):
                if _LIKE_A_NUMBER.fullmatch(cell):
                    sheet.write_number(row, column, int(cell))
                else:
                    sheet.write_string(row, column, cell)
    return path


def _emails(rng: np.random.Generator, block: range) -> pa.Array:
    """Return addresses, all different, that do not tell the customer's name."""
    names = [_drawn(rng, _ASCII_NAMES, len(block)) for _ in range(2)]
    numbers = pa.array(np.arange(block.start, block.stop)).cast(pa.string())
    return _join(*names, numbers, "@example.com")


def _addresses(rng: np.random.Generator, size: int) -> pa.Array:
    """Return postal addresses in two lines."""
    unit = _drawn(rng, _UNITS, size)
    unit_number = pc.if_else(pc.equal(unit, ""), "", _digits(rng, {3: 1}, size))
    house = _digits(rng, {3: 1, 4: 1, 5: 1}, size)
    street = _join(_drawn(rng, LAST_NAMES, size), " ", _drawn(rng, _STREETS, size))
    town = _join(_drawn(rng, _TOWN_PREFIXES, size), _drawn(rng, LAST_NAMES, size), _drawn(rng, _TOWNS, size))
    state, code = _drawn(rng, _STATES, size), _digits(rng, {5: 1}, size)
    civil = _join(house, " ", street, unit, unit_number, "\n", town, ", ", state, " ", code)
    box = _digits(rng, {4: 1}, size)
    military = _join("Unit ", house, " Box ", box, "\n", "APO AE ", code)
    return pc.if_else(pa.array(rng.random(size) < _MILITARY_SHARE), military, civil)


def _drawn(rng: np.random.Generator, words: list[str], size: int) -> pa.Array:
    return pa.array(words).take(pa.array(rng.integers(0, len(words), size)))


def _digits(rng: np.random.Generator, lengths: Mapping[int, float], size: int) -> pa.Array:
    """Return random digits, as many as the keys of `lengths` say, as often as its values."""
    most = max(lengths)
    digits = pc.utf8_lpad(pa.array(rng.integers(0, 10**most, size)).cast(pa.string()), most, "0")
    choices = [pc.utf8_slice_codeunits(digits, 0, length) for length in lengths]
    return pc.choose(pa.array(pick(rng, list(lengths.values()), size)), *choices)


def _mask(block: range, rows: IntArray) -> pa.Array:
    mask = np.zeros(len(block), bool)
    mask[rows] = True
    return pa.array(mask)


def _join(*texts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*texts, "")
