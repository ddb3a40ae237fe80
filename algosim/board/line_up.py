"""The strategies of a market: which are in it, with which parameters, and how that is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from algosim.config import StrategySpec
from algosim.errors import AlgosimError
from algosim.events import Attach, Version
from algosim.runs.inspection import declared_parameters
from algosim.runs.source import ENTRY
from algosim.runs.workspace import find_strategy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from algosim.config import Config
    from algosim.live.simulation import Simulation
    from algosim.runs.recording import Recording

__all__ = ["LineUp"]

_GONE = ("leaving", "removed")


class LineUp:
    """Follows the strategies of a market, and changes which they are, before its start too.

    Parameters
    ----------
    sim : Simulation
    """

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._recording: Recording | None = None
        self._members = 0
        self._versions: dict[str, tuple[str, dict[str, Any]]] = {}
        self._declared: dict[Path, dict[str, Any]] = {}

    def names(self, status: Mapping[str, Any], config: Config) -> list[str]:
        """Return the accounts of the strategies that are in the market."""
        healths = status.get("strategies", {})
        there = [name for name, health in healths.items() if health.get("state") not in _GONE]
        return there if healths else list(config.strategies)

    def parameters(self, name: str, config: Config) -> dict[str, Any]:
        """Return ``PARAMS`` of a strategy with the values it runs with, from the files that run."""
        self._read_versions()
        if name in self._versions and self._sim.folder is not None:
            code, given = self._versions[name]
            return {**self._declare(self._sim.folder / "strategies" / code / ENTRY), **given}
        if name not in config.strategies:
            return {}
        spec = config.strategies[name]
        try:
            return {**declared_parameters(find_strategy(spec.path).path), **spec.params}
        except AlgosimError:  # it will be said when the market starts
            return dict(spec.params)

    def _read_versions(self) -> None:
        recording = self._sim.recording
        if recording is not self._recording:
            self._recording, self._members, self._versions = recording, 0, {}
        members = recording.members[self._members :]
        self._members += len(members)
        for member in members:
            if isinstance(member, Attach | Version):
                self._versions[member.id] = (member.code, member.params)

    def _declare(self, file: Path) -> dict[str, Any]:
        """Return what a recorded version declares; it never changes."""
        found = self._declared.get(file) or declared_parameters(file)
        if found:  # a folder that is just being made has no file yet
            self._declared[file] = found
        return found

    # Changes; errors are those of the Simulation's methods

    def add(self, name: str) -> None:
        """Let a strategy trade beside the others."""
        if self._sim.state == "new":
            self._set_out({name: StrategySpec(path=name)})
        else:
            self._sim.add(name)

    def remove(self, name: str) -> None:
        """Take a strategy out; its account keeps its position."""
        if self._sim.state == "new":
            self._set_out({}, without=name)
        else:
            self._sim.remove(name)

    def swap(self, old: str | None, new: str) -> None:
        """Take one strategy out once another is in: if that fails, the old one trades on."""
        if old == new:
            self._sim.reload(new)
            return
        self.add(new)
        if old is not None:
            self.remove(old)

    def _set_out(self, more: dict[str, StrategySpec], without: str = "") -> None:
        """Change which strategies a market that has not started begins with."""
        config = self._sim.config
        kept = {name: spec for name, spec in config.strategies.items() if name != without}
        self._sim.config = msgspec.structs.replace(config, strategies=kept | more)
