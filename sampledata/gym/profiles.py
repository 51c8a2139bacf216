"""Changes of the users' profiles: new, update and delete events, each with a time of its own."""

import itertools
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sampledata.gym.transport import MESSAGE_DEFECTS, Messages, epochs, join, message_lines
from sampledata.gym.users import Users
from sampledata.names import FEMALE_NAMES, LAST_NAMES, MALE_NAMES
from sampledata.places import CITIES, STATE_CODES
from sampledata.sampling import IntArray, mark, pick
from sampledata.timeline import seconds_of_week

Profiles = dict[str, IntArray]
"""Profiles of all users by column, texts as their place in a list."""

_STATES = ["California", "Nevada", "Oregon", "Washington"]
_CITIES = [city for city in CITIES if city.state in _STATES]
_CITY_NAMES = [city.name for city in _CITIES]
_CITY_STATES = [STATE_CODES[city.state] for city in _CITIES]
_POSTAL_CODES_PER_CITY = 8
_STREETS = ["Avenue", "Bypass", "Cliffs", "Drive", "Fields", "Lane", "Lodge", "Mountain", "Plaza", "Vista"]
_SEXES = ["F", "M"]
_FIRST_NAMES = FEMALE_NAMES + MALE_NAMES
_GENDERS = [*_SEXES, "X"]
_OTHER_GENDER_SHARE = 0.03
_FIRST_BIRTH, _LAST_BIRTH = np.array(["1926-01-01", "2009-01-01"], "datetime64[D]").astype(np.int64)
_DAYS_TOO_LATE = 110 * 365
_DEFECTS_OF_PROFILES = {"born_in_future": 0.01}
_CAPACITY_PER_USER = 4


def first_profiles(users: Users) -> pa.Table:
    """Return what users of the first delivery registered as: names, street, city, state, postal code."""
    drawn = _drawn(users.streams.of("gym.user_info", 1), users.first)
    text = {name: pa.array(values) for name, values in drawn.items()}
    house, postal_code = (text[name].cast(pa.string()) for name in ("house", "postal_code"))
    street = join(house, " ", pa.array(LAST_NAMES).take(text["street_name"]))
    return pa.table(
        {
            "first_name": pa.array(_FIRST_NAMES).take(text["first_name"]),
            "last_name": pa.array(LAST_NAMES).take(text["last_name"]),
            "street": join(street, " ", pa.array(_STREETS).take(text["street"])),
            "city": pa.array(_CITY_NAMES).take(text["city"]),
            "state": pa.array([city.state for city in _CITIES]).take(text["city"]),
            "postal_code": postal_code,
        }
    )


def profile_events(users: Users) -> pa.Array:
    """Return the lines of user_info, with the events that came too late for the delivery before."""
    *earlier, now = _history(users)
    held_back = [events.filter(pc.field("late")) for events in earlier[-1:]]
    events = pa.concat_tables([*held_back, now.filter(~pc.field("late"))])
    rank, time = (events[column].to_numpy() for column in ("rank", "time"))
    offset = np.empty(len(time), np.int64)
    first_offset = _CAPACITY_PER_USER * users.count * users.delivery
    offset[np.lexsort((rank, time))] = first_offset + np.arange(len(time))
    # Of two events of one time, the one with the higher offset is sent first.
    order = np.lexsort((-rank, time))
    events = events.take(order).combine_chunks()
    rng = users.streams.of("gym.user_info.defects", users.delivery)
    defects = mark(rng, len(order), MESSAGE_DEFECTS)
    ids = users.ids[events["user"].to_numpy()]
    value = _values(events, ids, defects.at("epoch_as_float", range(len(order))))
    return message_lines(rng, "user_info", Messages(ids, value, offset[order], time[order]), defects)


def _history(users: Users) -> Iterator[pa.Table]:
    """Yield the events that happened in each delivery, sent with it or late."""
    profiles: Profiles = {}
    for number, change in enumerate(users.changes, start=1):
        rng = users.streams.of("gym.user_info", number)
        added = users.added(number)
        new = _drawn(rng, len(added))
        if number == 1:
            not_yet_born = mark(rng, len(added), _DEFECTS_OF_PROFILES).rows["born_in_future"]
            new["born"][not_yet_born] += _DAYS_TOO_LATE
        profiles = {name: np.concatenate([profiles.get(name, new[name][:0]), new[name]]) for name in new}
        movers = np.concatenate([change[kind] for kind in ("moved", "overtaken", "deleted")])
        moved = _moved(rng, profiles, movers)
        renamed_users = np.concatenate([change[kind] for kind in ("renamed", "tied", "overtaken")])
        renamed = _renamed(rng, moved, renamed_users)

        week = seconds_of_week(number)
        middle = week.start + len(week) // 2
        sooner = rng.integers(week.start, middle, added[-1] + 1)
        later = rng.integers(middle, week.stop, added[-1] + 1)
        yield pa.concat_tables(
            [
                _events("new", added, users.registered, profiles),
                _events("update", change["moved"], sooner, moved),
                # What changed before the last word on a user, but is heard of after it.
                _events("update", change["overtaken"], sooner, moved, late=True),
                _events("update", change["deleted"], sooner, moved, late=True),
                # Two changes of one time, the first of which leaves the name as it was.
                _events("update", change["tied"], later, moved),
                _events("update", renamed_users, later, renamed, rank=1),
                _events("delete", change["deleted"], later, renamed),
            ]
        )
        profiles = renamed


