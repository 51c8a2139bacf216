"""Settings: where things are, and what is refused."""

from pathlib import Path

import pytest

from lakehouse.errors import UsageError
from lakehouse.settings import load_settings


def test_a_folder_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    settings = load_settings(
        LAKEHOUSE_HOME="../home", LAKEHOUSE_LANDING="../landing", LAKEHOUSE_BRONZE="../work/../bronze"
    )
    assert settings.home == tmp_path / "home"
    assert settings.landing == str(tmp_path / "landing")
    assert settings.bronze == str(tmp_path / "bronze")


def test_links_keep_their_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert load_settings(LAKEHOUSE_LANDING=str(tmp_path / "link")).landing == str(tmp_path / "link")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LAKEHOUSE_DRIVER_MEMORY", "lots", "'lots' is no amount of memory; give one such as 4g or 1500m"),
        ("LAKEHOUSE_DRIVER_MEMORY", "512m", "512m is too little for Spark; give at least 1024m"),
        ("LAKEHOUSE_WATERMARK", "soon", "'soon' is no duration; give one such as '30 seconds'"),
        ("LAKEHOUSE_KAFKA", "broker", "'broker' is not host:port"),
    ],
)
def test_a_wrong_setting_says_what_it_may_be(name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=r"See \.env\.example") as error:
        load_settings(**{name: value})
    assert f"{name}: {message}" in str(error.value)
