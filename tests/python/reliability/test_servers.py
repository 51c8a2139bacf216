"""Object storage that fails in mid-call delays a run or stops it; nothing is lost or doubled."""

from pathlib import Path

import boto3
import pytest

from ..lakehouse.conftest import NO_DATA_TESTS, Contents, Lakehouse
from ..object_storage import s3_environment, s3_server, s3_variables
from .campaign import Tally, losses
from .flaky import WAYS, flaky

_PLACES = {"LAKEHOUSE_LANDING": "s3://lake/landing", "LAKEHOUSE_BRONZE": "s3://lake/bronze"}
_PATIENCE_SECONDS = 600


def storm(folder: Path, way: str | None) -> tuple[Contents, int]:
    """Upload, load and build through a server that fails in a way; the tables, and how often it was tried."""
    folder.mkdir()
    with s3_server(folder) as endpoint, s3_environment(endpoint), flaky(endpoint) as (address, proxy):
        boto3.Session().client("s3").create_bucket(Bucket="lake")
        settings = NO_DATA_TESTS | s3_variables(address) | _PLACES
        lakehouse = Lakehouse(folder, settings, ("events", "storefront"), scale=0.02)
        lakehouse.deliver(1)
        proxy.way = way
        tries = 0
        for command in (["upload", str(lakehouse.landing)], lakehouse.run_arguments):
            while problem := _problem(lakehouse, *command):
                tries += 1
                assert tries < 10, problem
        # A file whose download was cut off is logged as refused, and loaded the next time.
        return lakehouse.contents("snapshots", "silver", "gold"), tries


def _problem(lakehouse: Lakehouse, *command: str) -> str:
    """What a command says when it fails; nothing where it succeeds."""
    process = lakehouse.start("lakehouse", *command)
    output, _ = process.communicate(timeout=_PATIENCE_SECONDS)
    assert process.returncode in (0, 1), output
    assert "Traceback" not in output
    return output if process.returncode else ""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """Tables of a run through a server that never fails."""
    return storm(tmp_path_factory.mktemp("calm") / "home", None)[0]


def test_object_storage_that_cuts_answers_costs_nothing(tmp_path: Path, expected: Contents) -> None:
    found, _ = storm(tmp_path / "cut", "cut")
    assert losses(found, expected) == {}


@pytest.mark.soak
@pytest.mark.parametrize("way", [way for way in WAYS if way != "cut"])
def test_object_storage_that_fails_costs_nothing(tmp_path: Path, expected: Contents, way: str) -> None:
    tally = Tally()
    found, tries = storm(tmp_path / way, way)
    tally.add("object storage that fails", f"{way}, repeated {tries} times", losses(found, expected))
    tally.close()
