"""The broker of the bare lock-step: clears a tick when it may, gives credit when it is recorded."""

from __future__ import annotations

import time

import msgspec
import zmq

from algosim.events import Event, Fill, Order, Plot, Snapshot, Tick
from algosim.live import wire
from tests.benchmarks.bare_party import BATCH, NAME, PRICE, STATE, Party, Plan, await_ready


def broker(plan: Plan) -> None:
    party = Party(plan, "broker")
    orders, fills, blocks = party.bound(orders=zmq.PULL, fills=zmq.XPUB, blocks=zmq.PUSH)
    party.say(plan.ports)
    await_ready(fills, 1)
    ticks = party.connected(zmq.XSUB, "ticks")
    for topic in (b"X ", b"@control ", b"@ready/broker"):
        ticks.send(wire.SUBSCRIBE + topic)
    Broker(party, ticks, orders, fills, blocks).run()


class Broker:
    def __init__(self, party: Party, *sockets: zmq.Socket[bytes]) -> None:
        self.party, self.plan = party, party.plan
        self.ticks, self.orders, self.fills, self.blocks = sockets
        self.open: dict[int, wire.TickMessage] = {}
        self.ordered: list[Order] = []
        self.parts: dict[int, list[Event]] = {}
        self.last = self.cleared = self.acked = self.done = 0

    def run(self) -> None:
        tick_decoder = msgspec.json.Decoder(wire.TickMessage)
        upstream_decoder = msgspec.json.Decoder(wire.Upstream)
        poller = zmq.Poller()
        for socket in (self.ticks, self.orders):
            poller.register(socket, zmq.POLLIN)
        while self.done < len(self.plan.times) - 1:
            ready = dict(poller.poll())
            for frame in wire.arrived(self.ticks, BATCH) if self.ticks in ready else ():
                topic, _, body = frame.partition(b" ")
                if topic == b"X":
                    tick = tick_decoder.decode(body)
                    self.open[tick.seq] = tick
                    self.last = tick.seq
                    self.advance()
            for frame in wire.arrived(self.orders, BATCH) if self.orders in ready else ():
                message = upstream_decoder.decode(frame)
                if isinstance(message, wire.Ack):
                    self.acknowledged(message)
                else:
                    self.confirmed(message.seq)

    def advance(self) -> None:
        while self.cleared < self.last and self.plan.needs[self.cleared + 1] <= self.acked:
            self.clear(self.cleared + 1)

    def clear(self, seq: int) -> None:
        self.cleared = seq
        fills = [_fill(order, seq) for order in self.ordered]
        if fills:
            self.parts[seq] = [*fills, _snapshot(seq, self.plan.times[seq])]
        self.ordered = []
        message = wire.Clear(id=NAME, fills=fills, position=1.0, cash=9895.1234, **self.party.head(seq))
        self.fills.send(wire.published(NAME, message))

    def acknowledged(self, ack: wire.Ack) -> None:
        self.acked, time_ns = ack.seq, self.plan.times[ack.seq]
        self.ordered = [
            Order(seq=ack.seq, id=NAME, number=ack.seq, side=side, qty=qty, due=time_ns, tag=tag)
            for side, qty, tag in ack.orders
        ]
        tick = self.open.pop(ack.seq)
        block: list[Event] = [Tick(seq=ack.seq, ts_sim=time_ns, price=tick.price, x=STATE["x"])]
        block += self.parts.pop(ack.seq, [])
        block += self.ordered
        block.append(Plot(seq=ack.seq, id=NAME, values=ack.plots, end=True))
        self.advance()
        self.blocks.send(wire.encode(block))

    def confirmed(self, seq: int) -> None:
        if self.done < self.plan.warm <= seq:
            self.party.say({"seq": seq, "at": time.monotonic()})
        self.done = seq
        self.ticks.send(wire.credit_frame(self.plan.nonce, seq))
        if seq == len(self.plan.times) - 1:
            self.party.say({"seq": seq, "at": time.monotonic()})
            time.sleep(0.1)  # the last credit is on its way


def _fill(order: Order, seq: int) -> Fill:
    return Fill(
        seq=seq,
        id=NAME,
        number=order.number,
        side=order.side,
        qty=order.qty,
        ts_sim=order.due,
        at=order.seq,
        price=PRICE,
        slippage_bps=1.0,
        commission=0.0052,
        realized=-0.0052,
        position=1.0,
        cash=9895.1234,
        tag=order.tag,
    )


def _snapshot(seq: int, time_ns: int) -> Snapshot:
    return Snapshot(
        seq=seq,
        id=NAME,
        ts_sim=time_ns,
        position=1.0,
        cash=9895.1234,
        price=PRICE,
        realized=-0.0052,
        unrealized=0.2,
        equity=9999.1,
    )
