"""The live engine's lock-step without the engine: its processes, sockets and messages, nothing in between.

``python -m tests.benchmarks.bare_parties ROLE`` is one process of it; `tests.benchmarks.bare` starts all.
What each sends is built and encoded by the engine's own message classes, what it receives is decoded by them;
sockets have the engine's limits, CURVE keys and doormen.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import zmq

from algosim.core.desk import Request
from algosim.events import Event, Fill, Order, Plot, Snapshot, Tick
from algosim.live import pipe, wire
from algosim.live.sockets import Doorman, KeyPair, Security, bind, connect, make
from algosim.runs.guard import die_with_parent
from algosim.runs.launch import receive, start, take_stdout

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "20250101-000000-bare"
NAME = "sma_crossover"
BLOCKS = "blocks.jsonl"
HWM = 20_000
WINDOW = 256
BATCH = 64
LINES: dict[str, float | None] = {"SMA(20)": 101.23456789012345, "SMA(50)": 100.98765432109876}
STATE = {"x": 0.0436143805964985, "dt": 0.120110828, "kappa": 0.8, "theta": 0.0, "sigma": 0.2}


class Plan(msgspec.Struct, kw_only=True):
    """What every process is told at its start.

    `needs[m]` is the last tick whose acknowledgement the clearing of tick m waits for. With `paced` ticks are
    released when their time [ns] has come, and each brings an order.
    """

    times: list[int]
    needs: list[int]
    paced: bool
    folder: str
    keys: dict[str, KeyPair]
    server: KeyPair
    token: str
    nonce: str
    warm: int
    ports: dict[str, str] = {}


class _Party:
    """One process's sockets and the marks that all its messages bear."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan = plan
        self._security = Security(
            curve=True,
            own=plan.keys[name],
            server_public=plan.server.public,
            server_secret=plan.server.secret,
        )
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def bound(self, **kinds: int) -> list[zmq.Socket[bytes]]:
        """Return a socket of each kind, bound; `kinds` has the names of their domains."""
        sockets = {domain: make(self._context, kind, HWM) for domain, kind in kinds.items()}
        keys = [pair.public for pair in self.plan.keys.values()]
        self._doorman = Doorman(self._context, {domain: (socket, keys) for domain, socket in sockets.items()})
        for domain, socket in sockets.items():
            self.plan.ports[domain] = bind(socket, "tcp://127.0.0.1:*", self._security, domain, strict=True)
        return list(sockets.values())

    def connected(self, kind: int, domain: str, *topics: str) -> zmq.Socket[bytes]:
        socket = make(self._context, kind, HWM)
        for topic in topics:
            socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        connect(socket, self.plan.ports[domain], self._security)
        return socket

    def head(self, seq: int) -> dict[str, int | str]:
        return {"seq": seq, "ts_sim": self.plan.times[seq], "ts_wall": wire.wall_ns(), "run_id": RUN}

    def say(self, document: object) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
        sys.stdout.buffer.flush()


def _await(socket: zmq.Socket[bytes], parties: int) -> None:
    """Wait until all parties have subscribed, as the start barrier does."""
    while parties:
        parties -= socket.recv()[1:].startswith(b"@ready/")


def simulator(plan: Plan) -> None:
    party = _Party(plan, "simulator")
    (ticks,) = party.bound(ticks=zmq.XPUB)
    party.say(plan.ports)
    _await(ticks, 2)
    n = done = 0
    last, begun = len(plan.times) - 1, time.monotonic()
    while done < last:
        early = begun + plan.times[n + 1] * 1e-9 - time.monotonic() if plan.paced and n < last else 0.0
        if n == last or n - done >= WINDOW:
            done = _credit(ticks, done)
        elif early > 0.0:
            if ticks.poll(math.ceil(early * 1e3)):
                done = _credit(ticks, done)
        else:
            n += 1
            tick = wire.TickMessage(
                ts=plan.times[n], price=104.4579, asset_id="X", model_state=STATE, controls=1, **party.head(n)
            )
            ticks.send(wire.published("X", tick))


def _credit(ticks: zmq.Socket[bytes], done: int) -> int:
    frame = ticks.recv()
    return int.from_bytes(frame[-8:], "little") if frame[:1] == wire.CREDIT else done


def broker(plan: Plan) -> None:
    party = _Party(plan, "broker")
    orders, fills, blocks = party.bound(orders=zmq.PULL, fills=zmq.XPUB, blocks=zmq.PUSH)
    party.say(plan.ports)
    _await(fills, 1)
    ticks = party.connected(zmq.XSUB, "ticks")
    for topic in (b"X ", b"@control ", b"@ready/broker"):
        ticks.send(wire.SUBSCRIBE + topic)
    _Broker(party, ticks, orders, fills, blocks).run()


