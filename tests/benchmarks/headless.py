"""Headless runs against bare loops: ``python -m tests.benchmarks.headless``.

Arguments name parts: ``rate``, ``files``, ``peer``, ``memory``, ``start``, ``parts``; without one, all run.
What is compared ran in turns in the same minutes, and the figures are medians: absolute ones depend on the
machine. A run uses two processes at once, a bare loop one: where others keep the machine busy, CPU times say
more than the clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from algosim.config import Config
from algosim.core.indicators import EMA, RSI, SMA, STD, Bollinger, Max, Min, ZScore
from algosim.core.market import Market
from algosim.runs.evaluate import evaluate
from tests.benchmarks.loops import CROSSOVER, SEED, bare, blocks, orjson_alone
from tests.benchmarks.peer import backtest
from tests.benchmarks.processes import largest_memory, wall
from tests.benchmarks.table import Row, at_least, at_most, show, spread, turns

Part = Callable[[int, int], list[Row]]

FEW, MANY = 100_000, 1_100_000
"""Ticks of the two runs whose memory is compared."""


class Runs:
    """Runs with broker, portfolio, digest, all metrics and their child process, and the CPU time they use."""

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks
        self.own: list[float] = []
        self.strategy: list[float] = []

    def seconds(self, out: Path | None = None) -> float:
        """Return how long one takes, with all files where it has a folder."""
        before, begun = os.times(), time.perf_counter()
        result = evaluate(CROSSOVER, seed=SEED, ticks=self.ticks, out=out)
        assert result.metrics  # and it is kept: to free it is not part of the run
        took, after = time.perf_counter() - begun, os.times()
        self.own.append(after.user + after.system - before.user - before.system)
        self.strategy.append(
            after.children_user + after.children_system - before.children_user - before.children_system
        )
        return took

    def row(self, what: str) -> Row:
        """Return what they used."""
        used = f"{median(self.own):.2f} + {median(self.strategy):.2f}"
        return Row(f"{what}, CPU s of its process and its strategy's", used)


def rate(ticks: int, repetitions: int) -> list[Row]:
    """A run without files against a bare loop over the same strategy."""
    runs = Runs(ticks)
    found = turns({"bare": partial(bare, ticks), "run": runs.seconds}, repetitions)
    return [
        Row("B: bare loop, ticks/s", _rates(found["bare"], ticks)),
        Row("evaluate, no files, ticks/s", _rates(found["run"], ticks)),
        runs.row("evaluate, no files"),
        at_least("evaluate / B", median(found["bare"]) / median(found["run"]), 0.35),
    ]


def files(ticks: int, repetitions: int) -> list[Row]:
    """A run with all files against one without and orjson alone, one after the other."""
    runs = Runs(ticks)
    with tempfile.TemporaryDirectory(prefix="algosim-benchmark-") as name:
        folder = Path(name)
        Runs(ticks).seconds(folder / "events")
        lines = folder / "events" / "events.jsonl"

        def with_files() -> float:
            seconds = runs.seconds(folder / "run")
            shutil.rmtree(folder / "run")
            return seconds

        cases = {
            "run": Runs(ticks).seconds,
            "files": with_files,
            "orjson": partial(orjson_alone, lines, folder / "again"),
        }
        found = turns(cases, repetitions)
        size = lines.stat().st_size / ticks
    serial = median(found["run"]) + median(found["orjson"])
    return [
        Row("evaluate, no files, ticks/s", _rates(found["run"], ticks)),
        Row(f"orjson alone, same events ({size:.0f} bytes a tick), ticks/s", _rates(found["orjson"], ticks)),
        Row("evaluate, all files, ticks/s", _rates(found["files"], ticks)),
        runs.row("evaluate, all files"),
        at_least("all files / (no files, then orjson)", serial / median(found["files"]), 0.8),
    ]


def peer(ticks: int, repetitions: int) -> list[Row]:
    """backtesting.py on the same ticks."""
    price = np.concatenate([block.price for block, _ in blocks(ticks)])
    found = turns({"peer": lambda: backtest(price)[0], "run": Runs(ticks).seconds}, repetitions)
    return [
        Row("backtesting.py, ticks/s", _rates(found["peer"], ticks)),
        Row("evaluate, no files, ticks/s", _rates(found["run"], ticks)),
        at_least("evaluate / backtesting.py", median(found["peer"]) / median(found["run"]), 5),
    ]


def memory(ticks: int, repetitions: int) -> list[Row]:
    """Memory that a million more ticks take, of the run's process and of its strategy's."""
    del ticks, repetitions
    rows = []
    with tempfile.TemporaryDirectory(prefix="algosim-benchmark-") as folder:
        for what, out in (("no files", ""), ("all files", folder)):
            few, many = largest_memory(FEW, out and f"{out}/few"), largest_memory(MANY, out and f"{out}/many")
            for name, low, high in zip(("run", "strategy"), few, many, strict=True):
                each = (high - low) / (MANY - FEW)
                rows.append(at_most(f"{what}: {name}'s process, bytes a tick", each, 200))
    return rows


def start(ticks: int, repetitions: int) -> list[Row]:
    """What it takes to start."""
    del ticks
    short = 'from algosim import evaluate; evaluate("sma_crossover", seed=1, ticks=100).metrics'
    cases = {
        "python": ("-c", "pass"),
        "import algosim": ("-c", "import algosim"),
        "sim --help": ("-m", "algosim", "--help"),
        "evaluate 100 ticks, in a fresh process": ("-c", short),
    }
    found = {name: [wall(*arguments) for _ in range(repetitions + 4)] for name, arguments in cases.items()}
    took = {name: [1e3 * each for each in walls if each is not None] for name, walls in found.items()}
    nothing = median(took["python"])
    targets = {"import algosim": 100, "sim --help": 300}
    rows = []
    for name, walls in took.items():
        if not walls:
            rows.append(Row(name, "does not run"))
        elif name == "import algosim":
            rows.append(at_most("import algosim, beyond python, ms", median(walls) - nothing, targets[name]))
        elif name in targets:
            rows.append(at_most(f"{name}, ms", median(walls), targets[name]))
        else:
            rows.append(Row(f"{name}, ms", spread(walls)))
    return rows


def parts(ticks: int, repetitions: int) -> list[Row]:
    """What a tick is made of."""
    price = np.concatenate([block.price for block, _ in blocks(min(ticks, 200_000))]).tolist()
    makers = [SMA, EMA, STD, ZScore, RSI, Bollinger, Min, Max]
    cases = {f"{maker.__name__}(50).update, ns": partial(_updates, maker, price) for maker in makers}
    cases["market, ns a tick"] = partial(_market, len(price))
    return [
        Row(name, spread([1e9 * each / len(price) for each in took]))
        for name, took in turns(cases, repetitions).items()
    ]


def _updates(maker: Callable[[int], SMA], price: list[float]) -> float:
    update = maker(50).update
    begun = time.perf_counter()
    for each in price:
        update(each)
    return time.perf_counter() - begun


def _market(ticks: int) -> float:
    config = Config()
    market = Market(config.model, config.schedule, SEED)
    begun = time.perf_counter()
    while market.seq < ticks:
        market.take(ticks - market.seq)
    return time.perf_counter() - begun


def _rates(seconds: list[float], ticks: int) -> str:
    return spread([ticks / each for each in seconds])


PARTS: dict[str, Part] = {
    "rate": rate,
    "files": files,
    "peer": peer,
    "memory": memory,
    "start": start,
    "parts": parts,
}


def main() -> int:
    """Measure, print a table, and return the number of targets missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.headless", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; all without one")
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    return show({name: partial(PARTS[name], given.ticks, given.repetitions) for name in given.parts or PARTS})


if __name__ == "__main__":
    sys.exit(main())
