"""Run a command and measure it from outside."""

import os
import platform
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
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
    peak = _PeakMemory(process.pid)
    output, _ = process.communicate()
    seconds = time.monotonic() - started
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output}")
    phases = {name: float(value) for name, value in _PHASES.findall(output)}
    return Measurement(seconds, peak.stop(), phases)


class _PeakMemory:
    """Samples the memory of a process and its children until stopped."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Peak in MiB."""
        self._stopped.set()
        self._thread.join()
        return self._peak / 2**20

    def _sample(self) -> None:
        while not self._stopped.wait(_SAMPLE_SECONDS):
            self._peak = max(self._peak, self._resident())

    def _resident(self) -> int:
        total = 0
        try:
            for process in [self._process, *self._process.children(recursive=True)]:
                # Shared pages count once: a JVM that is about to start a command is there twice.
                total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            pass
        return total


def processor() -> str:
    """The processor's name, for reports."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
