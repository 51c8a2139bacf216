"""The job of sample data on AWS: its template, its schedule and its image."""

import re
import subprocess
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws

from tests.python import PROJECT

AWS = PROJECT / "deploy" / "aws"
TEMPLATE = AWS / "sample_data.yml"
REGION = "eu-central-1"
PARAMETERS = {
    "Image": f"123456789012.dkr.ecr.{REGION}.amazonaws.com/lakehouse@sha256:{'0' * 64}",
    "Repository": "lakehouse",
    "Bucket": "landing-zone",
    "Subnets": "subnet-1,subnet-2",
    "SecurityGroup": "sg-1",
    "Mail": "data@example.com",
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


def _function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    assert isinstance(node, yaml.ScalarNode)
    value = loader.construct_scalar(node)
    return {"Ref": value} if name == "Ref" else {f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _function)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    resources: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=_Loader)["Resources"]
    return resources


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    return [s for policy in role["Properties"]["Policies"] for s in policy["PolicyDocument"]["Statement"]]


def test_cfn_lint_finds_nothing() -> None:
    done = subprocess.run(["cfn-lint", str(TEMPLATE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_roles_may_do_little(resources: dict[str, Any]) -> None:
    roles = {name: r for name, r in resources.items() if r["Type"] == "AWS::IAM::Role"}
    assert roles.keys() == {"ExecutionRole", "TaskRole", "SchedulerRole"}
    for name, role in roles.items():
        (trusted,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trusted["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}, (
            name
        )
        for statement in statements(role):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any("*" in action for action in actions), name
            # This one knows no resource.
            assert statement["Resource"] != "*" or actions == ["ecr:GetAuthorizationToken"], name
    passed = [s for s in statements(roles["SchedulerRole"]) if s["Action"] == "iam:PassRole"]
    assert passed[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_the_container_writes_to_its_scratch_alone(resources: dict[str, Any]) -> None:
    (container,) = resources["Task"]["Properties"]["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True and container["User"] == "10001"
    assert [mount["ContainerPath"] for mount in container["MountPoints"]] == ["/tmp"]
    (script,) = container["Command"]
    assert re.findall(r"^lakehouse (\w+)", script, re.M) == ["generate", "upload"]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


@mock_aws
def test_the_schedule_is_one_that_the_scheduler_takes(resources: dict[str, Any]) -> None:
    schedule = resources["Schedule"]["Properties"]
    template = TEMPLATE.read_text()
    # What simulates AWS knows no schedules in templates: it gets this one by its interface.
    before, after = template.split("  Schedule:\n")
    stack = boto3.client("cloudformation", region_name=REGION)
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()]
    without = before + "  # Starts" + after.split("  # Starts", 1)[1]
    stack.create_stack(StackName="sample", TemplateBody=without, Parameters=parameters)  # type: ignore[arg-type]
    made = {
        r["LogicalResourceId"]: r["PhysicalResourceId"]
        for r in stack.describe_stack_resources(StackName="sample")["StackResources"]
        # Topic policies and alarms are unknown to it, too.
        if "LogicalResourceId" in r
    }
    arns = {
        "Cluster": boto3.client("ecs", region_name=REGION).list_clusters()["clusterArns"][0],
        "SchedulerRole": boto3.client("iam").get_role(RoleName=made["SchedulerRole"])["Role"]["Arn"],
        "NotStarted": f"arn:aws:sqs:{REGION}:123456789012:{made['NotStarted'].rsplit('/', 1)[1]}",
    }
    values = PARAMETERS | made | {"Begins": "cron(0 3 * * ? *)", "TimeZone": "UTC"}

    def resolved(value: Any) -> Any:
        match value:
            case {"Ref": "Subnets"}:
                return PARAMETERS["Subnets"].split(",")
            case {"Ref": name}:
                return values[name]
            case {"Fn::GetAtt": path}:
                return arns[path.removesuffix(".Arn")]
            case dict():
                return {key: resolved(inner) for key, inner in value.items()}
            case list():
                return [resolved(inner) for inner in value]
        return value

    scheduler = boto3.client("scheduler", region_name=REGION)
    scheduler.create_schedule(Name="sample-data", **_as_api(resolved(schedule)))
    stored = scheduler.get_schedule(Name="sample-data")
    target = stored["Target"]
    assert stored["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert target["Arn"] == arns["Cluster"] and target["RoleArn"] == arns["SchedulerRole"]
    assert target["EcsParameters"]["TaskDefinitionArn"] == made["Task"]
    definition = boto3.client("ecs", region_name=REGION).describe_task_definition(taskDefinition=made["Task"])
    (container,) = definition["taskDefinition"]["containerDefinitions"]
    assert container["image"] == PARAMETERS["Image"]
    assert {"name": "TO", "value": "s3://landing-zone/landing"} in container["environment"]


def _as_api(value: Any) -> Any:
    """Keys as the interface writes them, which differs from templates in one."""
    if isinstance(value, dict):
        return {key.replace("Awsvpc", "awsvpc"): _as_api(inner) for key, inner in value.items()}
    return value


def test_the_image_is_small_pinned_and_nobodys() -> None:
    text = (AWS / "Containerfile").read_text()
    lines = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line and not line.startswith("#")]
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert len(bases) == 3
    assert all(re.search(r":\d+\.\d+\.\d+|@sha256:", base) for base in bases), "a base image is not pinned"
    last = lines[max(i for i, line in enumerate(lines) if line.startswith("FROM")) :]
    assert "USER 10001" in last and last.index("USER 10001") > last.index("VOLUME /tmp")
    assert not any(re.search(r"SECRET|TOKEN|PASSWORD|KEY|\.env\b", line, re.I) for line in lines)
    assert not any(line.startswith("ADD") or "COPY . " in line for line in lines)
    installs = [line for line in lines if "uv sync" in line]
    assert installs and all("--frozen --no-dev" in line for line in installs)


def test_the_image_gets_only_what_it_copies() -> None:
    first, *kept = [
        line
        for line in (AWS / "Containerfile.dockerignore").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert first == "*"
    copied = {
        word
        for line in (AWS / "Containerfile").read_text().splitlines()
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert {line.removeprefix("!") for line in kept} == copied
