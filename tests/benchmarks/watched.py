"""What a page in a browser costs: pictures on the screen, main thread, bytes over websockets, memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["WATCH", "Seen", "Watched"]

WATCH = Path(__file__).with_name("page_watch.js").read_text("utf-8")
"""Goes into a page before anything else."""


class Seen(NamedTuple):
    """A few seconds of a page; times in s, bytes per second, the main thread as a share of a core.

    `pictures` are wall times [ms] with the tick that was drawn last.
    """

    pictures: list[tuple[float, dict[str, Any]]]
    took: float
    main: float
    longest: float
    received: float


class Watched:
    """A page that `WATCH` is in."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _metrics(self) -> dict[str, float]:
        """Return the browser's own figures, with the CPU time of the page's main thread."""
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in found}

    def heap(self) -> float:
        """Return the bytes of JavaScript that are in use after a collection."""
        self._devtools.send("HeapProfiler.collectGarbage")
        return self._metrics()["JSHeapUsedSize"]

    def begin(self) -> tuple[float, float]:
        """Count from now on; give what is returned to `end`."""
        self._page.evaluate("Object.assign(watched, {pictures: [], received: 0, longest: 0})")
        return self._metrics()["TaskDuration"], time.monotonic()

    def end(self, begun: tuple[float, float]) -> Seen:
        """Return what was seen since."""
        main, began = begun
        watched: dict[str, Any] = self._page.evaluate("watched")
        took = time.monotonic() - began
        spent = self._metrics()["TaskDuration"] - main
        return Seen(
            watched["pictures"], took, spent / took, watched["longest"] * 1e-3, watched["received"] / took
        )

    def look(self, seconds: float) -> Seen:
        """Look for a while."""
        begun = self.begin()
        self._page.wait_for_timeout(1e3 * seconds)
        return self.end(begun)

    def close(self) -> None:
        """Watch no more."""
        self._devtools.detach()
