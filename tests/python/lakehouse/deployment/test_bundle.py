"""How the files of a bundle are read, and what errors say of them."""

from pathlib import Path

import pytest

from lakehouse.deployment.bundle import Bundle, User, read_bundle
from lakehouse.errors import UsageError

ROOT = """
bundle: {name: shop}
include: ["jobs/*.yml"]
variables:
  catalog: {default: main}
  where: {default: "${var.catalog}.ops"}
  list: {default: [1, "${var.catalog}"]}
  needed: {description: Has no default.}
targets:
  dev:
    workspace: {root_path: "/Users/${workspace.current_user.userName}/${bundle.name}/${bundle.target}"}
    variables: {catalog: dev}
"""


def read(folder: Path, job: str, root: str = ROOT, **values: str) -> Bundle:
    (folder / "jobs").mkdir(exist_ok=True)
    (folder / "databricks.yml").write_text(root)
    (folder / "jobs" / "a.yml").write_text(f"resources:\n  jobs:\n    a:\n      name: a\n{job}")
    return read_bundle(folder, "dev", User("bob@example.com"), "v1", values)


def test_references_have_their_values(tmp_path: Path) -> None:
    job = """
      description: ${var.where} in ${workspace.file_path} {{job.parameters.x}}
      parameters: ${var.list}
    """
    bundle = read(tmp_path, job)
    assert bundle.root_path == "/Users/bob@example.com/shop/dev"
    assert (
        bundle.jobs["a"]["description"] == f"dev.ops in {bundle.root_path}/files/v1 {{{{job.parameters.x}}}}"
    )
    assert bundle.jobs["a"]["parameters"] == [1, "dev"]
    assert read(tmp_path, job, catalog="given").jobs["a"]["parameters"] == [1, "given"]


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("      description: ${var.nothing}", r"a.yml:5: \$\{var.nothing\} has no value: correct it"),
        ("\n      description: ${var.needed}", r"a.yml:6: .* has no value: set BUNDLE_VAR_needed"),
        ("      description: ${resources.jobs.a.id}", r"a.yml:5: \$\{resources.jobs.a.id\} has no value"),
        ("      description: a ${var.list}", r"a.yml:5: \$\{var.list\} is no text"),
        ("      description: ${resources.jobs.a.description}", "a.yml:5: .* leads back to itself"),
        ("      description: [", r"a.yml cannot be read: .*line 6"),
        ("    b:", "a.yml: jobs.b has no settings"),
        ("  pipelines: {}", "does not know pipelines in resources"),
    ],
)
def test_what_is_wrong_has_its_file_and_line(tmp_path: Path, job: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"(?s){message}"):
        read(tmp_path, job)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ("", "databricks.yml is no bundle"),
        (ROOT.replace("dev:", "test:"), "There is no target 'dev' in databricks.yml; use one of test"),
        (ROOT.replace("workspace: {", "workspace: {profile: x} #"), "dev has no root_path"),
        (ROOT + "sync: {}", "does not know sync in the bundle"),
        (ROOT + "resources: {jobs: {a: {name: b}}}", "a.yml: jobs.a is declared in another file, too"),
    ],
)
def test_what_is_wrong_at_the_root_is_said(tmp_path: Path, root: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(tmp_path, "", root)
