"""Keeps the lines below ``%%strategy`` cells as they should be, from a thread of its own."""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING

import algosim.live.own_engine  # noqa: F401  (at exit it stops markets, after our goodbye: it was here first)
from algosim.errors import AlgosimError
from algosim.notebook import current
from algosim.notebook.outputs import can_change
from algosim.notebook.strategy_line import OVER, Line, Status
from algosim.runs.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from algosim.core.doctor import Finding
    from algosim.live.simulation import Simulation

__all__ = ["loaded", "show"]

PERIOD_S = 0.3
NAME = "algosim strategy cells"

_lines: dict[str, Line] = {}
_look = threading.Event()


def show(account: str, path: Path, warnings: Sequence[Finding], word: str) -> None:
    """Put a line below the cell that runs now and keep it up to date, until another cell has the account."""
    before = _lines.pop(account, None)
    if before is not None:
        before.leave()
    sim = current.peek()
    past = sim.run_id if sim is not None and sim.state in OVER else ""
    _lines[account] = Line(account, path, warnings, word, past)
    if can_change() and not any(thread.name == NAME for thread in threading.enumerate()):
        threading.Thread(target=_write, name=NAME, daemon=True).start()
        atexit.unregister(_say_goodbye)
        atexit.register(_say_goodbye)
    _look.set()


def loaded(account: str) -> None:
    """Say how the strategy does from now on; while it loads, the market knows only the version before."""
    _lines[account].loads = False
    _look.set()


def _say_goodbye() -> None:
    """Leave no line behind that looks alive when the kernel ends, and the market with it."""
    for line in tuple(_lines.values()):
        line.end()


def _write() -> None:
    """Write the lines anew, again and again."""
    over: tuple[int, str] = (0, "")
    while True:
        _look.wait(PERIOD_S)
        fresh = _look.is_set()
        _look.clear()
        sim = current.peek()
        if not _lines or (sim is not None and not fresh and over == (id(sim), sim.run_id)):
            continue
        try:
            status = _status(sim)
        except (AlgosimError, OSError):
            continue  # it does not answer now
        for line in tuple(_lines.values()):
            line.look(sim, status)
        over = (id(sim), sim.run_id) if sim is not None and status["state"] in OVER else (0, "")


def _status(sim: Simulation | None) -> Status:
    """Return how a market does; of one that has ended, what is recorded of its strategies."""
    if sim is None:
        return {"state": "new", "strategies": {}, "done": 0}
    status = sim.status
    if status["state"] in OVER:
        accounts = Accounts(sim.config.portfolio.initial_cash)
        accounts.update(sim.recording)
        status["strategies"] = accounts.strategies
    return status
