"""dbt in this process, with the project's profile and the folders of a home."""

import itertools
import os
import ssl
from collections.abc import Callable, Collection, Sequence
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import yaml
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from lakehouse.engines.environment import export
from lakehouse.errors import UsageError
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

# For each of connecting, agreeing on keys, answering; together less than ten.
_PATIENCE_SECONDS = 3


def invoke(
    settings: Settings,
    arguments: Sequence[str],
    on_event: Callable[[Any], None] | None = None,
    manifest: "Manifest | None" = None,
) -> "dbtRunnerResult":
    """Run a command of dbt, which prints nothing; `on_event` gets the events of its log."""
    # Importing dbt takes seconds, which most commands can do without.
    from dbt.cli.main import dbtRunner

    export(settings)
    # Relative paths in the profile are below the project.
    os.chdir(settings.project)
    places = {
        "--project-dir": settings.project,
        "--profiles-dir": settings.project,
        # Two lakehouses may be built at once.
        "--target-path": settings.home / "target",
        "--log-path": settings.home / "logs",
    }
    options = [str(part) for option in places.items() for part in option]
    runner = dbtRunner(manifest=manifest, callbacks=[on_event] if on_event else [])
    result = runner.invoke(["--log-level", "none", *arguments, *options])
    # Of Ctrl-C dbt makes a result.
    if isinstance(result.exception, KeyboardInterrupt):
        raise KeyboardInterrupt
    return result


def read_project(settings: Settings, target: str) -> "Manifest":
    """Read the dbt project.

    Raises:
        UsageError: dbt does not understand it.
    """
    # A build or test that follows writes the manifest itself.
    parsed = invoke(settings, ["parse", "--no-write-json", "--target", target])
    if parsed.exception is not None:
        raise UsageError(f"dbt: {parsed.exception}")
    manifest: Manifest = parsed.result  # type: ignore[assignment]
    return manifest


def target_of(arguments: Sequence[str]) -> str:
    """The dbt target that `arguments` choose."""
    for option, value in itertools.pairwise(arguments):
        if option in ("--target", "-t"):
            return value
    return next((a.split("=", 1)[1] for a in arguments if a.startswith("--target=")), "local")


def check_target(target: str, settings: Settings) -> None:
    """Whether a target can be built, asked before anything is loaded for it.

    Raises:
        UsageError: `profiles.yml` does not have it, or it needs settings or an installation that are missing.
    """
    if target not in (outputs := profile_outputs(settings)):
        raise UsageError(f"There is no target '{target}'; use one of {', '.join(outputs)}.")
    if target == "spark":
        from lakehouse.engines.spark import require_spark

        require_spark(settings)
    if target == "databricks":
        needed = ("databricks_host", "databricks_http_path", "databricks_token")
        require_settings(settings, "The target databricks", *needed)
        check_answers(settings.databricks_host or "")


def require_settings(settings: Settings, what: str, *needed: str) -> None:
    """Make sure that settings have a value, for `what` needs them.

    Raises:
        UsageError: some have none; the message has their names.
    """
    if missing := [name.upper() for name in needed if not getattr(settings, name)]:
        raise UsageError(f"{what} needs {', '.join(missing)}. See .env.example.")


def check_answers(host: str) -> None:
    """Make sure that a server is there; what it says does not matter, but dbt would try for minutes."""
    try:
        urlopen(Request(f"https://{host}/", method="HEAD"), timeout=_PATIENCE_SECONDS).close()
    except (HTTPError, HTTPException):
        return
    except OSError as error:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, ssl.SSLError):
            raise UsageError(
                f"DATABRICKS_HOST {host} does not answer ({getattr(reason, 'strerror', None) or reason}): "
                "correct it, or look at network and proxy."
            ) from None


def profile_outputs(settings: Settings) -> dict[str, Any]:
    """Targets of `profiles.yml` by name.

    Raises:
        UsageError: it cannot be read; the message has the line or what is missing.
    """
    file = settings.project / "profiles.yml"
    try:
        outputs = yaml.safe_load(file.read_text(encoding="utf-8"))["lakehouse"]["outputs"]
        return {name: _rendered(output) for name, output in outputs.items()}
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.") from None
    except (yaml.YAMLError, TemplateError, UnicodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    except (KeyError, TypeError, AttributeError):
        raise UsageError(f"{file} has no `outputs` below `lakehouse`, or a target is empty.") from None


def _rendered(value: Any) -> Any:
    """What dbt makes of values of a profile: each is rendered by itself, whatever a variable holds."""
    if isinstance(value, dict):
        return {key: _rendered(inner) for key, inner in value.items()}
    if not isinstance(value, str):
        return value
    return _PROFILE.from_string(value).render(env_var=os.environ.get, var=lambda _, default=None: default)


_PROFILE = SandboxedEnvironment(undefined=StrictUndefined)


def tables_built(manifest: "Manifest") -> dict[str, str]:
    """Tables that dbt builds, by `schema.table`, with the unique id of their node."""
    kinds = ("model", "snapshot", "seed")
    nodes = (node for node in manifest.nodes.values() if node.resource_type in kinds)
    stored = (node for node in nodes if node.config.materialized != "ephemeral")
    return {f"{node.schema}.{node.alias}": node.unique_id for node in stored}


def tables_of_source(manifest: "Manifest", source: str) -> set[str]:
    """Tables of a source by `schema.table`: its own, and what is built of it and of no other source."""
    own = {f"{t.schema}.{t.identifier}" for t in manifest.sources.values() if t.source_name == source}
    built = tables_built(manifest).items()
    return own | {
        name for name, unique_id in built if sources_of(manifest, needed_by(manifest, unique_id)) == {source}
    }


def needed_by_sources(manifest: "Manifest", sources: Collection[str]) -> set[str]:
    """Unique ids of all nodes and source tables of which what depends on `sources` is built and tested."""
    kinds = ("model", "snapshot", "test")
    needs = [needed_by(manifest, id) for id, node in manifest.nodes.items() if node.resource_type in kinds]
    return {id for needed in needs if sources_of(manifest, needed) & set(sources) for id in needed}


def needed_by(manifest: "Manifest", unique_id: str) -> set[str]:
    """Unique ids of all nodes and source tables that a node depends on, directly or not."""
    needed: set[str] = set()
    waiting = [unique_id]
    while waiting:
        node = manifest.nodes.get(waiting.pop())
        parents = set(node.depends_on_nodes) - needed if node else set()
        needed |= parents
        waiting += parents
    return needed


def sources_of(manifest: "Manifest", unique_ids: Collection[str]) -> set[str]:
    """Names of the sources whose tables are among `unique_ids`."""
    return {manifest.sources[id].source_name for id in unique_ids if id in manifest.sources}
