"""How one version of a strategy follows another: which is asked, which takes over, and what if one fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algosim.core.desk import HISTORY
from algosim.live.newcomers import Newcomers
from algosim.live.output import SILENCE, Output
from algosim.live.pipe import Acted, Began, Begin, Broke, Finish, Finished, Kept, Loaded, Tell
from algosim.live.versions import described
from algosim.live.workers import Overrun, WorkerGone

if TYPE_CHECKING:
    import zmq

    from algosim.core.desk import Desk
    from algosim.live.child import Birth
    from algosim.live.newcomers import Out
    from algosim.live.pipe import Reply
    from algosim.live.versions import Version

__all__ = ["Succession"]


class Succession(Newcomers):
    """Lets versions of a strategy take over between two ticks.

    Parameters
    ----------
    birth : Birth
        The host's.
    poller : zmq.Poller
        Is told of the workers' pipes.
    out : Out

    Attributes
    ----------
    started : bool
        Whether the market may have heard of the versions that are offered to it.
    """

    def __init__(self, birth: Birth, poller: zmq.Poller, out: Out) -> None:
        super().__init__(birth, poller, out)
        self.started = bool(birth.extra["started"])

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
            self.imported(version, reply)
        elif isinstance(reply, Began):
            self._began(version, reply)
        elif isinstance(reply, Kept) and self.upcoming is not None:
            self.upcoming.kept = reply.state if self.upcoming.keep_state else {}
            self.begin(self.upcoming, desk)

    # Who trades

    def begin(self, version: Version, desk: Desk) -> None:
        """Call ``init``: the version takes over the account as it is."""
        version.state = "starting"
        question = Begin(desk.now, desk.books, desk.prices[-HISTORY:].tolist(), version.kept)
        self.ask(version, question, "init", self._limits.init_s)

    def _began(self, version: Version, reply: Began) -> None:
        if version is self.upcoming:
            version.state = "ready"
            self.accept(version)
        else:
            self._trades(version, "began")
            self.answer(version)
        self._out.log(reply.said)

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

    def _trades(self, version: Version, op: str) -> None:
        """Take note that a version trades; one that was made to be the same one in number is made again."""
        version.state = "trading"
        self._params, self.ordinal = version.params, version.ordinal
        for other in (self.upcoming, self.loading):
            if other is not None and other.ordinal <= self.ordinal:
                self.again(other)
        self._out.tell(op, **version.describe())

    def finish(self, version: Version, question: Finish) -> None:
        """Call ``on_stop``."""
        version.state = "stopping"
        self.ask(version, question, "on_stop", self._limits.on_stop_s)

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
        lines, more = broke.said if broke else SILENCE
        said = Output([*lines, ("error", words)], more)
        error = described(message, broke)
        if version is not self.current:
            if version is self.upcoming:
                self.upcoming = None
            else:
                self.loading = None
            self.refuse(version.rids, error, said)
            return None
        if stopping:
            self.current = None
            return Finished(said)
        self._fail(version, reason, error, said)
        return None

    def _fail(self, version: Version, reason: str, error: dict[str, Any], said: Output) -> None:
        """Tell that nobody trades; a version that is already imported is offered in its place."""
        self.current, self._params = None, version.params
        if self.started:
            self.ordinal = version.ordinal
        self._out.log(said)
        self._out.tell("failed", reason=reason, error=error)
        self.answer(version, error=error)
        self._out.detached()
        if self.upcoming is not None and self.upcoming.state in ("starting", "ready"):
            self.again(self.upcoming)  # its ``init`` saw the account as it was for the version before
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
        self._fail(version, "hole", described(message), Output([("error", message)]))

    def end(self) -> None:
        """End the workers."""
        for version in self.versions:
            version.retire()
