"""The flow of Kestra: what Kestra 2 takes, and what holds for every flow here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints

from ingestion.contracts import read_contracts
from tests.python import PROJECT

FLOWS = sorted((PROJECT / "deploy" / "kestra").glob("*.yml"))
Duration = Annotated[str, StringConstraints(pattern=r"PT(\d+[HMS])+")]
Name = Annotated[str, StringConstraints(pattern=r"[a-z][a-z0-9_]*")]
# A text that is looked up when the flow runs.
KeptElsewhere = Annotated[str, StringConstraints(pattern=r"^\{\{ (secret|kv)\('\w+'\) \}\}$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Retry(Strict):
    type: Literal["constant", "exponential", "random"]
    interval: Duration
    maxInterval: Duration
    maxAttempts: int


class Runner(Strict):
    type: Literal["io.kestra.plugin.scripts.runner.docker.Docker"]


class Commands(Strict):
    id: Name
    type: Literal["io.kestra.plugin.scripts.python.Commands"]
    containerImage: KeptElsewhere
    taskRunner: Runner
    env: dict[str, KeptElsewhere]
    commands: list[str]
    timeout: Duration
    retry: Retry


class Request(Strict):
    id: Name
    type: Literal["io.kestra.plugin.core.http.Request"]
    uri: KeptElsewhere
    method: Literal["POST"]
    contentType: Literal["application/json"]
    body: str
    timeout: Duration


class Schedule(Strict):
    id: Name
    type: Literal["io.kestra.plugin.core.trigger.Schedule"]
    cron: Annotated[str, StringConstraints(pattern=r"^(\S+ ){4}\S+$")]
    timezone: str


class Concurrency(Strict):
    limit: Literal[1]
    behavior: Literal["QUEUE"]


class Flow(Strict):
    id: Name
    namespace: Name
    description: str
    concurrency: Concurrency
    triggers: list[Schedule]
    tasks: list[Commands]
    errors: list[Request]


def flows() -> Iterator[tuple[Path, Flow]]:
    yield from ((file, Flow.model_validate(yaml.safe_load(file.read_text()))) for file in FLOWS)


def test_a_flow_has_what_kestra_knows_and_tells_of_errors() -> None:
    found = list(flows())
    assert found
    for file, flow in found:
        assert flow.id == file.stem and flow.triggers and flow.tasks and flow.errors
        ids = [task.id for task in [*flow.tasks, *flow.errors]]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "wrong", [{"pluginDefaults": []}, {"concurrency": {"limit": 2, "behavior": "QUEUE"}}]
)
def test_a_flow_of_another_kestra_is_found_out(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Flow.model_validate(yaml.safe_load(FLOWS[0].read_text()) | wrong)


def test_what_is_looked_up_is_what_the_head_lists() -> None:
    for file, _ in flows():
        text = file.read_text()
        head = "".join(line for line in text.splitlines() if line.startswith("#"))
        used = set(re.findall(r"(?:secret|kv)\('(\w+)'\)", text))
        assert {name for name in used if not re.search(rf"\b{name}\b", head)} == set()


def test_commands_are_those_of_the_project() -> None:
    sources = {table.source for table in read_contracts(PROJECT / "models") if table.arrives.extract}
    for _, flow in flows():
        extract, load = flow.tasks
        (command,) = extract.commands
        assert command.removeprefix("lakehouse extract ") in sources
        assert "LAKEHOUSE_LANDING" in extract.env
        (command,) = load.commands
        assert re.fullmatch(
            r"lakehouse trigger \w+ --target prod --wait --idempotency-token \{\{ execution\.id \}\}", command
        )
