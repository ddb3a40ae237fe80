"""A bar below the cell that evaluates or replays for long; it is gone when that is done."""

from __future__ import annotations

import time
from html import escape
from typing import Self

from algosim.notebook.cell_page import page
from algosim.notebook.outputs import Output

__all__ = ["Bar"]

PATIENCE_S = 0.4
"""Shorter computations show nothing."""

PERIOD_S = 0.15


class Bar:
    """The bar of one computation; its object is what is told how much is done.

    Parameters
    ----------
    what : str
        Word for what is being done.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._output: Output | None = None
        self._next = 0.0
        self._first: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Show how much is done, unless that was shown a moment ago."""
        now = time.monotonic()
        if self._first is None:  # what came before was the start of processes
            self._first, self._next = (now, done), now + PATIENCE_S
        if now < self._next:
            return
        self._next = now + PERIOD_S
        if self._output is None:
            self._output = Output({})  # without data of any type it leaves no trace in the notebook's file
        fraction = done / max(total, 1)
        bar = f'<progress value="{fraction:.4f}" style="width:20em;vertical-align:middle"></progress>'
        words = f"{escape(self._what)} {fraction:.0%}{self._left(now, done, total)}"
        self._output.change({"text/html": page(f"<p>{bar} {words}</p>")})

    def _left(self, now: float, done: int, total: int) -> str:
        """Return how long the rest takes at the pace so far, once there is one."""
        assert self._first is not None
        began, before = self._first
        if now - began < PATIENCE_S or done <= before:
            return ""
        return f", {(now - began) * (total - done) / (done - before):.0f} s left"

    def __exit__(self, *_: object) -> None:
        if self._output is not None:
            self._output.change({})
