"""What is uploaded: the dbt project's files and the wheel, below folders that are named by their content."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from lakehouse.errors import LakehouseError, UsageError

_AT_THE_ROOT = (
    "dbt_project.yml",
    "profiles.yml",
    "selectors.yml",
    "packages.yml",
    "dependencies.yml",
    "alerts.yml",
)
_SUFFIXES = {".sql", ".yml", ".yaml", ".csv", ".md"}
_BUILD_SECONDS = 300


@dataclass(frozen=True)
class Files:
    """Files by their names in the folder to which they are uploaded."""

    contents: dict[str, bytes]

    @cached_property
    def version(self) -> str:
        """The same for the same files, and no other."""
        digest = hashlib.sha256()
        for name, content in sorted(self.contents.items()):
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]


def project_files(project: Path) -> Files:
    """What dbt and ingestion read of a project; nothing hidden, so no `.env`."""
    declared = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    folders = [folder for name, paths in declared.items() if name.endswith("-paths") for folder in paths]
    found = [file for folder in folders for file in (project / folder).rglob("*") if file.suffix in _SUFFIXES]
    files = [*found, *(project / name for name in _AT_THE_ROOT)]
    names = {file: file.relative_to(project) for file in files if file.is_file()}
    return Files(
        {
            name.as_posix(): file.read_bytes()
            for file, name in names.items()
            if not any(part.startswith(".") for part in name.parts)
        }
    )


def wheel_file(wheel: Path) -> Files:
    """A wheel.

    Raises:
        UsageError: there is none.
    """
    if wheel.suffix != ".whl" or not wheel.is_file():
        raise UsageError(f"{wheel} is no wheel: build one with `uv build --wheel`, or leave out --wheel.")
    return Files({wheel.name: wheel.read_bytes()})


def build_wheel(project: Path, out: Path) -> Path:
    """Build the wheel of a project into the folder `out`; the same code gives the same bytes.

    Raises:
        UsageError: there is no uv.
        LakehouseError: it cannot be built.
    """
    command = [find_uv(project), "build", "--wheel", "--quiet", "--out-dir", str(out), str(project)]
    try:
        built = subprocess.run(command, capture_output=True, text=True, timeout=_BUILD_SECONDS)
    except OSError:
        raise UsageError("There is no uv to build the wheel: install it, or give --wheel.") from None
    except subprocess.TimeoutExpired:
        raise LakehouseError(
            "The wheel was not built in time: look at the network, or give --wheel."
        ) from None
    wheels = list(out.glob("*.whl"))
    if built.returncode != 0 or not wheels:
        raise LakehouseError(f"The wheel cannot be built: {built.stderr.strip()}")
    return wheels[0]


def find_uv(project: Path) -> str:
    """The uv of this machine, else that of `make setup`, which need not be there."""
    return shutil.which("uv") or str(project / ".cache/uv/bin/uv")
