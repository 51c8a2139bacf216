"""From `databricks.yml` to a workspace: read, check, compare, change."""
