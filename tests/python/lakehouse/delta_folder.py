"""Delta tables from Arrow, for tests that only read: no engine has to start."""

import json
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

_TYPES = {"int32": "integer", "int64": "long", "bool": "boolean", "date32[day]": "date"}


def write_table(warehouse: Path, name: str, table: pa.Table) -> None:
    """Write `schema.table` with one file and one commit."""
    schema, folder = name.split(".")
    place = warehouse / f"{schema}.db" / folder
    (place / "_delta_log").mkdir(parents=True)
    parquet.write_table(table, place / "part.parquet")
    actions = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": name,
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": [_field(f) for f in table.schema]}),
                "partitionColumns": [],
                "configuration": {},
            }
        },
        {
            "add": {
                "path": "part.parquet",
                "partitionValues": {},
                "size": (place / "part.parquet").stat().st_size,
                "modificationTime": 0,
                "dataChange": True,
            }
        },
    ]
    log = place / "_delta_log" / "00000000000000000000.json"
    log.write_text("\n".join(json.dumps(action) for action in actions))


def _field(field: pa.Field) -> dict[str, object]:
    kind = str(field.type)
    if kind.startswith("decimal"):
        delta = kind.replace("decimal128", "decimal").replace(" ", "")
    else:
        delta = "timestamp" if kind.startswith("timestamp") else _TYPES.get(kind, kind)
    return {"name": field.name, "type": delta, "nullable": True, "metadata": {}}
