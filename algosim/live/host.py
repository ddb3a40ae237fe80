"""The host process of one strategy: holds its keys, hears the market, asks its worker, answers the broker."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

from algosim.live.child import Birth, Link
from algosim.live.feed import Feed, Hole
from algosim.live.inlet import Inlet
from algosim.live.mail import Mail
from algosim.live.mirror import Mirror
from algosim.live.pipe import Acted, Finish, Finished
from algosim.live.succession import Out, Succession
from algosim.live.watching import Watch
from algosim.live.wire import MAX_FRAME, Clear, State, Stop, TickMessage
from algosim.live.workers import CHECK_S

if TYPE_CHECKING:
    from algosim.events import Level
    from algosim.live.versions import Version

__all__ = ["main"]

WATCH_S = 0.25
CALM_S = 0.05
HEARTBEAT_S = 1.0
BATCH = 64


def main(birth: Birth) -> None:
    """Run until the supervisor says stop."""
    host = _Host(birth)
    try:
        host.run()
    finally:
        host.versions.end()


class _Host:
    """Carries a strategy's part of the stream to its worker, and what it answers to the broker."""

    def __init__(self, birth: Birth) -> None:
        self.birth = birth
        self.limits = birth.config.limits
        self.alive = True
        self.feed = Feed(birth.name)
        self.mirror = Mirror(birth.config)
        self.slow = 0
        self.slowest_ms = 0.0
        self.warmup = ""
        self._asked: TickMessage | None = None
        self._stop: Stop | None = None
        self._looked_at = self._beat_at = time.monotonic()
        self._open_sockets(birth)
        out = Out(self._tell, self._log, self._detached)
        self.versions = Succession(birth, self.poller, out)
        self.watch = Watch(Path(birth.extra["path"]), on=bool(birth.extra["watch"]))
        self.versions.prepare()

    def _open_sockets(self, birth: Birth) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.link = Link(context, birth)
        self.link.tell("hello")
        self.mail = Mail(context, birth)
        self.inlet = Inlet(context, birth)
        self.poller, self._calm = zmq.Poller(), zmq.Poller()
        for socket in (self.inlet.fills, self.link.socket):
            self.poller.register(socket, zmq.POLLIN)
            self._calm.register(socket, zmq.POLLIN)
        self.poller.register(self.inlet.ticks, zmq.POLLIN)

    def run(self) -> None:
        while self.alive:
            if self.feed.calm and not self.versions.busy:
                self._wait_for_clearing()
            else:
                self._wait_for_all()
            self._go_on()
            while self._asked is not None and self._hear_soon():
                self._go_on()
            self._look_after(time.monotonic())

    def _wait_for_all(self) -> None:
        ready = dict(self.poller.poll(round((CHECK_S if self.versions.busy else WATCH_S) * 1e3)))
        if self.link.socket in ready:
            self._commands()
        if self.inlet.ticks in ready:
            self._stream(BATCH)
        if self.inlet.fills in ready:
            self._frames()
        self._attend(ready)

    def _wait_for_clearing(self) -> None:
        """Wait without an ear for ticks: they are read when the account's clearing comes, which is later.

        To be woken once for a tick, not twice, is quicker and spares the processor.
        """
        ready = dict(self._calm.poll(round(CALM_S * 1e3)))
        if self.link.socket in ready:
            self._commands()
        if self.inlet.fills in ready:
            self._frames()
        if self.feed.lacks_tick:
            self._stream(1)
        elif not ready:
            self._stream(BATCH)

    def _attend(self, ready: dict[zmq.Socket[bytes] | int, int]) -> None:
        """Take what the workers have said."""
        for version in self.versions.versions:
            if version.worker.stderr in ready:
                self._pass_on(version)
            self._hear(version)

    def _look_after(self, now: float) -> None:
        if now - self._looked_at >= WATCH_S:
            self._looked_at = now
            self._attend(dict(self.poller.poll(0)))
            if self.watch.changed():
                self.versions.prepare()
        if now - self._beat_at >= HEARTBEAT_S:
            self._beat_at = now
            self.link.tell("beat", health=self._health())

    def _pass_on(self, version: Version) -> None:
        """Log what a worker wrote past `print`; left in the pipe, it would hold the worker up."""
        lines = version.worker.drain_stderr().splitlines()
        if lines:
            self._log([("print", line) for line in lines])

    # The stream of ticks and commands, and the account's frames

    def _stream(self, most: int) -> None:
        for message in self.inlet.stream(most):
            try:
                if isinstance(message, TickMessage):
                    self.feed.tick(message)
                else:
                    self.feed.command(message)
            except Hole as hole:
                self.versions.drop(str(hole))

    def _frames(self) -> None:
        for frame in self.inlet.frames(BATCH):
            if isinstance(frame, Clear):
                self.feed.clear(frame)
            elif isinstance(frame, State):
                self._take_over(frame)
            else:
                self._stop = frame

    def _take_over(self, state: State) -> None:
        """Start from the account as it is when the strategy is attached."""
        self.feed.take_over()
        self.versions.started = True
        self.mirror.take_over(state)
        current = self.versions.current
        if current is not None and current.state == "imported":
            self.versions.begin(current, self.mirror.desk)

    def _detached(self) -> None:
        self.feed.detach()
        self._asked = None

    # The strategy's turn

    def _hear_soon(self) -> bool:
        """Take the answer of the version that trades if it comes at once, as most do."""
        current = self.versions.current
        if current is None or not current.worker.replies_soon():
            return False
        self._hear(current)
        return True

    def _hear(self, version: Version) -> None:
        reply = self.versions.hear(version, self.mirror.desk)
        if isinstance(reply, Acted):
            self._acted(version, reply)
        elif isinstance(reply, Finished):
            self._finished(reply)

    def _go_on(self) -> None:
        """Give the strategy its next tick, once the account is cleared at it."""
        version = self.versions.idle
        if version is None:
            return
        try:
            due = self.feed.due()
        except Hole as hole:
            self.versions.drop(str(hole))
            return
        if due is not None:
            if not self.versions.swap(self.mirror.desk):
                self.feed.take()
                self._turn(version, *due)
        elif self._stop is not None and not self.feed:
            self.versions.finish(version, Finish(self._stop.ts_sim, self._stop.fills))
        elif self.feed.left:
            self.versions.finish(version, Finish(self.mirror.desk.now, []))

    def _turn(self, version: Version, tick: TickMessage, clear: Clear) -> None:
        self._asked = tick
        self.versions.ask(version, self.mirror.advance(tick, clear), "on_tick", self.limits.on_tick_s)

    def _acted(self, version: Version, reply: Acted) -> None:
        """Check what the strategy asked for once more and pass it on as one acknowledgement."""
        tick, self._asked = self._asked, None
        fault = (
            "its worker answered a question that was not asked" if tick is None else self.mirror.fault(reply)
        )
        if tick is None or fault:
            self.versions.lose(version, "protocol", fault)
            return
        took_ms = (time.monotonic() - version.worker.asked_at) * 1e3
        if took_ms > self.limits.slow_ms:
            self.slow += 1
            self.slowest_ms = max(self.slowest_ms, took_ms)
        self.warmup = reply.warmup
        if self.mail.acknowledge(version, reply, tick):
            self.feed.acked = tick.seq
        else:
            self.versions.lose(
                version, "protocol", f"it drew more in one tick than {MAX_FRAME >> 20} MB hold"
            )

    def _finished(self, reply: Finished) -> None:
        if self._stop is None:
            self._log(reply.logs)
            self.link.tell("left")
        else:
            self.mail.stopped(reply.logs, self.feed.acked, self.mirror.desk.now)

    # What goes out

    def _tell(self, op: str, **fields: Any) -> None:  # noqa: ANN401  (a document)
        """Tell the supervisor what became of a version."""
        if op in ("began", "swapped"):
            fields["health"] = self._health()
        self.link.tell(op, **fields)

    def _log(self, logs: list[tuple[Level, str]]) -> None:
        self.mail.log(logs, self.feed.acked, self.mirror.desk.now)

    def _commands(self) -> None:
        for document in self.link.heard():
            self._command(document)

    def _command(self, document: dict[str, Any]) -> None:
        op = document["op"]
        if op == "stop":
            self.alive = False
        elif op == "connect":
            self.inlet.connect(document["endpoints"])
            self.mail.connect(document["endpoints"]["orders_push"])
        elif op == "begin":
            current = self.versions.current
            if current is not None and current.state == "imported":
                self.versions.begin(current, self.mirror.desk)
        elif op == "reload":
            self.versions.prepare(
                document.get("params"), keep_state=bool(document.get("keep_state")), rid=document.get("rid")
            )
        elif op == "watch":
            self.watch.on = document["on"]

    def _health(self) -> dict[str, Any]:
        version = self.versions.current
        return {
            "acked": self.feed.acked,
            "queued": len(self.feed),
            "slow": self.slow,
            "slowest_ms": round(self.slowest_ms, 1),
            "warmup": self.warmup,
            "worker_pid": version.worker.pid if version is not None else None,
            "in_hook": version is not None and version.worker.busy,
        }
