"""Problems become one error."""

import pytest

from lakehouse.errors import LakehouseError, raise_for


def test_all_problems_are_told_at_once() -> None:
    raise_for("", "")
    with pytest.raises(LakehouseError, match=r"^models failed\nfiles were refused$"):
        raise_for("models failed", "", "files were refused")
