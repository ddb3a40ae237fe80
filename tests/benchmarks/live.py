"""The live engine against a bare lock-step of the same messages: ``python -m tests.benchmarks.live``.

Arguments name parts: ``rate``, ``trip``, ``rest``, ``start``, ``lost``; without one, all. Engine and bare
runs take turns and medians of the same minutes are compared, as absolute figures depend on the machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from algosim.live.sockets import Security
from tests.benchmarks import engine
from tests.benchmarks.bare import BareRun

if TYPE_CHECKING:
    from collections.abc import Callable

WARM, TICKS, LATENCY_NS = 1_000, 10_000, 50_000_000
PACED_TICKS = 2_000
REPETITIONS = 5
REST_FOR_S = 20.0


class Row(NamedTuple):
    """One line of the table; `met` is None for what has no target."""

    what: str
    figure: str
    target: str = ""
    met: bool | None = None


def rate() -> list[Row]:
    """Ticks per second at ``max``, latency 50 ms, Poisson arrivals every 150 ms, one strategy."""
    times = engine.tick_times(WARM + TICKS)
    bare, full = [], []
    for _ in range(REPETITIONS):
        with BareRun(times, LATENCY_NS, warm=WARM) as run:
            bare.append(run.ticks_per_s())
        full.append(engine.rate(WARM, TICKS))
    ratio = median(full) / median(bare)
    return [
        Row("bare lock-step, ticks/s", _spread(bare)),
        Row("engine at max, ticks/s", _spread(full)),
        Row("engine / bare", f"{ratio:.2f}", ">= 0.5", ratio >= 0.5),
    ]


def trip() -> list[Row]:
    """Median round trip at latency 0, from a tick's publication to the call that sees its order filled."""
    times = engine.tick_times(PACED_TICKS, engine.PACE_MS)
    trips: dict[str, list[engine.RoundTrips]] = {"bare": [], "engine": []}
    for _ in range(REPETITIONS):
        with BareRun(times, 0, warm=1, paced=True) as run:
            own = run.plan.keys["observer"]
            security = Security(curve=True, own=own, server_public=run.plan.server.public)
            ear = engine.TickEar(run.plan.ports["ticks"], security)
            called = run.calls()
            trips["bare"].append(engine.round_trips(ear.heard(), called))
        trips["engine"].append(engine.engine_round_trips(Path.cwd(), PACED_TICKS))
    first = {who: [1e6 * median(each.to_strategy) for each in found] for who, found in trips.items()}
    whole = {who: [1e6 * median(each.whole) for each in found] for who, found in trips.items()}
    ratio = median(whole["engine"]) / median(whole["bare"])
    return [
        Row("bare tick -> strategy, p50 us", _spread(first["bare"])),
        Row("engine tick -> strategy, p50 us", _spread(first["engine"])),
        Row("bare tick -> order -> fill -> strategy, p50 us", _spread(whole["bare"])),
        Row("engine tick -> order -> fill -> strategy, p50 us", _spread(whole["engine"])),
        Row("engine / bare", f"{ratio:.2f}", "<= 1.5", ratio <= 1.5),
    ]


def rest() -> list[Row]:
    """Memory and CPU of one market with one strategy at the default speed."""
    found = engine.at_rest(REST_FOR_S)
    return [
        Row("processes", str(found.processes)),
        Row("RSS, sum, MB", f"{found.rss:.0f}", "<= 400", found.rss <= 400),
        Row("PSS / USS, sum, MB", f"{found.pss:.0f} / {found.uss:.0f}"),
        Row("CPU at default speed, % of a core", f"{100 * found.cpu:.1f}", "<= 5", found.cpu <= 0.05),
    ]


def start() -> list[Row]:
    """How long a market takes to start and to stop."""
    times = [engine.start_and_stop() for _ in range(REPETITIONS)]
    first = [each.first_tick for each in times]
    return [
        Row("start() to first tick, s", _spread(first, 2), "<= 1.5", median(first) <= 1.5),
        Row("a fresh worker, start to imported, s", _spread([each.worker for each in times], 2)),
        Row("stop(), s", _spread([each.stop for each in times], 2)),
    ]


def lost() -> list[Row]:
    """Whether a run at ``max`` over real processes is the run computed headless."""
    same = engine.nothing_lost(20_000)
    return [Row("20,000 ticks at max, digest as evaluate", "yes" if same else "no", "yes", same)]


PARTS: dict[str, Callable[[], list[Row]]] = {
    "rate": rate,
    "trip": trip,
    "rest": rest,
    "start": start,
    "lost": lost,
}


def _spread(values: list[float], digits: int = 0) -> str:
    """Return the median, and the range in brackets."""
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} ({low} to {high})"


def main(names: list[str]) -> int:
    """Measure, print a table, and return the number of targets missed."""
    missed = 0
    with tempfile.TemporaryDirectory(prefix="algosim-benchmark-") as folder:
        os.chdir(folder)
        for name in names or PARTS:
            for row in PARTS[name]():
                verdict = {None: "", True: "met", False: "MISSED"}[row.met]
                missed += row.met is False
                print(f"{name:6}  {row.what:50}  {row.figure:28}  {row.target:8}  {verdict}", flush=True)
        os.chdir("/")
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
