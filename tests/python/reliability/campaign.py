"""A lakehouse that is disturbed and then run on, and how its tables differ from those of undisturbed runs."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..lakehouse.conftest import NO_DATA_TESTS, Contents, Lakehouse

_PATIENCE_SECONDS = 300


class Campaign:
    """A lakehouse as it is before the first delivery and after it, which is disturbed again and again."""

    def __init__(self, folder: Path, sources: tuple[str, ...], seed: int, **settings: str) -> None:
        self.chance = random.Random(os.environ.get("SOAK_SEED", seed))
        self.lakehouse = Lakehouse(folder, NO_DATA_TESTS | settings, sources=sources, scale=0.02)
        self.seconds = 0.0
        self._points: dict[tuple[object, ...], int] = {}
        self._expected: dict[int, Contents] = {}
        for number in (1, 2):
            self.lakehouse.deliver(number)
            started = time.monotonic()
            self.lakehouse.run(*self.lakehouse.run_arguments)
            self.seconds = max(self.seconds, time.monotonic() - started)
            self._expected[number] = self.lakehouse.everything()
            if number == 1:
                self.lakehouse.save()

    def prepare(self, number: int) -> None:
        """Have the tables from before a delivery, with its files waiting."""
        if number == 1:
            self.lakehouse.clear()
        else:
            self.lakehouse.go_back()
        self.lakehouse.deliver(number)

    def finish(self, number: int) -> Counter[str]:
        """Run on; rows that are missing or too many compared with an undisturbed run, by kind and table."""
        self.lakehouse.run(*self.lakehouse.run_arguments)
        return losses(self.lakehouse.everything(), self._expected[number])

    def points(self, number: int, *command: str) -> int:
        """How many points a command reaches when a delivery waits; the first time it runs to its end."""
        if (number, *command) not in self._points:
            self._points[number, *command] = self._count(*command)
        return self._points[number, *command]

    def _count(self, *command: str) -> int:
        names = self.lakehouse.folder / "points"
        names.unlink(missing_ok=True)
        with self.fault("count", 0, *command) as process:
            output, _ = process.communicate(timeout=_PATIENCE_SECONDS)
        assert process.returncode == 0, output
        return len(names.read_text().splitlines())

    @contextmanager
    def fault(self, action: str, at: int, *command: str) -> Iterator["subprocess.Popen[str]"]:
        """A command in a process of its own in which something happens at a point of it."""
        settings = dict(self.lakehouse.settings)
        self.lakehouse.settings["FAULT_POINTS"] = str(self.lakehouse.folder / "points")
        module = "tests.python.reliability.faults"
        try:
            yield self.lakehouse.start(sys.executable, "-m", module, action, str(at), *command)
        finally:
            self.lakehouse.settings = settings

    def kill_at(self, at: int, *command: str) -> bool:
        """Kill a command at a point of it; false when it ended before."""
        with self.fault("kill", at, *command) as process:
            process.communicate(timeout=_PATIENCE_SECONDS)
        return process.returncode == -signal.SIGKILL

    def kill_after(self, seconds: float, *command: str) -> bool:
        """Kill a command so many seconds after it began to write; false when it ended before."""
        process = self.lakehouse.start("lakehouse", *command)
        try:
            self._wait_for_lock(process)
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        return False

    def _wait_for_lock(self, process: "subprocess.Popen[str]") -> None:
        ends_at = time.monotonic() + _PATIENCE_SECONDS
        lock = self.lakehouse.home / ".lock"
        while process.poll() is None and lock.read_text() != str(process.pid):
            assert time.monotonic() < ends_at
            time.sleep(0.02)


def losses(found: Contents, expected: Contents) -> Counter[str]:
    """Rows that are missing or too many, by kind and table."""
    counts: Counter[str] = Counter()
    for name in found.keys() | expected.keys():
        if found.get(name) != expected.get(name):
            there, wanted = (
                Counter(map(str, tables[name].to_pylist())) if name in tables else Counter[str]()
                for tables in (found, expected)
            )
            counts[f"lost from {name}"] = (wanted - there).total()
            counts[f"doubled in {name}"] = (there - wanted).total()
    return +counts


@dataclass
class Tally:
    """What was tried, and what came of it."""

    tried: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, what: str, detail: str, found: Counter[str]) -> None:
        """Count a trial, and keep what it lost or doubled."""
        self.tried[what] += 1
        self.failures += [f"{what}, {detail}: {count} rows {kind}" for kind, count in found.items()]
        print(f"{what}, {detail}: {dict(found) or 'equal'}", flush=True)

    def close(self) -> None:
        """Print how often what was tried; fail where something was lost or doubled."""
        print("\n| what | tried |\n| --- | ---: |")
        for what, count in sorted(self.tried.items()):
            print(f"| {what} | {count} |")
        assert self.failures == []
