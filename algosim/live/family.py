"""The processes of a run: started together, watched, ended for certain."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from algosim.live.child import Birth
from algosim.live.sockets import Party, fresh_keys
from algosim.runs.launch import hand_over, start

__all__ = ["Family", "Process"]

LOG = "engine.log"


class Process:
    """One process of the run. `address` is where it is reached, once it has been heard."""

    def __init__(self, name: str, role: str, popen: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.role = role
        self.popen = popen
        self.address: bytes | None = None
        self.waiting: list[bytes] = []
        self.expected = False

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self.popen.poll() is not None

    def how_it_ended(self) -> str:
        """Return the way it ended, in words."""
        status = self.popen.returncode
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return f"the {self.role} process{f' of {self.name!r}' if self.role == 'host' else ''} ended with {how}"


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
        self._keys = {name: fresh_keys() for name in ("simulator", "broker", "recorder")}
        self._log = (Path(birth.extra["folder"]) / LOG).open("ab")
        for name, keys in self._keys.items():
            self.parties[name] = Party(name, keys.public, secrets.token_hex(16))

    def invite(self, name: str) -> Party:
        """Make keys and a token for another process."""
        self._keys[name] = fresh_keys()
        self.parties[name] = Party(name, self._keys[name].public, secrets.token_hex(16))
        return self.parties[name]

    def start(self, name: str, role: str, guests: list[Party], **extra: Any) -> Process:
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
            extra=extra,
        )
        popen = start("algosim.live", role, stdout=subprocess.DEVNULL, stderr=self._log)
        hand_over(popen, msgspec.json.encode(document))
        process = self.members[name] = Process(name, role, popen)
        return process

    def kill(self, name: str) -> None:
        """End one process at once."""
        process = self.members.pop(name, None)
        if process is not None:
            _end(process)

    def end(self) -> None:
        """End all of them at once."""
        for process in self.members.values():
            if not process.gone:
                process.popen.kill()
        for process in self.members.values():
            _end(process)
        self.members.clear()
        self._log.close()
        log = Path(self._birth.extra["folder"]) / LOG
        with contextlib.suppress(OSError):
            if log.stat().st_size == 0:
                log.unlink()

    def last_words(self) -> str:
        """Return the last line that any of them wrote to standard error."""
        with contextlib.suppress(OSError):
            lines = (Path(self._birth.extra["folder"]) / LOG).read_text("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""


def _end(process: Process) -> None:
    if not process.gone:
        process.popen.kill()
    process.popen.wait()
    if process.popen.stdin is not None:
        with contextlib.suppress(OSError):
            process.popen.stdin.close()
