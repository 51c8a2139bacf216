"""What Spark needs is asked for before it starts."""

from pathlib import Path

import pytest

from lakehouse.engines.spark import require_spark
from lakehouse.errors import UsageError
from lakehouse.settings import load_settings

pytestmark = pytest.mark.spark


def test_memory_that_java_refuses_is_told_in_its_words() -> None:
    with pytest.raises(UsageError, match=r"LAKEHOUSE_DRIVER_MEMORY 2x.*Invalid maximum heap size: -Xmx2x"):
        require_spark(load_settings(LAKEHOUSE_DRIVER_MEMORY="2x"))
    require_spark(load_settings())


def test_a_java_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=f"JAVA_HOME {tmp_path}.*No such file"):
        require_spark(load_settings())


def test_a_java_that_is_too_old_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "bin/java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"Spark needs Java 17 or newer, and .* is 8: set JAVA_HOME"):
        require_spark(load_settings())


def test_jars_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run `make spark`"):
        require_spark(load_settings(LAKEHOUSE_JARS=str(tmp_path)))
    (tmp_path / "delta-spark_4.jar").touch()
    with pytest.raises(UsageError, match=r"\(LAKEHOUSE_JARS\) has no delta-storage, delta-kernel-api"):
        require_spark(load_settings(LAKEHOUSE_JARS=str(tmp_path)))
