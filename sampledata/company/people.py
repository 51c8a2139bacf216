"""Who buys online: customers of storefront and CRM, users of the gyms, people that only the shop knows."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sampledata import crm
from sampledata.company.model import Person
from sampledata.customers import FIRST_CREATED, FIRST_ID
from sampledata.customers import Customers as CrmCustomers
from sampledata.gym.profiles import first_profiles
from sampledata.gym.users import Users
from sampledata.names import FEMALE_NAMES, LAST_NAMES, MALE_NAMES
from sampledata.places import CITIES, CITIES_OF_LEADING_ZERO, City
from sampledata.sampling import Streams, pick
from sampledata.storefront.customers import Customers as StorefrontCustomers
from sampledata.timeline import first_day, midnight

Fields = dict[str, Any]

# Of the storefront's customers every second buys online, of the CRM's every fortieth, of the gyms' all.
_STOREFRONT_STEP, _CRM_STEP = 2, 40
_ONLY_ONLINE_AT_SCALE_1, _NEW_AT_SCALE_1 = 1_000, 10
_POSTAL_CODES_PER_CITY = 8
_STREETS = ["Street", "Avenue", "Lane", "Road", "Court"]
_CITY_BY_NAME = {(city.name, city.state): city for city in CITIES + CITIES_OF_LEADING_ZERO}
_DIGITS_OF_PHONE = 10


# Several sources ask for the people of a delivery, one after another.
@lru_cache(1)
def people(streams: Streams, scale: float, delivery: int) -> list[Person]:
    """Return everybody who registered up to the end of a delivery, in the order of time."""
    first = [*_of_storefront(streams, scale), *_of_gyms(streams, scale), *_of_crm(streams, scale)]
    first += itertools.repeat({}, max(20, round(_ONLY_ONLINE_AT_SCALE_1 * scale)))
    order = streams.of("company.people.order").permutation(len(first)).tolist()
    groups = [[first[place] for place in order]]
    groups += [[{}] * max(1, round(_NEW_AT_SCALE_1 * scale)) for _ in range(1, delivery)]
    numbers = itertools.count(1)
    return [
        person
        for number, group in enumerate(groups, start=1)
        for person in _registered(streams, number, group, numbers)
    ]


def _registered(
    streams: Streams, delivery: int, known: list[Fields], numbers: Iterator[int]
) -> Iterator[Person]:
    """Yield people evenly over the time of a delivery; what is not known of them is made up."""
    rng = streams.of("company.people", delivery)
    size = len(known)
    begin = midnight(FIRST_CREATED if delivery == 1 else first_day(delivery))
    step = (midnight(first_day(delivery + 1)) - begin) / size
    first_names, last_names = MALE_NAMES + FEMALE_NAMES, LAST_NAMES
    drawn = zip(
        rng.integers(0, len(first_names), size).tolist(),
        rng.integers(0, len(last_names), size).tolist(),
        rng.integers(1, 2_000, size).tolist(),
        rng.integers(0, len(_STREETS), size).tolist(),
        pick(rng, [city.weight for city in CITIES], size).tolist(),
        rng.integers(0, _POSTAL_CODES_PER_CITY, size).tolist(),
        rng.integers(2_000_000, 9_999_999, size).tolist(),
        known,
        strict=True,
    )
    for place, (first, last, house, street, city, code, phone, fields) in enumerate(drawn):
        number = next(numbers)
        made_up = {
            "first_name": first_names[first],
            "last_name": last_names[last],
            "street": f"{house} {last_names[(last + 7) % len(last_names)]} {_STREETS[street]}",
            "city": CITIES[city],
            "postal_code": f"{CITIES[city].postal_code + code:05}",
            "phone": f"+1555{phone}",
            "email": f"customer{number}@example.com",
        }
        at = begin + timedelta(seconds=round(step.total_seconds() * place))
        yield Person(number=number, registered_at=at, **made_up | fields)


def _of_storefront(streams: Streams, scale: float) -> Iterator[Fields]:
    customers = StorefrontCustomers.of(streams, scale, 1)
    names = [customers.real_names(block) for block in customers.extract.blocks()]
    tables = (table for table in customers.tables())
    for (first, last), table in zip(names, tables, strict=True):
        columns = [table[name] for name in ("Customer ID", "email", "phone", "City", "State", "Postal Code")]
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        chosen = itertools.islice(
            zip(first.to_pylist(), last.to_pylist(), rows, strict=True), 0, None, _STOREFRONT_STEP
        )
        for first_name, last_name, (id, email, phone, city, state, postal_code) in chosen:
            yield {
                "storefront_id": id,
                "first_name": first_name,
                "last_name": last_name,
                "email": email,
                "postal_code": postal_code.zfill(5),
                "city": _city(city, state),
                **_phone(phone),
            }


def _phone(typed: str) -> Fields:
    """The phone number without its extension and its notation; nothing where it is none."""
    digits = "".join(filter(str.isdigit, typed.partition("x")[0])).removeprefix("001")
    return {"phone": f"+1{digits}"} if len(digits) == _DIGITS_OF_PHONE else {}


def _of_gyms(streams: Streams, scale: float) -> Iterator[Fields]:
    users = Users.of(streams, scale, 1)
    for id, row in zip(users.ids.tolist(), first_profiles(users).to_pylist(), strict=True):
        city = _city(row.pop("city"), row.pop("state"))
        yield row | {"gym_user_id": id, "city": city}


def _of_crm(streams: Streams, scale: float) -> Iterator[Fields]:
    customers = CrmCustomers.of(streams, scale, 1)
    for block in customers.blocks():
        names = (part.to_pylist() for part in crm.names_of(customers, block))
        rows = zip(block, *names, strict=True)
        for row, first_name, last_name in itertools.islice(rows, 0, None, _CRM_STEP):
            yield {"crm_id": FIRST_ID + row, "first_name": first_name, "last_name": last_name}


def _city(name: str, state: str) -> City:
    return _CITY_BY_NAME[name, state]
