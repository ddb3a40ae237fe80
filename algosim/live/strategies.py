"""What the supervisor knows of one strategy of a live run."""

from __future__ import annotations

import time
from typing import Any

__all__ = ["Strategy"]


class Strategy:
    """One strategy, from the start of its host to its removal.

    Attributes
    ----------
    ready : set of str
        Sockets on which its host has been seen: ``"ticks"``, ``"fills"``.
    imported : dict or None
        The version that can be attached: ordinal, code, name, parameters.
    began : bool
        Whether ``init`` has returned, before the first tick.
    version : int
        The last ordinal that was used.
    joined : int
        The ordinal that the last attach named; 0 before the first.
    askers : list
        Who waits to hear that it is attached.
    leavers : list
        Who waits to hear that it is out of the market.
    added : bool
        Whether it is being added to the market; if that fails, nothing of it stays.
    """

    def __init__(self, path: str, params: dict[str, Any]) -> None:
        self.path = path
        self.params = params
        self.version = self.joined = 0
        self.askers: list[Any] = []
        self.leavers: list[Any] = []
        self.added = False
        self.begin_again()

    def begin_again(self) -> None:
        """Forget a host that is gone."""
        self.ready: set[str] = set()
        self.state = "starting"
        self.imported: dict[str, Any] | None = None
        self.began = False
        self.attached = False
        self.error: dict[str, Any] | None = None
        self.health: dict[str, Any] = {}
        self.started_at = time.monotonic()

    def fail(self, error: dict[str, Any]) -> None:
        """Take note that the version that ran, or was about to, cannot go on."""
        self.error, self.imported = error, None
        self.began = self.attached = False

    @property
    def leaves(self) -> bool:
        """Whether somebody has taken it out of the market."""
        return self.state in ("leaving", "removed")

    @property
    def owes(self) -> bool:
        """Whether the run may be waiting for what it answers."""
        return self.attached or self.state == "leaving"

    def may_attach(self, *, running: bool) -> bool:
        """Whether it can be attached: its host hears everything and its code is imported.

        Before the first tick ``init`` must have returned too; in a running market it is called at the tick
        from which the strategy trades.
        """
        here = {"ticks", "fills"} <= self.ready and self.imported is not None
        if not here or self.attached or self.leaves:
            return False
        return running or self.began

    def stage(self) -> str:
        """Return what it is doing before it is attached, in words."""
        for_s = time.monotonic() - self.started_at
        if self.error is not None:
            return f"failed: {self.error.get('message', '')}"
        if self.imported is None:
            return f"import {for_s:.1f} s"
        return f"init {for_s:.1f} s" if not self.began else "connecting"

    def status(self) -> dict[str, Any]:
        """Return what a person sees."""
        failed = self.error is not None and not self.attached and not self.leaves
        return {
            **self.health,
            "state": "failed" if failed else self.state,
            "version": self.version,
            "error": self.error,
            "params": self.params,
        }
