"""The users of the gyms: when they register, with which device, and what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from sampledata.gym.transport import CSV_DEFECTS, csv_lines
from sampledata.sampling import BoolArray, IntArray, Streams, mark, scatter
from sampledata.timeline import seconds_of_week

FIRST_DEVICE_ID = 100_000
"""Smaller ids are of devices that nobody has registered."""

_AT_SCALE_1, _AT_LEAST = 24, 16
_NEW_AT_SCALE_1, _NEW_AT_LEAST = 4, 4
_FIRST_USER_ID = 11_000
_DAY = 24 * 3600
_DAYS_OF_FIRST_REGISTRATIONS = 180
# Who registers later in the week could not visit a gym before it ends.
_DAYS_OF_NEW_REGISTRATIONS = 5
_CHANGES = {"moved": 0.06, "renamed": 0.04, "tied": 0.01, "overtaken": 0.01, "deleted": 0.02}
_DEFECTS_OF_REGISTRATIONS = {"late": 0.01}
_COLUMNS = ["user_id", "device_id", "mac_address", "registration_timestamp"]


@dataclass(frozen=True)
class Users:
    """All users who registered up to a delivery, known by their row number, in order of time."""

    streams: Streams
    first: int
    """The number of users of the first delivery."""
    new: int
    """The number of users that each later delivery adds."""
    delivery: int

    @classmethod
    def of(cls, streams: Streams, scale: float, delivery: int) -> "Users":
        """Return the users at this scale: at least 16, and 4 more with each delivery."""
        first = max(_AT_LEAST, round(_AT_SCALE_1 * scale))
        return cls(streams, first, max(_NEW_AT_LEAST, round(_NEW_AT_SCALE_1 * scale)), delivery)

    @property
    def count(self) -> int:
        """The number of users."""
        return self._count_at(self.delivery)

    @cached_property
    def registered(self) -> IntArray:
        """The epoch seconds at which users registered; in the first delivery, before its week."""
        return np.concatenate([self._registered_in(number) for number in range(1, self.delivery + 1)])

    @cached_property
    def ids(self) -> IntArray:
        """The user ids."""
        return _FIRST_USER_ID + scatter(1 + np.arange(self.count), self._id_bits)

    @cached_property
    def device_ids(self) -> IntArray:
        """The ids of the devices."""
        return FIRST_DEVICE_ID + scatter(1 + np.arange(self.count), self._id_bits + 1)

    @cached_property
    def mac_addresses(self) -> pa.Array:
        """The addresses under which the gyms know the devices."""
        digits = (f"{number:012x}" for number in scatter(1 + np.arange(self.count), 48).tolist())
        return pa.array([":".join(map("".join, zip(n[::2], n[1::2], strict=True))) for n in digits])

    def added(self, number: int) -> IntArray:
        """Return the rows of users who registered in a delivery."""
        return np.arange(self._count_at(number - 1), self._count_at(number))

    def late(self, number: int) -> IntArray:
        """Return the rows whose registration in a delivery is sent with the next one."""
        added = self.added(number)
        rng = self.streams.of("gym.registered_users.late", number)
        return added[mark(rng, len(added), _DEFECTS_OF_REGISTRATIONS).rows["late"]]

    @cached_property
    def changes(self) -> list[Mapping[str, IntArray]]:
        """The rows of users by what became of them, in each delivery up to this one.

        Users change after the delivery with which they came, those of the first one within it. No
        user changes in two ways in one delivery, and none after being deleted.
        """
        changes: list[Mapping[str, IntArray]] = []
        for number in range(1, self.delivery + 1):
            known = np.arange(self._count_at(max(1, number - 1)))
            for earlier in changes:
                known = np.setdiff1d(known, earlier["deleted"])
            marks = mark(self.streams.of("gym.users.changes", number), len(known), _CHANGES)
            changes.append({kind: known[places] for kind, places in marks.rows.items()})
        return changes

    @cached_property
    def visiting(self) -> BoolArray:
        """Tell which users may visit a gym: not those deleted or not yet sent."""
        visiting = np.ones(self.count, bool)
        for change in self.changes:
            visiting[change["deleted"]] = False
        visiting[self.late(self.delivery)] = False
        return visiting

    def _count_at(self, number: int) -> int:
        return self.first + (number - 1) * self.new if number else 0

    def _registered_in(self, number: int) -> IntArray:
        begin, end = seconds_of_week(number).start, seconds_of_week(number).start
        if number == 1:
            begin -= _DAYS_OF_FIRST_REGISTRATIONS * _DAY
        else:
            end += _DAYS_OF_NEW_REGISTRATIONS * _DAY
        rng = self.streams.of("gym.users.registered", number)
        return np.sort(rng.integers(begin, end, len(self.added(number))))

    @property
    def _id_bits(self) -> int:
        """How many bits the ids need, with room for hundreds of deliveries."""
        return max(14, (64 * self.first).bit_length())


def registrations(users: Users) -> pa.Array:
    """Return the lines of registered_users, with those that came too late for the delivery before."""
    number = users.delivery
    rows = np.setdiff1d(users.added(number), users.late(number))
    if number > 1:
        rows = np.concatenate([users.late(number - 1), rows])
    columns = [pa.array(users.ids[rows]), pa.array(users.device_ids[rows])]
    columns += [users.mac_addresses.take(pa.array(rows)), pa.array(users.registered[rows])]
    rng = users.streams.of("gym.registered_users.defects", number)
    return csv_lines(rng, pa.table(columns, _COLUMNS), mark(rng, len(rows), CSV_DEFECTS))
