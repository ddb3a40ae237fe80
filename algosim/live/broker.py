"""The broker process: carries messages between the sequencer and the others, and gives credit."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import zmq

from algosim.core.market import Market
from algosim.errors import EngineError
from algosim.live.backlog import BUNDLE_S, Backlog
from algosim.live.broker_report import broker_report
from algosim.live.broker_sockets import BrokerSockets
from algosim.live.child import Birth, Link
from algosim.live.gate import Gate
from algosim.live.sequencer import Answer, ProtocolFault, Sequencer
from algosim.live.sockets import Party
from algosim.live.wire import (
    CONTROL_TOPIC,
    MAX_FRAME,
    Ack,
    Confirm,
    LogLines,
    RawOrder,
    Stamped,
    Stopped,
    TickMessage,
    Upstream,
    arrived,
    arrived_frames,
    credit_frame,
)

__all__ = ["main"]

BATCH = 64
"""Messages taken from one socket before the others get their turn."""

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
        self.controls = 0
        self.foreign = 0
        self.alive = True
        self._told, self._told_at = 0, 0.0
        self.gate = Gate(birth)
        self.sockets = BrokerSockets(birth)
        self.backlog = Backlog(self.sockets.blocks, config.transport.window)
        self.link = Link(self.sockets.context, birth)
        self.link.tell("bound", endpoints=self.sockets.endpoints)
        self.poller = zmq.Poller()
        for socket in (self.sockets.orders, self.sockets.fills, self.link.socket, self.sockets.ticks):
            self.poller.register(socket, zmq.POLLIN)

    def run(self) -> None:
        while self.alive:
            ready = dict(self.poller.poll(self._patience()))
            if self.sockets.ticks in ready:
                self._stream()
            if self.sockets.orders in ready:
                self._upstream()
            if self.sockets.fills in ready:
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
        for frame in arrived(self.sockets.ticks, BATCH):
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
        for frame in arrived_frames(self.sockets.orders, BATCH):
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
        party = self.sockets.sender(message, frame)
        if party is None:
            self.foreign += 1
        elif isinstance(message, Confirm):
            if self.backlog.confirmed(message):
                self.sockets.ticks.send(credit_frame(self.birth.nonces["credit"], self.backlog.done))
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
        if self.sockets.takes(order):
            self.sequencer.raw_order(order.strategy_id, order.side, order.qty, order.tag)
        else:
            self.foreign += 1

    def _subscriptions(self) -> None:
        for frame in arrived_frames(self.sockets.fills, BATCH):
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
                self.sockets.tell(item)

    def _tell(self, now: float) -> None:
        """Tell the supervisor how far the run is done; soon, but not for every tick."""
        done = self.backlog.done
        ended = self.sequencer.ended and done > self.sequencer.last
        if done > self._told and (ended or now - self._told_at >= TELL_S):
            self._told, self._told_at = done, now
            if ended:
                self.link.tell("report", rid=None, **self._report())
            self.link.tell("progress", done=done, time=self.backlog.done_time, ended=ended)

    def _command(self, document: dict[str, Any]) -> None:
        op = document["op"]
        if op == "stop":
            self.alive = False
        elif op == "connect":
            self.sockets.connect(document["endpoints"]["ticks_pub"])
        elif op == "allow":
            party = msgspec.convert(document["party"], Party)
            self.gate.allow(party)
            self.sockets.allow(party)
            self.link.tell("done", rid=document["rid"])
        elif op == "detach":
            self.sequencer.detach(document["id"], document["reason"], document["error"], document["version"])
        elif op == "late":
            late = [name for name, member in self.sequencer.members.items() if member.unanswered]
            self.link.tell("answer", rid=document["rid"], late=late)
        elif op == "report":
            self.link.tell("report", rid=document.get("rid"), **self._report())

    def _report(self) -> dict[str, Any]:
        refused = self.sockets.refused
        foreign = {
            "orders": self.foreign + refused("orders"),
            "fills": self.gate.foreign + refused("fills"),
            "blocks": refused("blocks"),
        }
        return broker_report(self.sequencer, self.backlog) | {"foreign": foreign}
