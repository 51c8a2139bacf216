"""The days on which things happen: three years of history, then one week per delivery."""

import numpy as np

FIRST_ORDER_DAY = np.datetime64("2022-01-01")
DAYS_OF_HISTORY = 1096
DAYS_PER_DELIVERY = 7


def first_day(delivery: int) -> np.datetime64:
    """Return the first day that a delivery covers; those of the next begin where it ends."""
    if delivery == 1:
        return FIRST_ORDER_DAY
    return FIRST_ORDER_DAY + DAYS_OF_HISTORY + DAYS_PER_DELIVERY * (delivery - 2)
