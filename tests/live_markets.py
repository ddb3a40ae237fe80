"""Live markets for tests: each in a workspace of its own, on free ports, and looked after when it is over."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from algosim import Simulation
from algosim.errors import AlgosimError

FREE = {
    f"transport.endpoints.{name}": "tcp://127.0.0.1:*"
    for name in ("ticks_pub", "orders_push", "fills_pub", "control")
}


def until(ready, what, within_s=20.0):
    """Wait until `ready()` is true and return it."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        value = ready()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f"{what}: not within {within_s:g} s")


def worker_of(sim, name):
    """Return the process id of the worker that runs a strategy now."""
    return until(lambda: sim.status["strategies"][name].get("worker_pid"), f"a worker of {name}")


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def answers(endpoint):
    """Whether somebody listens at an endpoint."""
    address = urlsplit(endpoint)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A workspace of its own as the working folder; what may be left behind has folders of its own."""
    folder = tmp_path / "home"
    for name in ("home/strategies", "runtime", "scratch"):
        (tmp_path / name).mkdir(parents=True, mode=0o700)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def market(home):
    """Make live markets; afterwards no process, port, connection file or temporary file is left of them."""
    made = []
    children = psutil.Process().children(recursive=True)

    def make(strategy=None, **arguments):
        arguments["settings"] = FREE | arguments.get("settings", {})
        sim = Simulation(strategy, **{"seed": 1, "speed": "max", **arguments})
        made.append(sim)
        return sim

    yield make
    endpoints, seen = [], set(psutil.Process().children(recursive=True)) - set(children)
    for sim in made:
        endpoints += sim.status["endpoints"].values()
        if sim.state != "new":
            sim.stop()
    _, alive = psutil.wait_procs(seen, timeout=3.0)
    left = [str(process) for process in alive]
    left += [endpoint for endpoint in endpoints if answers(endpoint)]
    left += [path.name for path in (home.parent / "runtime").rglob("*") if path.is_file()]
    left += [path.name for path in (home.parent / "scratch").iterdir()]
    if left:
        pytest.fail(f"left behind: {left}")


def fails(error, call, *words):
    """Call and return the error that it raises, which has these words in its message."""
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, AlgosimError)
    for word in words:
        assert word in str(caught.value)
    return caught.value


def save(path, text):
    """Save a file as an editor does: another file in its place."""
    fresh = Path(f"{path}.new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
