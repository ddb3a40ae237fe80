"""The children of a headless run: each does one job, in its own process or, for a debugger, in this one."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from algosim.errors import StrategyError
from algosim.runs.frames import read_frames
from algosim.runs.imports import visiting
from algosim.runs.launch import hand_over, start
from algosim.runs.watchdog import SIGN_OF_LIFE_S, Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.runs.frames import Frame, Job

__all__ = ["Child", "Here"]


class Child:
    """A child process at one job; iterating gives its frames."""

    def __init__(self, job: Job) -> None:
        self._scratch = tempfile.mkdtemp(prefix="algosim-")
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the child)
        self._process = start(
            "algosim.runs.child", stdout=subprocess.PIPE, stderr=self._complaints, cwd=self._scratch
        )
        self._patience_s = job.config.limits.wall_s + 2.0 * SIGN_OF_LIFE_S
        self._silent = False
        self._id = job.id
        hand_over(self._process, msgspec.json.encode(job))

    def __iter__(self) -> Iterator[Frame]:
        assert self._process.stdout is not None
        frames = read_frames(self._process.stdout)
        with contextlib.suppress(EOFError):
            while (frame := self._next(frames)) is not None:
                yield frame
        status = self._process.wait()
        if self._silent:
            msg = f"{self._id}: the strategy gave no sign of life for {self._patience_s:g} s"
            raise StrategyError(msg)
        if status != 0:
            self._complaints.seek(0)
            said = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
            reason = f": {said[-1]}" if said else ""
            msg = f"{self._id}: the strategy's process ended with status {status}{reason}"
            raise StrategyError(msg)

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        """Wait for a frame; a child that gives no sign of life is killed."""
        timer = threading.Timer(self._patience_s, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            return next(frames, None)
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self._silent = True
        self._process.kill()

    def close(self) -> None:
        """End the process and remove what it had."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._complaints.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


class Here:
    """The same job in this process, for debuggers."""

    def __init__(self, job: Job) -> None:
        self._frames: deque[Frame] = deque()
        self._job = job

    def __iter__(self) -> Iterator[Frame]:
        from algosim.runs.child import perform  # noqa: PLC0415  (only for debuggers)

        with contextlib.redirect_stdout(io.StringIO()), visiting(Path(self._job.folder)):
            perform(self._job, self._frames.append, Watchdog(self._job.config.limits))
        yield from self._frames

    def close(self) -> None:
        """Forget the frames."""
        self._frames.clear()
