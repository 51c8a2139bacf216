"""The product catalogue: categories, products, and their cost periods."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from sampledata.sampling import (
    GOLDEN_RATIO,
    BoolArray,
    DateArray,
    FloatArray,
    IntArray,
    Streams,
)
from sampledata.timeline import first_day

FIRST_PRODUCT_ID = 210

_AT_SCALE_1 = 295
_AT_LEAST = 30
# Products per combination of cost periods; a period is the number of its start date. Most
# products came with the last price list, a third has been dropped from an earlier one.
_PERIOD_STARTS = np.array(["2014-07-01", "2022-07-01", "2023-07-01", "2024-07-01"], "datetime64[D]")
_BEFORE_COSTS, _LAST_PRICE_LIST = 0, 3
_PERIODS = {(3,): 136, (2,): 51, (2, 3): 34, (1,): 29, (1, 2, 3): 25, (1, 2): 18}
_WITHOUT_COST_RATE = 2 / _AT_SCALE_1
_REPRICED_RATE = 0.02

_COLOURS = ["Black", "Red", "Silver", "Yellow"]
_SERIES = ["Alder", "Basalt", "Cinder", "Drift", "Ember", "Fjord", "Gale", "Harrier", "Ibex"]
_SERIES += ["Juniper", "Kestrel", "Lynx", "Mistral", "Nomad", "Onyx", "Peregrine", "Quartz"]
_WHEEL_SIZES = ["26", "28", "29"]
_FRAME_SIZES = ["40", "44", "48", "52", "56", "60"]
_CLOTHING_SIZES = ["S", "M", "L", "XL"]
_ONE_SIZE = [""]


class Category(NamedTuple):
    """A category: how it is labelled, and what its products look like."""

    id: str
    subcategory: str
    maintenance: str
    code: str
    noun: str
    lines: str
    products: int
    costs: tuple[int, int]
    sizes: list[str] = _ONE_SIZE
    demand: int = 0
    in_erp: bool = True

    @property
    def family(self) -> str:
        """Return the label of the category's family, which its id begins with."""
        families = {"AC": "Accessories", "BI": "Bikes", "CL": "Clothing", "CO": "Components"}
        return families[self.id[:2]]


# `lines` are the product lines that models take in turn ("" where the CRM has no code),
# `products` the number at scale 1, `demand` the share of sales lines in a thousand.
CATEGORIES = [
    Category("AC_BR", "Bike Racks", "Yes", "RK", "Rack", "S", 1, (40, 60), demand=6),
    Category("AC_BS", "Bike Stands", "No", "ST", "Stand", "S", 1, (50, 70), demand=4),
    Category("AC_BC", "Bottles and Cages", "No", "BO", "Bottle", "SMR", 3, (2, 5), demand=130),
    Category("AC_CL", "Cleaners", "Yes", "CN", "Cleaner", "S", 1, (3, 5), demand=15),
    Category("AC_FE", "Fenders", "No", "MG", "Fender Set", "M", 1, (8, 12), demand=35),
    Category("AC_HE", "Helmets", "Yes", "HM", "Helmet", "S", 9, (12, 20), demand=105),
    Category("AC_HP", "Hydration Packs", "No", "HY", "Pack", "S", 1, (20, 30), demand=12),
    Category("AC_LI", "Lights", "Yes", "LI", "Light", "RM", 3, (6, 20)),
    Category("AC_LO", "Locks", "Yes", "LK", "Cable Lock", "S", 1, (9, 12)),
    Category("AC_PA", "Panniers", "No", "PN", "Pannier", "T", 1, (45, 60)),
    Category("AC_PU", "Pumps", "Yes", "PM", "Pump", "S", 2, (8, 14)),
    Category("AC_TT", "Tires and Tubes", "Yes", "TY", "Tire", "RMT", 11, (1, 14), demand=290),
    Category("BI_MB", "Mountain Bikes", "Yes", "MX", "Bike", "M", 32, (280, 1900), _FRAME_SIZES, 80),
    Category("BI_RB", "Road Bikes", "Yes", "RX", "Bike", "R", 43, (320, 2100), _FRAME_SIZES, 130),
    Category("BI_TB", "Touring Bikes", "Yes", "TX", "Bike", "T", 22, (420, 1500), _FRAME_SIZES, 40),
    Category("CL_BS", "Bib-Shorts", "No", "BB", "Bib-Shorts", "S", 3, (34, 40), _CLOTHING_SIZES),
    Category("CL_CA", "Caps", "No", "CP", "Cap", "S", 1, (5, 8), demand=36),
    Category("CL_GL", "Gloves", "No", "GV", "Gloves", "S", 6, (9, 16), _CLOTHING_SIZES, 24),
    Category("CL_JE", "Jerseys", "No", "JY", "Jersey", "S", 8, (29, 42), _CLOTHING_SIZES, 55),
    Category("CL_SH", "Shorts", "No", "SR", "Shorts", "SM", 7, (22, 30), _CLOTHING_SIZES, 17),
    Category("CL_SO", "Socks", "No", "SK", "Socks", "MR", 4, (3, 4), _CLOTHING_SIZES, 10),
    Category("CL_TI", "Tights", "No", "TG", "Tights", "S", 3, (28, 34), _CLOTHING_SIZES),
    Category("CL_VE", "Vests", "No", "VS", "Vest", "S", 3, (22, 26), _CLOTHING_SIZES, 9),
    Category("CO_BB", "Bottom Brackets", "Yes", "BK", "Bottom Bracket", "", 2, (22, 55)),
    Category("CO_BR", "Brakes", "Yes", "BR", "Brakes", "", 2, (45, 50)),
    Category("CO_CH", "Chains", "Yes", "CH", "Chain", "", 1, (8, 10)),
    Category("CO_CS", "Cranksets", "Yes", "CS", "Crankset", "", 2, (75, 180)),
    Category("CO_DE", "Derailleurs", "Yes", "DR", "Derailleur", "", 2, (38, 55)),
    Category("CO_FO", "Forks", "Yes", "FK", "Fork", "", 2, (65, 105)),
    Category("CO_HS", "Headsets", "Yes", "HS", "Headset", "", 2, (14, 56)),
    Category("CO_HB", "Handlebars", "No", "HB", "Handlebars", "MRT", 10, (18, 55)),
    Category("CO_MF", "Mountain Frames", "Yes", "MF", "Frame", "M", 28, (130, 750), _FRAME_SIZES),
    Category("CO_PD", "Pedals", "No", "PD", "Pedals", "MRT", 0, (16, 38)),
    Category("CO_RF", "Road Frames", "Yes", "RF", "Frame", "R", 33, (145, 870), _FRAME_SIZES),
    Category("CO_SA", "Saddles", "No", "SA", "Saddle", "MRT", 10, (12, 24)),
    Category("CO_TF", "Touring Frames", "Yes", "TF", "Frame", "T", 18, (150, 600), _FRAME_SIZES),
    Category("CO_WH", "Wheels", "Yes", "WH", "Wheel", "MRT", 15, (27, 210), _WHEEL_SIZES),
    # The ERP knows pedals by another id. Last in the list, so that it has a product at any scale.
    Category("CO_PE", "Pedals", "No", "PE", "Pedals", "MRT", 7, (16, 38), in_erp=False),
]


