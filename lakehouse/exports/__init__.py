"""Gold as files for other programs."""

from typing import Literal

Kind = Literal["powerbi", "clickhouse", "metric-views"]
