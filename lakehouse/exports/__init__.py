"""Gold and pages as files for other programs."""

from typing import Literal

Kind = Literal["aibi", "powerbi", "clickhouse", "metric-views"]
