"""Sample data to test accounts of vendors: once, however often it is sent.

To add a vendor, write a module with an `Account` and a function that yields its `Item`s. The account itself
says what is there already, so that nothing else has to be kept, and a push that was stopped goes on.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple, Protocol


class PushError(Exception):
    """The account cannot take the data, or is none for tests; the message says why and what to do."""


class Ref(NamedTuple):
    """Stands in an item for the id that the account gave another one."""

    kind: str
    name: str


@dataclass(frozen=True)
class Item:
    """What is pushed: a kind of the vendor, its name among those of the seed, and its fields.

    Fields are nested as the vendor wants them, with `Ref`s to items that were yielded before.
    """

    kind: str
    name: str
    fields: Mapping[str, Any]


@dataclass
class Pushed:
    """How many items of a kind were created, and how many were there already."""

    kind: str
    created: int = 0
    known: int = 0


class Account(Protocol):
    """An account of a vendor for tests."""

    def known(self, kind: str) -> dict[str, str]:
        """Ids of what was pushed with the same seed before, by the names of the items."""

    def create(self, item: Item) -> str:
        """Create an item, which has no references any more; its id.

        Raises:
            PushError: the account takes real money.
        """


def push(
    items: Iterable[Item], account: Account, report: Callable[[Pushed], None] = lambda pushed: None
) -> list[Pushed]:
    """Create the items that the account does not have, in their order; what became of each kind.

    `report` is called after each item.
    """
    ids: dict[str, dict[str, str]] = {}
    done = []
    for kind, group in groupby(items, lambda item: item.kind):
        ids[kind] = account.known(kind)
        pushed = Pushed(kind)
        done.append(pushed)
        for item in group:
            if item.name in ids[kind]:
                pushed.known += 1
            else:
                resolved = Item(kind, item.name, _resolved(item.fields, ids))
                ids[kind][item.name] = account.create(resolved)
                pushed.created += 1
            report(pushed)
    return done


def _resolved(value: Any, ids: Mapping[str, Mapping[str, str]]) -> Any:
    match value:
        case Ref(kind, name):
            return ids[kind][name]
        case dict():
            return {name: _resolved(part, ids) for name, part in value.items()}
        case list():
            return [_resolved(part, ids) for part in value]
        case _:
            return value
