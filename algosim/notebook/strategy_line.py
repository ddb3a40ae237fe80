"""The one line below a ``%%strategy`` cell: how its strategy does, and what went wrong, as it happens."""

from __future__ import annotations

import threading
import time
from html import escape
from typing import TYPE_CHECKING, Any

from algosim.board.tidy import Cell, said
from algosim.charts.numbers import count, quantity
from algosim.notebook.cell_errors import fault_of
from algosim.notebook.cell_page import page
from algosim.notebook.outputs import Output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from algosim.core.doctor import Finding
    from algosim.live.simulation import Simulation

__all__ = ["OVER", "Line", "Status"]

OVER = ("finished", "crashed")

BEAT_S = 2.0
"""A line of a market that goes on is written at least so often, also where nothing has changed."""

STALE_S = 8
OVER = ("finished", "crashed")

# A browser shows the hidden word where the line was not written for so long: the kernel is gone. With each
# writing another one of two names starts the wait anew.
STALE = (
    "<style>@keyframes algosim-a{to{visibility:visible}}@keyframes algosim-b{to{visibility:visible}}"
    f".algosim .stale{{visibility:hidden;animation:algosim-a 0s {STALE_S}s forwards}}"
    ".algosim .stale.b{animation-name:algosim-b}</style>"
)

Status = dict[str, Any]


class Line:
    """The output below one cell.

    Parameters
    ----------
    account : str
    path : Path
        The strategy's file.
    warnings : sequence of Finding
        What the doctor has to say about it.
    word : str
        What it says first.
    past : str
        The id of the run that had ended before the cell ran; it says nothing of this strategy.

    Attributes
    ----------
    loads : bool
        Whether the market is still taking it in: what `look` is given is then of the version before.
    """

    def __init__(
        self, account: str, path: Path, warnings: Sequence[Finding], word: str, past: str = ""
    ) -> None:
        self.loads = True
        self._account = account
        self._path = path
        self._notes = "".join(
            f'<p class="dim">line {found.line}: {escape(found.message)}</p>' for found in warnings
        )
        self._told: tuple[Sequence[Cell | str], Mapping[str, Any] | None] = ((), None)
        self._written, self._beat = 0.0, False
        self._version = ("", 0)
        self._past = past
        self._over = False
        self._fault: Mapping[str, Any] | None = None
        self._lock = threading.Lock()
        self._shown = self._html([Cell(word, "dim")])
        self._output = Output(self._bundle())

    def leave(self) -> None:
        """Say that another cell has the account now."""
        with self._lock:
            self._update([Cell("another cell has this strategy now", "dim")])
            self._account = ""

    def end(self) -> None:
        """Say that the kernel has ended, and the market with it, if it had not before; an error stays."""
        with self._lock:
            if self._account and not self._over:
                self._update([Cell("stopped: the kernel has ended", "dim")], self._fault)

    def look(self, sim: Simulation | None, status: Status) -> None:
        """Show how the strategy does."""
        with self._lock:
            if (
                self.loads
                or not self._account
                or sim is None
                or status["state"] == "new"
                or sim.run_id == self._past
            ):
                return
            known = status["strategies"].get(self._account)
            if known is None:
                self._update([Cell("not in the market that runs now", "dim")])
            else:
                self._note_version(sim.run_id, known)
                self._over, self._fault = status["state"] in OVER, known.get("error")
                self._update(_words(status, known), self._fault, live=not self._over)

    def _note_version(self, run_id: str, known: Status) -> None:
        """Remember the newest version that was seen: one that fails at its first tick is in no record."""
        run, newest = self._version
        known["version"] = max(known["version"], newest if run == run_id else 0)
        self._version = (run_id, known["version"])

    def _update(
        self, words: Sequence[Cell | str], error: Mapping[str, Any] | None = None, *, live: bool = False
    ) -> None:
        now = time.monotonic()
        told = (words, error)
        if told == self._told and not (live and now > self._written + BEAT_S):
            return
        self._told, self._written, self._beat = told, now, not self._beat
        self._shown = self._html(words, error, live=live)
        self._output.change(self._bundle())

    def _html(
        self, words: Sequence[Cell | str], error: Mapping[str, Any] | None = None, *, live: bool = False
    ) -> str:
        parts = " · ".join([f"<b>{escape(self._account)}</b>", *map(said, words)])
        stale = f'{STALE}<span class="stale {"ab"[self._beat]}"> · stopped</span>' if live else ""
        return page(f"<p>{parts}{stale}</p>", self._error(error) if error else "", self._notes, live=True)

    def _error(self, error: Mapping[str, Any]) -> str:
        fault = fault_of(error, self._path)
        where = f"line {fault.line}: " if fault.line else ""
        code = fault.frames or (f"    {fault.source}" if fault.source else "")
        shown = f"<pre>{escape(code)}</pre>" if code else ""
        return f'<div class="fault"><b>{escape(where + fault.what)}</b>{shown}</div>'

    def _bundle(self) -> dict[str, str]:
        # Text is what tests of notebooks compare: it does not change
        return {"text/plain": f"<strategy {self._account}>", "text/html": self._shown}


def _words(status: Status, known: Status) -> list[Cell | str]:
    """Return version, state, position and ticks."""
    state, warmup = known["state"], known.get("warmup", "")
    if status["state"] in OVER and state in ("trading", "removed"):
        word = Cell("run ended" if status["state"] == "finished" else "run crashed", "dim")
    elif state == "failed":
        word = Cell("failed", "bad")
    elif state == "trading" and warmup:
        word = Cell(f"warming up {warmup}", "dim")
    else:
        word = Cell(
            f"{state}, market paused" if status["state"] == "paused" else state,
            "good" if state == "trading" else "dim",
        )
    position = f"position {quantity(known.get('position', 0.0))}"
    version = [f"version {known['version']}"] if known["version"] else []
    return [*version, word, position, f"{count(status['done'])} ticks"]