class _Broker:
    def __init__(self, party: _Party, *sockets: zmq.Socket[bytes]) -> None:
        self.party, self.plan = party, party.plan
        self.ticks, self.orders, self.fills, self.blocks = sockets
        self.open: dict[int, wire.TickMessage] = {}
        self.ordered: Order | None = None
        self.parts: list[Event] = []
        self.last = self.cleared = self.acked = self.done = 0

    def run(self) -> None:
        tick_decoder = msgspec.json.Decoder(wire.TickMessage)
        upstream_decoder = msgspec.json.Decoder(wire.Upstream)
        poller = zmq.Poller()
        for socket in (self.ticks, self.orders):
            poller.register(socket, zmq.POLLIN)
        while self.done < len(self.plan.times) - 1:
            ready = dict(poller.poll())
            for frame in _waiting(self.ticks) if self.ticks in ready else ():
                topic, _, body = frame.partition(b" ")
                if topic == b"X":
                    tick = tick_decoder.decode(body)
                    self.open[tick.seq] = tick
                    self.last = tick.seq
            for frame in _waiting(self.orders) if self.orders in ready else ():
                message = upstream_decoder.decode(frame)
                if isinstance(message, wire.Ack):
                    self.complete(message)
                else:
                    self.confirmed(message.seq)
            while self.cleared < self.last and self.plan.needs[self.cleared + 1] <= self.acked:
                self.clear(self.cleared + 1)

    def clear(self, seq: int) -> None:
        self.cleared = seq
        fills = []
        if self.ordered is not None:
            fills = [_fill(self.ordered, seq)]
            books = {
                "position": 1.0,
                "cash": 9895.1234,
                "realized": -0.01,
                "unrealized": 0.2,
                "equity": 9999.1,
            }
            snapshot = Snapshot(seq=seq, id=NAME, ts_sim=self.plan.times[seq], price=104.4579, **books)
            self.parts = [*fills, snapshot]
            self.ordered = None
        message = wire.Clear(id=NAME, fills=fills, position=1.0, cash=9895.1234, **self.party.head(seq))
        self.fills.send(wire.published(NAME, message))

    def complete(self, ack: wire.Ack) -> None:
        self.acked = ack.seq
        tick = self.open.pop(ack.seq)
        block: list[Event] = [Tick(seq=ack.seq, ts_sim=tick.ts_sim, price=tick.price, x=STATE["x"])]
        block += self.parts
        self.parts = []
        for side, qty, tag in ack.orders:
            self.ordered = Order(
                seq=ack.seq, id=NAME, number=ack.seq, side=side, qty=qty, due=tick.ts_sim, tag=tag
            )
            block.append(self.ordered)
        block.append(Plot(seq=ack.seq, id=NAME, values=ack.plots, end=True))
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
        price=104.46,
        slippage_bps=1.0,
        commission=0.0052,
        realized=-0.0052,
        position=1.0,
        cash=9895.1234,
        tag=order.tag,
    )


def _waiting(socket: zmq.Socket[bytes], most: int = BATCH) -> Iterator[bytes]:
    """Yield what has arrived."""
    for _ in range(most):
        try:
            yield socket.recv(zmq.NOBLOCK)
        except zmq.Again:
            return


def recorder(plan: Plan) -> None:
    party = _Party(plan, "recorder")
    blocks, confirms = party.connected(zmq.PULL, "blocks"), party.connected(zmq.PUSH, "orders")
    decoder = msgspec.json.Decoder(list[Event])
    last, end = 0, len(plan.times) - 1
    with (Path(plan.folder) / BLOCKS).open("wb", buffering=0) as file:
        while last < end:
            frames = [blocks.recv(), *_waiting(blocks, 256)]
            last = [decoder.decode(frame) for frame in frames][-1][0].seq
            file.write(b"\n".join(frames) + b"\n")
            confirms.send(wire.encode(wire.Confirm(token=plan.token, **party.head(last))))
    time.sleep(1.0)


def host(plan: Plan) -> None:
    party = _Party(plan, "host")
    ticks = party.connected(zmq.SUB, "ticks", "X ", "@control ", "@ready/host")
    fills = party.connected(zmq.SUB, "fills", f"{NAME} ", "@ready/host")
    orders = party.connected(zmq.PUSH, "orders")
    tick_decoder = msgspec.json.Decoder(wire.TickMessage)
    clear_decoder = msgspec.json.Decoder(wire.Clear)
    mode = "order" if plan.paced else "draw"
    worker = start("tests.benchmarks.bare_parties", "worker", mode, stdout=subprocess.PIPE)
    assert worker.stdin is not None
    assert worker.stdout is not None
    buffer, out = pipe.FrameBuffer(), worker.stdout.fileno()
    while True:
        clear = clear_decoder.decode(fills.recv().partition(b" ")[2])
        while (frame := ticks.recv()).startswith(b"@"):
            pass
        tick = tick_decoder.decode(frame.partition(b" ")[2])
        shown = {
            "ts": tick.ts,
            "ts_sim": tick.ts_sim,
            "seq": tick.seq,
            "price": tick.price,
            "asset_id": tick.asset_id,
            "model_state": tick.model_state,
        }
        pipe.send(worker.stdin, pipe.Tick(shown, clear.fills))
        worker.stdin.flush()
        while (answer := buffer.next()) is None:
            buffer.feed(os.read(out, 1 << 18))
        reply = pipe.decode_reply(answer)
        assert isinstance(reply, pipe.Acted)
        ack = wire.Ack(
            token=plan.token,
            version=1,
            code="036ce1738242080c",
            params={},
            keep_state=False,
            orders=reply.orders,
            plots=reply.plots,
            logs=[],
            **party.head(tick.seq),
        )
        orders.send(wire.encode(ack))


def worker(mode: str) -> None:
    out = take_stdout()
    buffer = pipe.FrameBuffer()
    order = [Request("BUY", 1.0, "")]
    while (question := pipe.read_question(0, buffer)) is not None:
        assert isinstance(question, pipe.Tick)
        if mode == "order":
            pipe.send(out, pipe.Acted(order, {"at": time.time()}, []))
        else:
            pipe.send(out, pipe.Acted([], LINES, []))


ROLES = {"simulator": simulator, "broker": broker, "recorder": recorder, "host": host}

if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker(sys.argv[2])
    else:
        job = msgspec.json.decode(receive(), type=Plan)
        die_with_parent()
        ROLES[sys.argv[1]](job)
