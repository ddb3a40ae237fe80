"""What the presentation page costs in headless Chromium: ``python -m tests.benchmarks.page``.

A market with 33 ticks/s through windows of several lengths, and then five browsers at once. The page's main
thread and its server are measured by CPU time, which a busy machine does not change; how many pictures there
are does, and the load is printed. ``--soak MINUTES`` looks at memory.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import psutil
from playwright.sync_api import sync_playwright

import algosim
from tests.benchmarks.table import Row, spread
from tests.benchmarks.watched import WATCH, Watched
from tests.browser.conftest import BROWSERS, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from algosim.page.process import Page as Server

WARM_S = 6.0
MANY = 5
DRAWN = ".algosim-fast-view .entry"


class Sample(NamedTuple):
    """A few seconds of one browser; times in s, shares of one core, bytes per second."""

    pictures: float
    main: float
    longest: float
    received: float
    server: float


class Window:
    """The page in a window of its own, looked at through so many ticks."""

    def __init__(self, browser: Browser, server: Server, ticks: int) -> None:
        self.page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.page.add_init_script(WATCH)
        self.page.goto(server.view_address.replace("view=present", "view=board"))
        self.page.wait_for_selector(DRAWN, timeout=60_000)
        self.page.select_option(".window", str(ticks))
        self.watched = Watched(self.page)

    def close(self) -> None:
        """Close the window."""
        self.watched.close()
        self.page.context.close()


def sample(windows: list[Window], server: psutil.Process, seconds: float) -> Sample:
    """Look at all windows for a while; of the browsers' figures the medians."""
    cpu = sum(server.cpu_times()[:2])
    begun = [window.watched.begin() for window in windows]
    began = time.monotonic()
    windows[0].page.wait_for_timeout(1e3 * seconds)
    spent, took = sum(server.cpu_times()[:2]) - cpu, time.monotonic() - began
    seen = [window.watched.end(begin) for window, begin in zip(windows, begun, strict=True)]
    return Sample(
        median(len(each.pictures) / each.took for each in seen),
        median(each.main for each in seen),
        max(each.longest for each in seen),
        median(each.received for each in seen),
        spent / took,
    )


@contextlib.contextmanager
def presented(ticks: int) -> Iterator[Server]:
    """Present a market that has so many ticks and goes on."""
    sim = algosim.Simulation("sma_crossover", seed=42, speed="max")
    try:
        sim.run_until(ticks=ticks)
        with algosim.present(sim, port=0) as server:
            sim.set(speed=5).resume()
            yield server
    finally:
        sim.stop()


def rows(what: str, samples: list[Sample], *, alone: bool) -> Iterator[Row]:
    """Return what samples say, beside what is promised of one browser."""
    main, pictures = 100 * median(s.main for s in samples), median(s.pictures for s in samples)
    yield Row(
        f"{what}: pictures/s",
        spread([s.pictures for s in samples], 1),
        ">= 9.5" if alone else "",
        pictures >= 9.5 if alone else None,
    )
    yield Row(
        f"{what}: main thread, %",
        spread([100 * s.main for s in samples]),
        "<= 25" if alone else "",
        main <= 25 if alone else None,
    )
    yield Row(f"{what}: longest task, ms", spread([1e3 * s.longest for s in samples]))
    yield Row(f"{what}: received per browser, kB/s", spread([1e-3 * s.received for s in samples], 1))
    yield Row(f"{what}: server, % of a core", spread([100 * s.server for s in samples], 1))
    yield Row(f"{what}: load of the machine", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def measure(browser: Browser, ticks: int, count: int, seconds: float, repeat: int) -> list[Sample]:
    """Open so many windows on one market, and look at them."""
    with presented(ticks) as server:
        windows = [Window(browser, server, ticks) for _ in range(count)]
        windows[0].page.wait_for_timeout(1e3 * WARM_S)
        process = psutil.Process(server.pid)
        samples = [sample(windows, process, seconds) for _ in range(repeat)]
        for window in windows:
            window.close()
    return samples


def soak(browser: Browser, ticks: int, minutes: float) -> None:
    """Print memory of server and page each half minute."""
    with presented(ticks) as server:
        window = Window(browser, server, ticks)
        for half in range(int(2 * minutes) + 1):
            rss = psutil.Process(server.pid).memory_info().rss
            memory = f"server {rss / 1e6:6.1f} MB  page {window.watched.heap() / 1e6:6.1f} MB"
            print(f"{ticks:6,}: {half / 2:4.1f} min  {memory}", flush=True)
            window.page.wait_for_timeout(30_000)
        window.close()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Open a browser, and work in a folder of its own."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    with (
        tempfile.TemporaryDirectory(prefix="algosim-page-") as folder,
        contextlib.chdir(folder),
        sync_playwright() as playwright,
    ):
        (Path(folder) / "runtime").mkdir(mode=0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(Path(folder) / "runtime")
        browser = playwright.chromium.launch(executable_path=found[0], args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


def main(arguments: list[str]) -> int:
    """Measure, print a table, and return the number of targets missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", nargs="+", type=int, default=[500, 2_000, 10_000])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    chosen = parser.parse_args(arguments)
    missed = 0
    with chromium() as browser:
        if chosen.soak:
            soak(browser, chosen.windows[0], chosen.soak)
            return 0
        cases = [(ticks, 1) for ticks in chosen.windows] + [(chosen.windows[0], MANY)]
        for ticks, count in cases:
            samples = measure(browser, ticks, count, chosen.seconds, chosen.repeat)
            what = f"{ticks:6,} ticks" + (f", {count} browsers" if count > 1 else "")
            for row in rows(what, samples, alone=count == 1):
                missed += row.met is False
                verdict = {None: "", True: "met", False: "MISSED"}[row.met]
                print(f"{row.what:50}  {row.figure:26}  {row.target:8}  {verdict}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
