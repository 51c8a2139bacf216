"""A dbt adapter: Sail answers queries, delta-rs writes tables, and the folders are the catalog.

`folders`, `sail` and `delta` serve without dbt, so importing this package does not import it.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Dbt's entry to the adapter, made when dbt asks for it."""
    if name != "Plugin":
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from dbt.adapters.base import AdapterPlugin
    from dbt.adapters.lakehouse.connections import LakehouseCredentials
    from dbt.adapters.lakehouse.impl import LakehouseAdapter
    from dbt.include.lakehouse import PACKAGE_PATH

    return AdapterPlugin(
        adapter=LakehouseAdapter,  # type: ignore[arg-type]
        credentials=LakehouseCredentials,
        include_path=PACKAGE_PATH,
        dependencies=["spark"],
    )
