"""What the live benchmarks measure of the engine itself, through its public handle."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import psutil
import zmq

from algosim import Simulation, evaluate
from algosim.config import Model, Schedule
from algosim.core.market import Market
from algosim.live.connection import find_connection
from algosim.live.sockets import Security, connect, make
from algosim.live.wire import TickMessage

if TYPE_CHECKING:
    from algosim.runs.recording import Recording

SEED = 42
CROSSOVER = Path(__file__).parents[2] / "strategies" / "sma_crossover"
WARM_TICKS = 100
PACE_MS = 5.0
REST_S = 0.004
TOGETHER_S = 0.000_15

ORDERS = """
import time

def on_tick(ctx, tick):
    ctx.plot("at", time.time())
    ctx.place_market_order("BUY", 1.0)
"""


def tick_times(n: int, dt_mean_ms: float = Schedule().dt_mean_ms) -> list[int]:
    """Return the times [ns] of the default market's first ticks, at this mean gap."""
    market = Market(Model(), Schedule(dt_mean_ms=dt_mean_ms), SEED)
    times: list[int] = []
    while len(times) < n:
        times += market.take(n - len(times)).time.tolist()
    return times


def rate(warm: int, ticks: int) -> float:
    """Return the engine's ticks per second at ``max`` with one strategy, after a warm-up."""
    with Simulation(CROSSOVER, seed=SEED, speed="max", ticks=warm + ticks) as market:
        market.wait(ticks=warm)
        begun = time.perf_counter()
        market.wait(ticks=warm + ticks)
        return ticks / (time.perf_counter() - begun)


class TickEar:
    """An observer of the tick stream; its queue has room for a whole benchmark."""

    def __init__(self, endpoint: str, security: Security) -> None:
        self._socket = make(zmq.Context.instance(), zmq.SUB, 0)
        self._socket.setsockopt_string(zmq.SUBSCRIBE, "X ")
        connect(self._socket, endpoint, security)

    def heard(self) -> dict[int, float]:
        """Return when each tick was published [s since 1970]."""
        decoder = msgspec.json.Decoder(TickMessage)
        times = {}
        while self._socket.poll(200):
            tick = decoder.decode(self._socket.recv().partition(b" ")[2])
            times[tick.seq] = tick.ts_wall * 1e-9
        self._socket.close()
        return times


class RoundTrips(NamedTuple):
    """Seconds from a tick's publication to the call that gets it, and to the call that sees it traded."""

    to_strategy: list[float]
    whole: list[float]


def round_trips(published: dict[int, float], called: dict[int, float]) -> RoundTrips:
    """Return the trips of ticks that met an engine at rest and had the next tick at their heels.

    At latency 0 an order of tick k fills at its price, and the strategy sees that when it is called for
    k + 1. Where k + 1 is published with k, nothing but the messages' way is between.
    """
    chosen = [
        n
        for n, at in published.items()
        if {n - 1, n + 1} <= published.keys()
        and n > WARM_TICKS
        and at - published[n - 1] > REST_S
        and published[n + 1] - at < TOGETHER_S
    ]
    return RoundTrips(
        [called[n] - published[n] for n in chosen], [called[n + 1] - published[n] for n in chosen]
    )


def engine_round_trips(folder: Path, ticks: int) -> RoundTrips:
    """Return round trips at latency 0 of a strategy that orders at every tick, ticks paced as they come."""
    strategy = folder / "orders.py"
    strategy.write_text(ORDERS, encoding="utf-8")
    settings = {"execution.latency_ms": 0.0, "schedule.dt_mean_ms": PACE_MS}
    with Simulation(strategy, seed=SEED, ticks=ticks, settings=settings) as market:
        found = find_connection(market.run_id)
        security = Security(curve=True, own=found.observer, server_public=found.server_public)
        ear = TickEar(found.endpoints["ticks_pub"], security)
        market.wait()
        return round_trips(ear.heard(), _calls(market.recording))


def _calls(recording: Recording) -> dict[int, float]:
    """Return when the strategy was called for each tick; its orders must have filled at the next one."""
    filled = {fill.seq for fill in recording.fills}
    last = len(recording)
    late = [order.seq for order in recording.orders if order.seq < last and order.seq + 1 not in filled]
    if late:
        msg = f"orders of ticks {late} did not fill at the next tick"
        raise AssertionError(msg)
    return {plot.seq: at for plot in recording.plots if (at := plot.values["at"]) is not None}


class Rest(NamedTuple):
    """A market's processes at its default speed: memory in MB, CPU as a fraction of one core."""

    processes: int
    rss: float
    pss: float
    uss: float
    cpu: float


def at_rest(seconds: float) -> Rest:
    """Look at the processes of a market that runs at its default speed."""
    with Simulation(CROSSOVER, seed=SEED) as market:
        market.wait(ticks=5)
        market.recording  # noqa: B018  (reads what is there, so that nothing is left to read below)
        me = psutil.Process()
        family = [child for child in me.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
        time.sleep(1.0)
        before = _cpu(family)
        time.sleep(seconds)
        used = (_cpu(family) - before) / seconds
        memory = [process.memory_full_info() for process in family]
        return Rest(
            len(family),
            sum(each.rss for each in memory) / 1e6,
            sum(getattr(each, "pss", 0) for each in memory) / 1e6,
            sum(each.uss for each in memory) / 1e6,
            used,
        )


def _cpu(family: list[psutil.Process]) -> float:
    return float(sum(sum(process.cpu_times()[:2]) for process in family))


class Times(NamedTuple):
    """Seconds of wall time: ``start()`` to the first tick done, a worker's replacement, ``stop()``."""

    first_tick: float
    worker: float
    stop: float


def start_and_stop() -> Times:
    """Start a market, give its strategy another parameter (a fresh worker imports it), stop."""
    market = Simulation(CROSSOVER, seed=SEED, speed="max")
    begun = time.perf_counter()
    market.start().wait(ticks=1)
    ticked = time.perf_counter()
    market.pause()
    paused = time.perf_counter()
    market.set(id="sma_crossover", fast=10)
    replaced = time.perf_counter()
    market.stop()
    return Times(ticked - begun, replaced - paused, time.perf_counter() - replaced)


def nothing_lost(ticks: int) -> bool:
    """Return whether a live run at ``max`` has the digest of the same run computed headless."""
    with Simulation(CROSSOVER, seed=SEED, speed="max", ticks=ticks) as market:
        market.wait()
        live = market.stop()
    return len(live.recording) == ticks and live.digest == evaluate(CROSSOVER, seed=SEED, ticks=ticks).digest
