"""The broker process: carries messages between the sequencer and the others, and gives credit."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import zmq

from algosim.core.market import Market
from algosim.errors import EngineError
from algosim.live.backlog import BUNDLE_S, Backlog
from algosim.live.child import Birth, Link
from algosim.live.gate import Gate
from algosim.live.sequencer import Answer, Cleared, Ended, ProtocolFault, Sequencer, Started
from algosim.live.sockets import Doorman, Party, bind, connect, make
from algosim.live.wire import (
    CONTROL_TOPIC,
    MAX_FRAME,
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
    arrived,
    arrived_frames,
    credit_frame,
    published,
    ready_topic,
    wall_ns,
)

__all__ = ["main"]

BATCH = 64
"""Messages taken from one socket before the others get their turn."""

SILENT = ("simulator", "broker", "controller", "observer")
"""Parties that have nothing to say to the broker; an observer's key is refused where orders go."""

TELL_S = 0.02
"""How often the supervisor is told how far the run is done."""

_tick_decoder = msgspec.json.Decoder(TickMessage)
_stamped_decoder = msgspec.json.Decoder(Stamped)
_upstream_decoder = msgspec.json.Decoder(Upstream)
_CONTROL = CONTROL_TOPIC.encode()


class BrokerFault(EngineError):  # noqa: N818  (says what happened)
    """The broker cannot go on without losing or inventing something."""


def main(birth: Birth) -> None:
    """Run until the supervisor says stop."""
    try:
        _Broker(birth).run()
    except ProtocolFault as error:
        raise BrokerFault(str(error)) from error


