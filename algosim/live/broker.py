"""The broker process: carries messages between the sequencer and the others, and gives credit."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import msgspec
import zmq

from algosim.core.market import Market
from algosim.events import End, Event, Tick
from algosim.live.child import Birth, Link
from algosim.live.sequencer import Answer, Cleared, Ended, ProtocolFault, Sequencer, Started
from algosim.live.sockets import Doorman, bind, connect, make
from algosim.live.wire import (
    CONTROL_TOPIC,
    SUBSCRIBE,
    Ack,
    Clear,
    Confirm,
    LogLines,
    RawOrder,
    Stamped,
    State,
    Stop,
    Stopped,
    TickMessage,
    Upstream,
    credit_frame,
    published,
    ready_topic,
    wall_ns,
)

__all__ = ["main"]

BATCH = 64
"""Messages taken from one socket before the others get their turn."""

TELL_S = 0.02
"""How often the supervisor is told how far the run is done."""

_tick_decoder = msgspec.json.Decoder(TickMessage)
_stamped_decoder = msgspec.json.Decoder(Stamped)
_upstream_decoder = msgspec.json.Decoder(Upstream)
_block_encoder = msgspec.json.Encoder()


class Fatal(Exception):
    """The broker cannot go on without losing or inventing something."""


def main(birth: Birth) -> None:
    """Run until the supervisor says stop."""
    broker = _Broker(birth)
    try:
        broker.run()
    except (Fatal, ProtocolFault) as error:
        broker.link.tell("failed", reason=str(error))
        raise SystemExit(1) from error


class _Broker:
    def __init__(self, birth: Birth) -> None:
        self.birth = birth
        config = birth.config
        market = Market(config.model, config.schedule, int(birth.seed))
        self.sequencer = Sequencer(config, market.price)
        self.tokens = {party.token: party for party in birth.parties}
        self.curve = config.transport.security == "curve"
        self.x_hidden = not config.model.reveal_state
        self.controls = 0
        self.done = 0
        self.foreign = 0
        self.alive = True
        self._told, self._told_at = 0, 0.0
        self.done_time = 0
        self._kept: deque[tuple[int, int, bytes]] = deque()
        self._recorder_ready = False
        self._known = {ready_topic(p.name, birth.nonces["ready"]): p.name for p in birth.parties}
        self._asset = config.model.asset_id.encode() + b" "
        self._open_sockets(birth)

    def _open_sockets(self, birth: Birth) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        transport, security = birth.config.transport, birth.security
        keys = [party.key for party in birth.parties]
        self.doorman = Doorman(context, {"orders": keys[:], "fills": keys[:], "blocks": keys[:]})
        floor = 4 * transport.window
        self.orders = make(context, zmq.PULL, max(transport.hwm.orders, floor))
        self.fills = make(context, zmq.XPUB, max(transport.hwm.fills_pub, floor))
        self.blocks = make(context, zmq.PUSH, max(transport.hwm.orders, floor))
        strict = transport.strict_ports
        endpoints = {
            "orders_push": bind(self.orders, transport.endpoints.orders_push, security, "orders", strict=strict),
            "fills_pub": bind(self.fills, transport.endpoints.fills_pub, security, "fills", strict=strict),
            "blocks": bind(self.blocks, "tcp://127.0.0.1:*", security, "blocks", strict=True),
        }
        self.ticks = make(context, zmq.XSUB, max(transport.hwm.ticks_pub, floor))
        self.link = Link(context, birth)
        self.link.tell("bound", endpoints=endpoints)
        self.poller = zmq.Poller()
        for socket in (self.orders, self.fills, self.link.socket, self.ticks):
            self.poller.register(socket, zmq.POLLIN)

    def run(self) -> None:
        while self.alive:
            pending = self.done > self._told
            ready = dict(self.poller.poll(TELL_S * 1e3 if pending else None))
            if self.ticks in ready:
                self._stream()
            if self.orders in ready:
                self._upstream()
            if self.fills in ready:
                self._subscriptions()
            if self.link.socket in ready:
                for document in self.link.heard():
                    self._command(document)
            self._send()
            self._tell()

    def _stream(self) -> None:
        """Take ticks and commands, in the order of the stream."""
        for _ in range(BATCH):
            try:
                frame = self.ticks.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            topic, _, body = frame.partition(b" ")
            if topic == CONTROL_TOPIC.encode():
                stamped = _stamped_decoder.decode(body)
                self._count(stamped.seq)
                self.sequencer.control(stamped.event)
            else:
                tick = _tick_decoder.decode(body)
                if tick.controls != self.controls:
                    msg = f"commands {self.controls + 1} to {tick.controls} are missing before tick {tick.seq}"
                    raise Fatal(msg)
                x = 0.0 if tick.model_state is None else tick.model_state["x"]
                self.sequencer.tick(tick.seq, tick.ts_sim, tick.price, x)

    def _count(self, seq: int) -> None:
        self.controls += 1
        if seq != self.controls:
            msg = f"command {self.controls} is missing from the tick stream"
            raise Fatal(msg)

    def _upstream(self) -> None:
        """Take what hosts, the recorder and raw clients sent; count what is from nobody."""
        for _ in range(BATCH):
            try:
                frame = self.orders.recv(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            try:
                message = _upstream_decoder.decode(frame.buffer)
            except (msgspec.MsgspecError, RecursionError):
                self.foreign += 1
                continue
            if message.run_id != self.birth.run_id:
                self.foreign += 1
            elif isinstance(message, RawOrder):
                self._raw(message)
            else:
                self._from_party(message, frame)

    def _from_party(self, message: Ack | LogLines | Stopped | Confirm, frame: zmq.Frame) -> None:
        party = self.tokens.get(message.token)
        if party is None or (self.curve and frame.get("User-Id") != party.key):
            self.foreign += 1
            return
        if isinstance(message, Confirm):
            self._confirmed(message)
        elif isinstance(message, LogLines):
            self.sequencer.log(party.name, message.logs)
        elif isinstance(message, Stopped):
            self.sequencer.stopped(party.name, message.logs)
        else:
            self._answered(party.name, message)

    def _answered(self, name: str, ack: Ack) -> None:
        answer = Answer(
            ack.seq, ack.version, ack.code, ack.params, ack.keep_state, ack.orders, ack.plots, ack.logs
        )
        try:
            self.sequencer.answer(name, answer)
        except ProtocolFault as fault:
            self.link.tell("fault", id=name, reason=str(fault))
            self.sequencer.detach(name, "protocol", str(fault))

    def _raw(self, order: RawOrder) -> None:
        if self.curve or order.strategy_id not in self.birth.config.transport.external:
            self.foreign += 1
            return
        self.sequencer.raw_order(order.strategy_id, order.side, order.qty, order.tag)

    def _subscriptions(self) -> None:
        while True:
            try:
                frame = self.fills.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            name = self._known.get(frame[1:].decode("utf-8", "replace"))
            if frame[:1] == SUBSCRIBE and name is not None:
                self.link.tell("ready", party=name, socket="fills")
            elif frame[:1] == SUBSCRIBE and frame[1:2] != b"@":
                continue
            elif frame[:1] != b"\x00":
                self.foreign += 1

    def _send(self) -> None:
        """Send what the sequencer has ready: to hosts at once, to the recorder while it listens."""
        outbox, run_id = self.sequencer.outbox, self.birth.run_id
        while outbox:
            item = outbox.popleft()
            if isinstance(item, Cleared):
                message: msgspec.Struct = Clear(
                    seq=item.seq,
                    ts_sim=item.time,
                    ts_wall=wall_ns(),
                    run_id=run_id,
                    id=item.id,
                    fills=item.fills,
                    position=item.position,
                    cash=item.cash,
                )
            elif isinstance(item, Started):
                message = State(
                    seq=item.seq, ts_sim=item.time, ts_wall=wall_ns(), run_id=run_id, id=item.id, books=item.books
                )
            elif isinstance(item, Ended):
                message = Stop(
                    seq=item.seq,
                    ts_sim=item.time,
                    ts_wall=wall_ns(),
                    run_id=run_id,
                    id=item.id,
                    fills=item.fills,
                    position=item.position,
                    cash=item.cash,
                )
            else:
                self._keep(item)
                continue
            self.fills.send(published(item.id, message))

    def _keep(self, block: list[Event]) -> None:
        """Keep a block until the recorder has confirmed it."""
        time_ns = next((event.ts_sim for event in block if isinstance(event, Tick | End)), self.done_time)
        data = _block_encoder.encode(block)
        self._kept.append((block[0].seq, time_ns, data))
        if self._recorder_ready:
            self._to_recorder(data)

    def _to_recorder(self, data: bytes) -> None:
        try:
            self.blocks.send(data, zmq.NOBLOCK)
        except zmq.Again:
            self._recorder_ready = False  # it is gone or stuck; it asks again when it is back

    def _confirmed(self, confirm: Confirm) -> None:
        if confirm.fresh:
            self._recorder_ready = True
            for seq, _, data in self._kept:
                if seq > confirm.seq:
                    self._to_recorder(data)
        while self._kept and self._kept[0][0] <= confirm.seq:
            self.done_time = self._kept.popleft()[1]
        if confirm.seq > self.done:
            self.done = confirm.seq
            self.ticks.send(credit_frame(self.birth.nonces["credit"], self.done))

    def _tell(self) -> None:
        """Tell the supervisor how far the run is done; soon, but not for every tick."""
        now = time.monotonic()
        ended = self.sequencer.ended and self.done > self.sequencer.last
        if self.done > self._told and (ended or now - self._told_at >= TELL_S):
            self._told, self._told_at = self.done, now
            self.link.tell("progress", done=self.done, time=self.done_time, ended=ended)

    def _command(self, document: dict[str, Any]) -> None:
        op = document["op"]
        if op == "stop":
            self.alive = False
        elif op == "connect":
            connect(self.ticks, document["endpoints"]["ticks_pub"], self.birth.security)
            for topic in (self._asset, CONTROL_TOPIC.encode() + b" "):
                self.ticks.send(SUBSCRIBE + topic)
            self.ticks.send(SUBSCRIBE + ready_topic("broker", self.birth.nonces["ready"]).encode())
        elif op == "allow":
            party = msgspec.convert(document["party"], type(next(iter(self.tokens.values()))))
            self.tokens[party.token] = party
            self._known[ready_topic(party.name, self.birth.nonces["ready"])] = party.name
            self.doorman.allow(party.key, ["orders", "fills", "blocks"])
            self.link.tell("done", rid=document["rid"])
        elif op == "detach":
            self.sequencer.detach(document["id"], document["reason"], document["error"])
        elif op == "recorder gone":
            self._recorder_ready = False
        elif op == "report":
            self.link.tell("report", **self._report())

    def _report(self) -> dict[str, Any]:
        sequencer = self.sequencer
        accounts = {}
        for name, member in sequencer.members.items():
            books = member.account.portfolio
            accounts[name] = {
                "position": books.position,
                "cash": books.cash,
                "pending": member.account.pending,
                "realized": books.realized,
                "acked": member.last_ack,
                "version": member.version,
                "attached": member.attached,
            }
        return {
            "done": self.done,
            "complete": sequencer.complete,
            "unconfirmed": len(self._kept),
            "waiting_for": sequencer.waiting_for() if sequencer.complete < sequencer.last else [],
            "foreign": self.foreign + self.doorman.refused,
            "rejected": sequencer.rejected,
            "accounts": accounts,
        }
