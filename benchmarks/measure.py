"""Run a command and measure it from outside."""

import contextlib
import os
import platform
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.2
_PHASES = re.compile(r"(Loaded|Built and tested) in ([\d.]+) s")


@dataclass(frozen=True)
class Measurement:
    """Wall-clock seconds, peak memory of the process tree in MiB, seconds by phase as printed."""

    seconds: float
    peak_mib: float
    phases: dict[str, float]


def lakehouse(*arguments: str, home: Path, landing: Path) -> Measurement:
    """Run `lakehouse ARGUMENTS` in a process of its own; raises when it fails."""
    command = [str(Path(sys.executable).parent / "lakehouse"), *arguments]
    places = {"LAKEHOUSE_HOME": str(home), "LAKEHOUSE_LANDING": str(landing)}
    return run(command, os.environ | places)


def run(command: list[str], environment: dict[str, str]) -> Measurement:
    """Run `command`; raises `RuntimeError` with its output when it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    memory = Memory(process.pid, _SAMPLE_SECONDS)
    output, _ = process.communicate()
    seconds = time.monotonic() - started
    memory.stop()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output}")
    phases = {name: float(value) for name, value in _PHASES.findall(output)}
    return Measurement(seconds, max(memory.samples, default=0), phases)


class Memory:
    """Memory of a process and its children in MiB, sampled every so many seconds until stopped."""

    def __init__(self, pid: int, interval: float) -> None:
        self.samples: list[float] = []
        self._process = psutil.Process(pid)
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more samples."""
        self._stopped.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stopped.wait(self._interval):
            # A child may end while it is asked.
            with contextlib.suppress(psutil.NoSuchProcess):
                family = [self._process, *self._process.children(recursive=True)]
                # Shared pages count once: a JVM that is about to start a command is there twice.
                self.samples.append(sum(process.memory_full_info().pss for process in family) / 2**20)


def machine() -> str:
    """Day, processor, memory, system and Python, for reports."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
