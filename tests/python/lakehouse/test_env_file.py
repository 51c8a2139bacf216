"""The file `.env` and names of settings: what is wrong is said, with file and line."""

from pathlib import Path

import pytest

from lakehouse.env_file import read_env_file
from lakehouse.errors import UsageError
from lakehouse.settings import Settings, load_settings, wrong_in_environment
from tests.python import PROJECT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """`.env` of a project."""
    (tmp_path / "dbt_project.yml").touch()
    return tmp_path / ".env"


@pytest.mark.parametrize(
    "content",
    [
        b"LAKEHOUSE_HOME=somewhere",
        b"\xef\xbb\xbfLAKEHOUSE_HOME=somewhere\r\n",
        b"# where\n\nexport LAKEHOUSE_HOME='somewhere' # here\nAWS_REGION=x\nDATABRICKS_CLUSTER_ID=1\n",
        b'lakehouse_home = "somewhere"\nLAKEHOUSE_WATERMARK=\n',
    ],
)
def test_what_can_be_read(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    settings = load_settings(LAKEHOUSE_PROJECT=str(file.parent))
    assert settings.home == Path("somewhere").absolute()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("LAKEHOUSE_HOME=x".encode("utf-16"), r"line 1: this is not UTF-8\. Save"),
        ("LAKEHOUSE_HOME=x".encode("utf-16-le"), "line 1: this is UTF-16 or no text"),
        (b"A=1\nB=2\nLAKEHOUSE_HOME=caf\xe9\n", "line 3: this is not UTF-8"),
        (b"A=1\n\nLAKEHOUSE_HOME\n", "line 3: this is no NAME=value"),
        (b"A=1\n\n# a\nLAKEHOUSE_HOME='x\nB=2\n", "line 4: this is no NAME=value, or a quote is open"),
        (b"LAKEHOUSE_HOM=x\n", r"LAKEHOUSE_HOM is no setting; did you mean LAKEHOUSE_HOME\?"),
        (b"LAKE_HOUSE_HOME=x\n", r"did you mean LAKEHOUSE_HOME\?"),
        (b"DATABRICKS_HTTPPATH=x\n", r"did you mean DATABRICKS_HTTP_PATH\?"),
        (b"LAKEHOUSE_SPEED=x\n", r"LAKEHOUSE_SPEED is no setting; see \.env\.example"),
        (b"LAKEHOUSE_PROJECT=x\n", "set it in the environment"),
    ],
)
def test_what_cannot_is_an_error(file: Path, content: bytes, problem: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UsageError, match=problem) as error:
        load_settings(LAKEHOUSE_PROJECT=str(file.parent))
    assert str(error.value).startswith(str(file))


def test_a_folder_is_no_env_file(file: Path) -> None:
    file.mkdir()
    with pytest.raises(UsageError, match="Is a directory"):
        read_env_file(file)


def test_wrong_names_in_the_environment_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wrong_in_environment() == []
    for name in ("LAKEHOUSE_HOMES", "DATABRICKS_HOSTT", "DATABRICKS_AUTH_TYPE", "DATABRICKS_RUNTIME_VERSION"):
        monkeypatch.setenv(name, "x")
    assert wrong_in_environment() == [
        "DATABRICKS_HOSTT is no setting; did you mean DATABRICKS_HOST?",
        "LAKEHOUSE_HOMES is no setting; did you mean LAKEHOUSE_HOME?",
    ]


def test_every_setting_is_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text().splitlines()
    names = {line.removeprefix("#").split("=")[0] for line in example if "=" in line}
    settings = {str(field.validation_alias) for field in Settings.model_fields.values()}
    assert settings - names == {"LAKEHOUSE_PROJECT"}
