"""A real PostgreSQL as a process of its own, for tests and benchmarks.

    with postgres_server(folder) as url:
        ...  # psycopg.connect(url)

Its data lie in `folder`, and nothing outlasts it. Started as root, it runs as the user `postgres`.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "canary-9c2e"
_INSTALLED = "/usr/lib/postgresql"
_OPTIONS = ["listen_addresses=127.0.0.1", "fsync=off", "unix_socket_directories=", "max_connections=20"]


def postgres_programs() -> Path | None:
    """The folder of initdb and pg_ctl of the newest version; null where PostgreSQL is not installed."""
    versions = sorted(Path(_INSTALLED).glob("*/bin"), key=lambda found: float(found.parent.name))
    on_path = shutil.which("initdb")
    return versions[-1] if versions else Path(on_path).parent if on_path else None


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Start a server on a free port of 127.0.0.1; yields the URL of its database.

    Raises:
        RuntimeError: it is not installed, or did not start.
    """
    programs = postgres_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL is not installed")
    password, data = folder / "password", folder / "data"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (folder, password):
            shutil.chown(path, "postgres")
        # Folders of tests are closed to other users; with several processes there is one more.
        for parent in folder.parents:
            if parent.parent.is_relative_to(tempfile.gettempdir()):
                parent.chmod(0o755)
    _run(
        [programs / "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", f"--pwfile={password}"],
        folder,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = " ".join(f"-c {option}" for option in [*_OPTIONS, f"port={port}"])
    _run([programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start"], folder)
    try:
        yield f"postgresql://owner:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        _run([programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], folder)


def _run(command: Sequence[str | Path], folder: Path) -> None:
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command, cwd=folder, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr}")
