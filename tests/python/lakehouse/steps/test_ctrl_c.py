"""Ctrl-C ends every command within seconds, with its exit code and without processes that live on."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import psutil
import pytest

from ingestion.landing import s3
from ingestion.landing.local_file import PART_BYTES
from tests.python import PROJECT, hear_ctrl_c

from ..conftest import Lakehouse

_ENDLESS = "select sum(a.id * b.id) from range(1000000000) as a cross join range(1000000) as b"
_QUERY = ["query", _ENDLESS]
_STREAM = ["stream", "--trigger", "1 second"]
_UPLOAD = ["upload"]
_PATIENCE_SECONDS = 300

# Commands and the moments at which they are stopped.
_MOMENTS = [
    (_QUERY, "three seconds"),
    (["load"], "lock"),
    (["run"], "lock"),
    (["build"], "silver"),
    (_STREAM, "gold"),
    (_UPLOAD, "imports"),
    (_UPLOAD, "sending"),
]
_MORE_MOMENTS = [
    (_QUERY, "one second"),
    (_UPLOAD, "one second"),
    (_UPLOAD, "three seconds"),
    (["load"], "one second"),
    (["load"], "loading"),
    (["run"], "loading"),
    (["run"], "three seconds"),
    (["run"], "silver"),
    (["build"], "lock"),
    (["build"], "three seconds"),
    (_STREAM, "lock"),
    (_STREAM, "one second"),
    (_STREAM, "three seconds"),
]


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    lakehouse = Lakehouse(tmp_path_factory.mktemp("stopped"), sources=("events", "gym"), scale=0.1)
    lakehouse.deliver(1)
    lakehouse.run(*lakehouse.run_arguments)
    lakehouse.save()
    return lakehouse


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("command", "moment"),
    [*_MOMENTS, *(pytest.param(*moment, marks=pytest.mark.soak) for moment in _MORE_MOMENTS)],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_ctrl_c_ends_it(
    lakehouse: Lakehouse, command: list[str], moment: str, times: int, request: pytest.FixtureRequest
) -> None:
    lakehouse.go_back()
    if command == _UPLOAD:
        command = [*_UPLOAD, _large_folder(lakehouse), "--to", request.getfixturevalue("bucket")]
    if command[0] in ("load", "run"):
        lakehouse.clear()
        lakehouse.deliver(1)
    if command == _STREAM:
        lakehouse.deliver(2)
    sources = lakehouse.run_arguments[1:] if command[0] in ("load", "build", "run") else []
    process = lakehouse.start("lakehouse", *command, *sources)
    _wait_until(_moments(lakehouse, process, command[-1])[moment], process)

    pressed = time.monotonic()
    for _ in range(times):
        # A terminal sends it to all processes of a command.
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)
    output, _ = process.communicate(timeout=_PATIENCE_SECONDS)
    seconds = time.monotonic() - pressed
    assert process.returncode == 130, output
    # A stream brings to gold what was loaded.
    assert seconds < (20 if command == _STREAM else 10)
    assert output.endswith("Stopped. Run the same command again to go on.\n")
    assert "Traceback" not in output and "leaked" not in output
    _wait_until(lambda: not _lives(process.pid), process, seconds=10)


def test_ctrl_c_at_a_question_is_no_answer(lakehouse: Lakehouse) -> None:
    lakehouse.go_back()
    process = subprocess.Popen(
        ["lakehouse", "clean", "gym"],
        cwd=PROJECT,
        env=lakehouse.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=hear_ctrl_c,
    )
    assert process.stdout is not None
    asked = ""
    while "Remove these?" not in asked:
        asked += process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert lakehouse.table("bronze.gym_gym_logins").exists()


def _large_folder(lakehouse: Lakehouse) -> str:
    """A folder of which an upload takes some seconds."""
    folder = lakehouse.folder / "large"
    folder.mkdir(exist_ok=True)
    for number in range(60):
        with (folder / f"{number}.bin").open("wb") as file:
            file.truncate(PART_BYTES)
    return str(folder)


def _moments(
    lakehouse: Lakehouse, process: "subprocess.Popen[str]", bucket: str
) -> dict[str, Callable[[], bool]]:
    started = time.monotonic()

    def commits(schema: str) -> int:
        return len(list((lakehouse.home / "warehouse").glob(f"{schema}.db/*/_delta_log/*.json")))

    silver, gold = commits("silver"), commits("gold")
    return {
        "one second": lambda: time.monotonic() > started + 1,
        "three seconds": lambda: time.monotonic() > started + 3,
        "imports": lambda: any(
            "site-packages" in file.path for file in psutil.Process(process.pid).memory_maps()
        ),
        "sending": lambda: any(s3.list_objects(bucket)),
        "lock": lambda: _is_locked_by(lakehouse, process),
        "loading": lambda: lakehouse.table("bronze.events_events").exists(),
        "silver": lambda: commits("silver") > silver,
        "gold": lambda: commits("gold") > gold,
    }


def _is_locked_by(lakehouse: Lakehouse, process: "subprocess.Popen[str]") -> bool:
    return (lakehouse.home / ".lock").read_text() == str(process.pid)


def _lives(group: int) -> bool:
    """Whether there is a process of a group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_until(
    is_so: Callable[[], bool], process: "subprocess.Popen[str]", seconds: float = _PATIENCE_SECONDS
) -> None:
    ends_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends_at
        assert process.poll() in (None, 130), process.communicate()[0]
        time.sleep(0.05)