def _events(
    action: str, users: IntArray, times: IntArray, profiles: Profiles, rank: int = 0, late: bool = False
) -> pa.Table:
    """Return an event for each of some users; `times` and `profiles` are those of all.

    `rank` is the order of events of one time; a `late` one is sent with the next delivery.
    """
    size = len(users)
    event = {
        "action": pa.repeat(action, size),
        "user": users,
        "time": times[users],
        "rank": np.full(size, rank),
        "late": np.full(size, late),
    }
    return pa.table(event | {name: column[users] for name, column in profiles.items()})


def _drawn(rng: np.random.Generator, size: int) -> Profiles:
    """Return profiles of new users."""
    sex = rng.integers(0, len(_SEXES), size)
    first_name = len(FEMALE_NAMES) * sex + rng.integers(0, min(len(FEMALE_NAMES), len(MALE_NAMES)), size)
    profiles = {
        "born": rng.integers(_FIRST_BIRTH, _LAST_BIRTH, size),
        "sex": sex,
        "gender": np.where(rng.random(size) < _OTHER_GENDER_SHARE, len(_SEXES), sex),
        "first_name": first_name,
        "last_name": rng.integers(0, len(LAST_NAMES), size),
    }
    return profiles | _addresses(rng, size)


def _addresses(rng: np.random.Generator, size: int) -> Profiles:
    city = pick(rng, [city.weight for city in _CITIES], size)
    first_codes = np.array([city.postal_code for city in _CITIES])
    return {
        "house": rng.integers(1, 10_000, size),
        "street_name": rng.integers(0, len(LAST_NAMES), size),
        "street": rng.integers(0, len(_STREETS), size),
        "city": city,
        "postal_code": first_codes[city] + rng.integers(0, _POSTAL_CODES_PER_CITY, size),
    }


def _moved(rng: np.random.Generator, profiles: Profiles, users: IntArray) -> Profiles:
    """Return all profiles, those of some users with another address."""
    addresses = {name: profiles[name].copy() for name in _addresses(rng, 0)}
    for name, values in _addresses(rng, len(users)).items():
        addresses[name][users] = values
    return profiles | addresses


def _renamed(rng: np.random.Generator, profiles: Profiles, users: IntArray) -> Profiles:
    """Return all profiles, those of some users with another last name."""
    last_name = profiles["last_name"].copy()
    # Fewer steps than there are names never lead back to the same one.
    last_name[users] += rng.integers(1, len(LAST_NAMES), len(users))
    return profiles | {"last_name": last_name % len(LAST_NAMES)}


def _values(events: pa.Table, ids: IntArray, as_float: IntArray) -> pa.Array:
    """Return events as JSON; of a deleted user nothing is told but the id."""
    begin = join(
        '{"user_id": ', pa.array(ids).cast(pa.string()), ', "update_type": "', _column(events, "action")
    )
    details = pc.if_else(pc.equal(_column(events, "action"), "delete"), "", _details(events))
    return join(begin, '", "timestamp": ', epochs(events["time"].to_numpy(), as_float), details, "}")


def _details(events: pa.Table) -> pa.Array:
    """Return what the profiles tell about the users, as the last members of JSON objects."""

    def text(name: str, choices: list[str]) -> pa.Array:
        return pa.array(choices).take(_column(events, name))

    def number(name: str) -> pa.Array:
        return _column(events, name).cast(pa.string())

    born = _column(events, "born").cast(pa.int32()).cast(pa.date32())
    fields = {
        ', "dob": "': pc.strftime(born, format="%m/%d/%Y"),
        '", "sex": "': text("sex", _SEXES),
        '", "gender": "': text("gender", _GENDERS),
        '", "first_name": "': text("first_name", _FIRST_NAMES),
        '", "last_name": "': text("last_name", LAST_NAMES),
        '", "address": {"street_address": "': number("house"),
        " ": join(text("street_name", LAST_NAMES), " ", text("street", _STREETS)),
        '", "city": "': text("city", _CITY_NAMES),
        '", "state": "': text("city", _CITY_STATES),
        '", "zip": ': number("postal_code"),
    }
    return join(*itertools.chain.from_iterable(fields.items()), "}")


def _column(events: pa.Table, name: str) -> pa.Array:
    return events[name].combine_chunks()
