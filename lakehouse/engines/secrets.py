"""Settings that a job on Databricks takes from a scope of secrets."""

import base64
import os

from lakehouse.errors import UsageError


def export_secrets(scope: str) -> None:
    """Put the secrets of a scope, named as settings are, into the environment, which wins over them.

    Raises:
        UsageError: the scope cannot be read, or the SDK of Databricks is not installed.
    """
    try:
        from databricks.sdk import WorkspaceClient
        from databricks.sdk.errors.base import DatabricksError
    except ImportError:
        raise UsageError("--secrets needs Databricks: run `uv sync --extra databricks`.") from None
    try:
        secrets = WorkspaceClient().secrets
        names = [secret.key for secret in secrets.list_secrets(scope) if secret.key]
        for name in names:
            if name not in os.environ:
                value = secrets.get_secret(scope, name).value or ""
                os.environ[name] = base64.b64decode(value).decode()
    except (DatabricksError, ValueError) as error:
        raise UsageError(
            f"The scope of secrets '{scope}' cannot be read: {error}. "
            "Make it, or let who runs this read it: `databricks secrets put-acl SCOPE PRINCIPAL READ`."
        ) from None
