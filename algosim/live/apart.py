"""Evaluate with the broker and each strategy in processes apart, for strategies that may cheat.

It is the live engine at full speed: slower than `algosim.runs.evaluate`, where the broker of a strategy's
account runs in that strategy's process, and with the same digest.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from algosim.config import Endpoints
from algosim.errors import ConfigError, EngineError
from algosim.live.simulation import Simulation
from algosim.runs.setup import prepare

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from algosim.config import Config
    from algosim.runs.result import Result
    from algosim.runs.setup import StrategyArgument

__all__ = ["evaluate_apart"]

_ANY_PORT = {f"transport.endpoints.{name}": "tcp://127.0.0.1:*" for name in Endpoints.__struct_fields__}


def evaluate_apart(
    strategy: StrategyArgument = None,
    *,
    seed: int | None = None,
    duration: str | float | None = None,
    ticks: int | None = None,
    config: Config | Mapping[str, object] | str | os.PathLike[str] | None = None,
    settings: Mapping[str, object] | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Result:
    """Run strategies as `algosim.evaluate` does, each apart from the broker, which none of them can touch.

    The parameters are those of `algosim.evaluate`.

    Raises
    ------
    ConfigError
        If an argument cannot be used.
    StrategyError
        If a strategy does not load or its ``init`` fails.
    EngineError
        If the engine failed.
    """
    over = {**_ANY_PORT, **(settings or {}), "ui.hot_reload": False, "schedule.speed": "max"}
    setup = prepare(strategy, seed=seed, duration=duration, ticks=ticks, config=config, settings=over)
    run = setup.config.run
    if not run.ticks and not run.duration_s:
        msg = "say how long to run: a duration such as 60s, or a number of ticks"
        raise ConfigError(msg)
    strategies = {
        name: {"path": chosen.source.path, "params": chosen.params}
        for name, chosen in setup.strategies.items()
    }
    with ExitStack() as stack:
        place = out or run.export_dir
        if place is None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="algosim-"))) / "run"
        sim = stack.enter_context(Simulation(strategies, config=setup.config, out=place))
        sim.wait()
        result, status = sim.stop(), sim.status
        if status["state"] == "crashed":
            msg = f"the run crashed: {status['reason']}"
            raise EngineError(msg)
    if not (out or run.export_dir):
        result.folder = None
    return result
