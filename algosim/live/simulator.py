"""The simulator process: stamps commands, draws ticks, releases them when pacing and credit allow."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any

import msgspec
import zmq

from algosim.core.engine import changed
from algosim.core.ticks import model_parameters
from algosim.events import Attach, Control, End, Order, Remove
from algosim.live.child import Birth, Link
from algosim.live.course import Course
from algosim.live.gate import Gate
from algosim.live.sockets import Doorman, Party, bind, make
from algosim.live.wire import (
    CONTROL_TOPIC,
    Stamped,
    TickMessage,
    arrived_frames,
    published,
    wall_ns,
)
from algosim.times import parse_epoch

__all__ = ["main"]

BATCH = 256
"""Frames taken from upstream before other things get their turn."""

BURST = 32
"""Ticks released before commands and credit get their turn."""


def main(birth: Birth) -> None:
    """Run until the supervisor says stop."""
    _Simulator(birth).run()


class _Simulator:
    def __init__(self, birth: Birth) -> None:
        self.birth = birth
        self.config = birth.config
        self.course = Course(self.config, int(birth.seed), time.monotonic())
        self.market = self.course.market
        self.controls = 0
        self.early: deque[Order] = deque()
        self._unheard: list[bytes] | None = []
        self.alive = True
        self._epoch = parse_epoch(self.config.run.epoch)
        self._parameters = model_parameters(self.config.model)
        self.gate = Gate(birth)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        transport = self.config.transport
        self.ticks = make(context, zmq.XPUB, max(transport.hwm.ticks_pub, 4 * transport.window))
        self.doorman = Doorman(context, {"ticks": (self.ticks, [party.key for party in birth.parties])})
        endpoint = bind(
            self.ticks, transport.endpoints.ticks_pub, birth.security, "ticks", strict=transport.strict_ports
        )
        self.link = Link(context, birth)
        self.link.tell("bound", endpoints={"ticks_pub": endpoint})
        self.poller = zmq.Poller()
        self.poller.register(self.ticks, zmq.POLLIN)
        self.poller.register(self.link.socket, zmq.POLLIN)

    def run(self) -> None:
        while self.alive:
            wait = self.course.wait(time.monotonic())
            ready = dict(self.poller.poll(None if wait is None else math.ceil(wait * 1e3)))
            if self.ticks in ready:
                self._upstream()
            if self.link.socket in ready:
                for document in self.link.heard():
                    self._command(document)
            for _ in range(BURST):
                if self.course.wait(time.monotonic()) != 0.0:
                    break
                self._release()

    def _release(self) -> None:
        """Do what is due: end the run, pause it, or publish the next tick."""
        end = self.course.end
        if end is not None:
            self._end(end)
        elif self.course.arrived:
            self.course.pause(time.monotonic())
            self.link.tell("reached", tick=self.market.seq)
        else:
            self._tick()

    def _tick(self) -> None:
        """Publish the next tick."""
        before = self.market.time
        self.course.advance(time.monotonic())
        t, model = self.market.time, self.config.model
        state = None
        if model.reveal_state:
            state = {"x": self.market.x, "dt": (t - before) * 1e-9, **self._parameters}
        message = TickMessage(
            seq=self.market.seq,
            ts=self._epoch + t,
            ts_sim=t,
            ts_wall=wall_ns(),
            run_id=self.birth.run_id,
            price=self.market.price,
            asset_id=model.asset_id,
            model_state=state,
            controls=self.controls,
        )
        self.ticks.send(published(model.asset_id, message))
        while self.early:
            self._stamp(self.early.popleft())

    def _stamp(self, event: Control | Attach | Remove | Order | End) -> int:
        """Publish a command; it acts before the next tick."""
        self.controls += 1
        event.seq = self.market.seq + 1
        message = Stamped(
            seq=self.controls,
            ts_sim=self.market.time,
            ts_wall=wall_ns(),
            run_id=self.birth.run_id,
            event=event,
        )
        frame = published(CONTROL_TOPIC, message)
        if self._unheard is None:
            self.ticks.send(frame)
        else:
            self._unheard.append(frame)  # the broker, which must have all, does not listen yet
        return event.seq

    def _end(self, t_end: int) -> None:
        if not self.course.ended:
            self.course.ended = True
            before = self._stamp(End(seq=0, ts_sim=t_end))
            self.link.tell("ended", last=before - 1, t_end=t_end)

    def _upstream(self) -> None:
        """Take credit, and take note of who is ready."""
        for frame in arrived_frames(self.ticks, BATCH):
            done = self.gate.credit(frame)
            if done is not None:
                self.course.done(done)
            elif (name := self.gate.ready(frame)) is not None:
                self.link.tell("ready", party=name, socket="ticks")
                if name == "broker":
                    self._say_again()

    def _say_again(self) -> None:
        """Publish the commands that were stamped while the broker did not listen."""
        for frame in self._unheard or ():
            self.ticks.send(frame)
        self._unheard = None

    def _command(self, document: dict[str, Any]) -> None:
        op = document["op"]
        if op == "stop":
            self.alive = False
        elif op == "allow":
            party = msgspec.convert(document["party"], Party)
            self.gate.allow(party)
            self.doorman.allow(party.key, ["ticks"])
            self.link.tell("done", rid=document["rid"])
        elif op == "report":
            self.link.tell("report", rid=document.get("rid"), **self._report())
        elif self.course.ended:
            self.link.tell("done", rid=document["rid"], error="the run has ended")
        else:
            self.link.tell("done", rid=document["rid"], **getattr(self, f"_do_{op}")(document))

    def _report(self) -> dict[str, Any]:
        return {
            "tick": self.market.seq,
            "ts_sim": self.market.time,
            "open": self.course.open,
            "foreign": {"ticks": self.gate.foreign + self.doorman.refused("ticks")},
            "paused": self.course.pacer.paused,
        }

    def _do_set(self, document: dict[str, Any]) -> dict[str, Any]:
        key, value = document["key"], document["value"]
        self.config = changed(self.config, key, value)
        if key == "schedule.speed":
            self.course.pacer.set_speed(value, time.monotonic())
            return {"before": self._stamp(Control(seq=0, action="speed", key=key, value=value))}
        self.market.change(self.config.model, self.config.schedule)
        self._parameters = model_parameters(self.config.model)
        return {"before": self._stamp(Control(seq=0, action="set", key=key, value=value))}

    def _do_pause(self, _: dict[str, Any]) -> dict[str, Any]:
        if self.course.pacer.paused:
            return {"tick": self.market.seq}
        self.course.pause(time.monotonic())
        self._stamp(Control(seq=0, action="pause"))
        return {"tick": self.market.seq}

    def _do_resume(self, document: dict[str, Any]) -> dict[str, Any]:
        """Go on, to a tick or time where one is given."""
        ticks, point = document.get("ticks"), document.get("time")
        if document.get("step") is not None:
            ticks = self.market.seq + document["step"]
        fault = self.course.aim(ticks, point)
        if fault:
            return {"error": fault}
        if ticks is not None or point is not None:
            key = "time" if ticks is None else "ticks"
            self._stamp(
                Control(seq=0, action=document["action"], key=key, value=point if ticks is None else ticks)
            )
        elif self.course.pacer.paused and not document.get("first"):
            self._stamp(Control(seq=0, action="resume"))
        self.course.pacer.resume(time.monotonic())
        return {"tick": self.market.seq}

    def _do_attach(self, document: dict[str, Any]) -> dict[str, Any]:
        return {"before": self._stamp(msgspec.convert({"seq": 0, **document["event"]}, Attach))}

    def _do_remove(self, document: dict[str, Any]) -> dict[str, Any]:
        return {"before": self._stamp(Remove(seq=0, id=document["id"]))}

    def _do_order(self, document: dict[str, Any]) -> dict[str, Any]:
        order = Order(
            seq=0,
            id=document["id"],
            number=0,
            side=document["side"],
            qty=document["qty"],
            due=0,
            tag=document["tag"],
            origin="manual",
        )
        if self.market.seq == 0:  # nothing can be traded before there is a price
            self.early.append(order)
            return {"before": 2}
        return {"before": self._stamp(order)}

    def _do_end(self, _: dict[str, Any]) -> dict[str, Any]:
        self.course.pacer.pause(time.monotonic())
        self._end(self.market.time)
        return {"tick": self.market.seq}
