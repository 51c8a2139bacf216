"""Starting a deployed job, and waiting for it."""

import time
import uuid

from lakehouse.deployment.bundle import Bundle
from lakehouse.deployment.deploy import Tell, deployed_jobs
from lakehouse.deployment.workspace import Workspace
from lakehouse.errors import LakehouseError, UsageError

# How often a run is looked at.
POLL_SECONDS = 15.0
_ENDED = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


def start(
    bundle: Bundle, key: str, parameters: dict[str, str], token: str | None, workspace: Workspace
) -> int:
    """Start a job; the id of its run. With a token that was used before, it is the run of that time.

    Raises:
        UsageError: there is no such job.
    """
    if key not in bundle.jobs:
        raise UsageError(f"There is no job '{key}'; use one of {', '.join(sorted(bundle.jobs))}.")
    job = deployed_jobs(bundle, workspace).get(key)
    if job is None:
        raise UsageError(f"{key} is not deployed: run `lakehouse deploy --target {bundle.target}` first.")
    # What is repeated for want of an answer starts nothing twice.
    return workspace.run(job["job_id"], parameters, token or uuid.uuid4().hex)


def wait(run: int, workspace: Workspace, tell: Tell) -> None:
    """Wait until a run has ended.

    Raises:
        LakehouseError: it did not succeed.
    """
    told = ""
    while True:
        found = workspace.run_state(run)
        state = found.get("state", {})
        now = state.get("life_cycle_state", "PENDING")
        if now != told:
            tell(f"Run {run}: {now.lower()}")
            told = now
        if now in _ENDED:
            break
        time.sleep(POLL_SECONDS)
    if state.get("result_state") != "SUCCESS":
        why = state.get("state_message") or "no reason is given"
        page = found.get("run_page_url", "the workspace")
        raise LakehouseError(f"Run {run} ended as {state.get('result_state') or now}: {why}. See {page}.")
