"""What a query costs, before it is answered and after, and the bucket of points that it is paid from.

An object costs 1, value types such as money nothing. A connection costs 2 and its entries; inside of another
list, a tenth of what is asked for counts. A mutation costs 10. The vendor's formula is not published.
"""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

_VALUES = {
    "MoneyBag", "MoneyV2", "PageInfo", "TaxLine", "DiscountAllocation", "DiscountApplication",
    "SelectedOption", "FulfillmentTrackingInfo", "InventoryQuantity", "AccessScope", "Count",
    "CustomerEmailAddress", "CustomerPhoneNumber", "MailingAddress",
}  # fmt: skip

_MUTATION = 10


@dataclass
class Bucket:
    """Points that come back at `rate` a second; `clock` tells seconds."""

    most: float = 2000
    rate: float = 100
    clock: Callable[[], float] = time.monotonic
    _left: float = field(init=False)
    _at: float = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._left, self._at = self.most, self.clock()

    def take(self, points: float) -> bool:
        """Take points, when there are so many."""
        with self._lock:
            now = self.clock()
            self._left = min(self.most, self._left + (now - self._at) * self.rate)
            self._at = now
            if points > self._left:
                return False
            self._left -= points
            return True

    def give_back(self, points: float) -> None:
        """Give back what a query did not cost."""
        with self._lock:
            self._left = min(self.most, self._left + points)

    @property
    def status(self) -> dict[str, float]:
        """What an answer tells."""
        left = int(self._left)
        return {"maximumAvailable": self.most, "currentlyAvailable": left, "restoreRate": self.rate}


class Asked:
    """A query, of which it is known what it may cost."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema, self._variables = schema, variables
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._operation = next(n for n in document.definitions if isinstance(n, OperationDefinitionNode))
        self.wrong_sizes: list[str] = []

    def cost(self) -> int:
        """The most that it may cost."""
        if self._operation.operation is OperationType.MUTATION:
            return _MUTATION
        assert self._schema.query_type is not None
        return self._selected(self._operation.selection_set, self._schema.query_type, nested=False)

    def _selected(self, selection: SelectionSetNode | None, parent: GraphQLNamedType, nested: bool) -> int:
        """The cost of fields; of alternatives, the greatest one."""
        total, alternatives = 0, [0]
        for node in selection.selections if selection else ():
            match node:
                case FieldNode():
                    total += self._field(node, parent, nested)
                case FragmentSpreadNode():
                    fragment = self._fragments[node.name.value]
                    condition = self._schema.type_map[fragment.type_condition.name.value]
                    total += self._selected(fragment.selection_set, condition, nested)
                case InlineFragmentNode():
                    condition = parent
                    if node.type_condition:
                        condition = self._schema.type_map[node.type_condition.name.value]
                    alternatives.append(self._selected(node.selection_set, condition, nested))
        return total + max(alternatives)

    def _field(self, node: FieldNode, parent: GraphQLNamedType, nested: bool) -> int:
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None:
            return 0
        kind = get_named_type(definition.type)
        if is_leaf_type(kind):
            return 0
        if not kind.name.endswith("Connection"):
            return (kind.name not in _VALUES) + self._selected(node.selection_set, kind, nested)
        first = self._first(node)
        if first is None or not 1 <= first <= 250:
            self.wrong_sizes.append(node.name.value)
            return 0
        entries = next(
            n for n in (node.selection_set.selections if node.selection_set else ())
            if isinstance(n, FieldNode) and n.name.value in ("nodes", "edges")
        )  # fmt: skip
        entry = get_named_type(kind.fields[entries.name.value].type)
        each = max(self._selected(entries.selection_set, entry, nested=True), 1)
        return 2 + (math.ceil(first / 10) if nested else first) * each

    def _first(self, node: FieldNode) -> int | None:
        for argument in node.arguments or ():
            if argument.name.value == "first":
                match argument.value:
                    case VariableNode():
                        value = self._variables.get(argument.value.name.value)
                        return value if isinstance(value, int) else None
                    case IntValueNode():
                        return int(argument.value.value)
        return None


def actual_cost(value: Any) -> int:
    """What an answer costs: each object in it that has an id, and two for each connection."""
    if isinstance(value, list):
        return sum(actual_cost(part) for part in value)
    if not isinstance(value, dict):
        return 0
    own = 2 if "pageInfo" in value else 1 if "id" in value else 0
    return own + sum(actual_cost(part) for part in value.values() if isinstance(part, dict | list))
