"""algosim: a simulated market with real processes, live in a notebook and replayable bit for bit."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

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
    from algosim.notebook.dashboard import Dashboard, dashboard
    from algosim.notebook.playback import play
    from algosim.notebook.run_figure import figure
    from algosim.page.launch import present
    from algosim.page.process import Page
    from algosim.runs.evaluate import evaluate
    from algosim.runs.listing import runs
    from algosim.runs.replay import replay
    from algosim.runs.result import Result

__version__ = "0.1.0"

__all__ = [
    "AlgosimError",
    "ConfigError",
    "Dashboard",
    "EngineError",
    "Page",
    "ReplayDiverged",
    "Result",
    "RunError",
    "Simulation",
    "StrategyError",
    "connect",
    "dashboard",
    "doctor",
    "evaluate",
    "figure",
    "play",
    "present",
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
    "Dashboard": "algosim.notebook.dashboard",
    "dashboard": "algosim.notebook.dashboard",
    "doctor": "algosim.runs.inspection",
    "evaluate": "algosim.runs.evaluate",
    "figure": "algosim.notebook.run_figure",
    "Page": "algosim.page.process",
    "play": "algosim.notebook.playback",
    "present": "algosim.page.launch",
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
    try:
        value = getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        if error.name not in ("anywidget", "ipywidgets", "traitlets"):
            raise
        msg = f"algosim.{name} needs {error.name}: pip install 'algosim[lab]'"
        raise ModuleNotFoundError(msg, name=error.name) from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted([*__all__, "__version__"])


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Give a shell the magics; IPython calls it for ``%load_ext algosim``, any number of times."""
    import_module("algosim.notebook.extension").load(shell)


if "IPython" in sys.modules:
    _shell = sys.modules["IPython"].get_ipython()
    if _shell is not None:  # imported in a notebook
        load_ipython_extension(_shell)
