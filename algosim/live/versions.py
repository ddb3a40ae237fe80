"""One version of a strategy, from import to retirement, and how it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from algosim.core.strategy import strategy_seed
from algosim.live.pipe import Broke, Load
from algosim.live.workers import Worker
from algosim.runs.source import Source, read_source

if TYPE_CHECKING:
    import zmq

    from algosim.live.child import Birth

__all__ = ["Lineup", "Maker", "Version", "described"]


State = Literal["importing", "imported", "starting", "ready", "trading", "stopping", "retired"]
"""What a version is doing; a ``ready`` one has returned from ``init`` and trades from the next tick on."""


class Version:
    """One version of a strategy: its code, parameters and worker.

    Attributes
    ----------
    ordinal : int
        Names its random stream; counts up over the strategy's life in the run.
    inherited : list of str
        Its parameters that were given to an earlier version; one that it does not have is dropped.
    rids : list of int
        The commands that asked for it and wait for an answer.
    """

    def __init__(
        self, source: Source, params: dict[str, Any], ordinal: int, worker: Worker, inherited: list[str]
    ) -> None:
        self.source = source
        self.params = params
        self.ordinal = ordinal
        self.worker = worker
        self.inherited = inherited
        self.name = source.id
        self.keep_state = False
        self.kept: dict[str, Any] = {}
        self.rids: list[int] = []
        self.state: State = "importing"

    def describe(self) -> dict[str, Any]:
        """Return what the run records of it."""
        return {
            "version": self.ordinal,
            "code": self.source.code,
            "name": self.name,
            "params": self.params,
        }

    def retire(self) -> None:
        """End its worker."""
        self.state = "retired"
        self.worker.end()


class Lineup:
    """The versions of a strategy that have a worker.

    Attributes
    ----------
    current : Version or None
        Trades, or is about to: imported, not attached yet.
    upcoming : Version or None
        Imported, perhaps begun; takes over before the next tick.
    loading : Version or None
        Being imported.
    """

    def __init__(self) -> None:
        self.current: Version | None = None
        self.upcoming: Version | None = None
        self.loading: Version | None = None

    @property
    def versions(self) -> list[Version]:
        """All that have a worker."""
        return [each for each in (self.current, self.upcoming, self.loading) if each is not None]

    @property
    def newest(self) -> Version | None:
        """The last one that was asked for."""
        return self.loading or self.upcoming or self.current

    @property
    def busy(self) -> bool:
        """Whether any of them is being asked."""
        return any(version.worker.busy for version in self.versions)

    @property
    def idle(self) -> Version | None:
        """The version that can be asked for its next tick, if there is one."""
        current, upcoming = self.current, self.upcoming
        if current is None or current.state != "trading" or current.worker.busy:
            return None
        return None if upcoming is not None and upcoming.state == "starting" else current


class Maker:
    """Makes versions of one strategy: its files as they are now, kept with the run, in a fresh worker.

    Parameters
    ----------
    birth : Birth
        The host's.
    poller : zmq.Poller
        Is told of the workers' pipes.
    """

    def __init__(self, birth: Birth, poller: zmq.Poller) -> None:
        self._birth = birth
        self._poller = poller
        self._kept = Path(birth.extra["folder"]) / "strategies"
        self._path = Path(birth.extra["path"])
        self._workspace = Path(birth.extra["workspace"])

    def source(self) -> Source:
        """Return the strategy's files as they are now.

        Raises
        ------
        StrategyError
            If they cannot be read.
        """
        return read_source(self._path, self._workspace)

    def make(self, source: Source, params: dict[str, Any], ordinal: int, inherited: list[str]) -> Version:
        """Return a version whose worker is up and is to be asked to load it.

        The parameters named in `inherited` were given to an earlier version.
        """
        birth = self._birth
        folder = self._kept / source.code
        source.write(folder)
        load = Load(
            folder=str(folder),
            label=source.label,
            rng_seed=str(strategy_seed(int(birth.seed), birth.name, ordinal)),
            params=params,
            max_position=birth.config.portfolio.max_position,
            max_orders=birth.config.limits.orders_per_tick,
            max_output=1024 * birth.config.limits.output_kb,
            inherited=inherited,
        )
        worker = Worker(load, birth.config.limits, str(birth.extra["scratch"]))
        worker.watch(self._poller)
        return Version(source, params, ordinal, worker, inherited)


def described(message: str, broke: Broke | None = None) -> dict[str, Any]:
    """Return an error as the handle can raise it."""
    return {
        "message": message,
        "file": broke.file if broke else None,
        "line": broke.line if broke else None,
        "source": broke.source if broke else None,
        "frames": broke.frames if broke else "",
    }
