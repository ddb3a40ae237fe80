"""The parties of a live run as plain objects, and channels between them that deliver in any order.

Each channel is first in, first out; which of them delivers next, and when a party moves, is drawn at random.
Only the `Sequencer` and what strategies are made of are the engine's own.
"""

from __future__ import annotations

import copy
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.core.engine import changed
from algosim.core.market import Market
from algosim.events import Control, End, Order
from algosim.live.sequencer import Sequencer
from algosim.runs.recording import Recording
from tests.lockstep_hosts import SEED, Supervisor

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from algosim.config import Config


class Plan(NamedTuple):
    """A session: what is set up, and what people do, each once the market has come to tick `at`.

    `ticks` ends it, `after_ns` past the last of them.
    """

    config: Config
    ticks: int
    after_ns: int
    script: list[tuple[int, tuple]]


class World:
    """All parties and channels; `rng` draws the schedule."""

    def __init__(self, plan: Plan, rng: random.Random, sequencer: type[Sequencer] = Sequencer) -> None:
        self.plan, self.rng = plan, rng
        self._channels: dict[str, tuple[deque, float]] = {}
        self._moves: dict[Any, float] = {}
        self.simulator = Simulator(self)
        self.broker = Broker(self, sequencer(plan.config, self.simulator.market.price))
        self.recorder = Recorder(self)
        self.supervisor = Supervisor(self)

    def send(self, channel: str, receive: Any, *message: Any) -> None:
        """Put a message into a channel; `receive` is called with it when it arrives."""
        if channel not in self._channels:
            self._channels[channel] = (deque(), self._weight())
        self._channels[channel][0].append((receive, message))

    def is_empty(self, channel: str) -> bool:
        return not (channel in self._channels and self._channels[channel][0])

    def cut(self, channel: str) -> None:
        """Lose the end of what is in a channel."""
        queue, _ = self._channels.get(channel, (deque(), 0))
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
            choices = [
                (partial(_deliver, queue), weight) for queue, weight in self._channels.values() if queue
            ]
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
        self.paused = self.ended = False
        self.done = 0
        self.stamped: list = []

    def moves(self):
        if self.ended or (self.market.seq == 0 and not self._set_up()):
            return
        if self.paused:
            yield self.resume
        elif self.market.seq >= self.world.plan.ticks:
            yield self.come_to_the_end
        elif self.market.seq - self.done < self.config.transport.window:
            yield self.release

    def _set_up(self) -> bool:
        """Whether what is to be there before the first tick has been stamped."""
        script = self.world.supervisor.script
        return (not script or script[0][0] > 0) and self.world.is_empty("commands")

    def release(self) -> None:
        market = self.market
        market.take(1)
        self._publish("tick", market.seq, market.time, market.price, market.x)

    def resume(self) -> None:
        self.paused = False
        self._stamp(Control(seq=0, action="resume"))

    def come_to_the_end(self) -> None:
        self.ended = True
        self._stamp(End(seq=0, ts_sim=self.market.time + self.world.plan.after_ns))

    def command(self, event) -> None:
        if self.ended or (isinstance(event, Order) and self.market.seq == 0):
            return
        if isinstance(event, End):
            self.ended, event.ts_sim = True, self.market.time
        elif isinstance(event, Control) and event.action == "set":
            self.config = changed(self.config, event.key, event.value)
            self.market.change(self.config.model, self.config.schedule)
        elif isinstance(event, Control):
            self.paused = True
        self._stamp(event)

    def _stamp(self, event) -> None:
        event.seq = self.market.seq + 1
        self.stamped.append(event)
        self._publish("control", event)

    def _publish(self, *message: Any) -> None:
        self.world.send("ticks to broker", self.world.broker.stream, *message)
        for host in self.world.supervisor.hosts:
            self.world.send(f"ticks to {host.name}", host.stream, *message)

    def credit(self, seq: int) -> None:
        assert seq == self.done + 1
        self.done = seq


class Broker:
    """The real sequencer between its channels; lines 9 to 17."""

    def __init__(self, world: World, sequencer: Sequencer) -> None:
        self.world, self.sequencer = world, sequencer

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
    """Takes blocks and confirms them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.recording = Recording()
        self.blocks: list[list] = []

    def take(self, block) -> None:
        self.blocks.append(block)
        self.recording.add(block)
        self.world.send("confirms", self.world.broker.confirmed, block[0].seq)
