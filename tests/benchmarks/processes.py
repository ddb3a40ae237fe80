"""What headless runs cost as processes: their largest memory, and how long they take to start."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import psutil

__all__ = ["largest_memory", "wall"]

RUN = """
import sys
from algosim.runs.evaluate import evaluate
evaluate("sma_crossover", seed=42, ticks=int(sys.argv[1]), out=sys.argv[2] or None).metrics
"""


def wall(*arguments: str) -> float | None:
    """Return the seconds that ``python`` takes with these arguments, None where it fails."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    return time.perf_counter() - begun if done.returncode == 0 else None


def largest_memory(ticks: int, out: str) -> tuple[int, int]:
    """Return the largest resident memory of a run's process and of its strategy's [bytes]."""
    run = psutil.Popen([sys.executable, "-c", RUN, str(ticks), out])
    largest = {"run": 0, "strategy": 0}

    def look() -> None:
        while run.is_running() and run.status() != psutil.STATUS_ZOMBIE:
            for name, process in (("run", run), *(("strategy", child) for child in run.children())):
                largest[name] = max(largest[name], process.memory_info().rss)
            time.sleep(0.01)

    def keep_looking() -> None:
        while run.returncode is None:
            try:
                look()
            except psutil.NoSuchProcess:
                continue

    watcher = threading.Thread(target=keep_looking)
    watcher.start()
    run.wait()
    watcher.join()
    return largest["run"], largest["strategy"]
