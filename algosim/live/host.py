"""The host process of one strategy: holds its keys, hears the market, asks its worker, answers the broker."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

from algosim.live.child import Birth, Link
from algosim.live.inlet import Inlet
from algosim.live.mail import Mail
from algosim.live.output import Output
from algosim.live.seat import Seat
from algosim.live.watching import Watch
from algosim.live.workers import CHECK_S

if TYPE_CHECKING:
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
        self.alive = True
        self._looked_at = self._beat_at = time.monotonic()
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
        self.seat = Seat(birth, self.poller, self.link, self.mail)
        self.versions = self.seat.versions
        self.watch = Watch(Path(birth.extra["path"]), on=bool(birth.extra["watch"]))
        self.versions.prepare()

    def run(self) -> None:
        while self.alive:
            if self.seat.calm:
                self._wait_for_clearing()
            else:
                self._wait_for_all()
            self.seat.go_on_soon()
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
        if self.seat.feed.lacks_tick:
            self._stream(1)
        elif not ready:
            self._stream(BATCH)

    def _attend(self, ready: dict[zmq.Socket[bytes] | int, int]) -> None:
        """Take what the workers have said."""
        for version in self.versions.versions:
            if version.worker.stderr in ready:
                self._pass_on(version)
            self.seat.hear(version)

    def _look_after(self, now: float) -> None:
        if now - self._looked_at >= WATCH_S:
            self._looked_at = now
            self._attend(dict(self.poller.poll(0)))
            if self.watch.changed():
                self.versions.prepare()
        if now - self._beat_at >= HEARTBEAT_S:
            self._beat_at = now
            self.link.tell("beat", health=self.seat.health())

    def _pass_on(self, version: Version) -> None:
        """Log what a worker wrote past `print`; left in the pipe, it would hold the worker up."""
        lines = version.worker.drain_stderr().splitlines()
        if lines:
            self.seat.log(Output([("print", line) for line in lines]))

    def _stream(self, most: int) -> None:
        for message in self.inlet.stream(most):
            self.seat.take(message)

    def _frames(self) -> None:
        for frame in self.inlet.frames(BATCH):
            self.seat.take_frame(frame)

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
            self.seat.begin()
        elif op == "reload":
            self.watch.note()  # before they are read: what is saved in between is seen
            self.versions.prepare(
                document.get("params"), keep_state=bool(document.get("keep_state")), rid=document.get("rid")
            )
        elif op == "watch":
            self.watch.on = document["on"]
