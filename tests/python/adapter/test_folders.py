from pathlib import Path

import boto3
import pyarrow as pa
import pytest
from dbt.adapters.lakehouse.delta import append, overwrite
from dbt.adapters.lakehouse.folders import Folders, _client
from dbt.adapters.lakehouse.sail import Sail
from moto.server import ThreadedMotoServer

ONE = pa.table({"id": [1]})


def test_tables_are_what_the_folders_hold(tmp_path: Path) -> None:
    folders = Folders(tmp_path, {"bronze": str(tmp_path / "raw")})
    assert folders.tables() == {}
    overwrite(folders.location("gold", "sales"), ONE)
    overwrite(folders.location("bronze", "files"), ONE)
    assert folders.tables() == {
        "bronze.files": str(tmp_path / "raw/files"),
        "gold.sales": str(tmp_path / "gold.db/sales"),
    }
    assert folders.schemas() == {"bronze", "gold"}


def test_the_case_of_a_name_does_not_matter(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    overwrite(folders.location("Gold", "SALES"), ONE)
    assert folders.exists("gold", "sales") and folders.exists("GOLD", "Sales")
    assert list(folders.tables()) == ["gold.sales"]


def test_a_table_that_was_only_begun_does_not_exist_and_is_made_anew(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    location = folders.location("gold", "sales")
    Path(location, "_delta_log").mkdir(parents=True)
    Path(location, "_delta_log", "_commit_1.json.tmp").touch()
    assert not folders.exists("gold", "sales") and folders.tables() == {}
    assert folders.is_begun("gold", "sales") and not folders.is_begun("gold", "sale")
    append(location, ONE)
    assert folders.exists("gold", "sales")


def test_a_relative_root_does_not_move_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = Folders(Path("home"))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert folders.location("gold", "t") == str(tmp_path / "home/gold.db/t")


def test_a_schema_in_object_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(port=0)
    server.start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.get_host_and_port()[1]}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    _client.cache_clear()
    boto3.client("s3").create_bucket(Bucket="lake")
    # A caller may have put the environment back since the last one.
    for _ in range(2):
        monkeypatch.delenv("AWS_ALLOW_HTTP", raising=False)
        folders = Folders(tmp_path, {"bronze": "s3://lake/raw"})
    assert not folders.exists("bronze", "files")
    append(folders.location("bronze", "files"), ONE)
    assert folders.tables() == {"bronze.files": "s3://lake/raw/files"}
    assert folders.is_begun("bronze", "files") and not folders.is_begun("bronze", "file")
    sail = Sail(folders)
    assert sail.table("bronze.files").count() == 1
    sail.close()
    _client.cache_clear()
    server.stop()
