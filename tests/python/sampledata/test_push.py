"""What is pushed is the same for the same seed, whoever gets it."""

from collections.abc import Callable, Iterator

import pytest

from sampledata.company import Company
from sampledata.push import Item, shopify, stripe
from sampledata.sampling import Streams


@pytest.mark.parametrize("items", [shopify.items, stripe.items], ids=["shopify", "stripe"])
def test_the_same_seed_gives_the_same_items(items: Callable[[Company], Iterator[Item]]) -> None:
    once, again, other = (list(items(Company(Streams(seed), 0.001, 1))) for seed in (0, 0, 1))
    assert once == again != other
    assert len({(item.kind, item.name) for item in once}) == len(once)
