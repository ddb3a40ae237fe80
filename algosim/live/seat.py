"""A strategy's seat in the market: what it is asked, in which order, and what becomes of its answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from algosim.live.feed import Feed, Hole
from algosim.live.mirror import Mirror
from algosim.live.newcomers import Out
from algosim.live.pipe import Acted, Finish, Finished
from algosim.live.succession import Succession
from algosim.live.wire import MAX_FRAME, Clear, Stamped, State, Stop, TickMessage

if TYPE_CHECKING:
    import zmq

    from algosim.live.child import Birth, Link
    from algosim.live.mail import Mail
    from algosim.live.output import Output
    from algosim.live.versions import Version

__all__ = ["Seat"]


class Seat:
    """Brings a strategy's part of the stream and its account together, and asks the version that trades.

    Parameters
    ----------
    birth : Birth
        The host's.
    poller : zmq.Poller
        Is told of the workers' pipes.
    link : Link
        To the supervisor.
    mail : Mail
        To the broker.

    Attributes
    ----------
    feed : Feed
    versions : Succession
    """

    def __init__(self, birth: Birth, poller: zmq.Poller, link: Link, mail: Mail) -> None:
        self.feed = Feed(birth.name)
        self.versions = Succession(birth, poller, Out(self._tell, self.log, self._detached))
        self._limits = birth.config.limits
        self._mirror = Mirror(birth.config)
        self._link = link
        self._mail = mail
        self._asked: TickMessage | None = None
        self._stop: Stop | None = None
        self._slow = 0
        self._slowest_ms = 0.0
        self._warmup = ""

    @property
    def calm(self) -> bool:
        """Whether nothing happens before the account's next clearing."""
        return self.feed.calm and not self.versions.busy

    # What the host hears

    def take(self, message: TickMessage | Stamped) -> None:
        """Take the next message of the stream of ticks and commands."""
        try:
            if isinstance(message, TickMessage):
                self.feed.tick(message)
            else:
                current = self.versions.current
                self.feed.command(message, 0 if current is None else current.ordinal)
                self._take_over()
        except Hole as hole:
            self.versions.drop(str(hole))

    def take_frame(self, frame: Clear | State | Stop) -> None:
        """Take the account's next frame."""
        if isinstance(frame, Clear):
            self.feed.clear(frame)
        elif isinstance(frame, State):
            self.versions.started = True
            self.feed.state(frame)
            self._take_over()
        else:
            self._stop = frame

    def _take_over(self) -> None:
        """Start from the account as it is when the strategy is attached, which two ways tell."""
        state = self.feed.take_over()
        if state is not None:
            self._mirror.take_over(state)
            self.begin()

    def begin(self) -> None:
        """Call ``init`` of the version that was imported, if it still waits."""
        current = self.versions.current
        if current is not None and current.state == "imported":
            self.versions.begin(current, self._mirror.desk)

    def _detached(self) -> None:
        self.feed.detach()
        self._asked = None

    # The strategy's turn

    def go_on_soon(self) -> None:
        """Go on, for as long as the answers come at once, as most do."""
        self.go_on()
        while self._asked is not None and self._hear_soon():
            self.go_on()

    def _hear_soon(self) -> bool:
        """Take the answer of the version that trades if it comes at once, as most do."""
        current = self.versions.current
        if current is None or not current.worker.replies_soon():
            return False
        self.hear(current)
        return True

    def hear(self, version: Version) -> None:
        """Take what a version's worker has replied, if it has."""
        reply = self.versions.hear(version, self._mirror.desk)
        if isinstance(reply, Acted):
            self._acted(version, reply)
        elif isinstance(reply, Finished):
            self._finished(reply)

    def go_on(self) -> None:
        """Give the strategy its next tick, once the account is cleared at it."""
        version = self.versions.idle
        if version is None or self._rehearses():
            return
        try:
            due = self.feed.due()
        except Hole as hole:
            self.versions.drop(str(hole))
            return
        if due is not None:
            self.feed.take()
            self._turn(self.versions.relieve(version), *due)
        elif self._stop is not None and not self.feed:
            self.versions.finish(version, Finish(self._stop.ts_sim, self._stop.fills))
        elif self.feed.left:
            self.versions.finish(version, Finish(self._mirror.desk.now, []))

    def _rehearses(self) -> bool:
        """Let a version that was imported call its ``init`` between two ticks, unless none is to come."""
        ends = self._stop is not None or self.feed.left
        return not ends and self.versions.rehearse(self._mirror.desk)

    def _turn(self, version: Version, tick: TickMessage, clear: Clear) -> None:
        self._asked = tick
        self.versions.ask(version, self._mirror.advance(tick, clear), "on_tick", self._limits.on_tick_s)

    def _acted(self, version: Version, reply: Acted) -> None:
        """Check what the strategy asked for once more and pass it on as one acknowledgement."""
        tick, self._asked = self._asked, None
        fault = (
            "its worker answered a question that was not asked" if tick is None else self._mirror.fault(reply)
        )
        if tick is None or fault:
            self.versions.lose(version, "protocol", fault)
            return
        took_ms = (time.monotonic() - version.worker.asked_at) * 1e3
        if took_ms > self._limits.slow_ms:
            self._slow += 1
            self._slowest_ms = max(self._slowest_ms, took_ms)
        self._warmup = reply.warmup
        if self._mail.acknowledge(version, reply, tick):
            self.feed.acked = tick.seq
        else:
            self.versions.lose(
                version, "protocol", f"it drew more in one tick than {MAX_FRAME >> 20} MB hold"
            )

    def _finished(self, reply: Finished) -> None:
        if self._stop is None:
            self._mail.left(reply.said, self.feed.acked, self._mirror.desk.now)
            self._link.tell("left")
        else:
            self._mail.stopped(reply.said, self.feed.acked, self._mirror.desk.now)

    # What goes out

    def _tell(self, op: str, **fields: Any) -> None:  # noqa: ANN401  (a document)
        """Tell the supervisor what became of a version."""
        if op in ("began", "swapped"):
            fields["health"] = self.health()
        self._link.tell(op, **fields)

    def log(self, said: Output) -> None:
        """Log lines that belong to no answer."""
        self._mail.log(said, self.feed.acked, self._mirror.desk.now)

    def health(self) -> dict[str, Any]:
        """Return how the strategy does."""
        version = self.versions.current
        return {
            "acked": self.feed.acked,
            "queued": len(self.feed),
            "slow": self._slow,
            "slowest_ms": round(self._slowest_ms, 1),
            "warmup": self._warmup,
            "worker_pid": version.worker.pid if version is not None else None,
            "in_hook": version is not None and version.worker.busy,
        }
