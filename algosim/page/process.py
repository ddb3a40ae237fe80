"""The page as a process that this one has started, and that ends with it; needs no Streamlit here."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import signal
import subprocess
import threading
import time
from collections import deque
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import msgspec

from algosim.errors import AlgosimError, EngineError
from algosim.page.calling import HOST, command, free_port
from algosim.page.plan import LAUNCHED
from algosim.runs.launch import hand_over, start

if TYPE_CHECKING:
    from algosim.page.plan import Plan

__all__ = ["PORT", "Page"]

PORT = 8501
START_S, LEAVE_S = 60.0, 8.0
LOOK_S = 0.05


class Page:
    """A page that this process has started; it ends when this process does.

    Parameters
    ----------
    plan : Plan
    port : int, optional
        The one to serve at; if it is taken, another.

    Attributes
    ----------
    port : int
    moved : str
        What to say where the port is another than was asked for; else empty.

    Raises
    ------
    AlgosimError
        If Streamlit is not installed, or the page does not come up, with its last words.
    """

    def __init__(self, plan: Plan, port: int | None = None) -> None:
        for name in ("streamlit", "plotly"):
            if find_spec(name) is None:
                msg = f"the page needs {name}: pip install 'algosim[app]'"
                raise AlgosimError(msg)
        self._plan = plan
        self._pid = os.getpid()
        wanted = PORT if port is None else port
        self.port = free_port(wanted)
        self.moved = (
            "" if self.port == wanted or not wanted else f"port {wanted} is taken; the page is at {self.port}"
        )
        self._words: deque[str] = deque(maxlen=40)
        self._process = start(
            "streamlit",
            *command(str(self.port), LAUNCHED),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=str(Path.cwd()),
        )
        self._listener = threading.Thread(target=self._listen, name="algosim page words", daemon=True)
        self._listener.start()
        _open.add(self)
        try:
            hand_over(self._process, msgspec.json.encode(plan))
            self._await()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """Where the page is, for the one who drives."""
        return self._at(token=self._plan.access.drive)

    @property
    def view_address(self) -> str:
        """Where it is for those who watch: what is projected, or given to others."""
        return self._at(view="present", token=self._plan.access.view)

    @property
    def pid(self) -> int:
        """The page's process."""
        return self._process.pid

    @property
    def ended(self) -> str:
        """How it ended, in a line; empty while it is there."""
        if self._process.poll() is None:
            return ""
        if self not in _open:
            return "it was closed"
        if (status := self._process.returncode) < 0:  # its last words were about something else
            return f"it was killed ({signal.Signals(-status).name})"
        self._listener.join(1.0)
        return self._words[-1] if self._words else f"ended with status {self._process.returncode}"

    def wait(self, within_s: float | None = None) -> None:
        """Wait for its end; returns after `within_s` in any case."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)

    def close(self) -> None:
        """End the page, and the run that it owns."""
        if os.getpid() != self._pid or self not in _open:
            return
        _open.discard(self)
        self._process.terminate()
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(1.0)
        for stream in (self._process.stdin, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _at(self, **query: str) -> str:
        return f"http://{HOST}:{self.port}/?{urlencode(query)}"

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if words := line.decode("utf-8", "replace").strip():
                self._words.append(words)

    def _await(self) -> None:
        """Wait until it answers, and is the one that was started."""
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None:
                msg = f"the page did not start: {self.ended}"
                raise EngineError(msg)
            if time.monotonic() > deadline:
                msg = f"the page did not start within {START_S:g} s"
                raise EngineError(msg)
            time.sleep(LOOK_S)

    def _answers(self) -> bool:
        line = http.client.HTTPConnection(HOST, self.port, timeout=START_S)
        try:
            line.request("GET", f"/algosim/ready?{urlencode({'token': self._plan.access.view})}")
            return line.getresponse().status == http.client.NO_CONTENT
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    def __repr__(self) -> str:
        """Return one line that is always the same; the address would hold the token."""
        return "<Page>"

    def _repr_html_(self) -> str:
        drive, view = escape(self.address), escape(self.view_address)
        links = [_link(drive, "with all controls"), f"to project: {_link(view, 'view only')}"]
        hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
        if hub:  # the kernel's machine is not the reader's; there the page is at Jupyter's own address
            links = [f"through JupyterHub: {_link(f'{hub}algosim/', 'with all controls')}"]
        note = f" ({escape(self.moved)})" if self.moved and not hub else ""
        return f"<p>The page: {'; '.join(links)}{note}</p>"


def _link(address: str, words: str) -> str:
    return f'<a href="{address}" target="_blank" rel="noopener">{words}</a>'


def _at_exit() -> None:
    for page in tuple(_open):
        page.close()


_open: set[Page] = set()
atexit.register(_at_exit)
