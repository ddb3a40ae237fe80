"""What a strategy's host hears: the stream of ticks and commands, and its account's frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import zmq

from algosim.live.sockets import connect, make
from algosim.live.wire import CONTROL_TOPIC, Clear, Stamped, State, Stop, TickMessage, arrived, ready_topic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.live.child import Birth

__all__ = ["Inlet"]

_tick = msgspec.json.Decoder(TickMessage).decode
_stamped = msgspec.json.Decoder(Stamped).decode
_frame = msgspec.json.Decoder(Clear | State | Stop).decode
_CONTROL = CONTROL_TOPIC.encode()


class Inlet:
    """The host's subscriptions.

    Parameters
    ----------
    context : zmq.Context
    birth : Birth
        The host's.

    Attributes
    ----------
    ticks, fills : zmq.Socket
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], birth: Birth) -> None:
        transport = birth.config.transport
        floor = 4 * transport.window
        self._security = birth.security
        self.ticks = make(context, zmq.SUB, max(transport.hwm.ticks_pub, floor))
        self.fills = make(context, zmq.SUB, max(transport.hwm.fills_pub, floor))
        ready = ready_topic(birth.name, birth.nonces["ready"])
        for topic in (f"{birth.config.model.asset_id} ", f"{CONTROL_TOPIC} ", ready):
            self.ticks.setsockopt_string(zmq.SUBSCRIBE, topic)
        for topic in (f"{birth.name} ", ready):
            self.fills.setsockopt_string(zmq.SUBSCRIBE, topic)

    def connect(self, endpoints: dict[str, str]) -> None:
        """Connect to the simulator and the broker."""
        connect(self.ticks, endpoints["ticks_pub"], self._security)
        connect(self.fills, endpoints["fills_pub"], self._security)

    def stream(self, most: int) -> Iterator[TickMessage | Stamped]:
        """Yield ticks and commands that have arrived, at most so many."""
        for data in arrived(self.ticks, most):
            topic, _, body = data.partition(b" ")
            yield _stamped(body) if topic == _CONTROL else _tick(body)

    def frames(self, most: int) -> Iterator[Clear | State | Stop]:
        """Yield the account's frames that have arrived, at most so many."""
        for data in arrived(self.fills, most):
            yield _frame(data.partition(b" ")[2])
