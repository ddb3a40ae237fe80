"""algosim: a simulated market with real processes, live in a notebook and replayable bit for bit."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algosim.core.doctor import check as doctor
    from algosim.errors import (
        AlgosimError,
        ConfigError,
        EngineError,
        ReplayDiverged,
        RunError,
        StrategyError,
    )
    from algosim.live.simulation import Simulation, connect
    from algosim.runs.evaluate import evaluate
    from algosim.runs.listing import runs
    from algosim.runs.replay import replay
    from algosim.runs.result import Result

__version__ = "0.1.0"

__all__ = [
    "AlgosimError",
    "ConfigError",
    "EngineError",
    "ReplayDiverged",
    "Result",
    "RunError",
    "Simulation",
    "StrategyError",
    "connect",
    "doctor",
    "evaluate",
    "replay",
    "runs",
]

_HOME = {
    "AlgosimError": "algosim.errors",
    "ConfigError": "algosim.errors",
    "EngineError": "algosim.errors",
    "ReplayDiverged": "algosim.errors",
    "Result": "algosim.runs.result",
    "RunError": "algosim.errors",
    "Simulation": "algosim.live.simulation",
    "StrategyError": "algosim.errors",
    "connect": "algosim.live.simulation",
    "doctor": "algosim.runs.inspection",
    "evaluate": "algosim.runs.evaluate",
    "replay": "algosim.runs.replay",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `import algosim` stays light."""
    if name == "runs":
        return import_module("algosim.runs")  # a package that can be called
    home = _HOME.get(name)
    if home is None:
        msg = f"module 'algosim' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*__all__, "__version__"])
