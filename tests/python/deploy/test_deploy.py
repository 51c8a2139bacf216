"""`lakehouse deploy`, `destroy` and `trigger` against a workspace on loopback, which has its moods."""

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from lakehouse.settings import Settings
from tests.python import PROJECT
from tests.python.lakehouse.conftest import Lakehouse

from . import JOBS
from .workspace import ALICE, TOKEN, Fault, Workspace, serve

ROOT = f"/Workspace/Users/{ALICE}/.bundle/lakehouse/dev"
CREATE = "POST /api/2.2/jobs/create"
RESET = "POST /api/2.2/jobs/reset"


class Deployment:
    """A small project with the bundle of the real one, and a workspace for it."""

    def __init__(self, folder: Path, workspace: Workspace) -> None:
        self.workspace = workspace
        self.project = folder / "project"
        self.project.mkdir()
        for name in ("databricks.yml", "dbt_project.yml", "profiles.yml", "selectors.yml"):
            shutil.copyfile(PROJECT / name, self.project / name)
        shutil.copytree(PROJECT / "deploy" / "resources", self.project / "deploy" / "resources")
        (self.project / "models").mkdir()
        (self.project / "models" / "one.sql").write_text("select 1 as one")
        self.wheel = folder / "lakehouse-0.1.0-py3-none-any.whl"
        self.wheel.write_bytes(b"a wheel")
        self._lakehouse = Lakehouse(folder)
        self.settings = self._lakehouse.settings
        self.settings |= {
            "LAKEHOUSE_PROJECT": str(self.project),
            "DATABRICKS_HOST": workspace.address,
            "DATABRICKS_TOKEN": TOKEN,
            "DATABRICKS_CONFIG_FILE": str(folder / "none"),
            "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"),
            "BUNDLE_VAR_warehouse_id": "abc123",
            "BUNDLE_VAR_mail": "data@example.com",
        }

    def run(self, *arguments: str, exit_code: int = 0) -> str:
        return self._lakehouse.run(*arguments, exit_code=exit_code)

    def deploy(self, *arguments: str, exit_code: int = 0) -> str:
        return self.run(
            "deploy", "--target", "dev", "--wheel", str(self.wheel), *arguments, exit_code=exit_code
        )

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file of the project."""
        text = (self.project / name).read_text()
        assert old in text
        (self.project / name).write_text(text.replace(old, new))

    def refuses(self, message: str, *arguments: str, exit_code: int = 2) -> None:
        """A deployment ends with one error, before anything was changed."""
        output = self.deploy(*arguments, exit_code=exit_code)
        assert re.search(message, output), output
        assert output.count("Error: ") == 1
        assert self.workspace.changes == []


class _Clock:
    """The SDK waits for seconds before it tries again; here they are over at once."""

    def __init__(self) -> None:
        self._slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setattr("lakehouse.deployment.trigger.POLL_SECONDS", 0.01)
    clock = _Clock()
    monkeypatch.setattr("databricks.sdk.clock.RealClock.time", lambda _: clock.now())
    monkeypatch.setattr("databricks.sdk.clock.RealClock.sleep", lambda _, seconds: clock.sleep(seconds))
    with serve(tmp_path) as workspace:
        yield Deployment(tmp_path, workspace)


def test_a_deployment_makes_each_job_once_and_then_changes_nothing(deployment: Deployment) -> None:
    workspace = deployment.workspace
    deployment.deploy()
    assert sorted(job["tags"]["key"] for job in workspace.jobs.values()) == JOBS
    assert workspace.securables["schemas"] == {
        f"lakehouse_dev.{schema}" for schema in ("bronze", "silver", "gold", "snapshots", "ops")
    }
    assert workspace.grants["lakehouse_dev.gold"]["analysts"] == ["SELECT", "USE_SCHEMA"]
    (files,) = {path.partition("/files/")[2][:16] for path in workspace.files if "/files/" in path}
    assert workspace.files[f"{ROOT}/files/{files}/models/one.sql"] == b"select 1 as one"

    workspace.calls.clear()
    assert "0 to create, 0 to change, 0 to delete" in deployment.deploy()
    assert workspace.changes == []


def test_tasks_find_the_wheel_and_the_project_that_were_uploaded(deployment: Deployment) -> None:
    deployment.deploy()
    job = deployment.workspace.job("events")
    wheel, dbt = job["environments"][0]["spec"]["dependencies"]
    assert deployment.workspace.files[wheel] == b"a wheel"
    assert dbt.startswith("dbt-databricks")
    load, build = job["tasks"]
    project = load["python_wheel_task"]["parameters"][0].removeprefix("--project=")
    assert f"{project}/dbt_project.yml" in deployment.workspace.files
    assert build["dbt_task"]["project_directory"] == project
    assert job["run_as"] == {"user_name": ALICE}


def test_what_is_to_be_done_is_shown_and_not_done(deployment: Deployment) -> None:
    output = deployment.deploy("--dry-run")
    plan = json.loads(deployment.deploy("--dry-run", "--json"))
    assert deployment.workspace.changes == []
    assert [job["key"] for job in plan["jobs"]] == JOBS
    for job in plan["jobs"]:
        settings = job["settings"]
        assert f"+ {job['key']}: create '{settings['name']}'" in output
        for task in settings["tasks"]:
            assert f"task      {task['task_key']}" in output
        if "schedule" in settings:
            assert settings["schedule"]["quartz_cron_expression"] in output
    assert output.count("on failure: data@example.com") == len(JOBS)
    assert "0 23 14 ? * SUN UTC, paused" in output
    assert [f"process-data-{year}" in output for year in (2014, 2015, 2016)] == [True, True, False]


def test_without_a_workspace_a_dry_run_shows_what_would_be_made(deployment: Deployment) -> None:
    deployment.settings["DATABRICKS_HOST"] = ""
    output = deployment.deploy("--dry-run")
    assert "7 to create" in output and "set DATABRICKS_HOST" in output
    assert deployment.workspace.calls == []


def test_what_only_the_cli_makes_is_named_and_left_alone(deployment: Deployment) -> None:
    plan = json.loads(deployment.deploy("--dry-run", "--json"))
    left = plan["left_to_the_cli"]
    assert "executive" in left["dashboards"] and "stock_drops" in left["alerts"]
    assert left["apps"] == ["dashboard"]
    output = deployment.deploy()
    for kind, keys in left.items():
        assert f"{kind}, which `databricks bundle deploy` makes and this command does not: " in output
        assert all(key in output for key in keys)
    assert not [call for call in deployment.workspace.changes if re.search("/lakeview|/alerts", call)]


def test_another_schedule_changes_one_job(deployment: Deployment) -> None:
    deployment.deploy()
    deployment.edit("deploy/resources/events.yml", "0 23 14", "0 24 14")
    deployment.workspace.calls.clear()
    output = deployment.deploy()
    assert "schedule.quartz_cron_expression: '0 23 14 ? * SUN' -> '0 24 14 ? * SUN'" in output
    assert deployment.workspace.changes == [RESET]
    assert deployment.workspace.job("events")["schedule"]["quartz_cron_expression"] == "0 24 14 ? * SUN"


def test_what_was_changed_by_hand_is_taken_back(deployment: Deployment) -> None:
    deployment.deploy()
    job = deployment.workspace.job("events")
    job["email_notifications"]["on_success"] = ["bob@example.com"]
    job["tasks"][1]["timeout_seconds"] = 1
    deployment.workspace.grants["lakehouse_dev.gold"]["analysts"] = ["USE_SCHEMA"]
    output = deployment.deploy()
    assert "email_notifications.on_success.0: 'bob@example.com' -> none" in output
    assert "tasks.build.timeout_seconds: 1 -> 7200" in output
    assert "lakehouse_dev.gold: SELECT to analysts" in output
    assert deployment.workspace.job("events")["tasks"][1]["timeout_seconds"] == 7200


def test_another_version_of_the_project_is_uploaded_beside_the_one_before(deployment: Deployment) -> None:
    deployment.deploy()
    before = set(deployment.workspace.files)
    deployment.edit("models/one.sql", "select 1", "select 2")
    output = deployment.deploy()
    assert "5 to change" in output or "7 to change" in output
    assert before < set(deployment.workspace.files)


def test_job_clusters_of_the_cloud_make_no_difference(deployment: Deployment) -> None:
    events = "deploy/resources/events.yml"
    clusters = """environments: ${var.environments}
      job_clusters:
        - job_cluster_key: default
          new_cluster: {spark_version: 17.3.x-scala2.13, node_type_id: m6gd.large, num_workers: 1}
