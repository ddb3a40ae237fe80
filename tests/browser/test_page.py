"""The presentation page in a real browser: live, whole, the same for all, and driven only by who may."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile

import psutil
import pytest

from algosim import Simulation, present, replay
from algosim.charts.palette import LIGHT
from algosim.page.plan import Market, Plan
from algosim.page.process import Page
from tests.browser.projection import Projection
from tests.live_markets import FREE, kill, save, until

pytest.importorskip("streamlit", reason="streamlit is not installed: pip install 'algosim[app]'")

MARK = """root => {
    const parts = root.querySelectorAll('.uplot, .main-svg, .plot, [data-piece], .algosim-fast-view');
    for (const part of parts) part.marked = true;
    return parts.length;
}"""
MARKED = """root => [...root.querySelectorAll('.uplot, .main-svg, .plot, [data-piece], .algosim-fast-view')]
    .filter(part => part.marked).length"""
PROMISED_S = 5.0  # on a machine that has nothing else to do
BROKEN = """def init(ctx):
    pass

def on_tick(ctx, tick):
    if tick["seq"] >= 5:
        wanted = {}["nothing"]
"""
CHROME = '[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stToolbar"]'


@pytest.fixture
def market(home):  # noqa: ARG001  (where it runs)
    """Make live markets; that they leave nothing is tested where no browser has processes too."""
    made = []

    def market(strategy, **arguments):
        made.append(Simulation(strategy, seed=1, settings=FREE, **arguments))
        return made[-1]

    yield market
    for sim in made:
        if sim.state != "new":
            sim.stop()


@pytest.fixture
def show(browser, market):  # noqa: ARG001  (markets end after their pages)
    """Open windows on the page of a market, or of a plan; afterwards the page's process is gone."""
    pages, windows = {}, []

    def show(source, *, role="drive", **how):
        if id(source) not in pages:
            pages[id(source)] = Page(source, 0) if isinstance(source, Plan) else present(source, port=0)
        process = pages[id(source)]
        address = process.address if role == "drive" else process.view_address
        windows.append(Projection(browser, address, **how))
        windows[-1].process = process
        return windows[-1]

    yield show
    errors = [error for window in windows for error in window.errors]
    for window in windows:
        window.close()
    for each in pages.values():
        each.close()
    assert not errors


def controls(sim):
    return [(event.action, event.key, event.value) for event in sim.recording.controls]


def test_prices_move_within_seconds_of_algosim_present(browser, home):  # noqa: ARG001  (where it runs)
    settings = [f"--set={key}={value}" for key, value in FREE.items()]
    command = [sys.executable, "-m", "algosim", "present", "--port=0", "--no-browser", *settings]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        window = None
        try:
            address = process.stdout.readline().split()[-1]
            began = time.monotonic()
            window = Projection(browser, address)
            window.moves()
            took, load = time.monotonic() - began, os.getloadavg()[0] / (os.cpu_count() or 1)
            family = psutil.Process(process.pid).children(recursive=True)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20.0)
            if window is not None:
                window.close()
    assert took < PROMISED_S * max(1.0, load)
    assert family
    assert psutil.wait_procs(family, timeout=5.0)[1] == []


def test_a_page_opened_late_shows_the_whole_run(market, show):
    sim = market("sma_crossover", speed=20).run_until(ticks=700)
    window = show(sim)
    over = window.root.locator(".u-over").first
    until(lambda: window.time() == pytest.approx(sim.recording.last_time * 1e-9, abs=0.06), "the last tick")
    box = over.bounding_box()
    window.page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    first = sim.ticks.index[0].total_seconds()
    until(lambda: window.time() == pytest.approx(first, abs=0.06), "the first tick at the left end")
    window.figure("equity").locator(".main-svg").first.wait_for()
    ends = window.figure("equity").evaluate("place => place._fullLayout.xaxis.range")
    assert ends[1] - ends[0] >= 0.95 * sim.recording.last_time * 1e-9
    assert window.card("fills") == f"{len(sim.trades):,}"


def test_an_error_of_a_strategy_is_shown_with_its_line(market, show, home):
    folder = home / "strategies" / "mine"
    folder.mkdir()
    save(folder / "strategy.py", BROKEN)
    sim = market("mine", speed=10).start()
    window = show(sim)
    log = window.piece("log")
    log.get_by_text("KeyError").first.wait_for()
    text = log.inner_text()
    assert "line 6" in text
    assert 'wanted = {}["nothing"]' in text
    assert "failed" in window.piece("positions").inner_text()
    assert sim.state == "running"


