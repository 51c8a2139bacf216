"""A dbt adapter: Sail answers queries, delta-rs writes tables, both in this process, and the folders are the catalog.

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
    from dbt.include import lakehouse

    return AdapterPlugin(
        adapter=LakehouseAdapter,  # type: ignore[arg-type]
        credentials=LakehouseCredentials,
        include_path=lakehouse.PACKAGE_PATH,
        dependencies=["spark"],
    )
