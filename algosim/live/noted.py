"""Settings that wait for a reset; of two changes of one thing the later one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algosim import settings as configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from algosim.config import Config

__all__ = ["Noted"]

ALL = "strategies"


class Noted:
    """What was changed for the next run, in the order in which it was said.

    What changes in the running market meanwhile is in its configuration; only where an older note would
    undo it, it is noted too.
    """

    def __init__(self) -> None:
        self._changes: dict[str, object] = {}

    @property
    def changes(self) -> dict[str, object]:
        """The values by dotted key."""
        return dict(self._changes)

    def keep(self, changes: Mapping[str, object]) -> None:
        """Note more changes, their keys resolved and their values checked."""
        for key, value in changes.items():
            self._changes.pop(key, None)  # the last one said is the last one carried out
            self._changes[key] = value

    def over(self, config: Config) -> Config:
        """Return a configuration with all of it.

        Raises
        ------
        ConfigError
            If they do not go together.
        """
        return configuration.with_settings(config, self._changes)

    def parameters(self, id: str, params: Mapping[str, object]) -> None:
        """Take note that a strategy has these parameters now."""
        if self._speaks_of(id):
            self.keep({f"{ALL}.{id}.params.{name}": value for name, value in params.items()})

    def added(self, id: str, path: str, params: Mapping[str, Any]) -> None:
        """Take note that a strategy is in the market now."""
        if self._speaks_of(id):
            self.keep({f"{ALL}.{id}.path": path, f"{ALL}.{id}.params": dict(params)})

    def removed(self, id: str) -> None:
        """Take note that a strategy is in the market no longer."""
        for key in [key for key in self._changes if key.startswith(f"{ALL}.{id}.")]:
            del self._changes[key]
        chosen = self._changes.get(ALL)
        if isinstance(chosen, dict):
            self._changes[ALL] = {name: spec for name, spec in chosen.items() if name != id}

    def _speaks_of(self, id: str) -> bool:
        return any(key == ALL or key.startswith(f"{ALL}.{id}.") for key in self._changes)
