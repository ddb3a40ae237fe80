"""What a strategy's host sends to the broker: answers, lines of the log, the word that it has stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import zmq

from algosim.live.output import Allowance, Output
from algosim.live.sockets import connect, make
from algosim.live.wire import MAX_FRAME, Ack, LogLines, Stopped, encode, wall_ns

if TYPE_CHECKING:
    from algosim.events import Level
    from algosim.live.child import Birth
    from algosim.live.pipe import Acted
    from algosim.live.versions import Version
    from algosim.live.wire import TickMessage

    Lines = list[tuple[Level, str]]

__all__ = ["Mail"]


class Mail:
    """The host's socket to the broker, and the envelopes.

    Parameters
    ----------
    context : zmq.Context
    birth : Birth
        The host's.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], birth: Birth) -> None:
        transport = birth.config.transport
        self._socket = make(context, zmq.PUSH, max(transport.hwm.orders, 4 * transport.window))
        self._birth = birth
        self._allowance = Allowance(1024 * birth.config.limits.output_kb)
        self._waiting: list[bytes] | None = []

    def connect(self, endpoint: str) -> None:
        """Connect to the broker and send what has waited for it."""
        connect(self._socket, endpoint, self._birth.security)
        waiting, self._waiting = self._waiting or [], None
        for message in waiting:
            self._socket.send(message)

    def acknowledge(self, version: Version, reply: Acted, tick: TickMessage) -> bool:
        """Send what a strategy did at a tick, in one frame; return whether it fits into one."""
        ack = encode(
            Ack(
                version=version.ordinal,
                code=version.source.code,
                params=version.params,
                keep_state=version.keep_state,
                orders=reply.orders,
                plots=reply.plots,
                logs=self._admitted(reply.said),
                **self._envelope(tick.seq, tick.ts_sim),
            )
        )
        if len(ack) > MAX_FRAME:
            return False
        self._socket.send(ack)
        return True

    def log(self, said: Output, seq: int, ts_sim: int) -> None:
        """Send lines that belong to no answer, such as an error."""
        lines = self._admitted(said)
        if lines:
            self._tell(lines, seq, ts_sim)

    def _tell(self, lines: Lines, seq: int, ts_sim: int) -> None:
        message = encode(LogLines(logs=lines, **self._envelope(seq, ts_sim)))
        if self._waiting is None:
            self._socket.send(message)
        else:
            self._waiting.append(message)  # a PUSH socket without a peer would block

    def stopped(self, said: Output, seq: int, ts_sim: int) -> None:
        """Tell that ``on_stop`` has returned at the end of the run."""
        self._socket.send(encode(Stopped(logs=self._allowance.last(said), **self._envelope(seq, ts_sim))))

    def left(self, said: Output, seq: int, ts_sim: int) -> None:
        """Send the last lines of a strategy that was removed."""
        lines = self._allowance.last(said)
        if lines:
            self._tell(lines, seq, ts_sim)

    def _admitted(self, said: Output) -> Lines:
        quiet = not (said.lines or said.more or self._allowance.more)
        return said.lines if quiet else self._allowance.admit(said, time.monotonic())

    def _envelope(self, seq: int, ts_sim: int) -> dict[str, Any]:
        return {
            "seq": seq,
            "ts_sim": ts_sim,
            "ts_wall": wall_ns(),
            "run_id": self._birth.run_id,
            "token": self._birth.token,
        }
