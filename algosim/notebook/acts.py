"""What the subcommands of ``%algosim`` do: each is a call of algosim."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import algosim
from algosim.charts.numbers import clock, count
from algosim.errors import ConfigError
from algosim.notebook import current, kept
from algosim.notebook.answers import Findings, Status, Strategies
from algosim.notebook.pages import present as present_page
from algosim.settings import resolve

if TYPE_CHECKING:
    import pandas as pd

    from algosim.live.simulation import Simulation
    from algosim.notebook.words import Words
    from algosim.runs.result import Result

__all__ = [
    "dashboard",
    "doctor",
    "export",
    "metrics",
    "pause",
    "play",
    "present",
    "replay",
    "reset",
    "resume",
    "runs",
    "say",
    "set",
    "start",
    "status",
    "step",
    "stop",
    "strategies",
    "trades",
    "whole",
]

OVER = ("finished", "crashed")


def say(text: str) -> None:
    """Print a line below the cell."""
    sys.stdout.write(f"{text}\n")


def _where(sim: Simulation) -> str:
    """Return how far a market is."""
    status = sim.status
    return f"tick {count(status['done'])}, {clock(status['ts_sim'] * 1e-9)}"


# The course of a market


def start(said: Words) -> Simulation:
    """Start the market, or go on; with words, a fresh one in the place of the one there was."""
    sim = current.peek()
    if sim is None or said:
        return _fresh(said).start()
    return sim.reset().start() if sim.state in OVER else sim.start()


def _fresh(said: Words) -> Simulation:
    """Return a new market in the place of the one there was, which is stopped."""
    before = current.peek()
    options = dict(said.options)
    chosen = options.pop("strategy", None)
    if chosen is None and "config" not in options:
        chosen = kept.strategies or None
    fresh = algosim.Simulation(chosen, settings=said.assigned, **options)
    if before is not None and before.state not in ("new", *OVER):
        before.stop()
    return fresh


def pause(_: Words) -> None:
    """Pause."""
    say(f"paused at {_where(current.get().pause())}")


def resume(_: Words) -> None:
    """Go on."""
    sim = current.get()
    where = _where(sim)
    sim.resume()
    say(f"goes on from {where}")


def step(said: Words) -> None:
    """Release ticks of a paused market."""
    say(f"stepped to {_where(current.get().step(_number(said, 1)))}")


def reset(_: Words) -> None:
    """End the run and make a fresh one ready."""
    sim = current.get().reset()
    say(f"a fresh run of {', '.join(sim.config.strategies) or 'the market alone'} is ready: %algosim start")


def stop(_: Words) -> Result:
    """End the run."""
    return current.get().stop()


def set(said: Words) -> None:
    """Change settings, or a strategy's parameters."""
    sim, name = current.get(), said.options.get("id")
    sim.set(said.assigned, id=name)
    when = "" if sim.state in ("new", *OVER) else " from the next tick on"
    words = [
        f"{name + ': ' + key if name else resolve(key)} = {value}" for key, value in said.assigned.items()
    ]
    say(", ".join(words) + when)


# What it shows


def status(_: Words) -> Status:
    """Show how the market does."""
    sim = current.get()
    return Status(sim.status, sim.config, sim.run_id)


def dashboard(said: Words) -> object:
    """Show the dashboard."""
    begin = "no_start" not in said.options
    return algosim.dashboard(current.get(), start=begin, fast="fast" in said.options)


def present(said: Words) -> object:
    """Show the market on a page of its own; without one, the newest that runs on this machine."""
    return present_page(current.peek(), **said.options)


def trades(said: Words) -> pd.DataFrame:
    """Show the trades."""
    trades = current.get().trades
    number = _number(said, 1)
    if number < 1:
        msg = f"the number of trades must be at least 1, got {number}"
        raise ConfigError(msg)
    return trades.tail(number) if said.rest else trades


def metrics(said: Words) -> object:
    """Show the figures so far."""
    sim = current.get()
    return sim.rolling_metrics if said.options.get("rolling") else sim.metrics


def export(said: Words) -> None:
    """Copy the run folder."""
    current.get().export(said.rest[0])
    say(f"the run is copied to {said.rest[0]}")


def replay(said: Words) -> Result:
    """Run a recorded run again."""
    result = algosim.replay(_run_of(said))
    say("replayed: no event differs")
    return result


def play(said: Words) -> object:
    """Play a recorded run."""
    return algosim.play(_run_of(said), **said.options)


def _run_of(said: Words) -> str:
    """Return the run that was named: the market's own, or the last one, where none was."""
    sim = current.peek()
    if said.rest:
        return said.rest[0]
    return str(sim.folder) if sim is not None and sim.folder is not None else "last"


# What there is besides


def runs(_: Words) -> pd.DataFrame:
    """List the recorded runs."""
    return algosim.runs()


def doctor(said: Words) -> Findings:
    """Check a strategy."""
    return Findings(said.rest[0], algosim.doctor(said.rest[0]))


def strategies(_: Words) -> Strategies:
    """List the strategies."""
    return Strategies()


def _number(said: Words, default: int) -> int:
    return whole(said.rest[0]) if said.rest else default


def whole(text: str) -> int:
    """Return a whole number."""
    try:
        return int(text.replace("_", ""))
    except ValueError:
        msg = f"{text!r} is not a whole number"
        raise ConfigError(msg) from None
