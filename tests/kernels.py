"""A real kernel for tests: cells in, and what each of them shows, also what it comes to show later."""

from __future__ import annotations

import re
import sys
import threading
import time
from dataclasses import dataclass, field
from queue import Empty

import pytest
from jupyter_client.manager import KernelManager
from jupyter_core.utils import ensure_event_loop

HIDDEN = r"<style>.*?</style>|<span class=.stale .*?</span>"
TAGS = re.compile(rf"{HIDDEN}|<[^>]*>", re.DOTALL)


@dataclass
class Output:
    """One output of a cell."""

    kind: str
    content: dict
    id: str = ""

    @property
    def text(self):
        """What a reader sees of it: of HTML the words."""
        if self.kind == "stream":
            return self.content["text"]
        if self.kind == "error":
            return "\n".join(self.content["traceback"])
        data = self.content["data"]
        return (
            " ".join(TAGS.sub(" ", data["text/html"]).split())
            if "text/html" in data
            else data.get("text/plain", "")
        )


@dataclass
class Cell:
    """A cell that was run, with its outputs as they are now."""

    id: str
    outputs: list = field(default_factory=list)
    status: str = ""
    reply: dict = field(default_factory=dict)
    idle: bool = False

    @property
    def text(self):
        return "\n".join(output.text for output in list(self.outputs))

    @property
    def errors(self):
        return [output.content for output in self.outputs if output.kind == "error"]


class Kernel:
    """A kernel in a folder, and an ear for all that it says."""

    def __init__(self, folder, environment):
        self.manager = KernelManager()
        self.manager.kernel_spec.argv = [
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
        ]
        self.manager.start_kernel(cwd=str(folder), env=environment)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.cells = {}
        self._replies = {}
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()

    def begin(self, code):
        """Send a cell and return it at once."""
        with self._lock:  # its first words may come at once
            cell = Cell(self.client.execute(code))
            self.cells[cell.id] = cell
        return cell

    def run(self, code, within_s=60.0):
        """Run a cell to its end."""
        cell = self.begin(code)
        self.finish(cell, within_s)
        return cell

    def finish(self, cell, within_s=60.0):
        deadline = time.monotonic() + within_s
        while cell.id not in self._replies:
            reply = self.client.get_shell_msg(timeout=max(0.0, deadline - time.monotonic()))
            self._replies[reply["parent_header"]["msg_id"]] = reply["content"]
        cell.reply = self._replies.pop(cell.id)
        cell.status = cell.reply["status"]
        self.until(lambda: cell.idle, "the end of a cell's outputs")

    def complete(self, code):
        """Return what Tab offers at the end of a text."""
        reply = self.client.complete(code, len(code), reply=True, timeout=20)
        return reply["content"]["matches"]

    def until(self, ready, what, within_s=30.0):
        """Wait until something is so."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            value = ready()
            if value:
                return value
            time.sleep(0.02)
        pytest.fail(f"{what}: not within {within_s:g} s")

    def close(self):
        """End the kernel, as a server does; what it says last is heard."""
        if self._ends.is_set():
            return
        self.manager.shutdown_kernel(now=False)
        self._ends.set()
        self._ear.join()
        self.client.stop_channels()
        ensure_event_loop().close()

    def _listen(self):
        while not self._ends.is_set():
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except Empty:
                continue
            with self._lock:
                self._take(message["msg_type"], message["content"], message["parent_header"].get("msg_id"))
        ensure_event_loop().close()  # the client made one for this thread

    def _take(self, kind, content, parent):
        if kind == "update_display_data":
            name = content["transient"]["display_id"]
            for cell in list(self.cells.values()):
                for output in cell.outputs:
                    if output.id == name:
                        output.content = content
            return
        cell = self.cells.get(parent)
        if cell is None:
            return
        if kind == "status":
            cell.idle = cell.idle or content["execution_state"] == "idle"
        elif kind in ("stream", "error", "display_data", "execute_result"):
            cell.outputs.append(Output(kind, content, content.get("transient", {}).get("display_id", "")))
