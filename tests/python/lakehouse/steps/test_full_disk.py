"""A disk that runs full stops a run with a clear error and leaves the tables as they were."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampledata import generate

from ..conftest import Lakehouse, differing


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Iterator[Lakehouse]:
    lakehouse = Lakehouse(tmp_path)
    lakehouse.home.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(lakehouse.home)]
    mount = subprocess.run(command, capture_output=True, text=True)
    if mount.returncode != 0:
        pytest.skip(f"mounting a small disk needs rights that this user lacks: {mount.stderr.strip()}")
    yield lakehouse
    subprocess.run(["umount", str(lakehouse.home)], check=True)


def test_a_full_disk_is_named_and_nothing_is_half_done(on_small_disk: Lakehouse, tmp_path: Path) -> None:
    on_small_disk.deliver(1)
    on_small_disk.run("load", "--source", "crm")
    before = on_small_disk.contents("bronze", "ops")
    large = next(file for file in generate(tmp_path / "large", 3, 1, ["crm"]) if "sales" in file.name)
    shutil.copy(large, on_small_disk.landing / "crm" / "sales_details_large.csv")

    filler = on_small_disk.home / "filler"
    for kilobytes_left in (1500, 500):
        _fill(filler, kilobytes_left)
        output = on_small_disk.run("load", "--source", "crm", exit_code=1)
        assert "No space left on device" in output
        assert "Traceback" not in output
        assert differing(on_small_disk.contents("bronze", "ops"), before) == []

    filler.unlink()
    on_small_disk.run("load", "--source", "crm")
    assert on_small_disk.value("select count(*) from bronze.crm_sales_details") == 195_000


def _fill(file: Path, kilobytes_left: int) -> None:
    size = max(0, shutil.disk_usage(file.parent).free - kilobytes_left * 1000)
    with file.open("ab") as filler:
        filler.write(bytes(size))
