"""The loops that headless runs are compared with, each timed in seconds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from algosim.config import Config
from algosim.core.desk import Books, Desk
from algosim.core.market import CHUNK, Market
from algosim.core.strategy import Runner
from algosim.core.ticks import shown
from algosim.runs.source import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from algosim.core.market import Ticks

__all__ = ["CROSSOVER", "SEED", "bare", "blocks", "orjson_alone"]

SEED = 42
CROSSOVER = Path(__file__).parents[2] / "strategies" / "sma_crossover"


def blocks(ticks: int) -> Iterator[tuple[Ticks, list[dict[str, Any]]]]:
    """Yield the default market in blocks, as arrays and as a strategy gets it."""
    config, before = Config(), 0
    market = Market(config.model, config.schedule, SEED)
    while market.seq < ticks:
        block = market.take(ticks - market.seq)
        yield block, list(shown(block, before, config.model, 0))
        before = market.time


def bare(ticks: int) -> float:
    """Call the shipped crossover's ``on_tick`` with ready-made ticks, and nothing else.

    Its ``ctx`` is a real one; what it orders is dropped.
    """
    desk = Desk(Books(0.0, 1e4), [], max_position=1e6, max_orders=CHUNK)
    runner = Runner(load(CROSSOVER, "strategy.py").hooks, desk, params={}, rng_seed=1, kept={})
    runner.start(0)
    on_tick, ctx = runner.hooks.on_tick, runner.ctx
    seconds = 0.0
    for _, ready in blocks(ticks):
        begun = time.perf_counter()
        for tick in ready:
            on_tick(ctx, tick)
        seconds += time.perf_counter() - begun
        desk.forget()
    return seconds


def orjson_alone(lines: Path, target: Path) -> float:
    """Write the events of a file again with orjson, from ready-made dicts, and nothing else."""
    seconds = 0.0
    with lines.open("rb") as source, target.open("wb") as file:
        while batch := source.readlines(1_000_000):
            events = [orjson.loads(line) for line in batch]
            begun = time.perf_counter()
            for event in events:
                file.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
            seconds += time.perf_counter() - begun
    return seconds
