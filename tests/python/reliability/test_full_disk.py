"""A disk that runs full stops a run with a clear error and leaves the tables as they were."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sampledata import generate

from ..lakehouse.conftest import Lakehouse, differing
from .campaign import Campaign, Tally
from .faults import FILLER


@contextmanager
def small_disk(home: Path, megabytes: int) -> Iterator[None]:
    """Have a home on a disk of its own."""
    home.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(home)]
    mount = subprocess.run(command, capture_output=True, text=True)
    if mount.returncode != 0:
        pytest.skip(f"mounting a small disk needs rights that this user lacks: {mount.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_a_full_disk_is_named_and_nothing_is_half_done(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    with small_disk(lakehouse.home, 64):
        lakehouse.deliver(1)
        lakehouse.run("load", "--source", "crm")
        before = lakehouse.contents("bronze", "ops")
        large = next(file for file in generate(tmp_path / "large", 3, 1, ["crm"]) if "sales" in file.name)
        shutil.copy(large, lakehouse.landing / "crm" / "sales_details_large.csv")

        filler = lakehouse.home / FILLER
        for kilobytes_left in (1500, 500):
            _fill(filler, kilobytes_left)
            output = lakehouse.run("load", "--source", "crm", exit_code=1)
            assert "No space left on device" in output
            assert "Traceback" not in output
            assert differing(lakehouse.contents("bronze", "ops"), before) == []

        filler.unlink()
        lakehouse.run("load", "--source", "crm")
        assert lakehouse.value("select count(*) from bronze.crm_sales_details") == 195_000


def test_a_disk_that_fills_during_a_run_costs_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "home", 400):
        campaign, tally = Campaign(tmp_path, ("events",), seed=3), Tally()
        fill(campaign, tally)
        tally.close()


@pytest.mark.soak
def test_a_disk_that_fills_at_twenty_moments(tmp_path: Path) -> None:
    with small_disk(tmp_path / "home", 1000):
        campaign, tally = Campaign(tmp_path, (), seed=4), Tally()
        for _ in range(20):
            fill(campaign, tally)
        tally.close()


def fill(campaign: Campaign, tally: Tally) -> None:
    """Fill the disk at a point of a run, make room, and run on."""
    lakehouse = campaign.lakehouse
    campaign.prepare(2)
    points = campaign.points(2, *lakehouse.run_arguments)
    at = campaign.chance.randint(1, points)
    campaign.prepare(2)
    with campaign.fault("fill", at, *lakehouse.run_arguments) as process:
        output, _ = process.communicate()
    (lakehouse.home / FILLER).unlink()
    said = Counter[str]()
    if process.returncode != 1 or "No space left on device" not in output or "Traceback" in output:
        said[f"with exit code {process.returncode} and {output[-2000:]}"] = 1
    tally.add("full disk", f"at point {at} of {points}", campaign.finish(2) + said)


def _fill(file: Path, kilobytes_left: int) -> None:
    size = max(0, shutil.disk_usage(file.parent).free - kilobytes_left * 1000)
    with file.open("ab") as filler:
        filler.write(bytes(size))
