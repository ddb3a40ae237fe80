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

from algosim.errors import ConfigError
from algosim.runs.drawing import send_ticks
from algosim.runs.frames import UNKNOWN, Ended, Failed, Reached, read_frames
from algosim.runs.imports import visiting
from algosim.runs.launch import end_session, hand_over, how_it_ended, start, widen
from algosim.runs.watchdog import SIGN_OF_LIFE_S, Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from algosim.runs.drawing import Drawing
    from algosim.runs.frames import Frame, Job

__all__ = ["Child", "Here"]

LEFT_S = 1.0


class Child:
    """A child process at one job; iterating gives its frames, or one that says it is gone."""

    def __init__(self, job: Job, drawing: Drawing) -> None:
        self._scratch = tempfile.mkdtemp(prefix="algosim-")
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the child)
        self._process = start(
            "algosim.runs.child", stdout=subprocess.PIPE, stderr=self._complaints, cwd=self._scratch
        )
        self._patience_s = job.config.limits.wall_s + 2.0 * SIGN_OF_LIFE_S
        self._silent = False
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
        with contextlib.suppress(EOFError):
            while (frame := self._next(frames)) is not None:
                last = frame
                if isinstance(frame, Reached):
                    reached = frame.seq
                else:
                    yield frame
        status = self._process.wait()
        if self._silent or not isinstance(last, Ended | Failed):
            yield Failed(reached, self._epitaph(status), gone=True)

    def _epitaph(self, status: int) -> str:
        if self._silent:
            return f"the strategy gave no sign of life for {self._patience_s:g} s"
        self._complaints.seek(0)
        said = self._complaints.read().decode("utf-8", "replace").strip().splitlines()
        return f"the strategy's process {how_it_ended(status)}{': ' if said else ''}{''.join(said[-1:])}"

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
        end_session(self._process)
        # What a strategy has left behind may hold the pipe; then the thread waits there, and holds it too.
        self._feeder.join(LEFT_S)
        streams = [self._process.stdout, None if self._feeder.is_alive() else self._process.stdin]
        for stream in streams:
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._complaints.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


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
