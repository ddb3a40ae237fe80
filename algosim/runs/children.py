"""The children of a headless run: each does one job, in its own process or, for a debugger, in this one."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from algosim.errors import ConfigError
from algosim.runs.drawing import send_ticks
from algosim.runs.epitaph import last_words, place
from algosim.runs.frames import UNKNOWN, Ended, Failed, Reached, Started, read_frames
from algosim.runs.imports import visiting
from algosim.runs.launch import end_session, hand_over, how_it_ended, start_strategy, widen
from algosim.runs.patience import Patience
from algosim.runs.watchdog import Watchdog
from algosim.sandbox.scratch import remove
from algosim.sandbox.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.runs.drawing import Drawing
    from algosim.runs.frames import Frame, Job

__all__ = ["Child", "Here"]

LEFT_S = 1.0
ASKED_S = 0.3

KEPT = 1 << 14
"""Bytes of a child's standard error that are looked at; a crash writes a hundred frames."""


class Child:
    """A child process at one job; iterating gives its frames, or one that says it is gone."""

    def __init__(self, job: Job, drawing: Drawing) -> None:
        self._scratch = tempfile.mkdtemp(prefix="algosim-")
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the child)
        limits = job.config.limits
        terms = Terms(limits.sandbox, limits.memory_mb, job.folder, self._scratch)
        self._process = start_strategy(
            "algosim.runs.child", terms, stdout=subprocess.PIPE, stderr=self._complaints
        )
        self._label = job.label
        self._silent = ""
        self._patience = Patience(self._process.pid, limits, self._scratch, self._give_up)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            widen(pipe)
        hand_over(self._process, msgspec.json.encode(job))
        self._feeder = threading.Thread(target=self._feed, args=(drawing,), name="market", daemon=True)
        self._feeder.start()

    def _feed(self, drawing: Drawing) -> None:
        """Send the market, as fast as the child takes it."""
        assert self._process.stdin is not None
        # A market that cannot be drawn on is found out where it is drawn for the run, and told there.
        with contextlib.suppress(OSError, ConfigError):
            send_ticks(self._process.stdin.fileno(), drawing)

    def __iter__(self) -> Iterator[Frame]:
        assert self._process.stdout is not None
        frames = read_frames(self._process.stdout)
        last: Frame | None = None
        reached = UNKNOWN
        while (frame := self._next(frames)) is not None:
            last = frame
            if isinstance(frame, Started):
                self._patience.started()
            if isinstance(frame, Reached):
                reached = frame.seq
            else:
                yield frame
        status = self._process.wait()
        if self._silent or not isinstance(last, Ended | Failed):
            yield Failed(reached, self._epitaph(status), gone=True)

    def _epitaph(self, status: int) -> str:
        if self._silent:
            return self._silent
        words = last_words(self._said(), self._label)
        return f"the strategy's process {how_it_ended(status)}{': ' if words else ''}{words}"

    def _said(self) -> str:
        """Return the last that it wrote to standard error; the file's place stays where it writes."""
        if sys.platform == "win32":
            self._complaints.seek(0)
            return self._complaints.read()[-KEPT:].decode("utf-8", "replace")
        descriptor = self._complaints.fileno()
        start = max(0, os.fstat(descriptor).st_size - KEPT)
        return os.pread(descriptor, KEPT, start).decode("utf-8", "replace")

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        """Wait for a frame; a child that gives no sign of life, or sends what is none, is killed."""
        try:
            with self._patience.waiting():
                return next(frames, None)
        except EOFError:
            return None
        except ValueError as error:
            self._silent = str(error)
            self._process.kill()
            return None

    def _give_up(self, fault: str) -> None:
        """End the child, with the line that it is at."""
        where = ""
        if hasattr(signal, "SIGUSR1"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGUSR1)
            deadline = time.monotonic() + ASKED_S
            while not where and time.monotonic() < deadline:
                time.sleep(0.01)
                where = place(self._said(), self._label)
        self._silent = f"{fault} ({where})" if where else fault
        self._process.kill()

    def close(self) -> None:
        """End the process and remove what it had."""
        self._patience.end()
        end_session(self._process)
        # What a strategy has left behind may hold the pipe; then the thread waits there, and holds it too.
        self._feeder.join(LEFT_S)
        streams = [self._process.stdout, None if self._feeder.is_alive() else self._process.stdin]
        for stream in streams:
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._complaints.close()
        remove(self._scratch)


class Here:
    """The same job in this process, for debuggers."""

    def __init__(self, job: Job, drawing: Drawing) -> None:
        self._frames: deque[Frame] = deque()
        self._job = job
        self._drawing = drawing

    def __iter__(self) -> Iterator[Frame]:
        from algosim.runs.child import perform  # noqa: PLC0415  (only for debuggers)

        with contextlib.redirect_stdout(io.StringIO()), visiting(Path(self._job.folder)):
            perform(self._job, iter(self._drawing), self._frames.append, Watchdog(self._job.config.limits))
        yield from self._frames

    def close(self) -> None:
        """Forget the frames."""
        self._frames.clear()
