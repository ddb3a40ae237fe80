"""The supervisor of a run that this process started, and how such a run ends; it ends with this process."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from algosim.config import Config
from algosim.errors import EngineError
from algosim.live.child import Birth
from algosim.live.client import Client
from algosim.live.sockets import Party, Security, fresh_keys
from algosim.runs.launch import hand_over, how_it_ended, start
from algosim.runs.workspace import workspace

if TYPE_CHECKING:
    from algosim.runs.setup import Setup

__all__ = ["Outcome", "OwnEngine"]

LEAVE_S = 3.0
"""How long a supervisor may take to end once it is told to, or its launcher is gone."""


class Outcome(NamedTuple):
    """How a run ended: ``"finished"`` or ``"crashed"``, and why; its last settings and status where known."""

    state: str
    reason: str
    config: Config | None = None
    status: dict[str, Any] | None = None


class OwnEngine:
    """The supervisor of a run that this process started; it ends when this process does.

    Parameters
    ----------
    setup : Setup
    run_id : str
    folder : Path
        The run's, claimed.

    Attributes
    ----------
    client : Client

    Raises
    ------
    EngineError
        If it does not come up, with its last words.
    """

    def __init__(self, setup: Setup, run_id: str, folder: Path) -> None:
        self._pid = os.getpid()
        self._outcome: Outcome | None = None
        self._lock = threading.Lock()
        self._run_id = run_id
        self._words: list[bytes] = []
        server, controller, observer = fresh_keys(), fresh_keys(), fresh_keys()
        tokens = {name: secrets.token_hex(16) for name in ("controller", "observer")}
        birth = Birth(
            name="supervisor",
            token="",
            run_id=run_id,
            config=setup.config,
            seed=str(setup.seed),
            keys=server,
            server_public=server.public,
            server_secret=server.secret,
            nonces={"ready": secrets.token_hex(16), "credit": secrets.token_hex(8)},
            parties=[
                Party("controller", controller.public, tokens["controller"]),
                Party("observer", observer.public, tokens["observer"]),
            ],
            extra={
                "folder": str(folder),
                "workspace": str(workspace()),
                "strategies": {
                    name: {"path": str(chosen.source.path), "params": chosen.params}
                    for name, chosen in setup.strategies.items()
                },
                "guest_keys": {
                    "controller": msgspec.to_builtins(controller),
                    "observer": msgspec.to_builtins(observer),
                },
            },
        )
        _sweep()
        self._process = start("algosim.live", "supervisor", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _running.add(self)
        try:
            hand_over(self._process, msgspec.json.encode(birth))
            control = self._first_words()
            self._listener = threading.Thread(target=self._listen, name="algosim last words", daemon=True)
            self._listener.start()
        except BaseException:
            self.let_go()
            self.end()
            self._reap()
            raise
        security = Security(setup.config.transport.security == "curve", controller, server.public)
        self.client = Client(control, security, tokens["controller"], self.gone)

    def _first_words(self) -> str:
        """Return the endpoint that the supervisor names when it is up."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._last_words()
            self._reap()
            msg = f"the market did not start: {said or 'no reason given'}"
            raise EngineError(msg)
        return str(msgspec.json.decode(line)["control"])

    def _listen(self) -> None:
        """Take what it says as it ends, of any length: one that cannot say it would not end."""
        assert self._process.stdout is not None
        self._words.extend(self._process.stdout)

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        said = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return said[-1].removeprefix("supervisor: ") if said else ""

    def gone(self) -> bool:
        """Whether it has ended, as far as this process can know."""
        return os.getpid() == self._pid and self._process.poll() is not None

    def let_go(self) -> None:
        """Tell it to bring the run to an end and leave; does not wait. A fork of ours leaves it alone."""
        if os.getpid() == self._pid and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def end(self, within_s: float = LEAVE_S) -> None:
        """Wait until it has ended; one that takes longer is killed."""
        if os.getpid() != self._pid:
            return
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def outcome(self) -> Outcome:
        """Return how the run ended, once the supervisor is gone, and let go of all that belongs to it."""
        with self._lock:  # two threads may ask at once
            if self._outcome is None:
                self._outcome = self._heard()
                self._reap()
            return self._outcome

    def _heard(self) -> Outcome:
        said: dict[str, Any] = {}
        self._listener.join(LEAVE_S)
        for line in self._words:
            if line.endswith(b"\n"):  # else it was killed as it said so
                said = msgspec.json.decode(line)
        if "state" in said:
            config = msgspec.convert(said["config"], Config)
            return Outcome(said["state"], said["reason"], config, said["status"])
        how = how_it_ended(self._process.returncode, self._last_words())
        return Outcome("crashed", f"the supervisor process {how}")

    def _reap(self) -> None:
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        for left in Path(tempfile.gettempdir()).glob(f"algosim-{self._run_id}-*"):  # by one that was killed
            shutil.rmtree(left, ignore_errors=True)
        _running.discard(self)

    def forget_pipe(self) -> None:
        """In a fork of ours: give up its copy of the pipe whose end tells the supervisor that we died."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self._process.stdin.fileno())
                os.close(null)


def _sweep() -> None:
    """Let go of supervisors that have ended and whose handles are gone."""
    for engine in tuple(_running):
        if engine.gone():
            engine.client.close()
            engine.outcome()


def _at_exit() -> None:
    """End the runs that were not stopped; their folders are complete when this process is gone."""
    for engine in tuple(_running):
        engine.let_go()
    for engine in tuple(_running):
        engine.end()


def _after_fork() -> None:
    for engine in tuple(_running):
        engine.forget_pipe()
    _running.clear()


_running: set[OwnEngine] = set()
atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
