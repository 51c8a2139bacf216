"""Languages, time zones and clocks of a machine make no difference to the tables."""

import shutil
from pathlib import Path

import pytest

from ..lakehouse.conftest import NO_DATA_TESTS, Contents, Lakehouse
from .campaign import Tally, losses

# The Turkish lower case of I is no i; the encoding of C is ASCII; Kiritimati is 14 hours ahead of UTC.
_SURROUNDINGS = (
    {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Europe/Istanbul"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Pacific/Kiritimati"},
    {"TZ": "America/St_Johns"},
    {"TZ": "Asia/Kathmandu", "LC_ALL": "de_DE.UTF-8"},
)
_CLOCKS = ("-1d", "+400d")


def contents_in(folder: Path, sources: tuple[str, ...], *first: str, **settings: str) -> Contents:
    """The tables after two deliveries in some surroundings; the first run is one of the command `first`."""
    lakehouse = Lakehouse(folder, NO_DATA_TESTS | settings, sources, scale=0.02)
    # The landing zone has the same name in all of them: ids of events are made of the names of files.
    lakehouse.settings["LAKEHOUSE_LANDING"] = str(folder.parent / "landing")
    shutil.rmtree(folder.parent / "landing", ignore_errors=True)
    for number in (1, 2):
        lakehouse.deliver(number)
        shutil.copytree(lakehouse.landing, folder.parent / "landing", dirs_exist_ok=True)
        lakehouse.run_apart(*(first if number == 1 else ()), "lakehouse", *lakehouse.run_arguments)
    return lakehouse.everything()


def test_turkish_and_ascii_make_no_difference(tmp_path: Path) -> None:
    expected = contents_in(tmp_path / "plain", ("crm", "events", "gym"))
    found = contents_in(tmp_path / "ascii", ("crm", "events", "gym"), **_SURROUNDINGS[1])
    assert losses(found, expected) == {}


@pytest.mark.soak
def test_no_language_zone_or_clock_makes_a_difference(tmp_path: Path) -> None:
    tally = Tally()
    expected = contents_in(tmp_path / "plain", ())
    for number, settings in enumerate(_SURROUNDINGS):
        found = contents_in(tmp_path / str(number), (), **settings)
        tally.add("language and time zone", str(settings), losses(found, expected))
    if not shutil.which("faketime"):
        pytest.skip("faketime, which changes what time a process thinks it is, is not installed")
    for clock in _CLOCKS:
        # The second delivery comes at the right time: a day after the first, or 400 days before it.
        found = contents_in(tmp_path / clock, (), "faketime", "-f", clock)
        tally.add("clock", clock, losses(found, expected))
    tally.close()
