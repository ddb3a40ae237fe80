"""JupyterLab as it stands in a browser's window: its page, its looks, and every request that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.browser.server import Server

LOAD_S = 90.0  # also a busy machine with a cold cache gets there


class Lab:
    """One window with JupyterLab in it.

    Attributes
    ----------
    server : Server
    page : Page
        Playwright's.
    requests : list of str
        Every address that the window has asked for.
    """

    def __init__(self, server: Server, browser: Browser) -> None:
        self.server = server
        self.requests: list[str] = []
        self._context = browser.new_context(viewport={"width": 1600, "height": 1000})
        self._context.on("request", lambda request: self.requests.append(request.url))
        self.page = self._context.new_page()
        self.page.set_default_timeout(1000 * LOAD_S)
        self._devtools = self._context.new_cdp_session(self.page)
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.load()

    def load(self) -> None:
        """Load the page, as at first or with the browser's reload button."""
        self.page.goto(f"{self.server.url}lab?token={self.server.token}&reset")
        self.page.wait_for_function("window.jupyterapp !== undefined")
        self.page.evaluate("async () => { await window.jupyterapp.restored; }")

    def theme(self, theme: Literal["light", "dark"]) -> None:
        """Show JupyterLab light or dark."""
        name = "JupyterLab Dark" if theme == "dark" else "JupyterLab Light"
        change = "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})"
        self.page.evaluate(change, name)
        light = "true" if theme == "light" else "false"
        self.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{light}'")

    def size(self, width: int, height: int = 1000) -> None:
        """Make the window so large; the file browser at the left is closed."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.evaluate("window.jupyterapp.shell.collapseLeft()")

    def slow_down(self, factor: float) -> None:
        """Let the browser take so many times as long for all that it computes; 1 is as it comes."""
        self._devtools.send("Emulation.setCPUThrottlingRate", {"rate": factor})

    def command(self, name: str) -> None:
        """Carry out a command, as its menu entry does."""
        self.page.evaluate("name => { window.jupyterapp.commands.execute(name); }", name)

    def screenshot(self, path: Path) -> Path:
        """Take a picture of the window and return where it is."""
        self.page.screenshot(path=path)
        return path

    def foreign(self) -> list[str]:
        """Return the requests to any other host than 127.0.0.1."""
        here = {"127.0.0.1", None}  # data: and blob: have no host
        return [url for url in self.requests if urlsplit(url.removeprefix("blob:")).hostname not in here]

    def close(self) -> None:
        """Close the window."""
        self._context.close()
