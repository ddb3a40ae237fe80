"""How settings, strategies and accounts stand in a recording, followed as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from algosim import settings
from algosim.config import StrategySpec
from algosim.events import Attach, Version
from algosim.runs.accounts import Accounts

if TYPE_CHECKING:
    from algosim.config import Config
    from algosim.events import Control
    from algosim.runs.recording import Recording

__all__ = ["Standing"]


class Standing:
    """Follows one recording; every `update` takes only what is new.

    Parameters
    ----------
    config : Config
        That the run began with.

    Attributes
    ----------
    config : Config
        The settings as they are now.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self._accounts = Accounts(config.portfolio.initial_cash)
        self._controls = self._members = 0

    @property
    def strategies(self) -> dict[str, dict[str, Any]]:
        """The accounts of strategies by id, with the names that ``Simulation.status`` has for them."""
        return self._accounts.strategies

    @property
    def accounts(self) -> dict[str, dict[str, Any]]:
        """The other accounts by id."""
        return self._accounts.others

    def update(self, recording: Recording) -> None:
        """Take what was recorded since the last call."""
        with recording.lock:
            controls, members = recording.controls[self._controls :], recording.members[self._members :]
        self._controls += len(controls)
        self._members += len(members)
        for control in controls:
            self._control(control)
        for member in members:
            if isinstance(member, Attach | Version):
                self._specify(member)
        self._accounts.update(recording)

    def _control(self, control: Control) -> None:
        if control.action in ("set", "speed"):
            self.config = settings.with_settings(self.config, {control.key: control.value})

    def _specify(self, member: Attach | Version) -> None:
        """Let the settings have a strategy's parameters as they are now."""
        specs = dict(self.config.strategies)
        path = specs[member.id].path if member.id in specs else member.id
        specs[member.id] = StrategySpec(path=path, params=member.params)
        self.config = msgspec.structs.replace(self.config, strategies=specs)
