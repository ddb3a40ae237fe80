"""The host process of one strategy: holds its keys, asks its worker, answers the broker."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import zmq

from algosim.core.desk import HISTORY, Books, Desk
from algosim.core.strategy import strategy_seed
from algosim.errors import StrategyError
from algosim.events import Attach, Remove
from algosim.live.child import Birth, Link
from algosim.live.pipe import Acted, Began, Begin, Broke, Finish, Finished, Kept, Load, Loaded, Tell, Tick
from algosim.live.sockets import connect, make
from algosim.live.wire import (
    CONTROL_TOPIC,
    Ack,
    Clear,
    LogLines,
    Stamped,
    State,
    Stop,
    Stopped,
    TickMessage,
    encode,
    ready_topic,
    wall_ns,
)
from algosim.live.workers import CHECK_S, Overrun, Worker, WorkerGone
from algosim.runs.source import Source, read_source

if TYPE_CHECKING:
    from algosim.live.pipe import Question

__all__ = ["main"]

WATCH_S = 0.25
HEARTBEAT_S = 1.0
BATCH = 64

_tick_decoder = msgspec.json.Decoder(TickMessage)
_stamped_decoder = msgspec.json.Decoder(Stamped)
_frames_decoder = msgspec.json.Decoder(Clear | State | Stop)


def main(birth: Birth) -> None:
    """Run until the supervisor says stop."""
    host = _Host(birth)
    try:
        host.run()
    finally:
        host.end()


class _Version:
    """One version of the strategy: its code, parameters and worker, from import to retirement."""

    def __init__(self, source: Source, params: dict[str, Any], ordinal: int, worker: Worker) -> None:
        self.source = source
        self.params = params
        self.ordinal = ordinal
        self.worker = worker
        self.keep_state = False
        self.kept: dict[str, Any] = {}
        self.name = source.id
        self.state: Literal["importing", "imported", "starting", "trading"] = "importing"
        self.rid: int | None = None
        """The command that asked for it and waits for an answer."""


class _Host:
    """Keeps a strategy's versions, its mirror of the account, and its place in the stream."""

    def __init__(self, birth: Birth) -> None:
        self.birth = birth
        self.id = birth.name
        self.config = birth.config
        self.limits = birth.config.limits
        self.alive = True
        self.folder = Path(birth.extra["folder"])
        self.path = Path(birth.extra["path"])
        self.workspace = Path(birth.extra["workspace"])
        self.watching = bool(birth.extra["watch"])
        self.ordinal = int(birth.extra["ordinal"])
        self.params: dict[str, Any] = birth.extra["params"]
        self.current: _Version | None = None
        self.upcoming: _Version | None = None
        self.desk = self._new_desk(Books(0.0, self.config.portfolio.initial_cash))
        self.attached = False
        self.has_state = False
        self.leave_before: int | None = None
        self.acked = 0
        self.controls: int | None = None
        self.connected = False
        self._unsent: list[bytes] = []
        self.slow = 0
        self.slowest_ms = 0.0
        self.warmup = ""
        self._ticks: deque[TickMessage] = deque()
        self._clears: deque[Clear] = deque()
        self._asking: TickMessage | None = None
        self._stop: Stop | None = None
        self._leaving = False
        self._watched_at = self._beat_at = time.monotonic()
        self._stamp = self._fresh_stamp = self._file_stamp()
        self._open_sockets(birth)
        self._prepare(self.params, keep_state=False, rid=None)

    def _open_sockets(self, birth: Birth) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        transport = birth.config.transport
        floor = 4 * transport.window
        self.link = Link(context, birth)
        self.link.tell("hello")
        self.orders = make(context, zmq.PUSH, max(transport.hwm.orders, floor))
        self.ticks = make(context, zmq.SUB, max(transport.hwm.ticks_pub, floor))
        self.fills = make(context, zmq.SUB, max(transport.hwm.fills_pub, floor))
        ready = ready_topic(self.id, birth.nonces["ready"])
        for topic in (f"{birth.config.model.asset_id} ", f"{CONTROL_TOPIC} ", ready):
            self.ticks.setsockopt_string(zmq.SUBSCRIBE, topic)
        for topic in (f"{self.id} ", ready):
            self.fills.setsockopt_string(zmq.SUBSCRIBE, topic)
        self.poller = zmq.Poller()
        for socket in (self.ticks, self.fills, self.link.socket):
            self.poller.register(socket, zmq.POLLIN)

    def _connect(self, endpoints: dict[str, str]) -> None:
        security = self.birth.security
        connect(self.ticks, endpoints["ticks_pub"], security)
        connect(self.fills, endpoints["fills_pub"], security)
        connect(self.orders, endpoints["orders_push"], security)
        self.connected = True
        for message in self._unsent:
            self.orders.send(message)
        self._unsent.clear()

    def _new_desk(self, books: Books) -> Desk:
        """Return a mirror of the account: it repeats the checks that ``ctx`` makes in the worker."""
        desk = Desk(
            books,
            [],
            max_position=self.config.portfolio.max_position,
            max_orders=self.limits.orders_per_tick,
        )
        desk.trading = True
        return desk

    @property
    def versions(self) -> list[_Version]:
        """The versions that have a worker."""
        return [version for version in (self.current, self.upcoming) if version is not None]

    def run(self) -> None:
        while self.alive:
            busy = any(version.worker.busy for version in self.versions)
            ready = dict(self.poller.poll(round((CHECK_S if busy else WATCH_S) * 1e3)))
            if self.link.socket in ready:
                for document in self.link.heard():
                    self._command(document)
            if self.ticks in ready:
                self._stream()
            if self.fills in ready:
                self._frames()
            for version in self.versions:
                self._hear(version)
            self._go_on()
            now = time.monotonic()
            if now - self._watched_at >= WATCH_S:
                self._watched_at = now
                self._watch()
            if now - self._beat_at >= HEARTBEAT_S:
                self._beat_at = now
                self.link.tell("beat", health=self._health())

    def end(self) -> None:
        """End the workers."""
        for version in self.versions:
            version.worker.end()

    # The stream of ticks and commands, and the account's frames

    def _stream(self) -> None:
        for _ in range(BATCH):
            try:
                topic, _, body = self.ticks.recv(zmq.NOBLOCK).partition(b" ")
            except zmq.Again:
                return
            if topic == CONTROL_TOPIC.encode():
                stamped = _stamped_decoder.decode(body)
                if self.controls is not None and stamped.seq != self.controls + 1:
                    self._hole(f"command {self.controls + 1}")
                self.controls = stamped.seq
                self._stamped(stamped.event)
            else:
                self._tick(_tick_decoder.decode(body))

    def _tick(self, tick: TickMessage) -> None:
        if self.controls is not None and tick.controls != self.controls:
            self._hole(f"a command before tick {tick.seq}")
        self.controls = tick.controls
        if self.attached and (self.leave_before is None or tick.seq < self.leave_before):
            expected = self._ticks[-1].seq + 1 if self._ticks else tick.seq
            if tick.seq != expected:
                self._hole(f"tick {expected}")
            self._ticks.append(tick)

    def _hole(self, what: str) -> None:
        """Fail at once: an answer that was computed without what is missing would be a wrong one."""
        self.link.tell("failed", reason="hole", error=f"{what} never reached the strategy's host")
        self._drop_current()

    def _stamped(self, event: object) -> None:
        if isinstance(event, Attach) and event.id == self.id:
            self.attached, self.leave_before, self.acked = True, None, event.seq - 1
        elif isinstance(event, Remove) and event.id == self.id:
            self.leave_before = event.seq

    def _frames(self) -> None:
        for _ in range(BATCH):
            try:
                body = self.fills.recv(zmq.NOBLOCK).partition(b" ")[2]
            except zmq.Again:
                return
            frame = _frames_decoder.decode(body)
            if isinstance(frame, State):
                self._take_over(frame)
            elif isinstance(frame, Stop):
                self._stop = frame
            else:
                self._clears.append(frame)

    def _take_over(self, state: State) -> None:
        """Start from the account as it is when the strategy is attached."""
        self._clears.clear()
        self.desk = self._new_desk(state.books)
        self.desk.now = state.ts_sim
        self.has_state = True
        if self.current is not None and self.current.state == "imported":
            self._start(self.current)

    # Versions

    def _prepare(self, params: dict[str, Any], *, keep_state: bool, rid: int | None) -> None:
        """Import the strategy as its files are now, in a fresh worker, in the background."""
        try:
            source = read_source(self.path, self.workspace)
        except StrategyError as error:
            self._refuse(str(error), rid)
            return
        newest = self.upcoming or self.current
        if newest is not None and (newest.source.code, newest.params) == (source.code, params):
            if rid is not None:
                self.link.tell("answer", rid=rid, unchanged=True)
            return
        if self.upcoming is not None:
            self._retire(self.upcoming, "a newer version came")
            self.upcoming = None
        folder = self.folder / "strategies" / source.code
        source.write(folder)
        ordinal = self.ordinal + 1
        load = Load(
            folder=str(folder),
            label=source.label,
            rng_seed=str(strategy_seed(int(self.birth.seed), self.id, ordinal)),
            params=params,
            max_position=self.config.portfolio.max_position,
            max_orders=self.limits.orders_per_tick,
        )
        version = _Version(source, params, ordinal, Worker(load))
        version.keep_state, version.rid = keep_state, rid
        self.poller.register(version.worker.stdout, zmq.POLLIN)
        if self.current is None:
            self.current = version
        else:
            self.upcoming = version
        self._ask(version, load, "import", self.limits.init_s)

    def _ask(self, version: _Version, question: Question, hook: str, budget_s: float) -> None:
        try:
            version.worker.ask(question, hook, budget_s, self.limits.wall_s)
        except WorkerGone as gone:
            self._lost(version, "worker", str(gone), None)

    def _retire(self, version: _Version, why: str = "") -> None:
        self.poller.unregister(version.worker.stdout)
        version.worker.end()
        if version.rid is not None:
            self.link.tell("answer", rid=version.rid, error={"message": why})

    def _hear(self, version: _Version) -> None:
        """Take a worker's reply, or find that it is gone or late."""
        worker = version.worker
        try:
            reply = worker.reply()
            if reply is None:
                worker.check_budget()
                return
        except Overrun as overrun:
            self._lost(version, "budget", str(overrun), None)
            return
        except WorkerGone as gone:
            self._lost(version, "worker", str(gone), None)
            return
        if isinstance(reply, Broke):
            self._lost(version, "error", reply.message, reply)
        elif isinstance(reply, Loaded):
            self._imported(version, reply)
        elif isinstance(reply, Began):
            self._began(version, reply)
        elif isinstance(reply, Kept):
            self._hand_over(reply)
        elif isinstance(reply, Finished):
            self._finished(reply.logs)
        else:
            self._acted(version, reply)

    def _imported(self, version: _Version, reply: Loaded) -> None:
        version.state, version.name = "imported", reply.name
        self._answer(version)
        if version is self.current:
            # The supervisor decides: init now, before the first tick, or attach to the running market.
            self.link.tell("imported", **self._describe(version))
            if self.has_state:
                self._start(version)

    def _answer(self, version: _Version) -> None:
        if version.rid is not None:
            self.link.tell("answer", rid=version.rid)
            version.rid = None

    def _describe(self, version: _Version) -> dict[str, Any]:
        return {
            "version": version.ordinal,
            "code": version.source.code,
            "name": version.name,
            "params": version.params,
        }

    def _start(self, version: _Version) -> None:
        """Call ``init``: the version takes over the account as it is."""
        desk = self.desk
        version.state = "starting"
        question = Begin(desk.now, desk.books, desk.prices[-HISTORY:].tolist(), version.kept)
        self._ask(version, question, "init", self.limits.init_s)

    def _began(self, version: _Version, reply: Began) -> None:
        version.state = "trading"
        self.ordinal = version.ordinal
        if version is self.upcoming:
            assert self.current is not None
            self._retire(self.current)
            self.current, self.upcoming = version, None
            self.params = version.params
            self.link.tell("swapped", **self._describe(version), health=self._health())
        else:
            self.link.tell("began", **self._describe(version), health=self._health())
        if reply.logs:
            self._log(reply.logs)

    def _hand_over(self, reply: Kept) -> None:
        """Give the next version what this one kept, and let it start."""
        if self.upcoming is not None:
            self.upcoming.kept = reply.state
            self._start(self.upcoming)

    def _lost(self, version: _Version, reason: str, message: str, broke: Broke | None) -> None:
        """Do without a version that failed: the old one goes on, or the strategy is detached."""
        self.poller.unregister(version.worker.stdout)
        version.worker.end()
        error = _error(message, broke)
        logs = [*(broke.logs if broke else []), ("error", broke.frames or message if broke else message)]
        if version is self.upcoming:
            self.upcoming = None
            self.link.tell("refused", rid=version.rid, error=error)
        else:
            self.current = None
            self._asking = None
            if version.rid is not None:
                self.link.tell("answer", rid=version.rid, error=error)
            self.link.tell("failed", reason=reason, error=error, attached=self.attached)
            self._drop_current()
        self._log(logs)

    def _drop_current(self) -> None:
        """Wait for a fixed version: what is in the stream is not for this one."""
        if self.current is not None:
            self._retire(self.current)
            self.current = None
        self.attached = self.has_state = False
        self._ticks.clear()
        self._clears.clear()
        self._asking = None
        if self.upcoming is not None:
            self.current, self.upcoming = self.upcoming, None
            if self.current.state == "imported":
                self.link.tell("imported", **self._describe(self.current))

    def _refuse(self, message: str, rid: int | None) -> None:
        self.link.tell("refused", rid=rid, error={"message": message})
        self._log([("error", message)])

    def _log(self, logs: list[tuple[str, str]]) -> None:
        message = encode(LogLines(logs=logs, **self._envelope(self.acked, self.desk.now)))
        if self.connected:
            self.orders.send(message)
        else:
            self._unsent.append(message)  # a PUSH socket without a peer would block

    # The strategy's turn

    def _go_on(self) -> None:
        """Give the strategy its next tick, once the account is cleared at it."""
        version = self.current
        if version is None or version.state != "trading" or version.worker.busy:
            return
        if self.upcoming is not None and self.upcoming.worker.busy and self.upcoming.state == "starting":
            return
        if self._ticks and self._clears:
            tick, clear = self._ticks[0], self._clears[0]
            if tick.seq != clear.seq:
                self._hole(f"clearing {min(tick.seq, clear.seq)}")
            elif self.upcoming is not None and self.upcoming.state == "imported":
                self._swap(version, self.upcoming)
            else:
                self._turn(version)
        elif self._stop is not None and not self._ticks:
            stop, self._stop = self._stop, None
            self._ask(version, Finish(stop.ts_sim, stop.fills), "on_stop", self.limits.on_stop_s)
        elif self.leave_before is not None and self.acked >= self.leave_before - 1 and not self._leaving:
            self._leaving = True
            self._ask(version, Finish(self.desk.now, []), "on_stop", self.limits.on_stop_s)

    def _swap(self, current: _Version, upcoming: _Version) -> None:
        if upcoming.keep_state and not upcoming.kept:
            self._ask(current, Tell(), "set_state", self.limits.on_tick_s)
        else:
            self._start(upcoming)

    def _turn(self, version: _Version) -> None:
        tick, clear = self._ticks.popleft(), self._clears.popleft()
        desk = self.desk
        if clear.fills:
            desk.filled(clear.fills)
        if desk.seen >= 2 * HISTORY:
            desk.trim()
        desk.now, desk.price = tick.ts_sim, tick.price
        desk.prices.append(tick.price)
        desk.seen += 1
        self._asking = tick
        shown: dict[str, Any] = {
            "ts": tick.ts,
            "ts_sim": tick.ts_sim,
            "seq": tick.seq,
            "price": tick.price,
            "asset_id": tick.asset_id,
        }
        if tick.model_state is not None:
            shown["model_state"] = tick.model_state
        self._ask(version, Tick(shown, clear.fills), "on_tick", self.limits.on_tick_s)

    def _acted(self, version: _Version, reply: Acted) -> None:
        """Check what the strategy asked for once more and pass it on as one acknowledgement."""
        tick, self._asking = self._asking, None
        if tick is None:
            self._lost(version, "protocol", "its worker answered a question that was not asked", None)
            return
        desk = self.desk
        for side, qty, tag in reply.orders:
            if not desk.order(side, qty, tag):
                self._lost(version, "protocol", f"its worker let a bad order pass: {desk.logs[-1][1]}", None)
                return
        desk.forget()
        took_ms = (time.monotonic() - version.worker.asked_at) * 1e3
        if took_ms > self.limits.slow_ms:
            self.slow += 1
            self.slowest_ms = max(self.slowest_ms, took_ms)
        self.warmup = reply.warmup
        self.acked = tick.seq
        ack = Ack(
            version=version.ordinal,
            code=version.source.code,
            params=version.params,
            keep_state=version.keep_state,
            orders=reply.orders,
            plots=reply.plots,
            logs=reply.logs,
            **self._envelope(tick.seq, tick.ts_sim),
        )
        self.orders.send(encode(ack))

    def _finished(self, logs: list[tuple[str, str]]) -> None:
        if self._leaving:
            self._log(logs)
            self.link.tell("left")
        else:
            self.orders.send(encode(Stopped(logs=logs, **self._envelope(self.acked, self.desk.now))))

    def _envelope(self, seq: int, ts_sim: int) -> dict[str, Any]:
        return {
            "seq": seq,
            "ts_sim": ts_sim,
            "ts_wall": wall_ns(),
            "run_id": self.birth.run_id,
            "token": self.birth.token,
        }

    # The supervisor and the file

    def _command(self, document: dict[str, Any]) -> None:
        op = document["op"]
        if op == "stop":
            self.alive = False
        elif op == "connect":
            self._connect(document["endpoints"])
        elif op == "begin":
            if self.current is not None and self.current.state == "imported":
                self._start(self.current)
        elif op == "reload":
            params = {**self.params, **document.get("params", {})}
            self.params = params if self.current is None else self.params
            self._prepare(params, keep_state=bool(document.get("keep_state")), rid=document["rid"])
        elif op == "watch":
            self.watching = document["on"]

    def _file_stamp(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _watch(self) -> None:
        """Reload when the file has changed and then stayed the same for one look."""
        for version in self.versions:
            for line in version.worker.drain_stderr().splitlines():
                self._log([("print", line)])
        if not self.watching:
            return
        stamp = self._file_stamp()
        if stamp is not None and stamp != self._stamp:
            if stamp == self._fresh_stamp:
                self._stamp = stamp
                self._prepare(self.params, keep_state=False, rid=None)
            self._fresh_stamp = stamp

    def _health(self) -> dict[str, Any]:
        version = self.current
        return {
            "state": version.state if version is not None else "failed",
            "version": version.ordinal if version is not None else 0,
            "acked": self.acked,
            "queued": len(self._ticks),
            "slow": self.slow,
            "slowest_ms": round(self.slowest_ms, 1),
            "warmup": self.warmup,
            "worker_pid": version.worker.pid if version is not None else None,
            "in_hook": version is not None and version.worker.busy,
        }


def _error(message: str, broke: Broke | None) -> dict[str, Any]:
    """Return an error as the handle can raise it."""
    if broke is None:
        return {"message": message}
    return {
        "message": message,
        "file": broke.file,
        "line": broke.line,
        "source": broke.source,
        "frames": broke.frames,
    }
