"""A worker process as its host holds it: questions out, replies in, deadlines, and an end for certain."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

import msgspec
import psutil
import zmq

from algosim.live.bounds import bounded
from algosim.live.ends import end_of
from algosim.live.pipe import ANSWERS, Broke, FrameBuffer, Load, Loaded, decode_reply, framed
from algosim.runs.epitaph import last_words, place
from algosim.runs.launch import end_session, how_it_ended, start_strategy
from algosim.sandbox.scratch import excess, remove
from algosim.sandbox.terms import Terms

if TYPE_CHECKING:
    from algosim.config import Limits
    from algosim.live.pipe import Question, Reply

__all__ = ["Overrun", "Worker", "WorkerGone"]

CHECK_S = 0.05
"""How often a call that has not returned is looked at."""

ENOUGH = 1 << 20
"""Bytes of standard error taken at once; a worker may write them faster than they are read."""

WEIGH_S = 0.25
"""How often its working folder is looked at."""

KEPT = 1 << 14
"""Bytes of it that are kept for an epitaph; a crash writes a hundred frames."""

SOON_MS = 2
CHUNK = 1 << 16


class WorkerGone(Exception):  # noqa: N818  (says what happened)
    """The worker's process ended, or what it sent is not a reply."""


class Overrun(Exception):  # noqa: N818  (says what happened)
    """A hook used more time than its budget."""


class Worker:
    """One worker process.

    Parameters
    ----------
    load : Load
        What it runs.
    limits : Limits
        What its process is held to.
    scratch : str
        Where it gets a working folder of its own.

    Attributes
    ----------
    busy : bool
        Whether a question is open.
    asked_at : float
        When it was asked (monotonic seconds).
    """

    def __init__(self, load: Load, limits: Limits, scratch: str) -> None:
        self.load = load
        load.host = os.getpid()
        self.busy = False
        self.asked_at = 0.0
        self.cpu_s = 0.0
        self._due: type[Reply] = Loaded
        self._early = False
        self._weighed_at = 0.0
        self._budget_s = self._wall_s = 0.0
        self._hook = ""
        self._cpu_before: float | None = None
        self._scratch = tempfile.mkdtemp(dir=scratch)
        terms = Terms(limits.sandbox, limits.memory_mb, load.folder, self._scratch)
        self._process = start_strategy(
            "algosim.live.worker", terms, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._ends = (
            end_of(self._process.stdin, "out"),
            end_of(self._process.stdout, "in"),
            end_of(self._process.stderr, "in"),
        )
        self._stdin, self.stdout, self.stderr = (end.fd for end in self._ends)
        self._send, self._receive, self._hear = self._ends[0].write, self._ends[1].read, self._ends[2].read
        self._poller = zmq.Poller()
        self._poller.register(self.stdout, zmq.POLLIN)
        self._watched: tuple[zmq.Poller, set[int]] | None = None
        self._unsent = memoryview(b"")
        self._buffer = FrameBuffer()
        self._said = b""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def watch(self, poller: zmq.Poller) -> None:
        """Let a poller wake up for what the process writes, until it ends."""
        self._watched = poller, {self.stdout, self.stderr}
        for pipe in self._watched[1]:
            poller.register(pipe, zmq.POLLIN)

    def _unwatch(self, pipe: int) -> None:
        if self._watched is not None and pipe in self._watched[1]:
            self._watched[0].unregister(pipe)
            self._watched[1].discard(pipe)

    def ask(self, question: Question, hook: str, budget_s: float, wall_s: float) -> None:
        """Ask one question; the reply must come within `budget_s` of CPU time and `wall_s` in all."""
        self.busy, self.asked_at, self._cpu_before = True, time.monotonic(), None
        self._hook, self._budget_s, self._wall_s = hook, budget_s, wall_s
        self._due, self._early = ANSWERS[type(question)], bool(self._buffer)
        self._unsent = memoryview(framed(question))
        self._write()

    def _write(self) -> None:
        """Send what is left of the question, for as long as the worker takes it."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self._send(self._unsent) :]
            except BlockingIOError:
                if not select.select((), (self._stdin,), (), CHECK_S)[1]:
                    return  # it does not read, and its budget runs
            except OSError as error:
                raise WorkerGone(self._epitaph()) from error

    def replies_soon(self) -> bool:
        """Wait a moment for the reply; cheaper than to watch everything else beside."""
        return bool(self._poller.poll(SOON_MS))

    def reply(self) -> Reply | None:
        """Return the reply if it is there.

        Raises
        ------
        WorkerGone
            If the process has ended, or sent what is not a reply.
        """
        if self._unsent:
            self._write()
        data = None
        while data is None or len(data) == CHUNK:
            try:
                data = self._receive(CHUNK)
            except BlockingIOError:
                break
            if not data:
                raise WorkerGone(self._epitaph())
            self._buffer.feed(data)
        try:
            frame = self._buffer.next()
            if frame is None:
                return None
            reply = bounded(decode_reply(frame), self.load.max_output)
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            msg = f"its worker's answer cannot be read: {error}"
            raise WorkerGone(msg) from error
        if self._early or not (self.busy and isinstance(reply, (Broke, self._due))):
            msg = "its worker answered a question that was not asked"
            raise WorkerGone(msg)
        self.busy = False
        return reply

    def check_budget(self) -> None:
        """Raise `Overrun` if the open question has used up its budget, or the working folder is too full."""
        now = time.monotonic()
        if now - self._weighed_at > WEIGH_S:
            self._weighed_at = now
            if fault := excess(self._scratch):
                raise Overrun(fault)
        if self.busy:
            self._check_question(now)

    def _check_question(self, now: float) -> None:
        if self._process.poll() is not None:  # a child of its own may hold its pipes open
            raise WorkerGone(self._epitaph())
        wall = now - self.asked_at
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
        try:
            while len(data) < ENOUGH and (part := self._hear(CHUNK)):
                data += part
            if len(data) < ENOUGH:
                self._unwatch(self.stderr)  # closed: there will be no more
        except BlockingIOError:
            pass  # there is no more for now
        self._said = (self._said + data)[-KEPT:]
        return data.decode("utf-8", "replace")

    def end(self) -> None:
        """Kill the process and remove what it had."""
        for pipe in (self.stdout, self.stderr):
            self._unwatch(pipe)
        end_session(self._process)
        for end in self._ends:
            end.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        remove(self._scratch)

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
        where = place(text, self.load.label)
        return f" ({where})" if where else ""

    def _epitaph(self) -> str:
        """Return how the process ended, and its last words."""
        try:
            status = self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return "its worker closed its pipe"
        self.drain_stderr()
        words = last_words(self._said.decode("utf-8", "replace"), self.load.label)
        hint = ", as one is that needs too much memory" if status == -getattr(signal, "SIGKILL", 0) else ""
        said = f": {words}" if words else ""
        return f"its worker process {how_it_ended(status)}{hint}{said}; reload the strategy to go on with it"
