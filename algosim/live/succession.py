"""The versions of one strategy: the one that trades, the one that is to follow, the one being imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.core.desk import HISTORY
from algosim.errors import StrategyError
from algosim.live.pipe import Acted, Began, Begin, Broke, Finish, Finished, Kept, Loaded, Tell
from algosim.live.versions import Lineup, Maker, Version, described
from algosim.live.workers import Overrun, WorkerGone

if TYPE_CHECKING:
    from collections.abc import Callable

    import zmq

    from algosim.core.desk import Desk
    from algosim.events import Level
    from algosim.live.child import Birth
    from algosim.live.pipe import Question, Reply
    from algosim.runs.source import Source

    Lines = list[tuple[Level, str]]

__all__ = ["Out", "Succession"]


class Out(NamedTuple):
    """Where a succession says what happens: to the supervisor, to the log, and that nobody trades."""

    tell: Callable[..., None]
    log: Callable[[Lines], None]
    detached: Callable[[], None]


class Succession(Lineup):
    """Imports new versions beside the one that trades, and lets them take over between two ticks.

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
    started : bool
        Whether the market may have heard of the versions that are offered to it.
    """

    def __init__(self, birth: Birth, poller: zmq.Poller, out: Out) -> None:
        super().__init__()
        self.ordinal = int(birth.extra["ordinal"])
        self.started = bool(birth.extra["started"])
        self._limits = birth.config.limits
        self._params: dict[str, Any] = birth.extra["params"]
        self._maker = Maker(birth, poller)
        self._out = out

    # A new version

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
            self._refuse(rids, described(str(error)), [("error", str(error))])
            return
        if newest is not None and (newest.source.code, newest.params) == (source.code, wanted):
            newest.rids += rids
            if newest.state in ("trading", "ready"):
                self._accept(newest, unchanged=True)
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

    # What workers reply

    def hear(self, version: Version, desk: Desk) -> Acted | Finished | None:
        """Take a worker's reply, or find that it is gone or late; return what is the host's to carry on.

        Parameters
        ----------
        version : Version
        desk : Desk
            The account as it is now, for a version that takes over.
        """
        if version.state == "retired":
            return None
        try:
            reply = version.worker.reply()
            if reply is None:
                version.worker.check_budget()
                return None
        except Overrun as overrun:
            return self.lose(version, "budget", str(overrun))
        except WorkerGone as gone:
            return self.lose(version, "worker", str(gone))
        if isinstance(reply, Broke):
            return self.lose(version, "error", reply.message, reply)
        if isinstance(reply, Acted | Finished):
            return reply
        self._took(version, reply, desk)
        return None

    def _took(self, version: Version, reply: Reply, desk: Desk) -> None:
        if isinstance(reply, Loaded):
            self._imported(version, reply)
        elif isinstance(reply, Began):
            self._began(version, reply)
        elif isinstance(reply, Kept) and self.upcoming is not None:
            self.upcoming.kept = reply.state if self.upcoming.keep_state else {}
            self.begin(self.upcoming, desk)

    def _imported(self, version: Version, reply: Loaded) -> None:
        version.state, version.name = "imported", reply.name
        for name in reply.dropped:
            del version.params[name]
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

    def _accept(self, version: Version, **outcome: object) -> None:
        """Tell that a version trades, or does from the next tick on."""
        self._out.tell("accepted", params=version.params)
        self._answer(version, **outcome)

    def _answer(self, version: Version, **outcome: object) -> None:
        """Tell those who asked for a version what became of it."""
        rids, version.rids = version.rids, []
        for rid in rids:
            self._out.tell("answer", rid=rid, **outcome)

    def begin(self, version: Version, desk: Desk) -> None:
        """Call ``init``: the version takes over the account as it is."""
        version.state = "starting"
        question = Begin(desk.now, desk.books, desk.prices[-HISTORY:].tolist(), version.kept)
        self.ask(version, question, "init", self._limits.init_s)

    def rehearse(self, desk: Desk) -> bool:
        """Call ``init`` of the upcoming version, if there is one, between two ticks of the present one."""
        current, upcoming = self.current, self.upcoming
        if current is None or upcoming is None or upcoming.state != "imported":
            return False
        if upcoming.keep_state:
            self.ask(current, Tell(), "set_state", self._limits.on_tick_s)
        else:
            self.begin(upcoming, desk)
        return True

    def relieve(self, current: Version) -> Version:
        """Return who is asked the next tick: the upcoming version takes over, if it is ready."""
        upcoming = self.upcoming
        if upcoming is None or upcoming.state != "ready":
            return current
        current.retire()
        self.current, self.upcoming = upcoming, None
        self._trades(upcoming, "swapped")
        return upcoming

    def finish(self, version: Version, question: Finish) -> None:
        """Call ``on_stop``."""
        version.state = "stopping"
        self.ask(version, question, "on_stop", self._limits.on_stop_s)

    def _began(self, version: Version, reply: Began) -> None:
        if version is self.upcoming:
            version.state = "ready"
            self._accept(version)
        else:
            self._trades(version, "began")
            self._answer(version)
        if reply.logs:
            self._out.log(reply.logs)

    def _trades(self, version: Version, op: str) -> None:
        """Take note that a version trades; one that was made to be the same one in number is made again."""
        version.state = "trading"
        self._params, self.ordinal = version.params, version.ordinal
        for other in (self.upcoming, self.loading):
            if other is not None and other.ordinal <= self.ordinal:
                self._again(other)
        self._out.tell(op, **version.describe())

    def _again(self, version: Version) -> None:
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

    # The end of a version

    def lose(
        self, version: Version, reason: str, message: str, broke: Broke | None = None
    ) -> Finished | None:
        """Do without a version that failed: the old one trades on, or nobody does.

        One that fails in ``on_stop`` has stopped all the same.
        """
        stopping = version.state == "stopping"
        version.retire()
        words = broke.frames or message if broke else message
        logs = [*(broke.logs if broke else []), ("error", words)]
        error = described(message, broke)
        if version is not self.current:
            if version is self.upcoming:
                self.upcoming = None
            else:
                self.loading = None
            self._refuse(version.rids, error, logs)
            return None
        if stopping:
            self.current = None
            return Finished(logs)
        self._fail(version, reason, error, logs)
        return None

    def _fail(self, version: Version, reason: str, error: dict[str, Any], logs: Lines) -> None:
        """Tell that nobody trades; a version that is already imported is offered in its place."""
        self.current, self._params = None, version.params
        if self.started:
            self.ordinal = version.ordinal
        self._out.log(logs)
        self._out.tell("failed", reason=reason, error=error)
        self._answer(version, error=error)
        self._out.detached()
        if self.upcoming is not None and self.upcoming.state in ("starting", "ready"):
            self._again(self.upcoming)  # its ``init`` saw the account as it was for the version before
        elif self.upcoming is not None:
            self.current, self.upcoming = self.upcoming, None
            self._out.tell("imported", **self.current.describe())

    def drop(self, what: str) -> None:
        """Stop the version that trades: `what` never arrived, so its answers would be wrong."""
        message = f"{what} never reached the strategy's host"
        if self.current is None:
            self._out.tell("failed", reason="hole", error=described(message))
            return
        version = self.current
        version.retire()
        self._fail(version, "hole", described(message), [("error", message)])

    def _refuse(self, rids: list[int], error: dict[str, Any], logs: Lines) -> None:
        """Tell that a version did not come to trade."""
        self._out.log(logs)
        if self.newest is None:
            self._out.tell("failed", reason="error", error=error)
        for rid in rids:
            self._out.tell("answer", rid=rid, error=error)
        params = self._params if self.newest is None else self.newest.params
        self._out.tell("refused", error=error, asked=bool(rids), params=params)

    def end(self) -> None:
        """End the workers."""
        for version in self.versions:
            version.retire()
