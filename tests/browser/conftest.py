"""One JupyterLab in one browser for all tests of this folder, and a fresh notebook for each."""

from __future__ import annotations

import re
import shutil
from itertools import count
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.browser.lab import Lab
from tests.browser.notebook import Notebook
from tests.browser.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NEEDED = ("jupyterlab", "ipywidgets", "anywidget", "plotly", "playwright")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: each drives real processes for more than a few seconds."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.live)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(600))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let a test that failed leave a picture of what the person would have seen."""
    report = yield
    lab = getattr(item, "funcargs", {}).get("lab")
    if call.when == "call" and call.excinfo is not None and lab is not None:
        path = item.funcargs["tmp_path"] / "window.png"
        report.sections.append(("the window", str(lab.screenshot(path))))
    return report


@pytest.fixture(scope="package")  # Playwright keeps an event loop running; other tests have their own
def browser() -> Iterator[Browser]:
    """Chromium, as the system has it."""
    for name in NEEDED:
        pytest.importorskip(name, reason=f"{name} is not installed: pip install 'algosim[lab,test]'")
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        pytest.skip(f"there is no browser on this machine: none of {', '.join(BROWSERS)}")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (not on every machine)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found[0], args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A window with JupyterLab in it, on a server of its own."""
    server = Server(tmp_path_factory.mktemp("lab"))
    try:
        lab = Lab(server, browser)
        yield lab
        lab.close()
    finally:
        server.stop()


@pytest.fixture
def notebook(
    lab: Lab,
    request: pytest.FixtureRequest,
    tmp_path: Path,  # noqa: ARG001  (where a failure leaves its picture)
) -> Iterator[Callable[..., Notebook]]:
    """Open notebooks with the cells given; afterwards they are closed and have left no process."""
    made: list[Notebook] = []
    name = re.sub(r"\W+", "-", request.node.name)[:60].strip("-")
    numbers = count(1)
    lab.size(1600)
    lab.theme("light")

    def notebook(*cells: str) -> Notebook:
        made.append(Notebook(lab, f"{name}-{next(numbers)}", cells))
        return made[-1]

    yield notebook
    lab.slow_down(1)
    started = [child for kernel in lab.server.kernels() for child in kernel.children(recursive=True)]
    for opened in made:
        opened.close()
    left = psutil.wait_procs(started, timeout=5.0)[1]
    assert not left, f"left behind: {left}"
