"""The strategies' side of a live run as plain objects: a strategy, its host, and who starts and ends it."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from algosim.core.desk import Desk
from algosim.core.strategy import Hooks, Runner, strategy_seed
from algosim.events import Attach, Control, End, Order, Remove
from algosim.live.sequencer import Answer, Cleared, Ended, Started

if TYPE_CHECKING:
    from tests.lockstep import World

SEED = 5
LIMITS = {"max_position": 1e9, "max_orders": 9}


# A strategy that lets all it knows decide its orders, and writes it into their tags


def init(ctx):
    ctx.turns = ctx.kept("turns", 0)


def on_tick(ctx, tick):
    ctx.turns += 1
    ctx.set_state("turns", ctx.turns)
    ctx.plot("position", ctx.position())
    seen = f"{tick['seq']} {ctx.turns} {ctx.position()!r} {ctx.pending()!r} {ctx.cash()!r} {ctx.equity()!r}"
    for _ in range(ctx.rng.integers(ctx.get_param("busy") + 1)):
        side = "BUY" if ctx.rng.normal() > ctx.position() + ctx.pending() else "SELL"
        qty = 0.1 + ctx.rng.integers(20) / 10 + ctx.cash() % 1 + len(ctx.history(9)) / 7
        ctx.place_market_order(side, qty, tag=seen[:100])
    if ctx.turns == ctx.get_param("fails"):
        raise RuntimeError


PARAMS = {"busy": 2, "fails": 0, "hangs": 0, "deaf": False, "mends": 0}
"""The strategy raises at turn `fails`, hangs in turn `hangs`, and in ``on_stop`` if it is `deaf`. Where it
raised, its host attaches the next version at once, `mends` times."""


def hire(desk, id, version, params, *, now, kept):
    """Return one version of the strategy at its desk, its ``init`` done."""
    hooks = Hooks("curious", PARAMS, on_tick, init, None)
    runner = Runner(hooks, desk, params=params, rng_seed=strategy_seed(SEED, id, version), kept=kept)
    runner.start(now)
    return runner


class Host:
    """A strategy's host and worker, for one attach; lines 5 and 6."""

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
            if self.joins_at is not None and (self.leaves_at is None or content[0] < self.leaves_at):
                self.ticks.append(content)
            return
        (event,) = content
        if isinstance(event, Attach) and (event.id, event.version) == (self.id, self.joined):
            self.joins_at = event.seq
        elif isinstance(event, Remove) and event.id == self.id and self.joins_at is not None:
            self.leaves_at = self.leaves_at or event.seq

    def frame(self, item) -> None:
        if isinstance(item, Cleared):
            self.clears.append(item)
        elif isinstance(item, Ended):
            self._end()
        elif self.runner is None:
            self.state = item
            self.clears.clear()

    def _end(self) -> None:
        if self.params["deaf"]:
            self.hanging = True
        elif self.alive and not self.hanging:
            self.world.send(f"orders of {self.name}", self.world.broker.stopped, self.id)

    def reload(self, version, params, keep) -> None:
        self.upcoming = (version, params, keep)

    def begin(self) -> None:
        """Take over the account as it is after the tick before the first one."""
        desk = Desk(self.state.books, [], **LIMITS)
        self.runner = hire(desk, self.id, self.version, self.params, now=self.state.time, kept={})

    def turn(self) -> None:
        if self.upcoming is not None:
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
        if self.runner.ctx.turns + 1 == self.params["hangs"]:
            self.hanging = True
            return
        try:
            on_tick(self.runner.ctx, {"seq": seq, "price": price})
        except RuntimeError:
            self.alive = False
            self.world.send(f"word of {self.name}", self.world.supervisor.failed, self)
            return
        answer = Answer(
            seq, self.version, "code", self.params, self.keep, desk.requests, desk.plots, desk.logs
        )
        desk.forget()
        self.world.send(f"orders of {self.name}", self.world.broker.answered, self.id, answer)

    def _swap(self) -> None:
        self.version, self.params, self.keep = self.upcoming
        self.upcoming, old = None, self.runner.desk
        desk, kept = Desk(old.books, old.prices, **LIMITS), old.state if self.keep else {}
        self.runner = hire(desk, self.id, self.version, self.params, now=old.now, kept=kept)

    def leave(self) -> None:
        """End after the last turn; what was acknowledged is on its way, or is lost with the process."""
        self.alive = False
        if self.world.rng.random() < 0.5:
            self.world.supervisor.kill(self)

    def deadline(self) -> None:
        self.world.supervisor.kill(self)

    def end(self) -> None:
        """Be killed; some of what was sent may never have left."""
        self.alive = False
        self.world.cut(f"orders of {self.name}")


class Supervisor:
    """Starts, attaches and ends; carries out what people do, each as soon as the market is there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hosts: list[Host] = []
        self.present: dict[str, Host] = {}
        self.script = deque(world.plan.script)
        self._versions: Counter[str] = Counter()

    def moves(self):
        if self.script and self.script[0][0] <= self.world.simulator.market.seq:
            yield self.act

    def act(self) -> None:
        _, (kind, *details) = self.script.popleft()
        getattr(self, f"do_{kind}")(*details)

    def _command(self, event) -> None:
        self.world.send("commands", self.world.simulator.command, event)

    def do_set(self, key, value) -> None:
        self._command(Control(seq=0, action="set", key=key, value=value))

    def do_pause(self) -> None:
        self._command(Control(seq=0, action="pause"))

    def do_end(self) -> None:
        self._command(End(seq=0, ts_sim=0))

    def do_order(self, id, side, qty) -> None:
        self._command(Order(seq=0, id=id, number=0, side=side, qty=qty, due=0, tag="hand", origin="manual"))

    def do_raw(self, id, side, qty) -> None:
        self.world.send("raw client", self.world.broker.raw_order, id, side, qty)

    def do_attach(self, id, params) -> None:
        if not any(host.id == id and host.alive for host in self.hosts):
            self._versions[id] += 1
            host = self.present[id] = Host(self.world, id, self._versions[id], params)
            self.hosts.append(host)
            event = Attach(seq=0, id=id, version=host.version, code="code", name=id, params=params)
            self._command(event)

    def do_remove(self, id) -> None:
        if self.present.pop(id, None):
            self._command(Remove(seq=0, id=id))

    def do_reload(self, id, params, keep) -> None:
        if id in self.present:
            self._versions[id] += 1
            host = self.present[id]
            self.world.send(f"word to {host.name}", host.reload, self._versions[id], params, keep)

    def do_kill(self, id) -> None:
        """Kill what is there of a strategy, leaving or not."""
        for host in self.hosts:
            if host.id == id and host.alive:
                self.kill(host)

    def kill(self, host: Host) -> None:
        host.end()
        self._detach(host, "killed")

    def failed(self, host: Host) -> None:
        self._detach(host, "error")
        if host.params["mends"]:
            self.do_attach(host.id, {**host.params, "mends": host.params["mends"] - 1})

    def _detach(self, host: Host, reason: str) -> None:
        if self.present.get(host.id) is host:
            del self.present[host.id]
        self.world.send("word to broker", self.world.broker.detach, host.id, reason, host.joined)