class _Broker:
    def __init__(self, birth: Birth) -> None:
        self.birth = birth
        config = birth.config
        market = Market(config.model, config.schedule, int(birth.seed))
        self.sequencer = Sequencer(config, market.price)
        self.senders = {party.token: party for party in birth.parties if party.name not in SILENT}
        self.curve = config.transport.security == "curve"
        self.controls = 0
        self.foreign = 0
        self.alive = True
        self._told, self._told_at = 0, 0.0
        self.gate = Gate(birth)
        self._asset = config.model.asset_id.encode() + b" "
        self._open_sockets(birth)

    def _open_sockets(self, birth: Birth) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        transport, security = birth.config.transport, birth.security
        everybody = [party.key for party in birth.parties]
        senders = [party.key for party in self.senders.values()]
        recorder = [party.key for party in birth.parties if party.name == "recorder"]
        floor = 4 * transport.window
        self.orders = make(context, zmq.PULL, max(transport.hwm.orders, floor))
        self.fills = make(context, zmq.XPUB, max(transport.hwm.fills_pub, floor))
        self.blocks = make(context, zmq.PUSH, max(transport.hwm.orders, floor))
        self.backlog = Backlog(self.blocks, transport.window)
        self.doorman = Doorman(
            context,
            {
                "orders": (self.orders, senders),
                "fills": (self.fills, everybody),
                "blocks": (self.blocks, recorder),
            },
        )
        strict = transport.strict_ports
        endpoints = {
            "orders_push": bind(
                self.orders, transport.endpoints.orders_push, security, "orders", strict=strict
            ),
            "fills_pub": bind(self.fills, transport.endpoints.fills_pub, security, "fills", strict=strict),
            # Whoever connected here would get every other block.
            "blocks": bind(
                self.blocks, "tcp://127.0.0.1:*", security._replace(curve=True), "blocks", strict=True
            ),
        }
        self.ticks = make(context, zmq.XSUB, max(transport.hwm.ticks_pub, floor))
        self.link = Link(context, birth)
        self.link.tell("bound", endpoints=endpoints)
        self.poller = zmq.Poller()
        for socket in (self.orders, self.fills, self.link.socket, self.ticks):
            self.poller.register(socket, zmq.POLLIN)

    def run(self) -> None:
        while self.alive:
            ready = dict(self.poller.poll(self._patience()))
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
            now = time.monotonic()
            self.backlog.send(now)
            self._tell(now)

    def _patience(self) -> int | None:
        """Return how long [ms] to wait for messages: no longer than until something is to be sent."""
        if self.backlog.waiting:
            return round(BUNDLE_S * 1e3)
        return round(TELL_S * 1e3) if self.backlog.done > self._told else None

    def _stream(self) -> None:
        """Take ticks and commands, in the order of the stream."""
        for frame in arrived(self.ticks, BATCH):
            topic, _, body = frame.partition(b" ")
            if topic == _CONTROL:
                stamped = _stamped_decoder.decode(body)
                self._count(stamped.seq)
                self.sequencer.control(stamped.event)
            else:
                tick = _tick_decoder.decode(body)
                if tick.controls != self.controls:
                    msg = (
                        f"commands {self.controls + 1} to {tick.controls} are missing before tick {tick.seq}"
                    )
                    raise BrokerFault(msg)
                x = 0.0 if tick.model_state is None else tick.model_state["x"]
                self.sequencer.tick(tick.seq, tick.ts_sim, tick.price, x)
            self._send()

    def _count(self, seq: int) -> None:
        self.controls += 1
        if seq != self.controls:
            msg = f"command {self.controls} is missing from the tick stream"
            raise BrokerFault(msg)

    def _upstream(self) -> None:
        """Take what hosts, the recorder and raw clients sent; count what is from nobody."""
        for frame in arrived_frames(self.orders, BATCH):
            try:
                message = _upstream_decoder.decode(frame.buffer)
            except (msgspec.MsgspecError, RecursionError):
                self.foreign += 1
                continue
            if message.run_id != self.birth.run_id or len(frame) > MAX_FRAME:
                self.foreign += 1
            elif isinstance(message, RawOrder):
                self._raw(message)
            else:
                self._from_party(message, frame)
            self._send()

    def _from_party(self, message: Ack | LogLines | Stopped | Confirm, frame: zmq.Frame) -> None:
        party = self.senders.get(message.token)
        from_recorder = party is not None and party.name == "recorder"
        if (
            party is None
            or (self.curve and frame.get("User-Id") != party.key)
            or isinstance(message, Confirm) != from_recorder
        ):
            self.foreign += 1
        elif isinstance(message, Confirm):
            if self.backlog.confirmed(message):
                self.ticks.send(credit_frame(self.birth.nonces["credit"], self.backlog.done))
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
        for frame in arrived_frames(self.fills, BATCH):
            name = self.gate.ready(frame)
            if name is not None:
                self.link.tell("ready", party=name, socket="fills")

    def _send(self) -> None:
        """Send hosts what the sequencer has for them; blocks wait for their turn."""
        outbox = self.sequencer.outbox
        while outbox:
            item = outbox.popleft()
            if isinstance(item, list):
                self.backlog.keep(item)
            else:
                self.fills.send(published(item.id, _message(item, self.birth.run_id)))

    def _tell(self, now: float) -> None:
        """Tell the supervisor how far the run is done; soon, but not for every tick."""
        done = self.backlog.done
        ended = self.sequencer.ended and done > self.sequencer.last
        if done > self._told and (ended or now - self._told_at >= TELL_S):
            self._told, self._told_at = done, now
            self.link.tell("progress", done=done, time=self.backlog.done_time, ended=ended)

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
            party = msgspec.convert(document["party"], Party)
            self.senders = {t: known for t, known in self.senders.items() if known.name != party.name}
            self.senders[party.token] = party
            self.gate.allow(party)
            self.doorman.allow(party.key, ["orders", "fills"])
            self.link.tell("done", rid=document["rid"])
        elif op == "detach":
            self.sequencer.detach(document["id"], document["reason"], document["error"], document["version"])
        elif op == "late":
            late = [name for name, member in self.sequencer.members.items() if member.unanswered]
            self.link.tell("answer", rid=document["rid"], late=late)
        elif op == "report":
            self.link.tell("report", rid=document.get("rid"), **self._report())

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
            "done": self.backlog.done,
            "complete": sequencer.complete,
            "unconfirmed": len(self.backlog),
            "waiting_for": sequencer.waiting_for() if sequencer.complete < sequencer.last else [],
            "foreign": {
                "orders": self.foreign + self.doorman.refused("orders"),
                "fills": self.gate.foreign + self.doorman.refused("fills"),
                "blocks": self.doorman.refused("blocks"),
            },
            "rejected": sequencer.rejected,
            "accounts": accounts,
        }


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
