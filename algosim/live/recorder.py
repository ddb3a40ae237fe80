"""The recorder process: blocks in, run folder out, each block confirmed when it is on disk."""

from __future__ import annotations

import contextlib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import zmq

from algosim.core.market import Ticks
from algosim.errors import RunError
from algosim.events import End, Event, Tick
from algosim.live.child import Birth, Link
from algosim.live.sockets import connect, make
from algosim.live.wire import Confirm, arrived, encode, wall_ns
from algosim.runs.evaluate import start_event
from algosim.runs.recorder import Recorder

if TYPE_CHECKING:
    import threading

__all__ = ["main"]

BATCH = 16

LINGER_MS = 500
LOOK_MS = 100
"""How often it looks whether the supervisor is still there."""

_bundle_decoder = msgspec.json.Decoder(list[list[Event]])


def main(birth: Birth, orphaned: threading.Event) -> None:
    """Run until the supervisor says stop, or is gone."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    link = Link(context, birth)
    try:
        _Recorder(birth, context, link, orphaned).run()
    except RunError as error:
        # The disk may be too full for words.
        link.tell("failed", reason=str(error))
        context.destroy(linger=LINGER_MS)
        raise


class _Recorder:
    def __init__(
        self,
        birth: Birth,
        context: zmq.Context[zmq.Socket[bytes]],
        link: Link,
        orphaned: threading.Event,
    ) -> None:
        self.birth = birth
        self.link = link
        self.orphaned = orphaned
        folder = Path(birth.extra["folder"])
        make_recorder = Recorder.reopen if birth.extra["resume"] else Recorder
        self.recorder = make_recorder(birth.config, start_event(birth.run_id, birth.config), folder)
        self.last = self.recorder.last
        self.in_step = not birth.extra["resume"]
        self.alive = True
        hwm = max(birth.config.transport.hwm.orders, 4 * birth.config.transport.window)
        self.blocks = make(context, zmq.PULL, hwm)
        self.blocks.setsockopt(zmq.MAXMSGSIZE, -1)  # a block is as long as it is, and comes from the broker
        self.confirms = make(context, zmq.PUSH, hwm)
        self.poller = zmq.Poller()
        for socket in (self.link.socket, self.blocks):
            self.poller.register(socket, zmq.POLLIN)
        self.link.tell("hello")

    def run(self) -> None:
        """Record until told to stop; without a supervisor, what has arrived."""
        while self.alive and not self.orphaned.is_set():
            ready = dict(self.poller.poll(LOOK_MS))
            if self.blocks in ready:
                self._record()
            if self.link.socket in ready:
                for document in self.link.heard():
                    self._command(document)
        if self.orphaned.is_set():
            self._close()
            self._tidy()

    def _command(self, document: dict[str, Any]) -> None:
        op = document["op"]
        if op == "stop":
            self.alive = False
        elif op == "connect":
            # Keys also where the run has none: whoever else took blocks here would make holes in the record.
            always = self.birth.security._replace(curve=True)
            connect(self.blocks, document["endpoints"]["blocks"], always)
            connect(self.confirms, document["endpoints"]["orders_push"], self.birth.security)
            if self.recorder.recording.end is not None:
                self.recorder.finish(durable=True)
            self._confirm(fresh=True)
        elif op == "close":
            self._close()
            self.poller.unregister(self.blocks)
            self.link.tell("closed")
        elif op == "report":
            self.link.tell("report")

    def _close(self) -> None:
        """Sum up what there is, of a run that does not come to its end."""
        while self.blocks.poll(0):
            self._record()
        if self.recorder.recording.end is None:
            self.recorder.finish(durable=True)

    def _tidy(self) -> None:
        """Do for a supervisor that was killed what it would have done at the end."""
        from algosim.live.tidy import tidy  # noqa: PLC0415  (hardly ever needed)

        tidy(self.birth.run_id, Path(self.birth.extra["folder"]), self.birth.extra["scratch"])

    def _confirm(self, *, fresh: bool = False) -> None:
        message = Confirm(
            seq=self.last,
            ts_sim=self.recorder.recording.t_end,
            ts_wall=wall_ns(),
            run_id=self.birth.run_id,
            token=self.birth.token,
            fresh=fresh,
        )
        self.confirms.send(encode(message))

    def _record(self) -> None:
        """Write the blocks that have arrived and confirm the last of them."""
        bundles = map(_bundle_decoder.decode, arrived(self.blocks, BATCH))
        blocks = [block for block in chain.from_iterable(bundles) if self._is_next(block[0].seq)]
        end = blocks.pop() if blocks and isinstance(blocks[-1][-1], End) else None
        events = list(chain.from_iterable(blocks))
        try:
            if events:
                self.recorder.take(*_split(events))
            if end:
                self.recorder.take_end(end)
        except RunError:
            with contextlib.suppress(RunError):
                self.recorder.finish(durable=True)  # of what is on disk
            raise
        if end:
            self.recorder.finish(durable=True)
        if events or end:
            self._confirm()

    def _is_next(self, seq: int) -> bool:
        """Whether this block is to be written.

        A recorder that has taken another's place may first see blocks that were meant for that one; it gets
        them again in order.

        Raises
        ------
        RunError
            If one is missing before it.
        """
        if seq == self.last + 1:
            self.last, self.in_step = seq, True
            return True
        if seq > self.last and self.in_step:
            msg = f"block {self.last + 1} is missing, block {seq} came"
            raise RunError(msg)
        return False


def _split(events: list[Event]) -> tuple[Ticks, list[Event]]:
    """Return the ticks of whole blocks as arrays, and their other events."""
    ticks = [event for event in events if isinstance(event, Tick)]
    others: list[Event] = [event for event in events if not isinstance(event, Tick)]
    arrays = Ticks(
        ticks[0].seq,
        np.array([tick.ts_sim for tick in ticks], dtype=np.int64),
        np.array([tick.price for tick in ticks], dtype=np.float64),
        np.array([tick.x for tick in ticks], dtype=np.float64),
    )
    return arrays, others
