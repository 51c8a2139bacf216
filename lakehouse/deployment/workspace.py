"""A workspace of Databricks: the few calls that a deployment makes, with errors in words."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from requests import RequestException

from lakehouse.deployment.bundle import Declared, User
from lakehouse.engines.dbt import check_answers
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from databricks.sdk.config import Config
    from databricks.sdk.core import ApiClient

# How long a call is repeated that was throttled or got no answer.
_PATIENCE_SECONDS = 120
_JOBS = "/api/2.2/jobs"
_CATALOG = "/api/2.1/unity-catalog"
_PAGE = 100


class Absent(LakehouseError):
    """What is asked for is not there."""


class Unanswered(LakehouseError):
    """A call got no answer in time, and may have been done."""


class Workspace:
    """Calls as one user.

    Raises, in every method:
        UsageError: the user is not let in, or may not do that.
        LakehouseError: it failed otherwise, or was not answered in time.
    """

    def __init__(self, settings: Settings) -> None:
        self._host = settings.databricks_host or "Databricks"
        if settings.databricks_host:
            check_answers(settings.databricks_host)
        self._config = _configuration(settings)
        self._api = self._client(_PATIENCE_SECONDS)
        # The SDK repeats what got no answer, a second later at the earliest. A job would be there twice.
        self._once = self._client(1)

    def user(self) -> User:
        """Who is let in."""
        return User(self._do("GET", "/api/2.0/preview/scim/v2/Me")["userName"])

    def jobs(self) -> list[Declared]:
        """All jobs that the user sees, with id, name and tags, without their tasks."""
        pages = self._pages(f"{_JOBS}/list", {"limit": _PAGE})
        return [job for page in pages for job in page.get("jobs", [])]

    def job(self, id: int) -> Declared:
        """The settings of a job."""
        first, *others = self._pages(f"{_JOBS}/get", {"job_id": id})
        settings: Declared = first["settings"]
        for page in others:
            for name, more in page["settings"].items():
                if isinstance(more, list):
                    settings[name] = [*settings.get(name, []), *more]
        return settings

    def create(self, settings: Declared) -> int:
        """Make a job; its id.

        Raises:
            Unanswered: it may be there.
        """
        return int(self._do("POST", f"{_JOBS}/create", body=settings, client=self._once)["job_id"])

    def reset(self, id: int, settings: Declared) -> None:
        """Give a job these settings, and no others."""
        self._do("POST", f"{_JOBS}/reset", body={"job_id": id, "new_settings": settings})

    def delete(self, id: int) -> None:
        """Remove a job, if it is there."""
        try:
            self._do("POST", f"{_JOBS}/delete", body={"job_id": id})
        except Absent:
            return

    def run(self, id: int, parameters: dict[str, str], token: str) -> int:
        """Start a job; the id of the run, which is the same for the same token."""
        body = {"job_id": id, "job_parameters": parameters, "idempotency_token": token}
        return int(self._do("POST", f"{_JOBS}/run-now", body=body)["run_id"])

    def run_state(self, id: int) -> Declared:
        """How far a run is: its state, and the page that shows it."""
        return self._do("GET", f"{_JOBS}/runs/get", query={"run_id": id})

    def has_file(self, path: str) -> bool:
        """Whether a file or folder is there."""
        try:
            self._do("GET", "/api/2.0/workspace/get-status", query={"path": path})
        except Absent:
            return False
        return True

    def make_folder(self, path: str) -> None:
        """Make a folder with those above it."""
        self._do("POST", "/api/2.0/workspace/mkdirs", body={"path": path})

    def upload(self, path: str, content: bytes) -> None:
        """Write a file, whose folder is there."""
        self._do(
            "POST",
            f"/api/2.0/workspace-files/import-file/{quote(path.lstrip('/'), safe='')}",
            query={"overwrite": "true"},
            data=content,
        )

    def remove(self, path: str) -> None:
        """Remove a folder with all that is in it, if it is there."""
        try:
            self._do("POST", "/api/2.0/workspace/delete", body={"path": path, "recursive": True})
        except Absent:
            return

    def has(self, kind: str, name: str) -> bool:
        """Whether a catalog, schema or volume is there; `kind` is catalogs, schemas or volumes."""
        try:
            self._do("GET", f"{_CATALOG}/{kind}/{name}")
        except Absent:
            return False
        return True

    def make(self, kind: str, name: str, declared: Declared) -> None:
        """Make a schema or volume."""
        try:
            self._do("POST", f"{_CATALOG}/{kind}", body=declared)
        except LakehouseError:
            # The first attempt may have got no answer, and the second one then finds it there.
            if not self.has(kind, name):
                raise

    def privileges(self, kind: str, name: str) -> dict[str, set[str]]:
        """What principals may do with a schema or volume."""
        pages = self._pages(f"{_CATALOG}/permissions/{kind.rstrip('s')}/{name}", {})
        given = [grant for page in pages for grant in page.get("privilege_assignments", [])]
        return {grant["principal"]: set(grant["privileges"]) for grant in given}

    def grant(self, kind: str, name: str, principal: str, privileges: list[str]) -> None:
        """Let a principal do more."""
        changes = [{"principal": principal, "add": privileges}]
        self._do("PATCH", f"{_CATALOG}/permissions/{kind.rstrip('s')}/{name}", body={"changes": changes})

    def _client(self, patience: int) -> "ApiClient":
        """A client that repeats calls for so many seconds."""
        from databricks.sdk.core import ApiClient

        # A client keeps what its configuration says when it is made.
        self._config.retry_timeout_seconds = patience
        return ApiClient(self._config)

    def _pages(self, path: str, query: Declared) -> Iterator[Declared]:
        token = ""
        while True:
            page = self._do("GET", path, query={**query, **({"page_token": token} if token else {})})
            yield page
            if not (token := page.get("next_page_token", "")):
                return

    def _do(
        self,
        method: str,
        path: str,
        query: Declared | None = None,
        body: Declared | None = None,
        data: bytes | None = None,
        client: "ApiClient | None" = None,
    ) -> Declared:
        from databricks.sdk.errors.base import DatabricksError

        try:
            answer = (client or self._api).do(method, path, query=query, body=body, data=data)
            return cast(Declared, answer)
        except DatabricksError as error:
            raise self._explained(error, f"{method} {path}") from error
        except (TimeoutError, RequestException) as error:
            raise Unanswered(
                f"{self._host} does not answer {method} {path}: run the same command again; "
                "it goes on where it was stopped."
            ) from error

    def _explained(self, error: Any, call: str) -> LakehouseError:
        from databricks.sdk import errors

        match error:
            case errors.Unauthenticated():
                return UsageError(
                    f"{self._host} does not let this user in ({error}): "
                    "set DATABRICKS_TOKEN to a valid token, or log in anew."
                )
            case errors.PermissionDenied():
                return UsageError(f"{self._host} does not allow {call}: {error}. Ask for the permission.")
            case errors.NotFound():
                return Absent(f"{self._host}: {call}: {error}")
        return LakehouseError(
            f"{self._host}: {call}: {error}. Run the same command again; it goes on where it was stopped."
        )


def _configuration(settings: Settings) -> "Config":
    from databricks.sdk.config import Config

    # That a workspace says nothing of itself is no matter.
    logging.getLogger("databricks.sdk").setLevel(logging.ERROR)
    try:
        return Config(
            host=settings.databricks_host,
            token=settings.databricks_token,
            product="lakehouse",
        )
    except ValueError as error:
        said = str(error).partition(". Config")[0]
        raise UsageError(
            f"Databricks cannot be reached with these settings: {said}. Set DATABRICKS_HOST "
            "and DATABRICKS_TOKEN, or log in as its CLI does."
        ) from None
