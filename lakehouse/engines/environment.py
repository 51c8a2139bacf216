"""The environment variables that dbt's profile, boto3 and the processes started from here read."""

import os

from lakehouse.env_file import read_env_file
from lakehouse.settings import Settings


def export(settings: Settings) -> None:
    """Put settings into the environment, and from `.env` what libraries read there themselves."""
    for name, value in read_env_file(settings.project / ".env").items():
        if name.startswith("AWS_") and value:
            os.environ.setdefault(name, value)
    exported = {
        "LAKEHOUSE_PROJECT": settings.project,
        "LAKEHOUSE_HOME": settings.home,
        "LAKEHOUSE_BRONZE": settings.bronze,
        "LAKEHOUSE_DRIVER_MEMORY": settings.driver_memory,
        "LAKEHOUSE_JARS": settings.jars,
        "LAKEHOUSE_DEBUG": settings.debug,
        "DATABRICKS_HOST": settings.databricks_host,
        "DATABRICKS_HTTP_PATH": settings.databricks_http_path,
        "DATABRICKS_TOKEN": settings.databricks_token,
        "DATABRICKS_CATALOG": settings.databricks_catalog,
        "DATABRICKS_SCHEMA": settings.databricks_schema,
    }
    os.environ.update({name: str(value) for name, value in exported.items() if value is not None})
