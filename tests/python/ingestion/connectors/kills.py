"""Extractions that are killed at any moment."""

import random
import signal
import subprocess
import time
from collections.abc import Callable


def kill_at_moments(
    start: Callable[[], "subprocess.Popen[bytes]"], asked: Callable[[], int], kills: int, requests: int
) -> int:
    """Kill as many extractions, each a moment after one of its first requests; how many had not ended."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    moments, killed = random.Random(seed), 0
    for _ in range(kills):
        last = asked() + moments.randint(1, requests)
        victim = start()
        while asked() < last and victim.poll() is None:
            time.sleep(0.001)
        time.sleep(moments.uniform(0, 0.02))
        victim.kill()
        killed += victim.wait(60) == -signal.SIGKILL
    return killed
