"""A JupyterLab of the suite's own: on 127.0.0.1, with folders that nobody else has."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.live_markets import answers

if TYPE_CHECKING:
    from pathlib import Path

START_S = 60.0
SETTINGS = {
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # cells out of sight are drawn too
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
PAGE = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


class Server:
    """One JupyterLab; notebooks live below `root`.

    Attributes
    ----------
    root : Path
    url : str
        With a slash at the end.
    token : str
    runtime : Path
        Where the markets of its kernels keep their connection files.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "notebooks"
        self.runtime = folder / "runtime"
        self.token = secrets.token_hex(8)
        self._jupyter = folder / "jupyter"
        for name in ("notebooks", "runtime", "scratch", "home"):
            (folder / name).mkdir(mode=0o700)
        self._configure()
        self._log = (folder / "server.log").open("wb")
        self.process = subprocess.Popen(
            self._command(),
            env=self._environment(folder),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.url = self._await(folder / "server.log")

    def _command(self) -> list[str]:
        """Return how it is started. With root's rights, as in many containers, it wants to be told twice."""
        place = ["--ip=127.0.0.1", "--port=0", f"--ServerApp.root_dir={self.root}"]
        access = [f"--IdentityProvider.token={self.token}", "--allow-root"]
        return [
            sys.executable, "-m", "jupyterlab", *place, *access, "--no-browser", "--expose-app-in-browser"
        ]  # fmt: skip

    def _configure(self) -> None:
        config = self._jupyter / "config" / "labconfig"
        config.mkdir(parents=True)
        (config / "page_config.json").write_text(json.dumps(PAGE), "utf-8")
        for plugin, settings in SETTINGS.items():
            package, _, name = plugin.partition(":")
            path = self._jupyter / "settings" / package / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(settings), "utf-8")

    def _environment(self, folder: Path) -> dict[str, str]:
        keep = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
        return keep | {
            "HOME": str(folder / "home"),
            "IPYTHONDIR": str(folder / "home" / "ipython"),
            "JUPYTER_CONFIG_DIR": str(self._jupyter / "config"),
            "JUPYTER_DATA_DIR": str(self._jupyter / "data"),
            "JUPYTER_RUNTIME_DIR": str(self._jupyter / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(self._jupyter / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self._jupyter / "workspaces"),
            "TMPDIR": str(folder / "scratch"),
            "XDG_RUNTIME_DIR": str(self.runtime),
        }

    def _await(self, log: Path) -> str:
        """Return the address of the server, once it answers."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            for path in (self._jupyter / "runtime").glob("jpserver-*.json"):
                with contextlib.suppress(ValueError):  # being written
                    said = json.loads(path.read_text("utf-8"))
                    if answers(f"tcp://127.0.0.1:{said['port']}"):
                        return str(said["url"])
            time.sleep(0.02)
        self.stop()
        pytest.fail(f"JupyterLab did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")

    def kernels(self) -> list[psutil.Process]:
        """Return the processes of the kernels that run."""
        return [child for child in psutil.Process(self.process.pid).children() if child.is_running()]

    def stop(self) -> None:
        """End the server as Ctrl-C twice does; whatever does not end is killed."""
        children = psutil.Process(self.process.pid).children(recursive=True) if self.alive() else []
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10.0)
        for child in psutil.wait_procs(children, timeout=3.0)[1]:
            child.kill()
        self._log.close()

    def alive(self) -> bool:
        """Whether the server runs."""
        return self.process.poll() is None
