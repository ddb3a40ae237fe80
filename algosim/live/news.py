"""What the processes of a run tell their supervisor, and what follows from it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from algosim.live.connection import Connection, connection_files, write_connection
from algosim.live.sockets import KeyPair

if TYPE_CHECKING:
    from algosim.live.barrier import Barrier
    from algosim.live.family import Process
    from algosim.live.report import Report
    from algosim.live.run import Run
    from algosim.live.switchboard import Said

    Document = dict[str, Any]

__all__ = ["News"]


class News:
    """Acts on what processes say.

    Parameters
    ----------
    run : Run
    barrier : Barrier
    report : Report
    """

    def __init__(self, run: Run, barrier: Barrier, report: Report) -> None:
        self._run = run
        self._barrier = barrier
        self._report = report
        self._handlers = {
            "hello": self._hello,
            "bound": self._bound,
            "ready": self._ready,
            "imported": self._imported,
            "began": self._began,
            "swapped": self._swapped,
            "accepted": self._accepted,
            "refused": self._refused,
            "failed": self._failed,
            "fault": self._fault,
            "left": self._left,
            "beat": self._beat,
            "progress": self._progress,
            "reached": self._reached,
            "ended": self._ended,
            "closed": self._closed,
            "report": self._reported,
            "answer": self._answered,
            "done": self._answered,
        }

    def take(self, said: Said) -> None:
        """Act on one message; what a process sent that is gone does not count."""
        process = self._run.family.members.get(said.party.name)
        if process is None:
            return
        process.heard_at = time.monotonic()
        self._run.board.greet(process, said.address)
        document = msgspec.json.decode(said.body, type=dict[str, Any])
        handler = self._handlers.get(document["op"])
        if handler is None:
            self._run.board.foreign += 1
        else:
            handler(process, document)

    # Coming up

    def _hello(self, process: Process, _: Document) -> None:
        if process.role == "recorder" and self._run.recorder_restarts:
            self._run.connect(process.name)  # the others were told when the endpoints became known
        self._barrier.seen(process.name, "hello")

    def _bound(self, _: Process, document: Document) -> None:
        run = self._run
        run.endpoints.update(document["endpoints"])
        if run.bound:
            for name in ("broker", "recorder", *run.strategies):
                run.connect(name)
            self._publish()
            if run.state == "starting":
                run.state = "waiting"

    def _publish(self) -> None:
        """Write the connection file, and clear away those of runs that were killed."""
        run, birth = self._run, self._run.birth
        guests = {party.name: party for party in birth.parties}
        keys = msgspec.convert(birth.extra["guest_keys"], dict[str, KeyPair])
        connection_files()
        write_connection(
            Connection(
                run_id=birth.run_id,
                pid=os.getpid(),
                started=psutil.Process().create_time(),
                folder=birth.extra["folder"],
                security=birth.config.transport.security,
                asset_id=birth.config.model.asset_id,
                endpoints={name: at for name, at in run.endpoints.items() if name != "blocks"},
                server_public=birth.server_public,
                observer=keys["observer"],
                observer_token=guests["observer"].token,
                controller=keys["controller"],
                controller_token=guests["controller"].token,
            )
        )

    def _ready(self, _: Process, document: Document) -> None:
        self._barrier.seen(document["party"], document["socket"])

    # Strategies

    def _imported(self, process: Process, document: Document) -> None:
        strategy = self._run.strategies[process.name]
        strategy.imported, strategy.error = _version_of(document), None
        strategy.params = document["params"]
        self._run.note(process.name)
        if not self._run.started:
            self._run.tell(process.name, "begin")
        self._barrier.consider()

    def _began(self, process: Process, document: Document) -> None:
        strategy = self._run.strategies[process.name]
        strategy.began = True
        strategy.imported = _version_of(document)
        strategy.version, strategy.health = document["version"], document["health"]
        if strategy.attached:
            self._run.welcome(process.name)
        self._barrier.consider()

    def _swapped(self, process: Process, document: Document) -> None:
        strategy = self._run.strategies[process.name]
        strategy.version, strategy.params, strategy.error = document["version"], document["params"], None
        strategy.health = document["health"]
        self._run.note(process.name)

    def _accepted(self, process: Process, document: Document) -> None:
        """Forget what was wrong with an earlier version: the files as they are now can be used."""
        strategy = self._run.strategies[process.name]
        strategy.params = document["params"]
        self._run.note(process.name)
        if strategy.attached:
            strategy.error = None

    def _refused(self, process: Process, document: Document) -> None:
        """Show why a version does not trade; who asked for it is told, who only saved a file is not."""
        strategy = self._run.strategies[process.name]
        strategy.params = document["params"]
        self._run.note(process.name)
        if not document["asked"]:
            strategy.error = document["error"]

    def _failed(self, process: Process, document: Document) -> None:
        """Go on without a strategy, whose host waits for another version; or hear why a process ends."""
        if process.role != "host":
            process.words = document["reason"]  # it is about to end
            return
        self._run.lose(process.name, document["reason"], document["error"])
        self._barrier.lost(process.name, document["error"])

    def _fault(self, _: Process, document: Document) -> None:
        """Go on without a strategy whose host broke the protocol; the broker has detached it."""
        name = document["id"]
        self._run.kill(name)
        self._run.lose(name, "protocol", {"message": document["reason"]})

    def _left(self, process: Process, _: Document) -> None:
        run, name = self._run, process.name
        # An answer that was still in its queue will not come; the notice does nothing if all have.
        lost = "its host ended before its last answer"
        version = run.strategies[name].joined
        run.tell("broker", "detach", id=name, reason="removed", error=lost, version=version)
        run.left(name)

    def _beat(self, process: Process, document: Document) -> None:
        self._run.strategies[process.name].health = document["health"]

    # The run

    def _progress(self, _: Process, document: Document) -> None:
        run = self._run
        run.done, run.done_time = document["done"], document["time"]
        self._report.progressed(run.done)
        if document["ended"]:
            run.finish()
        else:
            run.arrive()

    def _reached(self, _: Process, document: Document) -> None:
        self._run.has_paused(document["tick"])

    def _ended(self, _: Process, __: Document) -> None:
        if self._run.closing_at is None:
            self._run.state = "ending"

    def _closed(self, _: Process, __: Document) -> None:
        self._run.over = self._run.closing_at is not None

    def _reported(self, process: Process, document: Document) -> None:
        if process.role != "recorder":  # of whom it is enough to hear
            self._report.take(process.name, document)

    def _answered(self, _: Process, document: Document) -> None:
        self._run.board.answered(document)


def _version_of(document: Document) -> Document:
    return {key: document[key] for key in ("version", "code", "name", "params")}