def test_the_sidebar_changes_the_run_and_follows_it(market, show):
    sim = market("sma_crossover", speed=20).start()
    window = show(sim)
    window.moves()
    window.press("pause")
    window.stands("paused")
    window.page.get_by_text("fills at the next tick; market paused").first.wait_for()
    window.press("resume")
    window.stands("running")
    slider = window.slider("model.sigma")
    slider.focus()
    for _ in range(4):
        window.page.keyboard.press("ArrowRight")
    until(lambda: [c for c in controls(sim) if c[1] == "model.sigma"], "sigma in the events")
    until(lambda: sim.config.model.sigma == pytest.approx(0.22), "four steps of a two hundredth")
    sim.set(sigma=0.5)
    until(lambda: slider.input_value() in ("0.5", "100"), "the slider follows")
    assert controls(sim)[-1][1:] == ("model.sigma", 0.5)  # and no widget takes it back
    window.press("buy")
    until(lambda: [f for f in sim.recording.fills if f.id == "manual"], "the order")


def test_the_export_is_a_run_that_replays(market, show, tmp_path):
    sim = market("sma_crossover", speed=20).run_until(ticks=300)
    window = show(sim)
    window.stands("paused")
    with window.page.expect_download() as begun:
        window.press("export")
    path = tmp_path / "run.zip"
    begun.value.save_as(path)
    with zipfile.ZipFile(path) as packed:
        packed.extractall(tmp_path / "unpacked")
    (folder,) = (tmp_path / "unpacked").iterdir()
    assert begun.value.suggested_filename == f"{sim.run_id}.zip"
    assert len(replay(folder).recording) == 300


def test_who_watches_changes_nothing(market, show):
    sim = market("sma_crossover", speed=20).start()
    window = show(sim, role="view")
    window.moves()
    assert window.page.locator('[data-testid="stSidebar"]').count() == 0
    assert window.page.locator('[data-testid="stMain"] [data-testid="stButton"]').count() == 0
    live = next(url for url in window.requests if "/algosim/live" in url)
    words = """async url => {
        const socket = new WebSocket(url);
        await new Promise(opened => (socket.onopen = opened));
        const more = { key: "model.sigma", value: 1, side: "BUY", qty: 1, n: 1e9 };
        for (const kind of ["pause", "set", "stop", "order", "hello", "drawn"])
            socket.send(JSON.stringify({ kind, op: kind, ...more }));
        await new Promise(heard => (socket.onmessage = heard));
        socket.close();
    }"""
    window.page.evaluate(words, live)
    window.moves()
    assert sim.state == "running"
    sim.set(sigma=0.3)
    until(lambda: controls(sim), "a change in the events")
    assert [(key, value) for _, key, value in controls(sim)] == [("model.sigma", 0.3)]
    assert [fill for fill in sim.recording.fills if fill.id == "manual"] == []


def test_two_pages_show_the_same(market, show):
    sim = market("sma_crossover", speed=20).start()
    windows = [show(sim), show(sim, role="view", view="present")]
    for window in windows:
        window.moves()
    sim.pause()
    for window in windows:
        window.stands("paused")
    equity = f"{sim.equity['total'].iloc[-1]:,.2f}"
    until(lambda: windows[0].card("equity") == equity, f"{equity} on the board")
    shown = windows[1].root.locator('[data-now="equity"]')
    until(lambda: shown.inner_text() == equity, f"{equity} on the projector")
    assert windows[0].time() == windows[1].time()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_engine_is_told_and_can_be_started_again(show):
    window = show(Plan(market=Market(strategy=["sma_crossover"], settings=FREE | {"schedule.speed": 20.0})))
    window.moves()
    simulator = window.piece("engine").locator("tr", has_text="process simulator")
    first = window.piece("standing").locator(".fact").last.inner_text()
    kill(int(simulator.locator("td").last.inner_text()))
    window.stands("crashed")
    window.piece("notice").get_by_text("the simulator process was killed").wait_for()
    window.root.locator('.algosim-fast-view[data-state="stopped"]').wait_for()
    window.press("start again")
    window.stands("running")
    window.moves()
    assert window.piece("standing").locator(".fact").last.inner_text() != first


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_page_without_its_server_says_so_and_comes_back_with_it(market, show):
    plan = Plan(run=market("sma_crossover", speed=20).start().run_id)
    window = show(plan)
    window.moves()
    os.kill(window.process.pid, signal.SIGKILL)
    lost = window.root.locator(".lost")
    lost.wait_for()
    window.page.locator('[data-testid="stDialog"]').wait_for(state="attached")
    assert not window.page.locator('[data-testid="stDialog"]').is_visible()
    assert lost.inner_text().startswith("stopped: the page's server is gone")
    with Page(plan, window.process.port):
        lost.wait_for(state="hidden")
        window.moves()


def test_nothing_is_asked_of_another_machine(market, show):
    window = show(market("sma_crossover", speed=20).start())
    window.moves()
    window.figure("returns").locator(".main-svg").first.wait_for()
    assert len(window.requests) > 10
    assert window.foreign() == []


