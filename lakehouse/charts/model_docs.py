"""What the models' YAML says about a table: its meaning and the units of its columns."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

# A longer sentence belongs into the docs, not above a chart.
LONGEST_MEANING = 120


@dataclass(frozen=True)
class Model:
    """First sentence of the description, empty when it is long, and units such as USD by column."""

    meaning: str = ""
    units: dict[str, str] = field(default_factory=dict)


def read_models(folder: Path) -> dict[str, Model]:
    """Every model declared in `_*__models.yml` below `folder`, by name."""
    return {
        model["name"]: Model(_meaning(model), _units(model))
        for file in sorted(folder.rglob("_*__models.yml"))
        for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models") or []
    }


def _meaning(model: dict[str, Any]) -> str:
    sentence: str = " ".join(str(model.get("description") or "").split()).split(". ")[0].rstrip(".")
    return "" if not sentence or len(sentence) > LONGEST_MEANING or "{{" in sentence else f"{sentence}."


def _units(model: dict[str, Any]) -> dict[str, str]:
    # dbt takes `meta` below `config` and, from before version 1.10, beside it.
    metas = {
        column["name"]: (column.get("meta") or {}) | ((column.get("config") or {}).get("meta") or {})
        for column in model.get("columns") or []
    }
    return {name: str(meta["unit"]) for name, meta in metas.items() if "unit" in meta}
