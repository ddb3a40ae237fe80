"""The handle of a live market: what a notebook, a terminal or a test holds."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from weakref import WeakSet

import msgspec

from algosim import settings as configuration
from algosim.config import Config
from algosim.errors import AlgosimError, ConfigError, EngineError, StrategyError
from algosim.live.child import Birth
from algosim.live.client import Client, EngineGone
from algosim.live.connection import Connection, connection_files, find_connection
from algosim.live.sockets import Party, Security, fresh_keys
from algosim.runs import folder as run_folder
from algosim.runs.launch import hand_over, start
from algosim.runs.reader import Tail
from algosim.runs.recording import Recording
from algosim.runs.result import Result, RunData
from algosim.runs.setup import Setup, StrategyArgument, prepare
from algosim.runs.workspace import EVENTS, find_strategy, new_run_id, runs_folder, workspace

__all__ = ["Simulation", "connect"]

START_S = 60.0
STOP_S = 15.0


class Simulation(RunData):
    """A live market: real processes that trade, pause, change and stop as you say.

    Building one starts nothing; `start` or ``with`` does. Leaving ``with`` stops it.

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
    """

    def __init__(
        self,
        strategy: StrategyArgument = None,
        *,
        seed: int | None = None,
        config: Config | Mapping[str, object] | str | os.PathLike[str] | None = None,
        settings: Mapping[str, object] | None = None,
        speed: float | Literal["max"] | None = None,
        duration: str | float | None = None,
        ticks: int | None = None,
        out: str | os.PathLike[str] | None = None,
    ) -> None:
        over = dict(settings or {})
        if speed is not None:
            over["schedule.speed"] = speed
        self._begin(
            prepare(strategy, seed=seed, duration=duration, ticks=ticks, config=config, settings=over), out
        )

    def _begin(self, setup: Setup, out: str | os.PathLike[str] | None) -> None:
        self._setup = setup
        self._out = out
        super().__init__(self._follow, setup.config, "", None)
        self._tail: Tail | None = None
        self._client: Client | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._final: dict[str, Any] | None = None
        self._result: Result | None = None
        self._pid = os.getpid()
        self._attached_to: Connection | None = None

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Return a handle of a market that another process started."""
        folder = Path(connection.folder)
        config = configuration.load(folder / run_folder.CONFIG)
        handle = cls.__new__(cls)
        handle._begin(Setup(config, config.run.seed or 0, {}), folder)
        handle.run_id, handle.folder = connection.run_id, folder
        handle._tail = Tail(folder / EVENTS)
        handle._attached_to = connection
        security = Security(connection.security == "curve", connection.controller, connection.server_public)
        handle._client = Client(
            connection.endpoints["control"], security, connection.controller_token, handle._has_ended
        )
        return handle

    # Life

    def start(self) -> Self:
        """Start the market, or resume it; returns once the first tick may come.

        Raises
        ------
        StrategyError
            If a strategy does not load. The market then waits before tick 1 for a fixed version.
        """
        self._launch()
        if self.state in ("waiting", "starting"):
            self._command("start", START_S)
        elif self.state == "paused":
            self.resume()
        return self

    def _launch(self) -> None:
        """Start the processes, once."""
        if self._client is not None or self._attached_to is not None:
            return
        self._result = self._final = None
        self.run_id = new_run_id()
        self.folder = Path(self._out).expanduser().resolve() if self._out else runs_folder() / self.run_id
        run_folder.claim(self.folder)
        sources = [chosen.source for chosen in self._setup.strategies.values()]
        run_folder.save_setup(self.folder, self.run_id, self.config, self._setup.seed, sources)
        run_folder.point_last(self.folder)
        self._tail = Tail(self.folder / EVENTS)
        server, controller, observer = fresh_keys(), fresh_keys(), fresh_keys()
        tokens = {name: secrets.token_hex(16) for name in ("controller", "observer")}
        parties = [
            Party("controller", controller.public, tokens["controller"]),
            Party("observer", observer.public, tokens["observer"]),
        ]
        birth = Birth(
            name="supervisor",
            token="",
            run_id=self.run_id,
            config=self.config,
            seed=str(self._setup.seed),
            keys=server,
            server_public=server.public,
            server_secret=server.secret,
            nonces={"ready": secrets.token_hex(16), "credit": secrets.token_hex(8)},
            parties=parties,
            extra={
                "folder": str(self.folder),
                "workspace": str(workspace()),
                "strategies": {
                    name: {"path": str(chosen.source.path), "params": chosen.params}
                    for name, chosen in self._setup.strategies.items()
                },
                "guest_keys": {
                    "controller": msgspec.to_builtins(controller),
                    "observer": msgspec.to_builtins(observer),
                },
            },
        )
        self._process = start("algosim.live", "supervisor", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        hand_over(self._process, msgspec.json.encode(birth))
        _launched.add(self._process)
        control = self._first_words()
        security = Security(self.config.transport.security == "curve", controller, server.public)
        self._client = Client(control, security, tokens["controller"], self._has_ended)
        atexit.register(self._at_exit)

    def _first_words(self) -> str:
        """Return the endpoint that the supervisor names when it is up."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
            self._process.wait()
            self._process = None
            msg = f"the market did not start: {said[-1] if said else 'no reason given'}"
            raise EngineError(msg)
        return str(msgspec.json.decode(line)["control"])

    def _has_ended(self) -> bool:
        if self._attached_to is not None:
            return not _alive(self._attached_to)
        return self._process is None or self._process.poll() is not None

    def _settle(self) -> None:
        """Take note of how the run ended, once the supervisor is gone."""
        if self._final is not None or self._client is None or not self._has_ended():
            return
        state: dict[str, Any] = {}
        process = self._process
        if process is not None and process.stdout is not None and process.stderr is not None:
            for line in process.stdout.read().splitlines():
                state = msgspec.json.decode(line)
            said = process.stderr.read().decode("utf-8", "replace").strip().splitlines()
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
            if "state" not in state:
                reason = f"the supervisor process ended with status {process.returncode}"
                state = {"state": "crashed", "reason": f"{reason}{': ' + said[-1] if said else ''}"}
        self._final = {
            "state": state.get("state") or ("finished" if self.recording.end else "crashed"),
            "reason": state.get("reason", ""),
        }
        self._client.close()
        atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        """End the processes with ours; a fork of ours leaves them alone."""
        if os.getpid() == self._pid and self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        """Start the market."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop the market."""
        if self._client is not None and not self._has_ended():
            self.stop()

    # Commands

    def _command(self, op: str, timeout_s: float | None = 10.0, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer; raise what it could not do."""
        self._settle()
        if self._client is None or self._final is not None:
            raise EngineError(self._why_not())
        try:
            answer = self._client.ask(op, timeout_s, **fields)
        except EngineGone:
            self._settle()
            if self._final is not None and self._final["state"] == "finished":
                return {"ended": True, **self._final}
            raise EngineError(self._why_not()) from None
        error = answer.get("error")
        if error is not None:
            raise _raised(error)
        return answer

    def _why_not(self) -> str:
        if self._final is None:
            return "the market has not started; call start()"
        if self._final["state"] == "crashed":
            return (
                f"the run crashed: {self._final['reason']}. What was recorded is in {self.folder}; "
                "reset() starts a fresh market"
            )
        return "the run has ended; reset() starts a fresh one"

    def pause(self) -> Self:
        """Pause after the last tick released; returns once all of it is done."""
        self._command("pause")
        return self

    def resume(self) -> Self:
        """Go on after a pause."""
        self._command("resume")
        return self

    def step(self, n: int = 1) -> Self:
        """Release `n` ticks of a paused market; returns once they are done."""
        self._command("step", None, n=n)
        return self

    def run_until(self, *, ticks: int | None = None, time: str | float | None = None) -> Self:  # noqa: A002
        """Run to a tick or simulated time, pause there, and return.

        Before `start` it arms the stop and starts the market. Interrupting it pauses the market.
        """
        target = _target(ticks, time)
        fresh = self._client is None
        try:
            self._launch()
            if fresh:
                self._command("prepare", START_S)
            self._command("run_until", None, **target)
        except KeyboardInterrupt:
            with contextlib.suppress(AlgosimError):
                self.pause()
            raise
        return self

    def wait(self, *, ticks: int | None = None, time: str | float | None = None) -> Self:  # noqa: A002
        """Wait until the market, which goes on, has come to a tick or time; without one, to its end."""
        target = _target(ticks, time) if ticks is not None or time is not None else {}
        self._command("wait", None, **target)
        return self

    def set(self, settings: Mapping[str, object] | None = None, *, id: str | None = None, **values: object) -> Self:  # noqa: A002
        """Change market, schedule or execution settings, or a strategy's parameters, while it runs.

        Parameters
        ----------
        settings : mapping, optional
            By dotted key.
        id : str, optional
            A strategy; the values are then its parameters, and it reloads with them.
        **values
            By the last part of the key.
        """
        wanted = {**(settings or {}), **values}
        if id is not None:
            self._command("reload", 30.0, id=id, params=wanted)
            return self
        changes = {}
        for name, value in wanted.items():
            key = configuration.resolve(name)
            changes[key] = configuration.coerce(key, value)
        fixed = [key for key in changes if configuration.applies(key) != "now"]
        self._setup = self._setup._replace(config=configuration.with_settings(self.config, changes))
        if self._client is None or self._final is not None:
            self.config = self._setup.config
            return self
        if fixed:
            msg = f"{', '.join(fixed)} can only change at a reset; it is noted: call reset()"
            raise ConfigError(msg)
        for key, value in changes.items():
            self._command("set", key=key, value=value)
        self.config = self._setup.config
        return self

    def add(
        self, strategy: str | os.PathLike[str], *, id: str | None = None, params: Mapping[str, Any] | None = None  # noqa: A002
    ) -> Self:
        """Add a strategy to the market; it trades from the next tick on."""
        source = find_strategy(strategy)
        self._command("add", 30.0, id=id or source.id, path=str(source.path), params=dict(params or {}))
        return self

    def remove(self, id: str) -> Self:  # noqa: A002
        """Take a strategy out of the market; its account keeps its position."""
        self._command("remove", id=id)
        return self

    def reload(self, id: str | None = None, *, keep_state: bool = False) -> Self:  # noqa: A002
        """Load a strategy's files again; the new version takes over at the next tick."""
        self._command("reload", 30.0, id=id or next(iter(self._setup.strategies)), keep_state=keep_state)
        return self

    def order(self, side: str, qty: float, *, id: str = "manual", tag: str = "") -> Self:  # noqa: A002
        """Place a market order by hand, on an account of its own."""
        self._command("order", side=side, qty=qty, id=id, tag=tag)
        return self

    def stop(self) -> Result:
        """End the run and return its result; on an ended one, return the same result again."""
        if self._client is None and self._result is None:
            msg = "the market has not started; there is nothing to stop"
            raise EngineError(msg)
        if self._result is None:
            with contextlib.suppress(EngineGone):
                if not self._has_ended() and self._client is not None:
                    self._client.ask("stop", STOP_S)
            self._end_process()
            self._settle()
            self._result = self._make_result()
        return self._result

    def _end_process(self) -> None:
        """Wait for the supervisor; one that does not end is killed."""
        if self._process is not None:
            try:
                self._process.wait(3.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _make_result(self) -> Result:
        assert self.folder is not None
        saved = run_folder.read_run(self.folder)
        return Result(saved.recording, saved.config, self.run_id, self.folder, digest=saved.digest)

    def reset(self) -> Self:
        """End the run and begin a fresh one: new processes, new run id, settings as they are now."""
        if self._client is not None and not self._has_ended():
            self.stop()
        self._settle()
        self._client = self._process = None
        self._final = self._result = None
        self.config = self._setup.config
        self._setup = self._setup._replace(config=self.config)
        self._launch()
        return self

    # Reading

    def _follow(self) -> Recording:
        """Return everything recorded so far, without gaps."""
        return Recording() if self._tail is None else self._tail.update()

    @property
    def digest(self) -> str:
        """The digest of what is done so far."""
        return self.recording.digest

    @property
    def state(self) -> str:
        """One word: new, starting, waiting, running, paused, ending, finished or crashed."""
        return str(self.status["state"])

    @property
    def status(self) -> dict[str, Any]:
        """How the market does: state, ticks, queues, waits, gaps, foreign messages, strategies."""
        self._settle()
        if self._final is not None:
            done = len(self.recording)
            return {**self._final, "tick": done, "done": done, "ts_sim": self.recording.t_end, "strategies": {}}
        if self._client is None:
            return {"state": "new", "tick": 0, "done": 0, "ts_sim": 0, "strategies": {}}
        try:
            return dict(self._client.ask("status", 5.0)["status"])
        except EngineGone:
            self._settle()
            return self.status
        except KeyError:
            self._end_process()
            return self.status

    def export(self, folder: str | os.PathLike[str]) -> Path:
        """Copy the run folder as it is now."""
        return run_folder.export(self.folder, folder)

    def __repr__(self) -> str:
        """Return one line, without a connection to the market."""
        return f"<Simulation of {', '.join(self._setup.strategies) or 'a market alone'}>"


def connect(run: str | None = None) -> Simulation:
    """Return a handle of a market that is running: the newest one, or the one with this id.

    Raises
    ------
    EngineError
        If there is none.
    """
    return Simulation.of(find_connection(run))


def _target(ticks: int | None, time: str | float | None) -> dict[str, int]:  # noqa: A002
    """Return the one point that was given."""
    if (ticks is None) == (time is None):
        msg = 'give one point: ticks=1000, or time="60s"'
        raise ConfigError(msg)
    if ticks is not None:
        if isinstance(ticks, bool) or not isinstance(ticks, int) or ticks < 1:
            msg = f"ticks must be a whole number of at least 1, got {ticks!r}"
            raise ConfigError(msg)
        return {"ticks": ticks}
    assert time is not None
    return {"time": configuration.parse_time(time)}


def _raised(error: dict[str, Any]) -> AlgosimError:
    """Return an error of the engine as an exception."""
    message = str(error.get("message", "the command failed"))
    if "strategy" in error or error.get("frames") or error.get("file"):
        name = error.get("strategy")
        return StrategyError(
            f"{name}: {message}" if name else message,
            file=error.get("file"),
            line=error.get("line"),
            source=error.get("source"),
            frames=error.get("frames") or "",
        )
    return EngineError(message)


def _alive(connection: Connection) -> bool:
    return any(other.run_id == connection.run_id for other in connection_files())


_launched: WeakSet[subprocess.Popen[bytes]] = WeakSet()


def _close_pipes() -> None:
    """Close a fork's copies of the pipes whose end tells the supervisors that we died."""
    for process in _launched:
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                os.close(process.stdin.fileno())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_pipes)