def test_charts_are_mounted_once_while_all_moves(market, show):
    sim = market("sma_crossover", speed=20).start()
    window = show(sim)
    for name in ("equity", "returns"):
        window.figure(name).locator(".main-svg").first.wait_for()
    window.moves()
    marked = window.root.evaluate(MARK)
    bars = "place => JSON.stringify(place.calcdata[0].map(bar => bar.s))"
    before, ticks = window.figure("returns").evaluate(bars), len(sim.recording)
    until(lambda: len(sim.recording) > ticks + 300, "300 ticks")
    until(lambda: window.figure("returns").evaluate(bars) != before, "other bars")
    slider = window.slider("model.sigma")  # a rerun of the script touches nothing either
    slider.focus()
    window.page.keyboard.press("ArrowRight")
    until(lambda: sim.config.model.sigma != 0.2, "the change")
    window.moves()
    assert window.root.evaluate(MARKED) == marked


def test_a_zoom_survives_what_is_new(market, show):
    sim = market("sma_crossover", speed=20).run_until(ticks=400)
    window = show(sim)
    figure = window.figure("equity")
    figure.locator(".main-svg").first.wait_for()
    figure.scroll_into_view_if_needed()
    _drag(window, figure.locator(".nsewdrag").first)
    zoomed = until(lambda: figure.evaluate("place => place.layout.xaxis.range"), "a stretch")
    chart = window.root.locator(".u-over").first
    chart.scroll_into_view_if_needed()
    _drag(window, chart)
    follow = window.root.locator(".follow.offered")
    follow.wait_for()
    ticks = len(sim.recording)
    sim.resume()
    until(lambda: len(sim.recording) > ticks + 200, "200 ticks")
    window.moves()
    assert figure.evaluate("place => place.layout.xaxis.range") == zoomed
    assert follow.is_visible()
    follow.click()
    follow.wait_for(state="detached")


def _drag(window, place):
    """Drag over the middle of a chart."""
    box = place.bounding_box()
    mouse, y = window.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + 0.3 * box["width"], y)
    mouse.down()
    mouse.move(box["x"] + 0.6 * box["width"], y, steps=8)
    mouse.up()
    mouse.move(0, 0)


def test_the_projector_loads_no_plotly_before_a_figure_is_seen(market, show):
    window = show(market("sma_crossover", speed=20).start(), role="view", view="present")
    window.moves()
    until(lambda: window.root.locator('[data-now="equity"]').inner_text() != "", "the pieces")
    window.moves()
    assert not [url for url in window.requests if url.endswith("/plotly.js")]
    window.page.keyboard.press("p")
    window.figure("equity").locator(".main-svg").first.wait_for()
    ground = window.figure("equity").evaluate("place => place._fullLayout.plot_bgcolor")
    assert ground == LIGHT.ground


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_engine_is_told_on_an_attached_page_and_can_be_started_again(market, show):
    sim = market("sma_crossover", speed=20).start()
    window = show(sim)
    window.moves()
    kill(sim.status["processes"]["simulator"])
    window.piece("notice").get_by_text("run ended: the simulator process was killed").wait_for()
    window.page.get_by_test_id("stSidebar").get_by_text(
        "run ended: the simulator process was killed"
    ).wait_for()
    window.press("start again")
    window.stands("running")
    window.moves()


def test_keys_change_the_view_but_not_while_somebody_types(market, show):
    window = show(market("sma_crossover", speed=20).start())
    window.moves()
    page, root = window.page, window.root
    assert page.locator(CHROME).first.is_visible()
    page.keyboard.press("p")
    page.wait_for_function("document.querySelector('.algosim-page').dataset.view === 'present'")
    assert "view=present" in page.url
    assert not any(part.is_visible() for part in page.locator(CHROME).all())
    assert "algosim-dark" in root.get_attribute("class")
    box = root.bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1600, 1000)
    page.keyboard.press("l")
    page.wait_for_function("document.querySelector('.algosim-page').dataset.view === 'leaderboard'")
    assert window.piece("leaderboard").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.algosim-page').dataset.view === 'board'")
    field = window.control("order: quantity").locator("input")
    field.click()
    page.keyboard.press("p")
    page.keyboard.press("l")
    assert root.get_attribute("data-view") == "board"


def test_without_the_fast_view_plotly_draws_and_that_is_said(market, show):
    sim = market("sma_crossover", speed=20).start()
    window = show(sim, blocked="**/algosim/fast_view.js")
    price = window.figure("price")
    price.locator(".main-svg").first.wait_for()
    assert "fast view is not built" in window.root.locator(".plain").inner_text()
    end = "place => Number(place.calcdata[0].at(-1).x)"
    before = price.evaluate(end)
    until(lambda: price.evaluate(end) > before, "a later price")


def test_who_only_opens_the_page_changes_nothing(market, show):
    sim = market("sma_crossover", speed=20).start()
    windows = [show(sim) for _ in range(2)]
    for window in windows:
        window.slider("model.sigma").wait_for(state="attached")
        window.moves()
    ticks = len(sim.recording)
    until(lambda: len(sim.recording) > ticks + 500, "four seconds: the controls have followed twice")
    assert controls(sim) == []
