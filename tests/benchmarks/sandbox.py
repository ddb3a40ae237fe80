"""What the sandbox costs: the start of a worker with and without its layers, and a long headless run.

Run ``python tests/benchmarks/sandbox.py``. Both alternate, so that what else the machine does meets both.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from algosim import evaluate
from algosim.config import Limits
from algosim.live.pipe import Load
from algosim.live.workers import Worker

if TYPE_CHECKING:
    from algosim.sandbox.terms import Mode

STARTS = 20
TICKS = 500_000
RUNS = 5
QUIET = "def on_tick(ctx, tick):\n    pass\n"
MODES: tuple[Mode, ...] = ("standard", "trusted")


def start_ms(mode: Mode, place: Path) -> tuple[float, float]:
    """Return how long it takes until a worker has imported a strategy, and its CPU time (Linux) [ms]."""
    load = Load(str(place), "strategy.py", "1", {}, 1e6, 100, 65536)
    began = time.perf_counter()
    worker = Worker(load, msgspec.structs.replace(Limits(), sandbox=mode), str(place.parent))
    worker.ask(load, "import", 10.0, 30.0)
    while worker.reply() is None:
        worker.replies_soon()
    took = time.perf_counter() - began
    spent = Path(f"/proc/{worker.pid}/schedstat")
    used = int(spent.read_text().split()[0]) * 1e-9 if spent.exists() else float("nan")
    worker.end()
    return took * 1e3, used * 1e3


def run_us(mode: Mode, place: Path) -> float:
    """Return the CPU time that a tick of a long run takes in the strategy's process [us] (POSIX)."""
    before = os.times().children_user + os.times().children_system
    evaluate(place / "strategy.py", seed=1, ticks=TICKS, settings={"limits.sandbox": mode})
    return (os.times().children_user + os.times().children_system - before) / TICKS * 1e6


def compare(name: str, unit: str, times: dict[Mode, list[float]]) -> None:
    """Print medians and best, and what the layers add."""
    for mode, values in times.items():
        print(f"{name}, {mode}: median {statistics.median(values):.2f}, best {min(values):.2f} {unit}")
    pairs = [inside - outside for inside, outside in zip(*times.values(), strict=True)]
    print(f"{name}: the layers add {statistics.median(pairs):+.2f} {unit} (median of {len(pairs)} pairs)")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "code"
        place.mkdir()
        (place / "strategy.py").write_text(QUIET)
        starts: dict[Mode, list[float]] = {mode: [] for mode in MODES}
        busy: dict[Mode, list[float]] = {mode: [] for mode in MODES}
        for number in range(STARTS):
            for mode in MODES[:: -1 if number % 2 else 1]:
                took, used = start_ms(mode, place)
                starts[mode].append(took)
                busy[mode].append(used)
        compare("start of a worker", "ms", starts)
        compare("CPU time of that", "ms", busy)
        ticks: dict[Mode, list[float]] = {mode: [] for mode in MODES}
        for number in range(RUNS if "--starts" not in sys.argv else 0):
            for mode in MODES[:: -1 if number % 2 else 1]:
                ticks[mode].append(run_us(mode, place))
        if ticks["standard"]:
            compare("CPU time of a tick of evaluate", "us", ticks)


if __name__ == "__main__":
    main()
