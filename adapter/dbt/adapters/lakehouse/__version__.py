"""The version that dbt shows."""

version = "1.0.0"
