"""The parties of a live run as plain objects, and channels between them that deliver in any order.

Each channel is first in, first out; which of them delivers next, and when a party moves, is drawn at random.
Only the `Sequencer` and what strategies are made of are the engine's own.
"""

from __future__ import annotations

import copy
from collections import Counter, deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.config import Config
from algosim.core.desk import Desk
from algosim.core.engine import changed
from algosim.core.market import Market
from algosim.core.strategy import Hooks, Runner, strategy_seed
from algosim.events import Attach, Control, End, Order, Remove
from algosim.live.sequencer import Answer, Cleared, Ended, Sequencer, Started
from algosim.runs.recording import Recording

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

SEED = 5


class Plan(NamedTuple):
    """A session: what is set up, and what people do, each once the market has come to tick `at`."""

    config: Config
    ticks: int
    after_ns: int
    """From the last tick to the end of the run."""
    script: list[tuple[int, tuple]]


# A strategy that lets all it knows decide its orders, and writes it into their tags


def on_tick(ctx, tick):
    ctx.turns += 1
    ctx.set_state("turns", ctx.turns)
    ctx.plot("position", ctx.position())
    seen = f"{tick['seq']} {ctx.turns} {ctx.position()!r} {ctx.pending()!r} {ctx.cash()!r} {ctx.equity()!r}"
    for _ in range(int(ctx.rng.integers(ctx.get_param("busy")))):
        side = "BUY" if ctx.rng.normal() > ctx.position() + ctx.pending() else "SELL"
        qty = 0.1 + ctx.rng.integers(20) / 10 + ctx.cash() % 1 + len(ctx.history(9)) / 7
        ctx.place_market_order(side, qty, tag=seen[:100])
    if ctx.turns == ctx.get_param("fails"):
        raise RuntimeError


def init(ctx):
    ctx.turns = ctx.kept("turns", 0)


HOOKS = Hooks("curious", {"busy": 2, "fails": 0, "hangs": 0, "deaf": 0}, on_tick, init, None)
"""It raises at turn `fails`, never returns from turn `hangs`, and never from ``on_stop`` if it is `deaf`."""


def hire(desk, id, version, params, *, now, kept):
    """Return one version of the strategy at its desk, its ``init`` done."""
    runner = Runner(HOOKS, desk, params=params, rng_seed=strategy_seed(SEED, id, version), kept=kept)
    runner.start(now)
    return runner


class World:
    """All parties and channels; `rng` draws the schedule."""

    def __init__(self, plan: Plan, rng: random.Random) -> None:
        self.plan, self.rng = plan, rng
        self._channels: dict[str, tuple[deque, float]] = {}
        self._moves: dict[Any, float] = {}
        self.simulator = Simulator(self)
        self.broker = Broker(self)
        self.recorder = Recorder(self)
        self.supervisor = Supervisor(self)

    def send(self, name: str, receive: Any, *message: Any) -> None:
        """Put a message into a channel; `receive` is called with it when it arrives."""
        if name not in self._channels:
            self._channels[name] = (deque(), self._weight())
        self._channels[name][0].append((receive, message))

    def cut(self, name: str) -> None:
        """Lose the end of what is in a channel."""
        if name in self._channels:
            queue = self._channels[name][0]
            for _ in range(self.rng.randint(0, len(queue))):
                queue.pop()

    def _weight(self) -> float:
        return 10.0 ** self.rng.uniform(-2.5, 0.0)

    def _all_moves(self) -> Iterable[Any]:
        yield from self.simulator.moves()
        yield from self.supervisor.moves()
        for host in self.supervisor.hosts:
            yield from host.moves()

    def run(self) -> Recording:
        """Go on until nobody can do anything."""
        while True:
            choices = [(partial(_deliver, queue), weight) for queue, weight in self._channels.values() if queue]
            for move in self._all_moves():
                choices.append((move, self._moves.setdefault(move, self._weight())))
            if not choices:
                return self.recorder.recording
            moves, weights = zip(*choices, strict=True)
            self.rng.choices(moves, weights)[0]()


def _deliver(queue: deque) -> None:
    receive, message = queue.popleft()
    receive(*message)


