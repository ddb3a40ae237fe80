"""The recorder process: blocks in, run folder out, each block confirmed when it is on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import zmq

from algosim.core.market import Ticks
from algosim.errors import RunError
from algosim.events import End, Event, Tick
from algosim.live.child import Birth, Link
from algosim.live.sockets import connect, make
from algosim.live.wire import Confirm, encode, wall_ns
from algosim.runs.evaluate import start_event
from algosim.runs.recorder import Recorder

__all__ = ["main"]

BATCH = 256

_block_decoder = msgspec.json.Decoder(list[Event])


def main(birth: Birth) -> None:
    """Run until the supervisor says stop."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    link = Link(context, birth)
    try:
        _Recorder(birth, context, link).run()
    except RunError as error:
        link.tell("failed", reason=str(error))
        raise SystemExit(1) from error


class _Recorder:
    def __init__(self, birth: Birth, context: zmq.Context[zmq.Socket[bytes]], link: Link) -> None:
        self.birth = birth
        self.link = link
        folder = Path(birth.extra["folder"])
        start = start_event(birth.run_id, birth.config)
        resume = bool(birth.extra.get("resume"))
        make_recorder = Recorder.reopen if resume else Recorder
        self.recorder = make_recorder(birth.config, start, folder)
        self.last = len(self.recorder.recording)
        self.alive = True
        hwm = max(birth.config.transport.hwm.orders, 4 * birth.config.transport.window)
        self.blocks = make(context, zmq.PULL, hwm)
        self.confirms = make(context, zmq.PUSH, hwm)
        self.link.tell("hello")

    def run(self) -> None:
        poller = zmq.Poller()
        poller.register(self.link.socket, zmq.POLLIN)
        poller.register(self.blocks, zmq.POLLIN)
        while self.alive:
            ready = dict(poller.poll())
            if self.link.socket in ready:
                for document in self.link.heard():
                    self._command(document)
            if self.blocks in ready:
                self._record()

    def _command(self, document: dict[str, Any]) -> None:
        if document["op"] == "stop":
            self.alive = False
        elif document["op"] == "connect":
            connect(self.blocks, document["endpoints"]["blocks"], self.birth.security)
            connect(self.confirms, document["endpoints"]["orders_push"], self.birth.security)
            self._confirm(fresh=True)
        elif document["op"] == "close":
            self.recorder.finish()
            self.link.tell("closed")

    def _confirm(self, *, fresh: bool = False) -> None:
        message = Confirm(
            seq=self.last,
            ts_sim=self.recorder.recording.last_time,
            ts_wall=wall_ns(),
            run_id=self.birth.run_id,
            token=self.birth.token,
            fresh=fresh,
        )
        self.confirms.send(encode(message))

    def _record(self) -> None:
        """Write the blocks that have arrived and confirm the last of them."""
        events: list[Event] = []
        end: list[Event] = []
        for _ in range(BATCH):
            try:
                block = _block_decoder.decode(self.blocks.recv(zmq.NOBLOCK))
            except zmq.Again:
                break
            if block[0].seq <= self.last:
                continue  # sent again to a recorder that has it
            if block[0].seq != self.last + 1:
                msg = f"block {self.last + 1} is missing, block {block[0].seq} came"
                raise RunError(msg)
            self.last = block[0].seq
            if isinstance(block[-1], End):
                end = block
            else:
                events += block
        if events:
            self.recorder.take(*_split(events))
        if end:
            self.recorder.take_end(end)
            self.recorder.finish()
        if events or end:
            self._confirm()


def _split(events: list[Event]) -> tuple[Ticks, list[Event]]:
    """Return the ticks of whole blocks as arrays, and their other events."""
    ticks = [event for event in events if isinstance(event, Tick)]
    others = [event for event in events if not isinstance(event, Tick)]
    arrays = Ticks(
        ticks[0].seq,
        np.array([tick.ts_sim for tick in ticks], dtype=np.int64),
        np.array([tick.price for tick in ticks], dtype=np.float64),
        np.array([tick.x for tick in ticks], dtype=np.float64),
    )
    return arrays, others
