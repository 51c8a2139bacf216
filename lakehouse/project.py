"""Where the dbt project is."""

import os
from pathlib import Path

from lakehouse.errors import UsageError

_MARK = "dbt_project.yml"


def find_project(setting: str | None = None) -> Path:
    """The folder `setting`, else `LAKEHOUSE_PROJECT`, else the nearest from the working directory upward.

    Raises:
        UsageError: there is no `dbt_project.yml`.
    """
    setting = setting or os.environ.get("LAKEHOUSE_PROJECT")
    if setting:
        project = Path(setting).expanduser().absolute()
        if not (project / _MARK).is_file():
            raise UsageError(f"{project} (LAKEHOUSE_PROJECT) has no {_MARK}.")
        return project
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / _MARK).is_file():
            return folder
    raise UsageError(
        f"There is no {_MARK} in {here} or above: go to the project's folder, or set LAKEHOUSE_PROJECT to it."
    )