class CostPeriods(NamedTuple):
    """The rows of a product extract, by column."""

    product_id: IntArray
    product: IntArray
    start: DateArray
    cost: IntArray
    followed: BoolArray
    """Whether the product was dropped or repriced after the period."""


@dataclass(frozen=True)
class Catalogue:
    """All products ever, known by their row number."""

    streams: Streams
    count: int

    @classmethod
    def of(cls, streams: Streams, scale: float) -> "Catalogue":
        """Return the products at this scale: they grow with its square root, from 30."""
        return cls(streams, max(_AT_LEAST, round(_AT_SCALE_1 * scale**0.5)))

    @cached_property
    def category(self) -> IntArray:
        """The index in CATEGORIES of each product, each category with its share."""
        ends: IntArray = np.cumsum([category.products for category in CATEGORIES])
        places: FloatArray = (np.arange(self.count) + 0.5) / self.count * ends[-1]
        return np.searchsorted(ends, places, side="right").astype(np.int64)

    @cached_property
    def model(self) -> IntArray:
        """The model number of each product in its category; a model comes in all its sizes."""
        return self._place // self._sizes

    @cached_property
    def lines(self) -> list[str]:
        """The product lines M, R, S or T, "" where the CRM has none."""
        return [c.lines[m % len(c.lines)] if c.lines else "" for c, m, _ in self._variants()]

    @cached_property
    def numbers(self) -> list[str]:
        """The product numbers, all different: category code, line, model, and size if any."""
        return [
            f"{category.code}-{line or 'U'}{model:03d}{size and '-'}{size}"
            for (category, model, size), line in zip(self._variants(), self.lines, strict=True)
        ]

    @cached_property
    def names(self) -> list[str]:
        """The product names, not all different."""
        return [
            f"{_SERIES[m % len(_SERIES)]} {c.noun} {_COLOURS[m % len(_COLOURS)]} {size}".rstrip()
            for c, m, size in self._variants()
        ]

    @cached_property
    def current_cost(self) -> IntArray:
        """The cost of each product in its last period before delivery 2, in whole units."""
        low, high = np.array([category.costs for category in CATEGORIES])[self.category].T
        quality = self._by_model(self.streams.of("crm.prd_info.cost").random(self.count))
        cost: FloatArray = np.rint(low * (high / low) ** quality)
        return cost.astype(np.int64)

    @cached_property
    def price(self) -> IntArray:
        """The price of each product in whole units, the same at all times."""
        rng = self.streams.of("crm.prd_info.price")
        markup = self._by_model(rng.uniform(1.35, 2.2, self.count))
        price: FloatArray = np.maximum(self.current_cost + 1, np.rint(self.current_cost * markup))
        return price.astype(np.int64)

    @cached_property
    def without_cost(self) -> IntArray:
        """The rows of the products that never had a cost, nor sales."""
        frames = [category.id for category in CATEGORIES].index("CO_RF")
        rows = np.flatnonzero(self.category == frames)
        return rows[: max(1, round(_WITHOUT_COST_RATE * self.count))]

    @cached_property
    def popularity(self) -> FloatArray:
        """How often each product sells, in proportion; 0 for those never sold."""
        demand = np.array([category.demand for category in CATEGORIES])
        products = np.bincount(self.category, minlength=len(CATEGORIES))
        taste = self.streams.of("crm.prd_info.popularity").lognormal(0, 0.5, self.count)
        per_product: FloatArray = demand / np.maximum(products, 1)
        return per_product[self.category] * taste

    def removed(self, delivery: int) -> IntArray:
        """Return the rows missing from a delivery: none from the first, then one that has sold."""
        return np.empty(0, np.int64) if delivery == 1 else self._changed(delivery)[:1]

    def periods(self, delivery: int) -> CostPeriods:
        """Return the cost periods that a delivery holds, those added since the first one last."""
        additions = [self._first_periods(), *map(self._repriced, range(2, delivery + 1))]
        product, start, cost = (np.concatenate(part) for part in zip(*additions, strict=True))
        ids = FIRST_PRODUCT_ID + np.arange(len(product))
        newest = np.zeros(self.count, np.int64)
        newest[product] = ids
        dropped = start < _PERIOD_STARTS[_LAST_PRICE_LIST]
        followed = (dropped | (ids < newest[product])) & ~np.isin(product, self.without_cost)
        held = ~np.isin(product, self.removed(delivery))
        return CostPeriods(ids[held], product[held], start[held], cost[held], followed[held])

    def _first_periods(self) -> tuple[IntArray, DateArray, IntArray]:
        """Return the product, start and cost of each period of the first delivery."""
        product, period = np.nonzero(self._sold_in_period())
        last = np.zeros(self.count, np.int64)
        last[product] = period
        cost = np.rint(self.current_cost[product] * 0.88 ** (last[product] - period))
        return product, _PERIOD_STARTS[period], np.maximum(cost, 1).astype(np.int64)

    def _sold_in_period(self) -> BoolArray:
        """Return products x periods: the combinations of periods, each with its share."""
        ends = np.cumsum(list(_PERIODS.values()))
        rank = np.argsort(np.argsort(-self.popularity, stable=True))
        # Steps of the golden ratio spread each combination evenly over popular and other products.
        combination = np.searchsorted(ends, rank * GOLDEN_RATIO % 1 * ends[-1], side="right")
        combinations = np.zeros((len(_PERIODS), len(_PERIOD_STARTS)), bool)
        for row, periods in enumerate(_PERIODS):
            combinations[row, list(periods)] = True
        in_period: BoolArray = combinations[combination]
        in_period[self.without_cost] = np.arange(len(_PERIOD_STARTS)) == _BEFORE_COSTS
        return in_period

    def _repriced(self, delivery: int) -> tuple[IntArray, DateArray, IntArray]:
        """Return the product, start and cost of each period that a later delivery adds."""
        product = self._changed(delivery)[1:]
        rises = delivery - 1
        cost = np.rint(self.current_cost[product] * 1.04**rises).astype(np.int64) + rises
        return product, np.full(len(product), first_day(delivery)), cost

    def _changed(self, delivery: int) -> IntArray:
        """Return the product that a delivery lacks, then those that it reprices."""
        sold = np.flatnonzero(self.popularity)
        repriced = max(1, round(_REPRICED_RATE * len(sold)))
        rng = self.streams.of("crm.prd_info.changes", delivery)
        return rng.choice(sold, 1 + repriced, replace=False)

    @cached_property
    def _place(self) -> IntArray:
        first_row: IntArray = np.searchsorted(self.category, self.category)
        return np.arange(self.count) - first_row

    @cached_property
    def _sizes(self) -> IntArray:
        return np.array([len(category.sizes) for category in CATEGORIES])[self.category]

    def _by_model(self, values: FloatArray) -> FloatArray:
        """Give all products of a model the value of its first one."""
        return values[np.arange(self.count) - self._place % self._sizes]

    def _variants(self) -> Iterator[tuple[Category, int, str]]:
        """Yield the category, model number and size of each product."""
        columns = (self.category, self.model, self._place % self._sizes)
        for category, model, size in zip(*(c.tolist() for c in columns), strict=True):
            yield CATEGORIES[category], model, CATEGORIES[category].sizes[size]
