"""Generate, load and build at several scales: cold, with nothing new, and with 1 % new sales.

`python -m benchmarks [--scales 1 10 100] [--folder DIR]`. Beside every cold run stands what reading the
same CSV files and writing them as Parquet costs with pyarrow alone, in the same run on the same machine.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from benchmarks.measure import Measurement, lakehouse, machine
from sampledata import generate

# Those whose files are large; the tables of the others stay empty.
SOURCES = ["crm", "erp"]

_HEADING = (
    "| scale | step | seconds | load s | build s | sales lines/s | MB/s | peak MiB |\n"
    "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True)
class Step:
    """A measured step: what it worked on (sales lines, bytes) and what it took."""

    scale: float
    name: str
    lines: int
    size: int
    taken: Measurement

    def __str__(self) -> str:
        """A row of the table of results."""
        load, build = (self.taken.phases.get(phase) for phase in ("Loaded", "Built and tested"))
        return (
            f"| {self.scale:g} | {self.name} | {self.taken.seconds:.1f} | {_number(load)} "
            f"| {_number(build)} | {self.lines / self.taken.seconds:,.0f} "
            f"| {self.size / 1e6 / self.taken.seconds:.1f} | {self.taken.peak_mib:,.0f} |"
        )


def main() -> None:
    """Measure, and print each row as it comes."""
    arguments = _arguments()
    print(f"{machine()}\n\n{_HEADING}", flush=True)
    for scale in arguments.scales:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            for step in measure_scale(scale, Path(folder)):
                print(step, flush=True)


def measure_scale(scale: float, folder: Path) -> Iterator[Step]:
    """All steps at one scale, with files and tables below `folder`."""
    landing, home, waiting = folder / "landing", folder / "home", folder / "waiting"
    first = generate(waiting, scale, sources=SOURCES)
    started = time.monotonic()
    files = generate(waiting, scale, sources=SOURCES, deliveries=2)
    generated = Measurement(time.monotonic() - started, _own_peak_mib(), {})
    lines, size = _lines(_sales(first)), _size(first)
    yield Step(scale, "generate, two deliveries", lines, _size(files), generated)
    yield Step(scale, "pyarrow alone: CSV to Parquet", lines, size, _pyarrow_alone(first, folder))

    _deliver(first, waiting, landing)
    yield Step(scale, "cold run", lines, size, lakehouse("run", home=home, landing=landing))
    yield Step(scale, "nothing new", lines, size, lakehouse("run", home=home, landing=landing))

    second = [file for file in files if file not in first]
    sales = [_sales(second)]
    _deliver(sales, waiting, landing)
    step = lakehouse("run", home=home, landing=landing)
    yield Step(scale, "1 % new sales", _lines(sales[0]), _size(sales), step)

    extracts = [file for file in second if file not in sales]
    _deliver(extracts, waiting, landing)
    step = lakehouse("run", home=home, landing=landing)
    yield Step(scale, "new complete extracts", 0, _size(extracts), step)


def _pyarrow_alone(files: list[Path], folder: Path) -> Measurement:
    started = time.monotonic()
    for file in files:
        parquet.write_table(csv.read_csv(file), folder / f"{file.stem}.parquet")
    return Measurement(time.monotonic() - started, _own_peak_mib(), {})


def _deliver(files: list[Path], waiting: Path, landing: Path) -> None:
    for file in files:
        target = landing / file.relative_to(waiting)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _sales(files: list[Path]) -> Path:
    (sales,) = (file for file in files if file.name.startswith("sales_details"))
    return sales


def _lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines) - 1


def _size(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _own_peak_mib() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scales", type=float, nargs="+", default=[1, 10, 100])
    parser.add_argument("--folder", type=Path, help="where files and tables go while measuring")
    return parser.parse_args()


if __name__ == "__main__":
    main()
