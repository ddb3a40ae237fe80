"""Whoever only watches a live market: its ticks, commands and fills as they come, and what was missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import msgspec
import zmq

from algosim.live.client import Client
from algosim.live.connection import find_connection, is_alive
from algosim.live.sockets import Security, connect, make
from algosim.live.wire import CONTROL_TOPIC, Clear, Stamped, State, Stop, TickMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    Message = TickMessage | Stamped | Clear | State | Stop

__all__ = ["Observer", "Seen"]

BATCH = 1_000

_decode = msgspec.json.Decoder(TickMessage | Stamped | Clear | State | Stop).decode


class Seen(NamedTuple):
    """One message: ``asset_id`` is the topic of ticks, ``@control`` of commands, an id that of an account."""

    topic: str
    message: Message


class Observer:
    """Sees what happens in a market, with the key that may watch and not command.

    One that is slow loses messages and never slows the market. What must be complete, a run's trades or its
    digest, is read from its folder (`algosim.connect`), not from here. Belongs to one thread.

    Parameters
    ----------
    run : str, optional
        Id of the run; without one, the newest that is running.
    latest : bool
        Keep of the ticks only the newest that has come, and leave out the commands; nothing is counted as
        missed then. ``transport.conflate.ui_ticks_sub`` says what a screen should take.
    hwm : int
        How many messages may wait to be read.

    Attributes
    ----------
    connection : Connection
    gaps : dict of str to int
        Messages of the tick stream that were missed, by topic.
    tick : TickMessage or None
        The last one that was read.

    Raises
    ------
    EngineError
        If no such run is there.
    """

    def __init__(self, run: str | None = None, *, latest: bool = False, hwm: int = 20_000) -> None:
        self.connection = found = find_connection(run)
        self.gaps: dict[str, int] = {}
        self.tick: TickMessage | None = None
        self._last: dict[str, int] = {}
        self._counts = not latest
        self._security = Security(found.security == "curve", found.observer, found.server_public)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._ticks = make(self._context, zmq.SUB, hwm)
        self._fills = make(self._context, zmq.SUB, hwm)
        self._poller = zmq.Poller()
        topics = [f"{found.asset_id} "]
        if latest:
            self._ticks.setsockopt(zmq.CONFLATE, 1)
        else:
            topics.append(f"{CONTROL_TOPIC} ")
        for socket, endpoint, wanted in (
            (self._ticks, "ticks_pub", topics),
            (self._fills, "fills_pub", [""]),
        ):
            for topic in wanted:
                socket.setsockopt_string(zmq.SUBSCRIBE, topic)
            connect(socket, found.endpoints[endpoint], self._security)
            self._poller.register(socket, zmq.POLLIN)

    def read(self, wait_s: float = 0.0) -> list[Seen]:
        """Return what has come since the last call; where that is nothing, what comes within `wait_s`."""
        seen: list[Seen] = []
        ready = dict(self._poller.poll(round(wait_s * 1e3)))
        for socket in ready:
            seen += self._received(socket)
        return seen

    def __iter__(self) -> Iterator[Seen]:
        """Yield messages until the market has ended."""
        while True:
            over = not is_alive(self.connection)
            seen = self.read(0.2)
            yield from seen
            if over and not seen:
                return

    def _received(self, socket: zmq.Socket[bytes]) -> Iterator[Seen]:
        for _ in range(BATCH):
            try:
                topic, _, body = socket.recv(zmq.NOBLOCK).partition(b" ")
            except zmq.Again:
                return
            seen = Seen(topic.decode(), _decode(body))
            self._count(seen)
            yield seen

    def _count(self, seen: Seen) -> None:
        topic, message = seen
        if isinstance(message, TickMessage):
            self.tick = message
        if self._counts and isinstance(message, TickMessage | Stamped):
            missed = message.seq - self._last.get(topic, message.seq - 1) - 1
            self._last[topic] = message.seq
            self.gaps[topic] = self.gaps.get(topic, 0) + missed

    def status(self, wait_s: float = 5.0) -> dict[str, Any]:
        """Return how the market does, as `Simulation.status` has it.

        Raises
        ------
        EngineError
            If it has ended, or does not answer in time.
        """
        found = self.connection
        client = Client(
            found.endpoints["control"], self._security, found.observer_token, lambda: not is_alive(found)
        )
        try:
            return dict(client.ask("status", wait_s)["status"])
        finally:
            client.close()

    def close(self) -> None:
        """Hang up."""
        for socket in (self._ticks, self._fills):
            socket.close(linger=0)
        self._context.term()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
