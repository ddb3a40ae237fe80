"""A worker process as its host holds it: questions out, replies in, deadlines, and an end for certain."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

import msgspec
import psutil

from algosim.live.pipe import FrameBuffer, Load, decode_reply, send
from algosim.runs.launch import start

if TYPE_CHECKING:
    from algosim.live.pipe import Question, Reply

__all__ = ["Overrun", "Worker", "WorkerGone"]

CHECK_S = 0.05
"""How often a call that has not returned is looked at."""


class WorkerGone(Exception):
    """The worker's process ended, or what it sent is not a reply."""


class Overrun(Exception):
    """A hook used more time than its budget."""


class Worker:
    """One worker process.

    Attributes
    ----------
    load : Load
        What it runs.
    busy : bool
        Whether a question is open.
    asked_at : float
        When it was asked (monotonic seconds).
    """

    def __init__(self, load: Load) -> None:
        self.load = load
        self.busy = False
        self.asked_at = 0.0
        self.cpu_s = 0.0
        self._budget_s = self._wall_s = 0.0
        self._hook = ""
        self._cpu_before: float | None = None
        self._scratch = tempfile.mkdtemp(prefix="algosim-")
        self._process = start(
            "algosim.live.worker", stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self._scratch
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin = self._process.stdin
        self.stdout = self._process.stdout.fileno()
        self.stderr = self._process.stderr.fileno()
        os.set_blocking(self.stdout, False)
        os.set_blocking(self.stderr, False)
        self._buffer = FrameBuffer()
        self._said = b""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, question: Question, hook: str, budget_s: float, wall_s: float) -> None:
        """Ask one question; the reply must come within `budget_s` of CPU time and `wall_s` in all."""
        self.busy, self.asked_at, self._cpu_before = True, time.monotonic(), None
        self._hook, self._budget_s, self._wall_s = hook, budget_s, wall_s
        try:
            send(self._stdin, question)
            self._stdin.flush()
        except OSError as error:
            raise WorkerGone(self._epitaph()) from error

    def reply(self) -> Reply | None:
        """Return the reply if it is there.

        Raises
        ------
        WorkerGone
            If the process has ended, or sent what is not a reply.
        """
        while True:
            try:
                data = os.read(self.stdout, 1 << 18)
            except BlockingIOError:
                break
            if not data:
                raise WorkerGone(self._epitaph())
            self._buffer.feed(data)
        try:
            frame = self._buffer.next()
            if frame is None:
                return None
            reply = decode_reply(frame)
        except (ValueError, msgspec.MsgspecError) as error:
            msg = f"its worker's answer cannot be read: {error}"
            raise WorkerGone(msg) from error
        self.busy = False
        return reply

    def check_budget(self) -> None:
        """Raise `Overrun` if the open question has used up its budget."""
        if not self.busy:
            return
        wall = time.monotonic() - self.asked_at
        if wall < CHECK_S:
            return
        used = self._cpu()
        if self._cpu_before is None:
            self._cpu_before = used - CHECK_S
        spent = used - self._cpu_before
        if spent > self._budget_s:
            raise Overrun(f"{self._hook} used more than {self._budget_s:g} s{self._looping_line()}")
        if wall > self._wall_s:
            raise Overrun(f"{self._hook} did not return within {self._wall_s:g} s{self._looping_line()}")

    def drain_stderr(self) -> str:
        """Return what the process wrote to standard error since the last call."""
        data = b""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.stderr, 1 << 16):
                data += part
        self._said = (self._said + data)[-4000:]
        return data.decode("utf-8", "replace")

    def end(self) -> None:
        """Kill the process and remove what it had."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _cpu(self) -> float:
        """Return the CPU seconds that the process has used; it stands still while the process is stopped."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)

    def _looping_line(self) -> str:
        """Ask the process where it is; works while it holds the interpreter's lock."""
        if not hasattr(signal, "SIGUSR1"):
            return ""
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGUSR1)
        deadline = time.monotonic() + 0.3
        text = ""
        while time.monotonic() < deadline and "File" not in text:
            text += self.drain_stderr()
            time.sleep(0.01)
        for file, line in re.findall(r'File "([^"]+)", line (\d+)', text):
            if file == self.load.label:
                return f" ({file}, line {line})"
        return ""

    def _epitaph(self) -> str:
        """Return how the process ended, and its last words."""
        try:
            status = self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return "its worker closed its pipe"
        self.drain_stderr()
        words = self._said.decode("utf-8", "replace").strip().splitlines()
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        return f"its worker process ended with {how}{': ' + words[-1] if words else ''}"
