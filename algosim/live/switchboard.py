"""The control endpoint: who speaks, whether they may, and the answers."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import zmq

from algosim.live.sockets import Doorman, Party, bind, make
from algosim.live.wire import MAX_FRAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from algosim.live.child import Birth
    from algosim.live.family import Process
    from algosim.live.waits import Asker

    Document = dict[str, Any]
    Then = Callable[[Document], None]

__all__ = ["Said", "Switchboard"]

LINGER_S = 0.2


class _Envelope(msgspec.Struct):
    """As much of a message as it takes to know whose it is."""

    token: str


class Said(NamedTuple):
    """A message whose sender is known. `guest` tells the holders of the run's keys from its processes."""

    party: Party
    guest: bool
    address: bytes
    body: bytes


class Switchboard:
    """The supervisor's socket.

    Parameters
    ----------
    birth : Birth
        The supervisor's own; names the guests.

    Attributes
    ----------
    endpoint : str
    foreign : int
        Messages that were from nobody, or not what their sender may say.
    """

    def __init__(self, birth: Birth) -> None:
        transport = birth.config.transport
        self.foreign = 0
        self._curve = birth.security.curve
        self._guests = {party.token: party for party in birth.parties}
        self._processes: dict[str, Party] = {}
        self._ids = count(1)
        self._asked: dict[int, tuple[Process | None, Then]] = {}
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = make(self._context, zmq.ROUTER, 10_000)
        self._doorman = Doorman(self._context, {"control": (self._socket, [p.key for p in birth.parties])})
        self.endpoint = bind(
            self._socket,
            transport.endpoints.control,
            birth.security,
            "control",
            strict=transport.strict_ports,
        )

    def admit(self, party: Party) -> None:
        """Let a process in, in place of an earlier one of its name."""
        self._processes = {t: known for t, known in self._processes.items() if known.name != party.name}
        self._processes[party.token] = party
        self._doorman.allow(party.key, ["control"])

    @property
    def strangers(self) -> int:
        """How many connections and messages were refused."""
        return self.foreign + self._doorman.refused("control")

    def receive(self, wait_ms: int) -> Iterator[Said]:
        """Yield the messages that come within `wait_ms`; drop and count what is foreign."""
        if not self._socket.poll(wait_ms):
            return
        while True:
            try:
                address, *_, body = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            said = self._identify(address.bytes, body)
            if said is None:
                self.foreign += 1
            else:
                yield said

    def _identify(self, address: bytes, body: zmq.Frame) -> Said | None:
        data = body.bytes
        if len(data) > MAX_FRAME:
            return None
        try:
            token = msgspec.json.decode(data, type=_Envelope).token
        except (msgspec.MsgspecError, RecursionError):
            return None
        guest = token in self._guests
        party = self._guests.get(token) or self._processes.get(token)
        if party is None or (self._curve and body.get("User-Id") != party.key):
            return None
        return Said(party, guest, address, data)

    def answer(self, asker: Asker, **fields: object) -> None:
        """Answer a guest; one that has gone is not missed."""
        self._send(asker.address, {"rid": asker.rid, **fields})

    def refuse(self, asker: Asker, message: str) -> None:
        """Tell a guest why what it asked for is not done."""
        self.answer(asker, error={"message": message})

    def tell(self, process: Process | None, op: str, **fields: object) -> None:
        """Tell a process something, once it has been heard for the first time."""
        if process is None:
            return
        document = {"op": op, **fields}
        if process.address is None:
            process.waiting.append(document)
        else:
            self._send(process.address, document)

    def ask(self, process: Process | None, op: str, then: Then, **fields: object) -> None:
        """Ask a process something; `then` is called with its answer, or with an error if it ends first."""
        rid = next(self._ids)
        self._asked[rid] = (process, then)
        self.tell(process, op, rid=rid, **fields)

    def abandon(self, process: Process, error: str) -> None:
        """Answer in place of a process that has ended."""
        asked = [rid for rid, (whom, _) in self._asked.items() if whom is process]
        for rid in asked:
            self.answered({"rid": rid, "error": error})

    def greet(self, process: Process, address: bytes) -> None:
        """Take note of where a process is, and tell it what has waited for it."""
        if process.address is None:
            process.address = address
            for document in process.waiting:
                self._send(address, document)
            process.waiting.clear()

    def answered(self, document: Document) -> None:
        """Pass a process's answer to whoever asked."""
        _, then = self._asked.pop(document.get("rid", 0), (None, None))
        if then is not None:
            then(document)

    def close(self) -> None:
        """Send what is still on its way and close."""
        self._socket.close(linger=round(LINGER_S * 1e3))
        self._context.term()

    def _send(self, address: bytes, document: Document) -> None:
        # A router drops what it cannot deliver; it never blocks.
        self._socket.send_multipart([address, msgspec.json.encode(document)])
