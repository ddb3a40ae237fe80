"""Playback: a recorded run that passes again in time, at any pace, forwards and back."""

from __future__ import annotations

import threading
import time as wall
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from algosim.errors import ConfigError
from algosim.runs.folder import read_run
from algosim.runs.held import is_held
from algosim.runs.interventions import Intervention, interventions
from algosim.runs.playhead import Playhead
from algosim.runs.prefix import Prefix
from algosim.runs.result import RunData
from algosim.runs.standing import Standing
from algosim.runs.workspace import EVENTS, find_run
from algosim.times import parse_time

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from algosim.config import Config
    from algosim.runs.recording import Recording

__all__ = ["Player"]

_COUNTS = ("gaps", "foreign", "rejected", "recorder_restarts")
_OF_PROCESSES = ("queues", "foreign_at", "processes", "endpoints", "hwm")
"""What the status of a market has besides; a record has no processes."""


class Player(RunData):
    """A recorded run that is played: what it shows is what had been recorded at its position.

    It stands at the beginning until `play`. Whoever looks at it moves it on: there is no thread behind it,
    and where nobody looks for longer than a second it waits. Its data, `metrics`, `status` and `config` are
    those of the position. Going on, the recording grows; going back, there is another one.

    Parameters
    ----------
    run : str or path
        The run's folder, its id, or ``"last"``.
    speed : float or "max", optional
        Simulated seconds per second; without it as the run was set to begin with, or 1 where that was
        ``"max"``, which shows the end at once.
    clock : callable, optional
        Returns monotonic seconds.

    Attributes
    ----------
    run_id : str
    folder : Path
    duration : float
        Length of the run [simulated s].
    last_tick : int
        The number of ticks of the run.
    timeline : list of Intervention
        What was done during the whole run: ``tick``, ``time`` [s], ``kind``, ``text``.
    note : str
        What could not be read because a crash had left it unfinished; else empty.

    Raises
    ------
    RunError
        If there is no such run, or it cannot be read.
    ConfigError
        If the speed cannot be used.
    """

    def __init__(
        self,
        run: str | os.PathLike[str],
        *,
        speed: float | Literal["max"] | None = None,
        clock: Callable[[], float] = wall.monotonic,
    ) -> None:
        folder = find_run(run)
        saved = read_run(folder)
        whole, recorded = saved.recording, saved.config.schedule.speed
        pace = speed if speed is not None else 1.0 if recorded == "max" else recorded
        self._whole = whole
        self._times = whole.time
        self._lock = threading.RLock()
        self._head = Playhead(whole.t_end, pace, clock)
        super().__init__(self._look, saved.config, whole.start.run_id if whole.start else "", folder)
        self._begin()
        self.note = saved.dropped
        self.last_tick = len(whole)
        self.duration = whole.t_end * 1e-9
        self.timeline: list[Intervention] = interventions(whole)
        self._outcome = _outcome(whole, goes_on=whole.end is None and is_held(folder / EVENTS))

    # What a person does

    def play(self) -> Self:
        """Go on; from the beginning, if it stands at the end."""
        with self._lock:
            self._head.play()
            self._turn_back()
        return self

    def pause(self) -> Self:
        """Stand still."""
        with self._lock:
            self._head.pause()
        return self

    def seek(self, *, tick: int | None = None, time: str | float | None = None) -> Self:
        """Go to a tick, or to a simulated time, such as ``12.5`` [s] or ``"2m"``; it plays on if it did.

        Raises
        ------
        ConfigError
            If the run does not have it.
        """
        goal = self._goal(tick, time)
        with self._lock:
            self._head.move_to(goal)
            self._turn_back()
        return self

    def step(self, n: int = 1) -> Self:
        """Pause, and show `n` ticks more; at most up to the last."""
        with self._lock:
            return self.pause().seek(tick=min(self.tick + n, self.last_tick))

    @property
    def speed(self) -> float | str:
        """Simulated seconds per second, or ``"max"``; can be set at any time."""
        return self._head.speed

    @speed.setter
    def speed(self, speed: float | str) -> None:
        with self._lock:
            self._head.speed = speed

    # What it shows

    @property
    def position(self) -> float:
        """Where it is [simulated s]."""
        with self._lock:
            return self._head.position * 1e-9

    @property
    def tick(self) -> int:
        """The last tick that is shown; 0 before the first."""
        with self._lock:
            return self._ticks_at(self._head.position)

    @property
    def state(self) -> str:
        """One word: paused or playing; at the end finished or crashed, as the run was."""
        with self._lock:
            if self._head.at_end:
                return self._outcome[0]
            return "playing" if self._head.playing else "paused"

    @property
    def config(self) -> Config:
        """The settings as they were at the position."""
        with self._lock:
            self._look()
            return self._standing.config

    @config.setter
    def config(self, config: Config) -> None:
        self._first = config

    @property
    def status(self) -> dict[str, Any]:
        """How the market stood, with the names of ``Simulation.status``; state and pace are playback's."""
        with self._lock:
            tick, state = len(self._look()), self.state
            return {
                "state": state,
                "reason": self._outcome[1] if state == self._outcome[0] else "",
                "note": self.note,
                "tick": tick,
                "done": tick,
                "ts_sim": self._head.position,
                "ticks_per_s": self._pace() if state == "playing" else 0.0,
                "speed": self._head.speed,
                "waiting_for": [],
                "sandbox": f"{self._standing.config.limits.sandbox}, when it ran",
                "strategies": {name: dict(at) for name, at in self._standing.strategies.items()},
                "accounts": {name: dict(at) for name, at in self._standing.accounts.items()},
                **dict.fromkeys(_COUNTS, 0),
                **{name: {} for name in _OF_PROCESSES},
            }

    def __repr__(self) -> str:
        """Return one line that is the same at every position."""
        return f"<Player of a run of {self.last_tick:,} ticks>"

    # How it moves

    def _look(self) -> Recording:
        """Return what had been recorded at the position."""
        with self._lock:
            end = self._head.at_end  # first: an end without the last ticks there must not be
            self._prefix.grow(self._ticks_at(self._head.position), end=end)
            self._standing.update(self._prefix.recording)
            return self._prefix.recording

    def _turn_back(self) -> None:
        """Begin anew with what is shown, if the position lies before it."""
        ahead = self._ticks_at(self._head.position) < self._prefix.tick
        if ahead or (self._prefix.ended and not self._head.at_end):
            self._begin()

    def _begin(self) -> None:
        self._prefix = Prefix(self._whole)
        self._standing = Standing(self._first)

    def _ticks_at(self, position: int) -> int:
        return int(np.searchsorted(self._times, position, side="right"))

    def _pace(self) -> float:
        """Return ticks per second of wall time, over what the last second showed."""
        speed, now = self._head.speed, self._head.position
        if isinstance(speed, str):
            return 0.0
        begin = max(0, now - round(speed * 1e9))
        return (self._ticks_at(now) - self._ticks_at(begin)) * 1e9 * speed / max(1, now - begin)

    def _goal(self, tick: int | None, time: str | float | None) -> int:
        """Return a tick's time, or a time, in simulated nanoseconds."""
        if (tick is None) == (time is None):
            msg = "say where to: seek(tick=...) or seek(time=...)"
            raise ConfigError(msg)
        if tick is not None:
            if not 0 <= tick <= self.last_tick:
                msg = f"the run has no tick {tick}; its last is {self.last_tick}"
                raise ConfigError(msg)
            return int(self._times[tick - 1]) if tick else 0
        assert time is not None
        goal = parse_time(time)
        if goal > self._whole.t_end:
            msg = f"the run has no {goal * 1e-9:g} s; it ends at {self.duration:g} s"
            raise ConfigError(msg)
        return goal


def _outcome(recording: Recording, *, goes_on: bool) -> tuple[str, str]:
    """Return the word for how a run ended, and why."""
    if recording.end is not None:
        return recording.end.state, recording.end.reason
    if goes_on:
        return "finished", "the run goes on; this is what had been recorded when playback was opened"
    return "crashed", "the run has no end"
