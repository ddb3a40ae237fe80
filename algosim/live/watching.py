"""Sees that a strategy's files were saved."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from algosim.errors import StrategyError
from algosim.runs.source import strategy_files

if TYPE_CHECKING:
    from pathlib import Path

    Stamp = dict[str, tuple[int, int]]

__all__ = ["Watch"]


class Watch:
    """Compares a strategy's files with how they were at the last look.

    Parameters
    ----------
    path : Path
        The entry file; for ``strategy.py`` its whole folder is watched.
    on : bool
    """

    def __init__(self, path: Path, *, on: bool) -> None:
        self.on = on
        self._path = path
        self._known = self._last = self._stamp()

    def changed(self) -> bool:
        """Whether the files have changed and then stayed the same for one look."""
        if not self.on:
            return False
        before, self._last = self._last, self._stamp()
        settled = bool(self._last) and self._last == before and self._last != self._known
        if settled:
            self._known = self._last
        return settled

    def note(self) -> None:
        """Take the files as they are for known: somebody is about to load them."""
        self._known = self._last = self._stamp()

    def _stamp(self) -> Stamp:
        """Return time and size of each file; nothing while the entry file is being replaced."""
        stamp: Stamp = {}
        with contextlib.suppress(OSError, StrategyError):
            for file in strategy_files(self._path):
                found = file.stat()
                stamp[str(file)] = (found.st_mtime_ns, found.st_size)
        return stamp if str(self._path) in stamp else {}
