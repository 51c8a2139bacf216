"""Prints a short-lived token of a workspace, which dbt needs: `python -m tools.databricks_token`.

The SDK finds out by its variables who asks. In a workflow of GitHub, the log shows *** for the token.
"""

import os
import sys

from databricks.sdk import WorkspaceClient


def main() -> int:
    """Print the token alone to standard output."""
    token = WorkspaceClient().config.oauth_token().access_token
    if os.environ.get("GITHUB_ACTIONS"):
        print(f"::add-mask::{token}", file=sys.stderr)
    print(token)
    return 0


if __name__ == "__main__":
    sys.exit(main())
