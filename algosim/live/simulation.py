"""The handle of a live market: what a notebook, a terminal or a test holds."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import algosim
from algosim import settings as configuration
from algosim.errors import AlgosimError, EngineError
from algosim.live.arguments import target
from algosim.live.client import FORKED
from algosim.live.connection import Connection, find_connection
from algosim.live.controls import Controls
from algosim.live.found_engine import FoundEngine
from algosim.live.newest import announce
from algosim.live.own_engine import OwnEngine
from algosim.runs import folder as run_folder
from algosim.runs.held import released
from algosim.runs.result import Result
from algosim.runs.setup import Setup, StrategyArgument, prepare, renew
from algosim.runs.workspace import EVENTS, new_run_id, path_of, runs_folder, wanted_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from algosim.config import Config

__all__ = ["Simulation", "connect"]

START_S = 60.0
STOP_S = 15.0
CLOSE_S = 3.0
ANSWER_S = 4.0
"""A supervisor that says nothing for longer stands still, and is ended."""


class Simulation(Controls):
    """A live market: real processes that trade, pause, change and stop as you say.

    Building one starts nothing; `start` or ``with`` does. Leaving ``with`` stops it, and so does the end of
    this process. DataFrames and metrics read while it runs have all that is done, without gaps.

    Parameters
    ----------
    strategy : name, path, sequence or mapping, optional
        As in `algosim.evaluate`.
    seed : int, optional
        Without one, a fresh one is drawn and shown.
    config : Config, mapping, path or preset name, optional
    settings : mapping, optional
        Settings over the configuration.
    speed : float or "max", optional
        Simulated seconds per second; ``"max"`` does not wait.
    duration, ticks : optional
        Where the run ends by itself.
    out : path, optional
        The run folder; without it, a new one below ``runs/``.

    Attributes
    ----------
    config : Config
        The settings as they are now.
    run_id : str
        Empty before `start`, another one after each `reset`.
    folder : Path or None
        The run folder, once there is one.
    """

    def __init__(
        self,
        strategy: StrategyArgument = None,
        *,
        seed: int | None = None,
        config: Config | Mapping[str, object] | str | os.PathLike[str] | None = None,
        settings: Mapping[str, object] | None = None,
        speed: float | Literal["max"] | None = None,
        duration: str | float | timedelta | None = None,
        ticks: int | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> None:
        over = configuration.named(settings, "settings")
        if speed is not None:
            over["schedule.speed"] = speed
        setup = prepare(strategy, seed=seed, duration=duration, ticks=ticks, config=config, settings=over)
        super().__init__(setup.config)
        self._setup = setup
        self._out = path_of(out, "out must be a path") if out else None
        self._result: Result | None = None
        self._launches = threading.Lock()  # a dashboard's button and a cell may both start it
        announce(self)

    def follow(self, connection: Connection) -> Self:
        """Be the handle of a market that another process started; `connect` finds one."""
        folder = Path(connection.folder)
        self._config = configuration.load(folder / run_folder.CONFIG)
        self._setup = Setup(self._config, self._config.run.seed or 0, {})
        self._result = None
        self._hold(FoundEngine(connection), connection.run_id, folder)
        return self

    def start(self) -> Self:
        """Start the market, or go on after a pause; returns once the first tick may come.

        Raises
        ------
        StrategyError
            If a strategy does not load. The market then waits before tick 1 for a fixed version: mend the
            file and call this again.
        """
        fresh = self._engine is None
        self._launch()
        self._command("start", START_S)
        if fresh:
            self._tell_ports()
        return self

    def _launch(self) -> None:
        """Start the processes, once, whoever else asks for it too."""
        with self._launches:
            if self._engine is None:
                self._make()

    def _make(self) -> None:
        """Start the processes of a fresh run."""
        announce(self)
        setup = self._setup = renew(self._setup, self._config)
        run_id = new_run_id()
        folder = wanted_folder(self._out or setup.config.run.export_dir, run_id) or runs_folder() / run_id
        run_folder.claim(folder)
        sources = [chosen.source for chosen in setup.strategies.values()]
        run_folder.save_setup(folder, run_id, setup.config, setup.seed, sources)
        run_folder.point_last(folder)
        self._config = setup.config
        try:
            engine = OwnEngine(setup, run_id, folder)
        except BaseException:
            if folder.name == run_id:
                run_folder.discard(folder)
            raise
        self._hold(engine, run_id, folder)
        weakref.finalize(self, engine.let_go).atexit = False  # `engines` sees to that

    def __enter__(self) -> Self:
        """Start the market."""
        try:
            return self.start()
        except BaseException:
            with contextlib.suppress(AlgosimError):  # which would hide what went wrong
                self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        """Stop the market."""
        if self._engine is not None and os.getpid() == self._pid:  # a fork of ours leaves it alone
            self.stop()

    def run_until(self, *, ticks: int | None = None, time: str | float | timedelta | None = None) -> Self:
        """Run to a tick or simulated time, pause there, and return.

        On a fresh Simulation it starts the market with the stop armed. With a time it stops before the first
        tick after it. Interrupting it pauses the market.

        Raises
        ------
        EngineError
            If the point has been passed; names where the market is.
        StrategyError
            As in `start`.
        """
        goal = target(ticks, time)
        fresh = self._engine is None
        self._launch()
        self._command("prepare", START_S)
        if fresh:
            self._tell_ports()
        self._journey("run_until", goal)
        return self

    def stop(self) -> Result:
        """End the run and return its result; on an ended one, return the same result again.

        A run without a tick has nothing to keep: its folder goes, unless it was named with ``out``.
        """
        if self._engine is None:
            msg = "the market has not started; there is nothing to stop"
            raise EngineError(msg)
        self._end(self._engine)
        if self._result is None:
            assert self.folder is not None
            released(self.folder / EVENTS, CLOSE_S)  # a recorder whose supervisor was killed closes the books
            saved = run_folder.read_run(self.folder)
            self._discard_if_empty()
            digest = saved.digest or saved.recording.digest
            self._result = Result(
                saved.recording, saved.config, self.run_id, self.folder, digest=digest, note=saved.dropped
            )
        return self._result

    def _end(self, engine: OwnEngine | FoundEngine) -> None:
        """End the run, if it goes on."""
        if os.getpid() != self._pid:
            raise EngineError(FORKED)
        self._settle()
        try:
            if self._outcome is None:
                with contextlib.suppress(EngineError):
                    self._hear_config(ANSWER_S)  # the last that can be known of a market that another started
                    self._command("stop", STOP_S)
        finally:
            if self._outcome is None:  # it does not answer, or we are interrupted
                engine.end(0.0)
        self._settle()

    def reset(self) -> Self:
        """End the run and make a fresh one ready: new processes, a new run id, the settings as they are now.

        Settings that wait for a reset take effect: those that cannot change in a running market, and those
        changed since the run ended. Call `start` or `run_until` next.
        """
        if self._engine is not None:
            config = self._noted.over(self.config)
            self._end(self._engine)
            self._discard_if_empty()
            self._engine = self._outcome = self._result = None
            self._config = config
        self._launch()
        return self

    def dashboard(
        self, *, start: bool = True, fast: bool = False, theme: Literal["dark", "light"] | None = None
    ) -> algosim.Dashboard:
        """Show it live in a notebook, with all its controls: `algosim.dashboard`."""
        return algosim.dashboard(self, start=start, fast=fast, theme=theme)

    def present(self, *, port: int | None = None) -> algosim.Page:
        """Show it full-screen in the browser, on a page of its own: `algosim.present`."""
        return algosim.present(self, port=port)

    def __repr__(self) -> str:
        """Return one line, without a word to the market."""
        return f"<Simulation of {', '.join(self._config.strategies) or 'a market alone'}>"


def connect(run: str | None = None) -> Simulation:
    """Return a handle of a market that is running: the newest one, or the one with this id.

    Raises
    ------
    EngineError
        If there is none.
    """
    return Simulation([]).follow(find_connection(run))
