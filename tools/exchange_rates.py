"""Brings the rates of the European Central Bank into the seed `ecb_rates`."""

import csv
import io
import zipfile
from datetime import date
from operator import itemgetter
from pathlib import Path

import requests

URL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip"
SEED = Path(__file__).parents[1] / "seeds" / "ecb_rates.csv"


def update(seed: Path, published: bytes) -> int:
    """Add the days that the seed lacks, from the bank's zip file; the number of days added.

    Columns stay those of the seed, as dbt_project.yml names them.

    Raises:
        ValueError: the file is not the one that is expected.
    """
    known = list(csv.DictReader(seed.open(encoding="utf-8", newline="")))
    columns = list(known[0])
    newest = date.fromisoformat(known[-1]["day"])
    with zipfile.ZipFile(io.BytesIO(published)) as files:
        text = files.read("eurofxref-hist.csv").decode("ascii")
    rows = [row | {"day": row.get("Date", "")} for row in csv.DictReader(io.StringIO(text))]
    if not rows or not {"Date", "USD"} <= {*rows[0]}:
        raise ValueError(f"{URL} has no rates in the form that was expected")
    added = sorted(
        (row for row in rows if date.fromisoformat(row["day"]) > newest), key=lambda row: row["day"]
    )
    with seed.open("a", encoding="utf-8", newline="") as file:
        for row in sorted(added, key=itemgetter("day")):
            rates = [row.get(column, "N/A") for column in columns]
            csv.writer(file, lineterminator="\n").writerow("" if rate == "N/A" else rate for rate in rates)
    return len(added)


def main() -> None:
    """Download and add; `make rates`."""
    answer = requests.get(URL, timeout=60)
    answer.raise_for_status()
    print(f"Added {update(SEED, answer.content)} days to {SEED}.")


if __name__ == "__main__":
    main()
