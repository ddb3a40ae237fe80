"""The processes of a run: started together, watched, ended for certain."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from algosim.live.child import Birth
from algosim.live.sockets import Party, fresh_keys
from algosim.live.tidy import tidy
from algosim.runs.launch import LOG, hand_over, how_it_ended, start

__all__ = ["CRASHED", "Family", "Process", "crash_reason", "last_words"]

SUPERVISOR = "supervisor"
CRASHED = "the run crashed: "

LEAVE_S = 0.5
"""How long processes that were told to leave may take."""


class Process:
    """One process of the run.

    Attributes
    ----------
    address : bytes or None
        Where it is reached, once it has been heard.
    waiting : list of dict
        What it will be told then.
    heard_at : float
        When it was last heard (monotonic seconds).
    gone_at : float or None
        When it was first seen to have ended.
    words : str
        Why it ended, as far as it could still say that.
    """

    def __init__(self, name: str, role: str, popen: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.role = role
        self.popen = popen
        self.address: bytes | None = None
        self.waiting: list[dict[str, Any]] = []
        self.heard_at = time.monotonic()
        self.gone_at: float | None = None
        self.words = ""

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self.popen.poll() is not None

    @property
    def gave_up(self) -> bool:
        """Whether it ended by itself, as opposed to being killed."""
        return self.gone and self.popen.returncode > 0


class Family:
    """All processes that a supervisor started.

    Parameters
    ----------
    birth : Birth
        The supervisor's own; its children get theirs from it.
    control : str
        The supervisor's endpoint.
    """

    def __init__(self, birth: Birth, control: str) -> None:
        self.members: dict[str, Process] = {}
        self.parties: dict[str, Party] = {}
        self._birth = birth
        self._control = control
        self._folder = Path(birth.extra["folder"])
        self._scratch = tempfile.mkdtemp(prefix=f"algosim-{birth.run_id}-")
        self._keys = {name: fresh_keys() for name in ("simulator", "broker", "recorder")}
        for name, keys in self._keys.items():
            self.parties[name] = Party(name, keys.public, secrets.token_hex(16))

    def invite(self, name: str) -> Party:
        """Make keys and a token for another process."""
        self._keys[name] = fresh_keys()
        self.parties[name] = Party(name, self._keys[name].public, secrets.token_hex(16))
        return self.parties[name]

    def start(self, name: str, role: str, guests: list[Party], **extra: object) -> Process:
        """Start a process; those who bind get the run's secret and everyone's public key."""
        own = self._birth
        binds = role in ("simulator", "broker")
        document = Birth(
            name=name,
            token=self.parties[name].token,
            run_id=own.run_id,
            config=own.config,
            seed=own.seed,
            keys=self._keys[name],
            server_public=own.server_public,
            server_secret=own.server_secret if binds else "",
            control=self._control,
            nonces=own.nonces,
            parties=[*self.parties.values(), *guests] if binds else [],
            extra={**extra, "folder": str(self._folder), "scratch": self._scratch},
        )
        with (self._folder / LOG).open("ab") as log:
            popen = start("algosim.live", role, stdout=subprocess.DEVNULL, stderr=log)
        hand_over(popen, msgspec.json.encode(document))
        process = self.members[name] = Process(name, role, popen)
        return process

    def kill(self, name: str) -> None:
        """End one process at once, or clean up after one that has ended."""
        process = self.members.pop(name, None)
        if process is not None:
            _end(process)

    def note(self, words: str) -> None:
        """Write to the run's log what the supervisor has to say, for who finds the folder."""
        with contextlib.suppress(OSError), (self._folder / LOG).open("a", encoding="utf-8") as log:
            log.write(f"{SUPERVISOR}: {words}\n")

    def end(self) -> None:
        """End all of them: those who were told to leave have a moment for it."""
        deadline = time.monotonic() + LEAVE_S
        while time.monotonic() < deadline and not all(process.gone for process in self.members.values()):
            time.sleep(0.01)
        for process in self.members.values():
            _end(process)
        self.members.clear()
        tidy(self._birth.run_id, self._folder, self._scratch)

    def how_it_ended(self, process: Process) -> str:
        """Return the way one of them ended, in words."""
        whose = f" of {process.name!r}" if process.role == "host" else ""
        words = process.words
        if process.gave_up and not words:
            words = last_words(self._folder, process.name)
        return f"the {process.role} process{whose} {how_it_ended(process.popen.returncode, words)}"


def crash_reason(folder: Path) -> str:
    """Return why a run crashed, as its supervisor noted; ``""`` if it could not."""
    said = last_words(folder, SUPERVISOR)
    return said.removeprefix(CRASHED) if said.startswith(CRASHED) else ""


def last_words(folder: Path, name: str) -> str:
    """Return what a process said last to the run's log, in one line; ``""`` if nothing."""
    with contextlib.suppress(OSError):
        lines = (folder / LOG).read_text("utf-8", "replace").splitlines()
        said = [line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: ")]
        return said[-1] if said else ""
    return ""


def _end(process: Process) -> None:
    if not process.gone:
        process.popen.kill()
    process.popen.wait()
    if process.popen.stdin is not None:
        with contextlib.suppress(OSError):
            process.popen.stdin.close()
