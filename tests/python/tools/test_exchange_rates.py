"""New rates of the European Central Bank come into the seed once."""

import io
import zipfile
from pathlib import Path

import pytest

from tools.exchange_rates import update


def _published(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("eurofxref-hist.csv", text)
    return file.getvalue()


def test_days_that_are_missing_are_added_in_order(tmp_path: Path) -> None:
    seed = tmp_path / "ecb_rates.csv"
    seed.write_text("day,USD,HRK,JPY\n2026-01-02,1.1,7.5,170\n")
    # The bank's file ends each line with a comma, newest first, and no longer has every currency.
    published = _published(
        "Date,USD,JPY,CYP,\n2026-01-06,1.3,172,N/A,\n2026-01-05,1.2,N/A,N/A,\n2026-01-02,9,9,9,\n"
    )
    assert update(seed, published) == 2
    assert update(seed, published) == 0
    assert seed.read_text() == (
        "day,USD,HRK,JPY\n2026-01-02,1.1,7.5,170\n2026-01-05,1.2,,\n2026-01-06,1.3,,172\n"
    )


def test_another_file_is_refused(tmp_path: Path) -> None:
    seed = tmp_path / "ecb_rates.csv"
    seed.write_text("day,USD\n2026-01-02,1.1\n")
    with pytest.raises(ValueError, match="no rates in the form"):
        update(seed, _published("a,b\n1,2\n"))
