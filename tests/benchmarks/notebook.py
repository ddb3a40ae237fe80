"""What live charts cost in a real JupyterLab in headless Chromium: ``python -m tests.benchmarks.notebook``.

Each view shows a market with 33 ticks/s through windows of several lengths. The page's main thread is
measured by its CPU time, which a busy machine does not change; lag, from a tick's publication to the paint of
a picture with it, is wall time and grows with the load that is printed. ``--soak MINUTES`` looks at memory.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
from playwright.sync_api import sync_playwright

from algosim.live.observer import Observer
from algosim.live.wire import TickMessage
from tests.benchmarks.table import Row, spread
from tests.benchmarks.watched import WATCH, Watched
from tests.browser.conftest import BROWSERS, OPTIONS
from tests.browser.lab import Lab
from tests.browser.notebook import Notebook
from tests.browser.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEWS = {"LiveFigure": "live_figure", "FastView": "fast_view"}
WARM_S = 4.0
SETTLE_MS = 3_000
SHOWN = {"LiveFigure": ".js-plotly-plot .main-svg", "FastView": ".algosim-fast-view .entry"}
MARKET = """
import algosim, gc, os
from algosim.notebook.{module} import {view}
from algosim.board.pump import Pump
sim = algosim.Simulation("sma_crossover", seed=42, speed="max")
sim.run_until(ticks={window})
sim.set(speed=5);
"""
SHOW = """
view = {view}({window})
pump = Pump(sim, lambda frame: view.draw(frame.feed))
pump.start()
view
"""


class Sample(NamedTuple):
    """A few seconds of one view; times in s, shares of one core, bytes per second."""

    pictures: float
    main: float
    longest: float
    lag: float
    worst: float
    received: float
    kernel: float


class Shown:
    """A view of a running market in a notebook, and what is known of both."""

    def __init__(self, lab: Lab, view: str, window: int) -> None:
        self.page = lab.page
        names = {"view": view, "module": VIEWS[view], "window": window}
        self.notebook = Notebook(lab, f"{view}-{window}", [MARKET.format(**names), SHOW.format(**names)])
        # JupyterLab asks a new kernel for its widgets; if that takes 4 s, it asks again and has them twice
        self.page.wait_for_timeout(SETTLE_MS)
        self.notebook.run(0, within_s=120.0)
        began = time.monotonic()
        self.notebook.run(1)
        self.page.wait_for_selector(SHOWN[view], timeout=60_000)
        self.first = time.monotonic() - began
        self.kernel = self.notebook.kernel()
        self.published: dict[int, tuple[float, float, float]] = {}
        run = self.notebook.value("sim.run_id").strip("'")
        self._ear = threading.Thread(target=self._listen, args=(run,), daemon=True)
        self._ear.start()
        self.notebook.do("sim.resume();")
        self.watched = Watched(self.page)
        time.sleep(WARM_S)

    def _listen(self, run: str) -> None:
        with Observer(run) as observer:
            for _, message in observer:
                if isinstance(message, TickMessage):
                    seen = message.ts_wall * 1e-9, message.ts_sim * 1e-9, message.price
                    self.published[message.seq] = seen

    def sample(self, seconds: float) -> Sample:
        """Look for a while."""
        cpu = sum(self.kernel.cpu_times()[:2])
        seen = self.watched.look(seconds)
        spent = sum(self.kernel.cpu_times()[:2]) - cpu
        lags = self._lags(seen.pictures) or [float("nan")]
        return Sample(
            len(seen.pictures) / seen.took,
            seen.main,
            seen.longest,
            median(lags),
            sorted(lags)[int(0.95 * (len(lags) - 1))],
            seen.received,
            spent / seen.took,
        )

    def _lags(self, pictures: list[tuple[float, dict[str, Any]]]) -> list[float]:
        """Return for each tick after the first picture how long it took to be on the screen."""
        published = dict(self.published)
        numbers, lags, before = sorted(published), [], None
        for at, tick in pictures:
            last = next((n for n in reversed(numbers) if _is(tick, published[n])), None)
            if last is None:
                continue
            if before is not None:
                lags += [at * 1e-3 - published[n][0] for n in range(before + 1, last + 1) if n in published]
            before = last
        return lags

    def close(self) -> None:
        """End the market and the notebook."""
        self.watched.close()
        self.notebook.do("pump.stop(); sim.stop(); view.close();")
        self.notebook.close()


def _is(tick: dict[str, Any], published: tuple[float, float, float]) -> bool:
    _, at, price = published
    return abs(tick["time"] - at) < 1e-6 if "time" in tick else tick["price"] == f"{price:,.4f}"


@contextlib.contextmanager
def browser_window() -> Iterator[Lab]:
    """Open JupyterLab in a folder of its own."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    with tempfile.TemporaryDirectory(prefix="algosim-lab-") as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        os.environ["XDG_RUNTIME_DIR"] = str(server.runtime)  # where the kernels' markets can be found
        browser = playwright.chromium.launch(executable_path=found[0], args=OPTIONS)
        try:
            lab = Lab(server, browser)
            lab.page.add_init_script(WATCH)
            lab.load()
            lab.size(1280)
            yield lab
        finally:
            browser.close()
            server.stop()