class Simulator:
    """Lines 1 to 4."""

    def __init__(self, world: World) -> None:
        self.world, self.config = world, world.plan.config
        self.market = Market(self.config.model, self.config.schedule, SEED)
        self.first_price = self.market.price
        self.paused = self.ended = False
        self.done = 0

    def moves(self):
        if self.ended or not self.world.supervisor.started:
            return
        if self.paused:
            yield self.resume
        elif self.market.seq >= self.world.plan.ticks:
            yield self.come_to_the_end
        elif self.market.seq - self.done < self.config.transport.window:
            yield self.release

    def release(self) -> None:
        self.market.take(1)
        market = self.market
        self._publish("tick", market.seq, market.time, market.price, market.x)

    def resume(self) -> None:
        self.paused = False
        self.stamp(Control(seq=0, action="resume"))

    def come_to_the_end(self) -> None:
        self.ended = True
        self.stamp(End(seq=0, ts_sim=self.market.time + self.world.plan.after_ns))

    def command(self, event) -> None:
        if self.ended or (isinstance(event, Order) and self.market.seq == 0):
            return
        if isinstance(event, End):
            self.ended, event.ts_sim = True, self.market.time
        elif isinstance(event, Control) and event.action == "set":
            self.config = changed(self.config, event.key, event.value)
            self.market.change(self.config.model, self.config.schedule)
        elif isinstance(event, Control):
            self.paused = event.action == "pause"
        self.stamp(event)

    def stamp(self, event) -> None:
        event.seq = self.market.seq + 1
        self._publish("control", event)

    def _publish(self, *message: Any) -> None:
        self.world.send("ticks to broker", self.world.broker.stream, *message)
        for host in self.world.supervisor.hosts:
            self.world.send(f"ticks to {host.name}", host.stream, *message)

    def credit(self, seq: int) -> None:
        assert self.done < seq <= self.market.seq + 1
        self.done = seq


class Broker:
    """The real sequencer between its channels; lines 9 to 17."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sequencer = Sequencer(world.plan.config, world.simulator.first_price)

    def stream(self, kind, *content) -> None:
        if kind == "tick":
            self.sequencer.tick(*content)
        else:
            self.sequencer.control(copy.copy(content[0]))
        self._flush()

    def answered(self, id, answer) -> None:
        self.sequencer.answer(id, answer)
        self._flush()

    def stopped(self, id) -> None:
        self.sequencer.stopped(id, [])
        self._flush()

    def raw_order(self, id, side, qty) -> None:
        self.sequencer.raw_order(id, side, qty, "raw")
        self._flush()

    def detach(self, id, reason, version) -> None:
        self.sequencer.detach(id, reason, "", version)
        self._flush()

    def confirmed(self, seq) -> None:
        self.world.send("credit", self.world.simulator.credit, seq)

    def _flush(self) -> None:
        while self.sequencer.outbox:
            item = self.sequencer.outbox.popleft()
            if isinstance(item, list):
                self.world.send("blocks", self.world.recorder.take, item)
                continue
            for host in self.world.supervisor.hosts:
                if host.id == item.id:
                    self.world.send(f"fills to {host.name}", host.frame, item)


class Recorder:
    def __init__(self, world: World) -> None:
        self.world = world
        self.recording = Recording()
        self.blocks: list[list] = []

    def take(self, block) -> None:
        self.blocks.append(block)
        self.recording.add(block)
        self.world.send("confirms", self.world.broker.confirmed, block[0].seq)


class Host:
    """A strategy's host and worker for one attach; lines 5 and 6."""

    def __init__(self, world: World, id: str, version: int, params: dict) -> None:
        self.world, self.id, self.version, self.params = world, id, version, params
        self.name = f"{id} {version}"
        self.joined = version
        self.joins_at = self.leaves_at = None
        self.state: Started | None = None
        self.runner: Runner | None = None
        self.alive, self.hanging, self.keep = True, False, False
        self.upcoming: tuple | None = None
        self.ticks: deque = deque()
        self.clears: deque[Cleared] = deque()

    def moves(self):
        if not self.alive:
            return
        if self.hanging:
            yield self.deadline
        elif self.runner is None:
            if self.state is not None and self.joins_at == self.state.seq + 1:
                yield self.begin
        elif self.ticks:
            if self.clears:
                yield self.turn
        elif self.leaves_at is not None:
            yield self.leave

    def stream(self, kind, *content) -> None:
        if kind == "tick":
            seq = content[0]
            if self.joins_at is not None and (self.leaves_at is None or seq < self.leaves_at):
                self.ticks.append(content)
            return
        event = content[0]
        if isinstance(event, Attach) and (event.id, event.version) == (self.id, self.joined):
            self.joins_at = event.seq
        elif isinstance(event, Remove) and event.id == self.id and self.joins_at is not None:
            self.leaves_at = self.leaves_at or event.seq

    def frame(self, item) -> None:
        if isinstance(item, Started):
            if self.runner is None:
                self.state = item
                self.clears.clear()
        elif isinstance(item, Ended):
            self._end()
        else:
            self.clears.append(item)

    def begin(self) -> None:
        """Take over the account as it is after the tick before the first one."""
        desk = Desk(self.state.books, [], max_position=1e9, max_orders=9)
        self.runner = hire(desk, self.id, self.version, self.params, now=self.state.time, kept={})

    def reload(self, version, params, keep) -> None:
        self.upcoming = (version, params, keep)

    def turn(self) -> None:
        self._swap()
        seq, time, price, _ = self.ticks.popleft()
        clear, desk = self.clears.popleft(), self.runner.desk
        assert (clear.seq, clear.time) == (seq, time)
        if clear.fills:
            desk.filled(clear.fills)
        assert (desk.position, desk.cash) == (clear.position, clear.cash)
        desk.now, desk.price = time, price
        desk.prices.append(price)
        desk.seen += 1
        if self.runner.ctx.turns + 1 == self.params.get("hangs"):
            self.hanging = True
            return
        try:
            on_tick(self.runner.ctx, {"seq": seq, "price": price})
        except RuntimeError:
            self.alive = False
            self.world.send(f"{self.name} to supervisor", self.world.supervisor.failed, self)
            return
        answer = Answer(seq, self.version, "code", self.params, self.keep, desk.requests, desk.plots, desk.logs)
        desk.forget()
        self.world.send(f"orders of {self.name}", self.world.broker.answered, self.id, answer)

    def _swap(self) -> None:
        if self.upcoming is None:
            return
        self.version, self.params, self.keep = self.upcoming
        self.upcoming = None
        old = self.runner.desk
        desk = Desk(old.books, old.prices, max_position=1e9, max_orders=9)
        kept = old.state if self.keep else {}
        self.runner = hire(desk, self.id, self.version, self.params, now=old.now, kept=kept)

    def _end(self) -> None:
        if self.params.get("deaf"):
            self.hanging = True
        elif self.alive and not self.hanging:
            self.world.send(f"orders of {self.name}", self.world.broker.stopped, self.id)

    def leave(self) -> None:
        """End after the last turn; what was acknowledged is on its way, or is lost with the process."""
        self.alive = False
        if self.world.rng.random() < 0.5:
            self.world.supervisor.kill(self)

    def deadline(self) -> None:
        self.world.supervisor.kill(self)

    def kill(self) -> None:
        """End at once; some of what was sent may never leave."""
        self.alive = False
        self.world.cut(f"orders of {self.name}")


