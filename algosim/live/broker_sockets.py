"""The broker's sockets: where they are, who may say what on them, and how hosts are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zmq

from algosim.live.sockets import Doorman, bind, connect, make
from algosim.live.turns import Cleared, Ended, Started
from algosim.live.wire import (
    CONTROL_TOPIC,
    SUBSCRIBE,
    Clear,
    Confirm,
    State,
    Stop,
    published,
    ready_topic,
    wall_ns,
)

if TYPE_CHECKING:
    from algosim.live.child import Birth
    from algosim.live.sockets import Party
    from algosim.live.wire import Ack, LogLines, RawOrder, Stopped

__all__ = ["BrokerSockets"]

SILENT = ("simulator", "broker", "controller", "observer")
"""Parties that have nothing to say to the broker; an observer's key is refused where orders go."""


class BrokerSockets:
    """Opens the broker's sockets and knows the parties who talk there.

    Parameters
    ----------
    birth : Birth
        The broker's.

    Attributes
    ----------
    orders, fills, blocks : zmq.Socket
        Bound: what hosts, the recorder and raw clients send; what hosts hear; what the recorder hears.
    ticks : zmq.Socket
        To be connected to the simulator.
    endpoints : dict of str to str
        Where those that are bound really are.
    """

    def __init__(self, birth: Birth) -> None:
        self._birth = birth
        transport, security = birth.config.transport, birth.security
        self._senders = {party.token: party for party in birth.parties if party.name not in SILENT}
        self._curve = security.curve
        self._external = () if security.curve else transport.external
        floor = 4 * transport.window
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.orders = make(self.context, zmq.PULL, max(transport.hwm.orders, floor))
        self.fills = make(self.context, zmq.XPUB, max(transport.hwm.fills_pub, floor))
        self.blocks = make(self.context, zmq.PUSH, max(transport.hwm.orders, floor))
        self.ticks = make(self.context, zmq.XSUB, max(transport.hwm.ticks_pub, floor))
        self._doorman = self._post_doorman()
        at, strict = transport.endpoints, transport.strict_ports
        self.endpoints = {
            "orders_push": bind(self.orders, at.orders_push, security, "orders", strict=strict),
            "fills_pub": bind(self.fills, at.fills_pub, security, "fills", strict=strict),
            # Whoever connected here would get every other block.
            "blocks": bind(
                self.blocks, "tcp://127.0.0.1:*", security._replace(curve=True), "blocks", strict=True
            ),
        }

    def _post_doorman(self) -> Doorman:
        """Let in who may come; before the sockets are bound."""
        parties = self._birth.parties
        return Doorman(
            self.context,
            {
                "orders": (self.orders, [party.key for party in self._senders.values()]),
                "fills": (self.fills, [party.key for party in parties]),
                "blocks": (self.blocks, [party.key for party in parties if party.name == "recorder"]),
            },
        )

    def connect(self, ticks: str) -> None:
        """Subscribe to the simulator's ticks and commands, and tell it that we are there."""
        connect(self.ticks, ticks, self._birth.security)
        ready = ready_topic("broker", self._birth.nonces["ready"])
        for topic in (f"{self._birth.config.model.asset_id} ", f"{CONTROL_TOPIC} ", ready):
            self.ticks.send(SUBSCRIBE + topic.encode())

    def allow(self, party: Party) -> None:
        """Let a host in, in place of an earlier one of its name."""
        self._senders = {t: known for t, known in self._senders.items() if known.name != party.name}
        self._senders[party.token] = party
        self._doorman.allow(party.key, ["orders", "fills"])

    def sender(self, message: Ack | LogLines | Stopped | Confirm, frame: zmq.Frame) -> Party | None:
        """Return who sent a message; None if it is nobody, or one who has not that to say."""
        party = self._senders.get(message.token)
        if party is None or (self._curve and frame.get("User-Id") != party.key):
            return None
        return party if isinstance(message, Confirm) == (party.name == "recorder") else None

    def takes(self, order: RawOrder) -> bool:
        """Whether a raw client may place orders on this account."""
        return order.strategy_id in self._external

    def tell(self, item: Started | Cleared | Ended) -> None:
        """Send a host what the sequencer has for it."""
        self.fills.send(published(item.id, _message(item, self._birth.run_id)))

    def refused(self, domain: str) -> int:
        """Return how many connections were turned away."""
        return self._doorman.refused(domain)


def _message(item: Started | Cleared | Ended, run_id: str) -> State | Clear | Stop:
    """Return what a host is sent."""
    if isinstance(item, Started):
        return State(
            seq=item.seq, ts_sim=item.time, ts_wall=wall_ns(), run_id=run_id, id=item.id, books=item.books
        )
    kind = Clear if isinstance(item, Cleared) else Stop
    return kind(
        seq=item.seq,
        ts_sim=item.time,
        ts_wall=wall_ns(),
        run_id=run_id,
        id=item.id,
        fills=item.fills,
        position=item.position,
        cash=item.cash,
    )
