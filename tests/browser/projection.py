"""The presentation page in a browser's window, as whoever drives or watches sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from tests.live_markets import until
from tests.pages import token_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

LOAD_S = 60.0
SLOW_S = 30.0
NUMBER = re.compile(r"[^0-9.\N{MINUS SIGN}-]")


class Projection:
    """One window with the page in it.

    Parameters
    ----------
    browser : Browser
    address : str
        Of the page, with its token.
    view : str, optional
    blocked : str, optional
        What the browser is not given, as a pattern of addresses.

    Attributes
    ----------
    page : Page
        Playwright's.
    requests, errors : list of str
        Every address that was asked for, and what the page's code could not do.
    """

    def __init__(
        self, browser: Browser, address: str, *, view: str = "board", blocked: str = "", dark: bool = False
    ) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        scheme = "dark" if dark else "light"
        self._context = browser.new_context(
            viewport={"width": 1600, "height": 1000}, color_scheme=scheme, accept_downloads=True
        )
        self._context.on("request", lambda request: self.requests.append(request.url))
        self.page = self._context.new_page()
        self.page.set_default_timeout(1000 * SLOW_S)
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        if blocked:
            self.page.route(blocked, lambda route: route.fulfill(status=404))
        place = urlsplit(address)
        query = urlencode({"view": view, "token": token_of(address)})
        self.page.goto(f"{place.scheme}://{place.netloc}/?{query}")
        self.root.wait_for(timeout=1000 * LOAD_S)

    @property
    def root(self) -> Locator:
        """All of the stage."""
        return self.page.locator(".algosim-page")

    def piece(self, name: str) -> Locator:
        """Return a part that the server writes."""
        return self.root.locator(f'[data-piece="{name}"]')

    def figure(self, name: str) -> Locator:
        """Return the place of one of plotly's figures."""
        return self.root.locator(f'[data-figure="{name}"]')

    def state(self) -> str:
        """Return the word for how the run does."""
        return self.piece("standing").locator(".pill").inner_text()

    def stands(self, word: str) -> None:
        """Wait until the run is said to be so."""
        self.piece("standing").locator(".pill", has_text=word).wait_for()

    def card(self, name: str) -> str:
        """Return the figure of a card."""
        card = self.piece("cards").locator(".card").filter(has=self.page.get_by_text(name, exact=True))
        return card.locator(".figure").inner_text()

    def time(self) -> float:
        """Return the simulated time that the price has come to [s]; 0.0 before the first tick."""
        text = self.root.locator(".algosim-fast-view .time").inner_text()
        return float(NUMBER.sub("", text) or 0.0)

    def moves(self, within_s: float = SLOW_S) -> None:
        """Wait until the price goes on."""
        self.root.locator(".algosim-fast-view .time").wait_for(timeout=1000 * within_s)
        seen = self.time()
        until(lambda: self.time() > seen, "a later price", within_s)

    def press(self, key: str) -> None:
        """Press a button of the sidebar, once it can be pressed; Streamlit has a second one to measure it."""
        self.control(key).locator("button:enabled").first.click()

    def control(self, key: str) -> Locator:
        """Return a widget of the sidebar by its key, or the one that has taken its place."""
        name = f"st-key-{re.sub(r'[^a-zA-Z0-9_-]', '-', key)}"
        return self.page.locator(f'.{name}, [class*="{name}-v"]')

    def slider(self, key: str) -> Locator:
        """Return the slider of a setting."""
        return self.control(key).locator("input[type=range]").last  # one that is replaced fades away

    def foreign(self) -> list[str]:
        """Return the requests to any other host than 127.0.0.1."""
        here = {"127.0.0.1", None}  # data: and blob: have no host
        return [url for url in self.requests if urlsplit(url.removeprefix("blob:")).hostname not in here]

    def close(self) -> None:
        """Close the window."""
        self._context.close()
