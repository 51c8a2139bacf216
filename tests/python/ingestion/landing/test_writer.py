"""A file lands when it is complete, and not before."""

from pathlib import Path

import pytest

from ingestion.landing import s3
from ingestion.landing.writer import complete_file, write
from ingestion.landing.zone import list_folder


def test_a_file_is_shown_when_it_is_complete(tmp_path: Path) -> None:
    with complete_file(tmp_path / "crm" / "sales.csv") as partial:
        partial.write_text("id\n1\n")
        assert list_folder(str(tmp_path)).files == []
    (landed,) = list_folder(str(tmp_path)).files
    assert Path(landed.path).read_text() == "id\n1\n"


def test_nothing_is_left_of_a_file_that_was_not_written_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("before")
    with pytest.raises(ZeroDivisionError), complete_file(tmp_path / "sales.csv") as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


def test_an_object_is_never_written_over(bucket: str) -> None:
    write(f"{bucket}/crm/sales.csv", b"first")
    with pytest.raises(s3.ObjectExists):
        write(f"{bucket}/crm/sales.csv", b"second")
    (landed,) = list_folder(f"{bucket}/crm").files
    assert landed.open().read() == b"first"
    assert landed.is_unchanged()