def rows(view: str, window: int, first: float, samples: list[Sample]) -> Iterator[Row]:
    """Return what a view's samples say, beside what is promised."""
    main, worst = 100 * median(s.main for s in samples), median(s.worst for s in samples)
    pictures = median(s.pictures for s in samples)
    head = f"{view} {window:6,}"
    fast = view == "FastView"
    yield Row(f"{head}: cell to first picture, s", f"{first:.1f}", "<= 3", first <= 3.0)
    yield Row(
        f"{head}: pictures/s",
        spread([s.pictures for s in samples], 1),
        ">= 9.5" if fast else "",
        pictures >= 9.5 if fast else None,
    )
    most = 25 if fast else 60
    yield Row(f"{head}: main thread, %", spread([100 * s.main for s in samples]), f"<= {most}", main <= most)
    yield Row(f"{head}: longest task, ms", spread([1e3 * s.longest for s in samples]))
    yield Row(f"{head}: lag, ms, median", spread([1e3 * s.lag for s in samples]))
    yield Row(
        f"{head}: lag, ms, 95 %", spread([1e3 * s.worst for s in samples]), "<= 500", 1e3 * worst <= 500
    )
    yield Row(f"{head}: received, kB/s", spread([1e-3 * s.received for s in samples]))
    yield Row(f"{head}: kernel, % of a core", spread([100 * s.kernel for s in samples], 1))
    yield Row(f"{head}: load of the machine", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def soak(lab: Lab, view: str, window: int, minutes: float) -> None:
    """Print memory of kernel and page each half minute."""
    shown = Shown(lab, view, window)
    for half in range(int(2 * minutes) + 1):
        rss, heap = psutil.Process(shown.kernel.pid).memory_info().rss, shown.watched.heap()
        ticks = len(shown.published)
        memory = f"kernel {rss / 1e6:6.1f} MB  page {heap / 1e6:6.1f} MB"
        print(f"{view} {window:6,}: {half / 2:4.1f} min  {memory}  {ticks:,} ticks", flush=True)
        shown.page.wait_for_timeout(30_000)
    shown.close()


def main(arguments: list[str]) -> int:
    """Measure, print a table, and return the number of targets missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--views", nargs="+", choices=VIEWS, default=list(VIEWS))
    parser.add_argument("--windows", nargs="+", type=int, default=[500, 2_000, 10_000])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    chosen = parser.parse_args(arguments)
    missed = 0
    with browser_window() as lab:
        for view in chosen.views:
            if chosen.soak:
                soak(lab, view, chosen.windows[0], chosen.soak)
                continue
            for window in chosen.windows:
                shown = Shown(lab, view, window)
                samples = [shown.sample(chosen.seconds) for _ in range(chosen.repeat)]
                shown.close()
                for row in rows(view, window, shown.first, samples):
                    missed += row.met is False
                    verdict = {None: "", True: "met", False: "MISSED"}[row.met]
                    print(f"{row.what:45}  {row.figure:30}  {row.target:8}  {verdict}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