"""
    deployment.edit(events, "environments: ${var.environments}\n", clusters)
    deployment.edit(
        events,
        "          environment_key: default\n          max_retries: 2\n",
        "          job_cluster_key: default\n          libraries: [{whl: ../../dist/*.whl}]\n"
        "          max_retries: 2\n",
    )
    deployment.deploy()
    (library,) = deployment.workspace.job("events")["tasks"][0]["libraries"]
    assert deployment.workspace.files[library["whl"]] == b"a wheel"
    assert "0 to create, 0 to change" in deployment.deploy()


@pytest.mark.parametrize("status", [0, 429])
def test_calls_that_are_throttled_or_lose_their_answer_are_made_once_more(
    deployment: Deployment, status: int
) -> None:
    every = [".*jobs/list", ".*jobs/create", ".*import-file.*", ".*schemas", ".*permissions.*", ".*mkdirs"]
    deployment.workspace.faults = [Fault(calls, status, times=2) for calls in every]
    deployment.deploy()
    assert sorted(job["tags"]["key"] for job in deployment.workspace.jobs.values()) == JOBS
    assert "0 to create, 0 to change" in deployment.deploy()


def test_a_deployment_that_broke_off_is_completed_by_the_next(deployment: Deployment) -> None:
    deployment.workspace.faults = [Fault(CREATE, 500, after=3)]
    output = deployment.deploy(exit_code=1)
    assert "no, 500. Run the same command again" in output
    assert len(deployment.workspace.jobs) == 3
    deployment.deploy()
    assert sorted(job["tags"]["key"] for job in deployment.workspace.jobs.values()) == JOBS


def test_an_upload_that_broke_off_is_completed_by_the_next(deployment: Deployment) -> None:
    deployment.workspace.faults = [Fault(".*import-file.*one.sql", 500)]
    deployment.deploy(exit_code=1)
    assert deployment.workspace.jobs == {}
    deployment.deploy()
    assert any(path.endswith("models/one.sql") for path in deployment.workspace.files)


def test_a_job_that_was_deleted_comes_back(deployment: Deployment) -> None:
    deployment.deploy()
    workspace = deployment.workspace
    (id,) = (id for id, job in workspace.jobs.items() if job["tags"]["key"] == "gym")
    del workspace.jobs[id]
    assert "1 to create, 0 to change" in deployment.deploy()
    assert sorted(job["tags"]["key"] for job in workspace.jobs.values()) == JOBS


def test_a_job_that_the_files_no_longer_have_is_deleted(deployment: Deployment) -> None:
    deployment.workspace.jobs[7] = {"name": "somebody's", "tags": {}, "tasks": []}
    deployment.deploy()
    (deployment.project / "deploy/resources/gym.yml").unlink()
    assert "1 to delete" in deployment.deploy()
    keys = [job["tags"].get("key", "none") for job in deployment.workspace.jobs.values()]
    assert sorted(keys) == sorted({*JOBS, "none"} - {"gym"})


def test_a_job_of_the_same_name_is_left_alone(deployment: Deployment) -> None:
    deployment.workspace.jobs[7] = {"name": "[DEV alice] lakehouse events", "tasks": []}
    deployment.refuses("that of job 7, made by another hand.*Rename")


def test_two_jobs_that_say_to_be_the_same_are_refused(deployment: Deployment) -> None:
    deployment.deploy()
    deployment.workspace.jobs[999] = deployment.workspace.job("events")
    deployment.workspace.calls.clear()
    deployment.refuses(r"Two jobs say that they are events of dev: \d+ and 999")


def test_destroy_takes_back_what_was_deployed(deployment: Deployment) -> None:
    deployment.workspace.jobs[7] = {"name": "somebody's", "tags": {"managed_by": "lakehouse"}, "tasks": []}
    deployment.workspace.files["/Workspace/Users/bob/notes"] = b""
    deployment.deploy()
    with mock.patch("typer.prompt", return_value="prod"):
        assert "Nothing was deleted" in deployment.run("destroy", "--target", "dev", exit_code=1)
    assert len(deployment.workspace.jobs) == len(JOBS) + 1
    with mock.patch("typer.prompt", return_value="dev"):
        deployment.run("destroy", "--target", "dev")
    assert list(deployment.workspace.jobs) == [7]
    assert list(deployment.workspace.files) == ["/Workspace/Users/bob/notes"]
    deployment.run("destroy", "--target", "dev", "--yes")


def test_a_run_is_started_once_for_a_token_and_waited_for(deployment: Deployment) -> None:
    workspace = deployment.workspace
    command = ("trigger", "process_data_by_year", "--target", "dev", "--idempotency-token", "t1")
    assert "lakehouse deploy --target dev` first" in deployment.run(*command, exit_code=2)
    deployment.deploy()
    workspace.states = [
        {"state": {"life_cycle_state": "RUNNING"}},
        {"state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}},
    ]
    workspace.faults = [Fault(".*run-now", 0)]
    output = deployment.run(*command, "--parameter", "years=[2016]", "--wait")
    assert "Run 1000 of process_data_by_year" in output and "running" in output
    deployment.run(*command)
    (run,) = workspace.runs.values()
    assert run["job_parameters"] == {"years": "[2016]"}

    failed = {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": "a task failed"}
    workspace.states = [{"state": failed, "run_page_url": "https://run"}]
    output = deployment.run("trigger", "events", "--target", "dev", "--wait", exit_code=1)
    assert "ended as FAILED: a task failed. See https://run" in output
    assert "There is no job 'nothing'; use one of crm_erp, events" in deployment.run(
        "trigger", "nothing", "--target", "dev", exit_code=2
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("events.yml", "0 23 14 ? * SUN", "0 23 14 * * SUN", r"events\.yml:5: job events: .*needs one \?"),
        ("events.yml", "timezone_id: UTC", "timezone_id: CEST", "no time zone 'CEST'"),
        ("events.yml", "task_key: load}", "task_key: lode}", "build depends on lode, which is not there"),
        ("events.yml", "${var.home}", "${var.house}", r"events\.yml:\d+: \$\{var.house\} has no value"),
        ("events.yml", "queue:", "queueing:", "queueing.enabled is no field of jobs"),
    ],
)
def test_wrong_files_are_refused(deployment: Deployment, file: str, old: str, new: str, message: str) -> None:
    deployment.edit(f"deploy/resources/{file}", old, new)
    deployment.refuses(message)


def test_wrong_usage_is_refused(deployment: Deployment) -> None:
    deployment.refuses("There is no target 'test' in databricks.yml; use one of dev", "--target", "test")
    deployment.refuses("none.whl is no wheel", "--wheel", "none.whl")
    deployment.refuses(r"\$\{var.service_principal\} has no value: set BUNDLE_VAR_serv", "--target", "prod")
    del deployment.settings["BUNDLE_VAR_mail"]
    deployment.refuses(r"\$\{var.mail\} has no value: set BUNDLE_VAR_mail")


def test_a_workspace_that_does_not_let_in_is_named(deployment: Deployment) -> None:
    workspace = deployment.workspace
    workspace.securables["catalogs"].clear()
    deployment.refuses("There is no catalog lakehouse_dev")
    workspace.faults = [Fault(".*catalogs.*", 403)]
    deployment.refuses("does not allow GET /api/2.1/unity-catalog/catalogs/lakehouse_dev: no, 403")
    workspace.token = "dapi-another"
    deployment.refuses("The token is expired.*set DATABRICKS_TOKEN")
    workspace.faults = [Fault(".*Me", 0, times=999)]
    deployment.refuses("does not answer GET .*: run the same command again", exit_code=1)
    deployment.settings["DATABRICKS_TOKEN"] = ""
    deployment.refuses("cannot be reached with these settings: .*Set DATABRICKS_HOST")
    deployment.settings["DATABRICKS_HOST"] = "127.0.0.1:1"
    deployment.refuses("DATABRICKS_HOST 127.0.0.1:1 does not answer")


def test_a_service_principal_logs_in_with_its_secret(deployment: Deployment) -> None:
    deployment.settings |= {
        "DATABRICKS_TOKEN": "",
        "DATABRICKS_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
        "DATABRICKS_CLIENT_SECRET": "of-the-tests",
    }
    deployment.deploy()
    assert sorted(job["tags"]["key"] for job in deployment.workspace.jobs.values()) == JOBS


def test_settings_come_from_a_scope_of_secrets(deployment: Deployment) -> None:
    # Nobody listens there; that the command tries says that it has both settings.
    deployment.workspace.secrets = {"API_URL": "http://127.0.0.1:9", "API_KEY": "canary-4711"}
    extract = ["--secrets", "lakehouse", "extract", "transactions"]
    shutil.copytree(PROJECT / "models", deployment.project / "models", dirs_exist_ok=True)
    assert "API_URL" in deployment.run("extract", "transactions", exit_code=2)
    output = deployment.run(*extract, exit_code=1)
    assert "127.0.0.1" in output and "canary" not in output
    deployment.workspace.faults = [Fault(".*secrets/list", 403, times=9)]
    assert "scope of secrets 'lakehouse' cannot be read" in deployment.run(*extract, exit_code=2)


def test_without_the_sdk_it_is_said_how_to_get_it(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "databricks.sdk", None)
    deployment.refuses("not installed: run `uv sync --extra local --extra databricks`")


def test_no_secret_is_told(deployment: Deployment, tmp_path: Path) -> None:
    canary = "canary-0815"
    for name, setting in Settings.model_fields.items():
        if setting.annotation in (str, str | None) or "Secret" in str(setting.annotation):
            alias = str(setting.validation_alias)
            if name not in ("databricks_host", "watermark", "kafka", "bronze_setting", "landing_setting"):
                deployment.settings[alias] = canary
    (deployment.project / ".env").write_text(f"STRIPE_API_KEY={canary}\nAPI_KEY={canary}\n")
    deployment.workspace.token = canary
    output = deployment.deploy() + deployment.deploy("--json", "--dry-run")
    deployment.workspace.faults = [Fault(".*jobs/list", 500)]
    output += deployment.deploy(exit_code=1)
    bodies = b"".join([call.encode() + body for call, body in deployment.workspace.calls])
    assert canary not in output and canary.encode() not in bodies
    written = [file for file in tmp_path.rglob("*") if file.is_file() and file.name != ".env"]
    assert [file for file in written if canary.encode() in file.read_bytes()] == []