class Supervisor:
    """Starts, ends and attaches; carries out what people do, each as soon as the market is there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hosts: list[Host] = []
        self.present: dict[str, Host] = {}
        self.script = deque(world.plan.script)
        self._versions: Counter[str] = Counter()

    @property
    def started(self) -> bool:
        """Whether what was there before the first tick has been set up."""
        return not self.script or self.script[0][0] > 0

    def moves(self):
        if self.script and self.script[0][0] <= self.world.simulator.market.seq:
            yield self.act

    def act(self) -> None:
        _, (kind, *details) = self.script.popleft()
        getattr(self, f"_{kind}")(*details)

    def _command(self, event) -> None:
        self.world.send("commands", self.world.simulator.command, event)

    def _detach(self, host: Host, reason: str) -> None:
        if self.present.get(host.id) is host:
            del self.present[host.id]
        self.world.send("supervisor to broker", self.world.broker.detach, host.id, reason, host.joined)

    def _set(self, key, value) -> None:
        self._command(Control(seq=0, action="set", key=key, value=value))

    def _pause(self) -> None:
        self._command(Control(seq=0, action="pause"))

    def _end(self) -> None:
        self._command(End(seq=0, ts_sim=0))

    def _order(self, id, side, qty) -> None:
        self._command(Order(seq=0, id=id, number=0, side=side, qty=qty, due=0, tag="hand", origin="manual"))

    def _raw(self, id, side, qty) -> None:
        self.world.send("raw client", self.world.broker.raw_order, id, side, qty)

    def _attach(self, id, params) -> None:
        if not any(host.id == id and host.alive for host in self.hosts):
            self._versions[id] += 1
            host = self.present[id] = Host(self.world, id, self._versions[id], params)
            self.hosts.append(host)
            self._command(Attach(seq=0, id=id, version=host.version, code="code", name=id, params=params))

    def _remove(self, id) -> None:
        if self.present.pop(id, None):
            self._command(Remove(seq=0, id=id))

    def _reload(self, id, params, keep) -> None:
        if id in self.present:
            self._versions[id] += 1
            host = self.present[id]
            self.world.send(f"supervisor to {host.name}", host.reload, self._versions[id], params, keep)

    def _kill(self, id) -> None:
        """Kill what is there of a strategy, leaving or not."""
        for host in self.hosts:
            if host.id == id and host.alive:
                self.kill(host)

    def kill(self, host: Host) -> None:
        host.kill()
        self._detach(host, "killed")

    def failed(self, host: Host) -> None:
        """A strategy raised; where a fixed version is there already, it is attached at once."""
        self._detach(host, "error")
        if host.upcoming is not None:
            self._attach(host.id, host.upcoming[1])
