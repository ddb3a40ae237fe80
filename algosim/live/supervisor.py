"""The supervisor process: starts, watches and stops the others, and answers those who hold the run's keys."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from itertools import count
from typing import Any, NamedTuple

import msgspec
import psutil
import zmq

from algosim import settings
from algosim.core.orders import clean_quantity, clean_side, clean_tag
from algosim.errors import ConfigError
from algosim.live.child import Birth
from algosim.live.connection import Connection, remove_connection, write_connection
from algosim.live.family import Family, Process
from algosim.live.sockets import Doorman, KeyPair, bind, make
from algosim.live.strategies import Strategy

__all__ = ["main"]

POLL_MS = 50
SILENCE_S = 5.0
STOP_S = 1.5
LINGER_S = 0.2

Document = dict[str, Any]


def main(birth: Birth) -> None:
    """Run one market from start to end."""
    supervisor = _Supervisor(birth)
    try:
        supervisor.run()
    finally:
        supervisor.end()


class _Asker(NamedTuple):
    """Somebody who waits for an answer."""

    address: bytes
    rid: object


class _Waiter(NamedTuple):
    """An asker who is answered once block `tick` is done, or simulated time `time` is reached."""

    asker: _Asker
    tick: int | None
    time: int | None


class _Supervisor:
    def __init__(self, birth: Birth) -> None:
        self.birth = birth
        self.config = birth.config
        self.state = "starting"
        self.reason = ""
        self.started = False
        self.starters: list[_Asker] = []
        self.preparers: list[_Asker] = []
        self.paused = True
        self.done, self.done_time = 0, 0
        self.foreign = 0
        self.alive = True
        self.endpoints: dict[str, str] = {}
        self.ready: set[tuple[str, str]] = set()
        self.recorder_restarts = 0
        self.ending_at: float | None = None
        self._ids = count(1)
        self._asked: dict[int, Any] = {}
        self._waiters: list[_Waiter] = []
        self._reached: list[_Waiter] = []
        self._status: list[_Asker] = []
        self._reports: dict[str, Document] = {}
        self._rates: deque[tuple[float, int]] = deque(maxlen=50)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.guests = {party.token: party for party in birth.parties}
        transport = birth.config.transport
        self.doorman = Doorman(context, {"control": [party.key for party in birth.parties]})
        self.socket = make(context, zmq.ROUTER, 10_000)
        self.endpoints["control"] = bind(
            self.socket, transport.endpoints.control, birth.security, "control", strict=transport.strict_ports
        )
        self._say({"control": self.endpoints["control"]})
        self.family = Family(birth, self.endpoints["control"])
        for party in self.family.parties.values():
            self.doorman.allow(party.key, ["control"])
        self.strategies: dict[str, Strategy] = {}
        for name, entry in birth.extra["strategies"].items():
            self.strategies[name] = Strategy(entry["path"], entry["params"])
            self.doorman.allow(self.family.invite(name).key, ["control"])
        self._start_all()

    def _say(self, document: Document) -> None:
        """Write a line to whoever launched us."""
        try:
            sys.stdout.buffer.write(msgspec.json.encode(document) + b"\n")
            sys.stdout.buffer.flush()
        except OSError:
            self.alive = False  # it is gone; the guard ends us

    def _start_all(self) -> None:
        guests = list(self.guests.values())
        for role in ("simulator", "broker"):
            self.family.start(role, role, guests)
        self._start_recorder(resume=False)
        for name in self.strategies:
            self._start_host(name)

    def _start_recorder(self, *, resume: bool) -> None:
        self.family.start("recorder", "recorder", [], folder=self.birth.extra["folder"], resume=resume)

    def _start_host(self, name: str) -> None:
        strategy, extra = self.strategies[name], self.birth.extra
        strategy.begin_again()
        self.family.start(
            name,
            "host",
            [],
            folder=extra["folder"],
            workspace=extra["workspace"],
            path=strategy.path,
            params=strategy.params,
            watch=self.config.ui.hot_reload,
            ordinal=strategy.version,
        )
        if "blocks" in self.endpoints:
            self._tell(name, "connect", endpoints=self.endpoints)

    # The loop

    def run(self) -> None:
        while self.alive:
            if self.socket.poll(POLL_MS):
                self._receive()
            self._look_after()

    def end(self) -> None:
        """End every process, give the last answers, and say how the run ended."""
        remove_connection(self.birth.run_id)
        self.family.end()
        final = {"ended": True, "state": self.state, "reason": self.reason, "done": self.done}
        for waiter in (*self._waiters, *self._reached):
            self._answer(waiter.asker, **final)
        for asker in (*self.starters, *self.preparers):
            self._answer(asker, error={"message": self.reason or "the run has ended"})
        self._say({"state": self.state, "reason": self.reason})
        self.socket.close(linger=round(LINGER_S * 1e3))

    def _receive(self) -> None:
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            address, body = frames[0].bytes, frames[-1]
            try:
                document = msgspec.json.decode(body.buffer, type=Document)
                op, token = document["op"], document["token"]
            except (msgspec.MsgspecError, KeyError, RecursionError):
                self.foreign += 1
                continue
            process = next((p for name, p in self.family.members.items() if self._owns(name, token, body)), None)
            guest = self.guests.get(token) if isinstance(token, str) else None
            if process is not None:
                self._from_child(process, address, op, document)
            elif guest is not None and self._key_fits(guest.key, body):
                self._from_guest(guest.name, _Asker(address, document.get("rid")), op, document)
            else:
                self.foreign += 1

    def _owns(self, name: str, token: object, frame: zmq.Frame) -> bool:
        party = self.family.parties[name]
        return token == party.token and self._key_fits(party.key, frame)

    def _key_fits(self, key: str, frame: zmq.Frame) -> bool:
        return not self.birth.security.curve or frame.get("User-Id") == key

    def _answer(self, asker: _Asker, **fields: Any) -> None:
        if asker.rid is None:
            return
        document = msgspec.json.encode({"rid": asker.rid, **fields})
        try:
            self.socket.send_multipart([asker.address, document], zmq.NOBLOCK)
        except zmq.ZMQError:
            self.foreign += 0  # the asker has gone; a router drops what it cannot deliver

    def _tell(self, name: str, op: str, **fields: Any) -> None:
        """Send a document to a process, once it has been heard for the first time."""
        process = self.family.members.get(name)
        if process is None:
            return
        data = msgspec.json.encode({"op": op, **fields})
        if process.address is None:
            process.waiting.append(data)
        else:
            self.socket.send_multipart([process.address, data])

    def _ask(self, name: str, op: str, then: Any, **fields: Any) -> None:
        """Send a question to a process; `then` is called with its answer."""
        rid = next(self._ids)
        self._asked[rid] = then
        self._tell(name, op, rid=rid, **fields)

    # What processes say

    def _from_child(self, process: Process, address: bytes, op: str, document: Document) -> None:
        if process.address is None:
            process.address = address
            for data in process.waiting:
                self.socket.send_multipart([address, data])
            process.waiting.clear()
        strategy = self.strategies.get(process.name)
        if strategy is not None:
            strategy.heard_at = time.monotonic()
        handler = getattr(self, f"_on_{op}", None)
        if handler is not None:
            handler(process, document)

    def _on_bound(self, _: Process, document: Document) -> None:
        self.endpoints.update(document["endpoints"])
        if {"ticks_pub", "orders_push", "fills_pub", "blocks"} <= set(self.endpoints):
            for name in ("broker", "recorder", *self.strategies):
                self._tell(name, "connect", endpoints=self.endpoints)
            self._publish_connection()
            if self.state == "starting":
                self.state = "waiting"

    def _publish_connection(self) -> None:
        birth = self.birth
        keys: dict[str, KeyPair] = {
            name: msgspec.convert(pair, KeyPair) for name, pair in birth.extra["guest_keys"].items()
        }
        tokens = {party.name: party.token for party in self.guests.values()}
        public = {name: at for name, at in self.endpoints.items() if name != "blocks"}
        write_connection(
            Connection(
                run_id=birth.run_id,
                pid=os.getpid(),
                started=psutil.Process().create_time(),
                folder=birth.extra["folder"],
                security=birth.config.transport.security,
                asset_id=birth.config.model.asset_id,
                endpoints=public,
                server_public=birth.server_public,
                observer=keys["observer"],
                observer_token=tokens["observer"],
                controller=keys["controller"],
                controller_token=tokens["controller"],
            )
        )

    def _on_ready(self, _: Process, document: Document) -> None:
        self.ready.add((document["party"], document["socket"]))
        strategy = self.strategies.get(document["party"])
        if strategy is not None:
            strategy.ready.add(document["socket"])
        self._consider()

    def _on_hello(self, process: Process, _: Document) -> None:
        self.ready.add((process.name, "hello"))
        if "blocks" in self.endpoints and self.recorder_restarts:
            self._tell(process.name, "connect", endpoints=self.endpoints)
        self._consider()

    def _on_imported(self, process: Process, document: Document) -> None:
        strategy = self.strategies[process.name]
        strategy.imported = _version_of(document)
        strategy.error = None
        if not self.started:
            self._tell(process.name, "begin")
        self._consider()

    def _on_began(self, process: Process, document: Document) -> None:
        strategy = self.strategies[process.name]
        strategy.began = True
        strategy.imported = _version_of(document)
        strategy.version = document["version"]
        strategy.health = document["health"]
        self._consider()

    def _on_swapped(self, process: Process, document: Document) -> None:
        strategy = self.strategies[process.name]
        strategy.version, strategy.params, strategy.error = document["version"], document["params"], None
        strategy.health = document["health"]

    def _on_refused(self, process: Process, document: Document) -> None:
        self.strategies[process.name].error = document["error"]
        self._answered(document)

    def _on_failed(self, process: Process, document: Document) -> None:
        """A strategy, or the recorder or broker itself, cannot go on."""
        if process.role != "host":
            self._crash(f"the {process.role} stopped the run: {document['reason']}")
            return
        strategy = self.strategies[process.name]
        strategy.error = document["error"]
        self._detach(process.name, document["reason"], _shown(document["error"]))
        strategy.imported, strategy.began = None, False
        if not self.started:
            self._no_start({"strategy": process.name, **document["error"]})
        for asker in strategy.askers:
            self._answer(asker, error=document["error"])
        strategy.askers.clear()

    def _no_start(self, error: Document) -> None:
        """Tell those who want the run to start that it cannot; it waits for a fixed version."""
        for asker in (*self.starters, *self.preparers):
            self._answer(asker, error=error)
        self.starters.clear()
        self.preparers.clear()

    def _detach(self, name: str, reason: str, error: str) -> None:
        self.strategies[name].attached = False
        self._tell("broker", "detach", id=name, reason=reason, error=error)

    def _on_fault(self, process: Process, document: Document) -> None:
        """The broker has detached a strategy that broke the protocol."""
        strategy = self.strategies[document["id"]]
        strategy.error = {"message": document["reason"]}
        strategy.attached, strategy.imported = False, None
        self.family.kill(document["id"])

    def _on_answer(self, _: Process, document: Document) -> None:
        self._answered(document)

    def _on_done(self, _: Process, document: Document) -> None:
        self._answered(document)

    def _answered(self, document: Document) -> None:
        then = self._asked.pop(document.get("rid"), None)  # type: ignore[arg-type]
        if then is not None:
            then(document)

    def _on_beat(self, process: Process, document: Document) -> None:
        self.strategies[process.name].health = document["health"]

    def _on_left(self, process: Process, _: Document) -> None:
        self.family.kill(process.name)
        self.strategies[process.name].state = "removed"

    def _on_report(self, process: Process, document: Document) -> None:
        self._reports[process.name] = document
        if {"simulator", "broker"} <= set(self._reports):
            for asker in self._status:
                self._answer(asker, status=self._status_now())
            self._status.clear()

    def _on_progress(self, _: Process, document: Document) -> None:
        self.done, self.done_time = document["done"], document["time"]
        self._rates.append((time.monotonic(), self.done))
        if document["ended"]:
            self.state = "finished"
            self.alive = False
            return
        self._waiters = self._answer_those(self._waiters)
        self._reached = self._answer_those(self._reached)

    def _answer_those(self, waiters: list[_Waiter]) -> list[_Waiter]:
        """Answer who has waited for what is done by now; return the others."""
        still = []
        for waiter in waiters:
            by_tick = waiter.tick is not None and self.done >= waiter.tick
            by_time = waiter.time is not None and self.done_time >= waiter.time
            if by_tick or by_time:
                self._answer(waiter.asker, tick=self.done, time=self.done_time)
            else:
                still.append(waiter)
        return still

    def _on_reached(self, _: Process, document: Document) -> None:
        """The simulator has paused where it was told to."""
        self.paused, self.state = True, "paused"
        waiting, self._reached = self._reached, []
        for waiter in waiting:
            self._waiters.append(waiter._replace(tick=document["tick"], time=None))
        self._waiters = self._answer_those(self._waiters)

    def _on_ended(self, _: Process, document: Document) -> None:
        self.state = "ending"
        if self.ending_at is None:
            self.ending_at = time.monotonic()

    # The start barrier

    def _consider(self) -> None:
        """Attach what is ready; begin the run once nothing is missing."""
        if self.started:
            for name, strategy in self.strategies.items():
                if strategy.may_attach(running=True):
                    self._attach(name, strategy)
            return
        if self.missing():
            return
        self.started = True
        self.state = "paused"
        for name, strategy in self.strategies.items():
            self._attach(name, strategy)
        for asker in self.preparers:
            self._answer(asker)
        self.preparers.clear()
        if self.starters:
            self._go()

    def missing(self) -> list[str]:
        """Return what the start waits for, in words."""
        lacks = [
            role
            for role, sign in (("broker", "ticks"), ("recorder", "hello"))
            if (role, sign) not in self.ready
        ]
        for name, strategy in self.strategies.items():
            if not strategy.may_attach(running=False):
                lacks.append(f"{name} ({strategy.stage()})")
        return lacks

    def _attach(self, name: str, strategy: Strategy) -> None:
        strategy.attached, strategy.state = True, "trading"
        event = {"id": name, **(strategy.imported or {})}

        def stamped(document: Document) -> None:
            for asker in strategy.askers:
                self._answer(asker, **_outcome(document))
            strategy.askers.clear()

        self._ask("simulator", "attach", stamped, event=event)

    def _go(self) -> None:
        askers, self.starters = self.starters, []
        self.paused, self.state = False, "running"

        def resumed(document: Document) -> None:
            for asker in askers:
                self._answer(asker, **_outcome(document))

        self._ask("simulator", "resume", resumed, first=True)

    # What those who hold the keys say

    def _from_guest(self, name: str, asker: _Asker, op: str, document: Document) -> None:
        if op == "status":
            self._status.append(asker)
            self._reports.clear()
            self._tell("simulator", "report")
            self._tell("broker", "report")
        elif name != "controller":
            self._answer(asker, error={"message": "this key may watch, not command"})
        elif handler := getattr(self, f"_do_{op}", None):
            handler(asker, document)
        else:
            self._answer(asker, error={"message": f"no command {op!r}"})

    def _relay(self, asker: _Asker, op: str, **fields: Any) -> None:
        """Pass a command to the simulator and answer with its stamp."""
        self._ask("simulator", op, lambda answer: self._answer(asker, **_outcome(answer)), **fields)

    def _do_start(self, asker: _Asker, _: Document) -> None:
        if self.started:
            self.starters.append(asker)
            self._go()
        elif not self._failed_before_start(asker):
            self.starters.append(asker)

    def _do_prepare(self, asker: _Asker, _: Document) -> None:
        """Answer once the run stands before its first tick, ready to go."""
        if self.started:
            self._answer(asker)
        elif not self._failed_before_start(asker):
            self.preparers.append(asker)

    def _failed_before_start(self, asker: _Asker) -> bool:
        for name, strategy in self.strategies.items():
            if strategy.error is not None:
                self._answer(asker, error={"strategy": name, **strategy.error})
                return True
        return False

    def _do_resume(self, asker: _Asker, document: Document) -> None:
        if not self.started:
            self._do_start(asker, document)
            return
        self.paused, self.state = False, "running"
        self._relay(asker, "resume")

    def _do_pause(self, asker: _Asker, _: Document) -> None:
        def paused(answer: Document) -> None:
            if "error" in answer:
                self._answer(asker, **_outcome(answer))
                return
            self.paused, self.state = True, "paused"
            for waiter in self._reached:  # a pause ends what they waited for
                self._waiters.append(waiter._replace(tick=answer["tick"], time=None))
            self._reached.clear()
            self._waiters = self._answer_those([*self._waiters, _Waiter(asker, answer["tick"], None)])

        self._ask("simulator", "pause", paused)

    def _do_step(self, asker: _Asker, document: Document) -> None:
        if not self.paused:
            self._answer(asker, error={"message": "pause the run before you step it"})
            return
        self._travel(asker, {"step": document["n"], "action": "step"})

    def _do_run_until(self, asker: _Asker, document: Document) -> None:
        target = {key: document[key] for key in ("ticks", "time") if document.get(key) is not None}
        self._travel(asker, {**target, "action": "run_until"})

    def _travel(self, asker: _Asker, target: Document) -> None:
        """Run to a point and pause there; the answer comes when it is done."""
        waiter = _Waiter(asker, None, None)

        def started(answer: Document) -> None:
            if "error" in answer:
                if waiter in self._reached:
                    self._reached.remove(waiter)
                self._answer(asker, **_outcome(answer))
            else:
                self.paused, self.state = False, "running"

        self._reached.append(waiter)
        self._ask("simulator", "resume", started, **target)

    def _do_wait(self, asker: _Asker, document: Document) -> None:
        """Answer once the run has come to a tick or time; without one, when it has ended."""
        self._waiters.append(_Waiter(asker, document.get("ticks"), document.get("time")))
        self._waiters = self._answer_those(self._waiters)

    def _do_set(self, asker: _Asker, document: Document) -> None:
        try:
            key = settings.resolve(document["key"])
            value = settings.coerce(key, document["value"])
            if settings.applies(key) != "now":
                msg = f"{key} can only change at a reset"
                raise ConfigError(msg)
            self.config = settings.with_settings(self.config, {key: value})
        except ConfigError as error:
            self._answer(asker, error={"message": str(error)})
            return
        if key == "ui.hot_reload":
            for name in self.strategies:
                self._tell(name, "watch", on=value)
        self._relay(asker, "set", key=key, value=value)

    def _do_order(self, asker: _Asker, document: Document) -> None:
        try:
            side, qty = clean_side(document.get("side")), clean_quantity(document.get("qty"))
            tag = clean_tag(document.get("tag"))
        except ValueError as error:
            self._answer(asker, error={"message": str(error)})
            return
        name = document.get("id", "manual")
        if name in self.strategies:
            message = f"{name!r} is a strategy's account; give manual orders an id of their own"
            self._answer(asker, error={"message": message})
            return
        self._relay(asker, "order", id=name, side=side, qty=qty, tag=tag)

    def _do_add(self, asker: _Asker, document: Document) -> None:
        name, path, params = document["id"], document["path"], document["params"]
        known = self.strategies.get(name)
        if known is not None and (known.path != path or known.attached or name in self.family.members):
            what = "is in the market" if known.attached else "was another strategy's"
            self._answer(asker, error={"message": f"the id {name!r} {what}; choose another"})
            return
        party = self.family.invite(name)
        self.doorman.allow(party.key, ["control"])
        strategy = self.strategies[name] = known or Strategy(path, params)
        strategy.params = params
        strategy.askers.append(asker)
        waiting = {"simulator", "broker"}

        def allowed(_: Document, who: str) -> None:
            waiting.discard(who)
            if not waiting:
                self._start_host(name)

        for who in tuple(waiting):
            self._ask(who, "allow", lambda answer, who=who: allowed(answer, who), party=party)

    def _do_remove(self, asker: _Asker, document: Document) -> None:
        strategy = self.strategies.get(document["id"])
        if strategy is None or not strategy.attached:
            self._answer(asker, error={"message": f"no strategy {document['id']!r} is in the market"})
            return
        strategy.attached, strategy.imported, strategy.state = False, None, "leaving"
        self._relay(asker, "remove", id=document["id"])

    def _do_reload(self, asker: _Asker, document: Document) -> None:
        name = document["id"]
        strategy = self.strategies.get(name)
        if strategy is None:
            self._answer(asker, error={"message": f"no strategy {name!r}; it has: {', '.join(self.strategies)}"})
        elif name not in self.family.members:
            strategy.params = {**strategy.params, **document.get("params", {})}
            self._do_add(asker, {"id": name, "path": strategy.path, "params": strategy.params})
        else:
            fields = {key: document[key] for key in ("params", "keep_state") if key in document}
            self._ask(name, "reload", lambda answer: self._answer(asker, **_outcome(answer)), **fields)

    def _do_stop(self, asker: _Asker, _: Document) -> None:
        self._waiters.append(_Waiter(asker, None, None))
        if self.ending_at is None:
            self.ending_at = time.monotonic()
            self._ask("simulator", "end", lambda _: None)

    def _status_now(self) -> Document:
        simulator, broker = self._reports["simulator"], self._reports["broker"]
        accounts = broker["accounts"]
        strategies = {
            name: {**strategy.status(), **accounts.get(name, {})} for name, strategy in self.strategies.items()
        }
        waiting = broker["waiting_for"] if self.started else self.missing()
        return {
            "state": self.state,
            "tick": simulator["tick"],
            "done": self.done,
            "ts_sim": simulator["ts_sim"],
            "ticks_per_s": self._rate(),
            "speed": self.config.schedule.speed,
            "waiting_for": waiting,
            "queues": {"not done": simulator["open"], "not written": broker["unconfirmed"]},
            "gaps": 0,
            "foreign": self.foreign + self.doorman.refused + simulator["foreign"] + broker["foreign"],
            "rejected": broker["rejected"],
            "recorder_restarts": self.recorder_restarts,
            "strategies": strategies,
            "accounts": {name: books for name, books in accounts.items() if name not in self.strategies},
            "processes": {name: process.popen.pid for name, process in self.family.members.items()},
            "endpoints": {name: at for name, at in self.endpoints.items() if name != "blocks"},
            "hwm": msgspec.to_builtins(self.config.transport.hwm),
        }

    def _rate(self) -> float:
        """Return ticks per second of wall time over the last seconds."""
        now = time.monotonic()
        recent = [(at, done) for at, done in self._rates if now - at < 3.0]
        if len(recent) < 2 or recent[-1][0] == recent[0][0]:
            return 0.0
        return (recent[-1][1] - recent[0][1]) / (recent[-1][0] - recent[0][0])

    # Watching

    def _look_after(self) -> None:
        for process in tuple(self.family.members.values()):
            if process.gone:
                self._died(process)
        now = time.monotonic()
        if self.ending_at is not None and now - self.ending_at > STOP_S + self.config.limits.on_stop_s:
            self.ending_at = now
            self._hurry()
        for name, strategy in self.strategies.items():
            if strategy.attached and now - strategy.heard_at > SILENCE_S and name in self.family.members:
                self.family.kill(name)
                self._detach(name, "silence", f"its host did not say anything for {SILENCE_S:g} s")
                strategy.error = {"message": "its host fell silent"}

    def _hurry(self) -> None:
        """Detach the strategies that keep a stopping run from ending."""
        for name, strategy in self.strategies.items():
            if name in self.family.members and not strategy.done:
                self.family.kill(name)
                self._detach(name, "stop", "it did not come to an end within the stop deadline")

    def _died(self, process: Process) -> None:
        del self.family.members[process.name]
        if process.role == "host":
            strategy = self.strategies[process.name]
            strategy.error = {"message": process.how_it_ended()}
            self._detach(process.name, "host", process.how_it_ended())
            strategy.imported, strategy.began = None, False
            for asker in strategy.askers:
                self._answer(asker, error=strategy.error)
            strategy.askers.clear()
            if not self.started:
                self._no_start({"strategy": process.name, **strategy.error})
        elif process.role == "recorder" and not self.recorder_restarts and self.state not in ("crashed", "ending"):
            self.recorder_restarts += 1
            self.ready.discard(("recorder", "hello"))
            self._tell("broker", "recorder gone")
            self._start_recorder(resume=True)
        else:
            self._crash(process.how_it_ended())

    def _crash(self, reason: str) -> None:
        """End the run as crashed; what is on disk stays valid."""
        if self.state != "crashed":
            self.state, self.reason, self.alive = "crashed", reason, False


def _version_of(document: Document) -> Document:
    return {key: document[key] for key in ("version", "code", "name", "params")}


def _outcome(document: Document) -> Document:
    """Return what an asker is told of a process's answer."""
    fields = {key: value for key, value in document.items() if key not in ("op", "token", "rid")}
    if isinstance(fields.get("error"), str):
        fields["error"] = {"message": fields["error"]}
    return fields


def _shown(error: Document) -> str:
    return str(error.get("frames") or error.get("message") or "")
