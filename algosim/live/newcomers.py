"""The versions of one strategy that are on their way: asked for, imported, answered for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.errors import StrategyError
from algosim.live.output import Output
from algosim.live.versions import Lineup, Maker, Version, described
from algosim.live.workers import WorkerGone

if TYPE_CHECKING:
    from collections.abc import Callable

    import zmq

    from algosim.live.child import Birth
    from algosim.live.pipe import Loaded, Question
    from algosim.runs.source import Source

__all__ = ["Newcomers", "Out"]


class Out(NamedTuple):
    """Where versions say what happens: to the supervisor, to the log, and that nobody trades."""

    tell: Callable[..., None]
    log: Callable[[Output], None]
    detached: Callable[[], None]


class Newcomers(Lineup):
    """Imports new versions beside the one that trades, and tells those who asked what became of them.

    Parameters
    ----------
    birth : Birth
        The host's.
    poller : zmq.Poller
        Is told of the workers' pipes.
    out : Out

    Attributes
    ----------
    ordinal : int
        The last ordinal that was used.
    """

    def __init__(self, birth: Birth, poller: zmq.Poller, out: Out) -> None:
        super().__init__()
        self.ordinal = int(birth.extra["ordinal"])
        self._limits = birth.config.limits
        self._params: dict[str, Any] = birth.extra["params"]
        self._maker = Maker(birth, poller)
        self._out = out

    def prepare(
        self, params: dict[str, Any] | None = None, *, keep_state: bool = False, rid: int | None = None
    ) -> None:
        """Import the strategy as its files are now, in a fresh worker, in the background.

        Parameters
        ----------
        params : dict, optional
            Over those that it has.
        keep_state : bool, optional
            Whether it is offered what the version before has kept.
        rid : int, optional
            The command that waits for an answer.
        """
        newest, loading = self.newest, self.loading
        wanted = {**(self._params if newest is None else newest.params), **(params or {})}
        rids = [] if rid is None else [rid]
        try:
            source = self._maker.source()
        except StrategyError as error:
            self.refuse(rids, described(str(error)), Output([("error", str(error))]))
            return
        if newest is not None and (newest.source.code, newest.params) == (source.code, wanted):
            newest.rids += rids
            if newest.state in ("trading", "ready"):
                self.accept(newest, unchanged=True)
            return
        if loading is not None:  # whoever asked for that one gets this one
            rids += loading.rids
            keep_state = keep_state or loading.keep_state
            loading.retire()
        inherited = [name for name in wanted if name not in (params or {})] if self._had_one else []
        self.loading = self._load(source, wanted, inherited, keep_state=keep_state, rids=rids)

    @property
    def _had_one(self) -> bool:
        return self.newest is not None or self.ordinal > 0

    def _load(
        self,
        source: Source,
        params: dict[str, Any],
        inherited: list[str],
        *,
        keep_state: bool,
        rids: list[int],
    ) -> Version:
        taken = self.current.ordinal if self.current is not None else 0
        version = self._maker.make(source, params, max(self.ordinal, taken) + 1, inherited)
        version.keep_state, version.rids = keep_state, rids
        self.ask(version, version.worker.load, "import", self._limits.init_s)
        return version

    def ask(self, version: Version, question: Question, hook: str, budget_s: float) -> None:
        """Ask a version's worker; one that is gone is found when it is heard."""
        try:
            version.worker.ask(question, hook, budget_s, self._limits.wall_s)
        except WorkerGone:
            version.worker.busy = True

    def imported(self, version: Version, reply: Loaded) -> None:
        """Take note that a version is imported: it is the next to trade."""
        version.state, version.name = "imported", reply.name
        for name in reply.dropped:
            version.params.pop(name, None)
        self.loading = None
        if self.current is None:
            self.current = version
            # The supervisor decides: init now, before the first tick, or attach to the running market.
            self._out.tell("imported", **version.describe())
            return
        if self.upcoming is not None:  # whoever asked for that one gets this one
            version.rids = self.upcoming.rids + version.rids
            version.keep_state = version.keep_state or self.upcoming.keep_state
            self.upcoming.retire()
        self.upcoming = version

    # What becomes of it

    def again(self, version: Version) -> None:
        """Import a version once more: the one that was made cannot take over."""
        version.retire()
        if version is self.upcoming:
            self.upcoming = None
        if self.loading is not None and version is not self.loading:
            return  # a newer one is coming
        self.loading = self._load(
            version.source,
            version.params,
            version.inherited,
            keep_state=version.keep_state,
            rids=version.rids,
        )

    def accept(self, version: Version, **outcome: object) -> None:
        """Tell that a version trades, or does from the next tick on."""
        self._out.tell("accepted", params=version.params)
        self.answer(version, **outcome)

    def answer(self, version: Version, **outcome: object) -> None:
        """Tell those who asked for a version what became of it."""
        rids, version.rids = version.rids, []
        for rid in rids:
            self._out.tell("answer", rid=rid, **outcome)

    def refuse(self, rids: list[int], error: dict[str, Any], said: Output) -> None:
        """Tell that a version did not come to trade."""
        self._out.log(said)
        if self.newest is None:
            self._out.tell("failed", reason="error", error=error)
        for rid in rids:
            self._out.tell("answer", rid=rid, error=error)
        params = self._params if self.newest is None else self.newest.params
        self._out.tell("refused", error=error, asked=bool(rids), params=params)
