"""Settings: where things are, and what is refused."""

import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from pydantic import ByteSize, TypeAdapter

from ingestion.limits import DEFAULT
from lakehouse.errors import UsageError
from lakehouse.settings import load_settings
from tests.python import PROJECT


def test_a_folder_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("LAKEHOUSE_PROJECT", str(PROJECT))
    monkeypatch.chdir(tmp_path / "work")
    settings = load_settings(
        LAKEHOUSE_HOME="../home", LAKEHOUSE_LANDING="../landing", LAKEHOUSE_BRONZE="../work/../bronze"
    )
    assert settings.home == tmp_path / "home"
    assert settings.landing == str(tmp_path / "landing")
    assert settings.bronze == str(tmp_path / "bronze")


def test_the_project_is_found_from_a_folder_in_it_or_by_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PROJECT / "models" / "gold")
    assert load_settings().project == PROJECT
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"There is no dbt_project.yml in .*set LAKEHOUSE_PROJECT"):
        load_settings()
    assert load_settings(LAKEHOUSE_PROJECT=str(PROJECT)).models == PROJECT / "models"
    with pytest.raises(UsageError, match=r"\(LAKEHOUSE_PROJECT\) has no dbt_project.yml"):
        load_settings(LAKEHOUSE_PROJECT=str(tmp_path))


def test_links_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert load_settings(LAKEHOUSE_LANDING=str(tmp_path / "link")).landing == str(tmp_path / "link")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LAKEHOUSE_WATERMARK", "soon", "'soon' is no duration; give one such as '30 seconds'"),
        ("LAKEHOUSE_KAFKA", "broker", "'broker' is not host:port"),
        ("LAKEHOUSE_MAX_FILE_BYTES", "much", "could not parse value and unit from byte string"),
        ("LAKEHOUSE_MAX_RECORD_BYTES", "1GB", "Input should be less than or equal to 268435456"),
        ("LAKEHOUSE_MAX_COLUMNS", "0", "Input should be greater than 0"),
    ],
)
def test_a_wrong_setting_says_what_it_may_be(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=r"See \.env\.example") as error:
        load_settings(**{name: value})
    assert f"{name}: {message}" in str(error.value)


@pytest.mark.parametrize("servers", ["kafka", "http://kafka:9092", "kafka:0", "a:1,b", "kafka:99999"])
def test_malformed_servers_are_refused(servers: str) -> None:
    with pytest.raises(UsageError, match=r"LAKEHOUSE_KAFKA.*host:port"):
        load_settings(LAKEHOUSE_KAFKA=servers)


def test_several_servers_are_taken() -> None:
    assert load_settings(LAKEHOUSE_KAFKA="a.b:9092, 127.0.0.1:1").kafka == "a.b:9092,127.0.0.1:1"


def test_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().limits == DEFAULT
    given = {"LAKEHOUSE_MAX_FILE_BYTES": "2GB", "LAKEHOUSE_MAX_JSON_DEPTH": "20"}
    assert load_settings(**given).limits == replace(DEFAULT, file_bytes=2 * 10**9, json_depth=20)
    listed = (PROJECT / ".env.example").read_text()
    for name, value in asdict(DEFAULT).items():
        match = re.search(f"^#LAKEHOUSE_MAX_{name.upper()}=(.*)$", listed, re.MULTILINE)
        assert match and TypeAdapter(ByteSize).validate_python(match[1]) == value, name


@pytest.mark.parametrize("name", ["LAKEHOUSE_HOME", "LAKEHOUSE_LANDING", "LAKEHOUSE_BRONZE"])
@pytest.mark.parametrize("address", ["gs://a/b", "abfss://a@b/c", "hdfs://a:9000/b", "http://a/b", "dbfs:/a"])
def test_other_storage_is_refused_by_its_name(name: str, address: str) -> None:
    with pytest.raises(UsageError, match=f"{name}: {address.split(':')[0]}: is not supported.*give a folder"):
        load_settings(**{name: address})


def test_an_address_may_be_written_as_others_write_it(tmp_path: Path) -> None:
    settings = load_settings(
        LAKEHOUSE_HOME=f"file://{tmp_path}/home/",
        LAKEHOUSE_LANDING="s3a://a/b",
        LAKEHOUSE_BRONZE="S3N://a/c/",
    )
    assert (settings.home, settings.landing, settings.bronze) == (tmp_path / "home", "s3://a/b", "s3://a/c")
    with pytest.raises(UsageError, match="LAKEHOUSE_HOME: s3: is not supported"):
        load_settings(LAKEHOUSE_HOME="s3://a/b")


@pytest.mark.parametrize("name", ["a[b", "b]", "c%20d", "e|f", "g^h", "i\\j", "k\nl"])
def test_a_home_that_delta_cannot_write_to_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"(?s)LAKEHOUSE_HOME: .* cannot hold tables: its path has "):
        load_settings(LAKEHOUSE_HOME=str(tmp_path / name / "home"))
    with pytest.raises(UsageError, match=r"(?s)LAKEHOUSE_BRONZE: .* cannot hold tables"):
        load_settings(LAKEHOUSE_BRONZE=str(tmp_path / name))
    (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / name)
    with pytest.raises(UsageError, match="LAKEHOUSE_HOME"):
        load_settings(LAKEHOUSE_HOME=str(tmp_path / "link"))
    assert load_settings(LAKEHOUSE_LANDING=str(tmp_path / name)).landing == str(tmp_path / name)


@pytest.mark.parametrize(
    ("home", "problem"),
    [
        ("/tmp/" + "n" * 256, "File name too long"),
        ("/tmp/" + 18 * ("n" * 200 + "/"), "longer than"),
        ("~nobody-here/home", "no such user"),
        ("/etc/hostname", "is a file"),
    ],
)
def test_a_home_that_cannot_be_a_folder_is_refused(home: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"LAKEHOUSE_HOME: .*{problem}"):
        load_settings(LAKEHOUSE_HOME=home)


def test_a_place_that_is_not_utf8_is_refused() -> None:
    for name in ("LAKEHOUSE_HOME", "LAKEHOUSE_LANDING"):
        with pytest.raises(UsageError, match="not UTF-8"):
            load_settings(**{name: "/tmp/\udce4"})


def test_a_host_may_be_written_as_an_address() -> None:
    for host in ("dbc-1.cloud.databricks.com", "https://dbc-1.cloud.databricks.com/"):
        assert load_settings(DATABRICKS_HOST=host).databricks_host == "dbc-1.cloud.databricks.com"
    with pytest.raises(UsageError, match="DATABRICKS_HOST: 'http://a' is no host; give one such as"):
        load_settings(DATABRICKS_HOST="http://a")
