"""What the last complete build of a target saw, so that the next run builds what is new since then."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dbt.adapters.lakehouse.log_files import is_whole_json

from ingestion.bronze import LOADS
from ingestion.tables.local import LocalTables
from lakehouse.engines.dbt import tables_built
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Models and tests that failed, and what was left out because of them.
_UNFINISHED = ("result:error+", "result:fail+", "result:skipped+")
_LOADED = "loaded.json"
_OF_DBT = ("manifest.json", "run_results.json")

Loaded = Mapping[str, str]


class LastBuild:
    """dbt's manifest and results of the last complete build, and what bronze held when it began.

    They are in `<home>/state/<target>`, where `dbt build --state` finds them, too.
    """

    def __init__(self, settings: Settings, target: str) -> None:
        self._target_path = settings.home / "target"
        self._folder = settings.home / "state" / target
        self._folders = settings.warehouse.folders

    def what_is_new(self, manifest: "Manifest", loaded: Loaded) -> list[str]:
        """Arguments for dbt that select what to build; none, where everything is to be built.

        That is what was modified, what depends on tables that got rows, what failed, and what is missing.
        """
        files = [self._folder / name for name in (*_OF_DBT, _LOADED)]
        if not all(file.is_file() and is_whole_json(file) for file in files):
            return []
        before: Loaded = json.loads((self._folder / _LOADED).read_text("utf-8"))
        grown = [f"source:{table}+" for table, state in loaded.items() if before.get(table) != state]
        existing, built = self._folders.tables(), tables_built(manifest).items()
        missing = [f"{manifest.nodes[node].name}+" for table, node in built if table not in existing]
        selected = ["state:modified+", *_UNFINISHED, *grown, *missing]
        return ["--select", *selected, "--state", str(self._folder)]

    def store(self, loaded: Loaded) -> None:
        """Keep what dbt wrote about the build that has just ended, and what bronze held when it began."""
        unfinished = self._folder.with_name(f"{self._folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for file in _OF_DBT:
            shutil.copyfile(self._target_path / file, unfinished / file)
        (unfinished / _LOADED).write_text(json.dumps(loaded))
        # Killed between these two, the next run builds everything.
        shutil.rmtree(self._folder, ignore_errors=True)
        unfinished.rename(self._folder)


def forget_builds(settings: Settings) -> None:
    """Have the next run build everything, as tables have changed without a build."""
    for build in (settings.home / "state").glob("*/"):
        shutil.rmtree(build)


def was_built(settings: Settings) -> bool:
    """Whether all models were built once, for any target, and not only those of some sources."""
    return any((settings.home / "state").glob("*/manifest.json"))


def full_refresh_mark(settings: Settings) -> Path:
    """A file that is there from when a contract's change is taken over until all models are built anew."""
    return settings.home / "state" / "full_refresh"


def loaded_until_now(settings: Settings) -> Loaded:
    """How much the load log says was loaded into each source table, by `source.table`."""
    tables = LocalTables(settings.warehouse.folders)
    if not tables.exists(LOADS):
        return {}
    rows = tables.select(
        LOADS,
        "select source, table_name, count(*) as loads, cast(max(_ingested_at) as varchar) as newest "
        "from {t} where status = 'loaded' group by source, table_name",
    )
    return {
        f"{row['source']}.{row['table_name']}": f"{row['loads']} loads until {row['newest']}"
        for row in rows.to_pylist()
    }
