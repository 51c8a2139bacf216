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
