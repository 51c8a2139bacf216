"""The SDK of Databricks: whether it is there, and secrets that a job takes through it."""

import base64
import os

from lakehouse.errors import UsageError


def require_sdk() -> None:
    """Make sure that the SDK of Databricks is there.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import databricks.sdk  # noqa: F401
    except ImportError:
        raise UsageError(
            "The SDK of Databricks is not installed: "
            "run `uv sync --extra local --extra databricks`, or `make spark`."
        ) from None


def export_secrets(scope: str) -> None:
    """Put the secrets of a scope, named as settings are, into the environment, which wins over them.

    Raises:
        UsageError: the scope cannot be read, or the SDK of Databricks is not installed.
    """
    require_sdk()
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.errors.base import DatabricksError

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
