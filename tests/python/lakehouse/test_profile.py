"""Targets of `profiles.yml`, whose templates run in a sandbox."""

from pathlib import Path

import pytest

from lakehouse.engines.dbt import profile_outputs
from lakehouse.errors import UsageError
from lakehouse.settings import load_settings

_PROFILE = 'lakehouse: {outputs: {local: {schema: "%s"}}}'


def _outputs(template: str, tmp_path: Path) -> object:
    settings = load_settings().model_copy(update={"project": tmp_path})
    (tmp_path / "profiles.yml").write_text(_PROFILE % template)
    return profile_outputs(settings)


def test_templates_read_the_environment(tmp_path: Path) -> None:
    assert _outputs("{{ env_var('NO_SUCH', 'gold') }}", tmp_path) == {"local": {"schema": "gold"}}


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__.__mro__ }}", "{{ env_var.__self__.__class__ }}", "{{ env_var.__globals__ }}"],
)
def test_templates_reach_nothing_else(tmp_path: Path, template: str) -> None:
    with pytest.raises(UsageError, match=r"profiles\.yml cannot be read: access to attribute"):
        _outputs(template, tmp_path)
