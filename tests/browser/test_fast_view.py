"""The fast view in JupyterLab: it streams, also while a cell runs; it comes back; it says when it is over."""

import os
import re
import signal

import pytest

SHOWN = """
import algosim
from algosim.notebook.fast_view import FastView
from algosim.board.pump import Pump
sim = algosim.Simulation(strategy="sma_crossover", seed=42, speed=10)
view = FastView(window=500)
pump = Pump(sim, lambda frame: view.draw(frame.feed))
sim.start()
pump.start()
display(view)
"""
PANEL = ".algosim-fast-view"
LIVE_MS = 30_000


@pytest.fixture
def book(notebook):
    """Return a notebook whose first cell shows a market."""
    return notebook(SHOWN, "sim.run_until(ticks=1_000_000)")


def seconds(panel):
    """Return the simulated time that a panel shows."""
    return float(re.sub(r"[^0-9.]", "", panel.locator(".time").inner_text()))


def moves(panel):
    """Wait until a panel is live and shows a later time than now."""
    panel.and_(panel.page.locator('[data-state="live"]')).wait_for(timeout=LIVE_MS)
    text = panel.locator(".time").inner_text()
    panel.page.wait_for_function(
        "([shown, text]) => shown.innerText !== text",
        arg=[panel.locator(".time").element_handle(), text],
        timeout=LIVE_MS,
    )
    return True


def load_again(book):
    """Load the page anew, twice if need be: JupyterLab gives a kernel four seconds to tell its widgets."""
    for _ in range(2):
        book.lab.load()
        book.open()
        given_up = book.output(0).get_by_text("Error displaying widget")
        book.output(0).locator(PANEL).or_(given_up).wait_for(timeout=LIVE_MS)
        if not given_up.is_visible():
            return


def test_a_view_is_live_while_a_cell_runs_and_says_when_nothing_comes(book):
    book.run(0)
    panel = book.output(0).locator(PANEL)
    assert moves(panel)
    run = book.begin(1)
    before = seconds(panel)
    book.page.wait_for_function(
        "([shown, before]) => parseFloat(shown.innerText.replaceAll(',', '')) > before + 5",
        arg=[panel.locator(".time").element_handle(), before],
        timeout=LIVE_MS,
    )
    assert not run.over
    book.interrupt()
    run.wait()
    panel.and_(book.page.locator('[data-state="no new ticks"]')).wait_for(timeout=LIVE_MS)
    book.do("pump.stop(); view.end()")
    panel.and_(book.page.locator('[data-state="stopped"]')).wait_for(timeout=1_000)
    book.do("view.close()")
    panel.wait_for(state="detached")


def test_a_view_begun_in_a_cell_that_goes_on_is_live_at_once(notebook):
    book = notebook(SHOWN + "sim.run_until(ticks=1_000_000)")
    run = book.begin(0)
    assert moves(book.output(0).locator(PANEL))
    assert not run.over
    book.interrupt()
    run.wait()


def test_a_view_comes_back_live_after_the_page_is_loaded_anew_and_as_a_second_one(book):
    book.run(0)
    assert moves(book.output(0).locator(PANEL))
    book.page.evaluate("path => window.opened[path].panel.context.save()", book.path)
    load_again(book)
    assert moves(book.output(0).locator(PANEL))
    book.output(0).click(button="right")
    book.page.get_by_text("Create New View for Cell Output").click()
    second = book.page.locator(f".jp-LinkedOutputView {PANEL}")
    assert moves(second)
    assert moves(book.output(0).locator(PANEL))


def test_a_view_of_a_dead_kernel_says_stopped(book):
    book.run(0)
    panel = book.output(0).locator(PANEL)
    assert moves(panel)
    os.kill(book.kernel().pid, signal.SIGKILL)
    panel.and_(book.page.locator('[data-state="stopped"]')).wait_for(timeout=LIVE_MS)
    book.accept()


def test_a_view_follows_the_theme(book):
    book.run(0)
    panel = book.output(0).locator(PANEL)
    assert moves(panel)
    ground = "panel => getComputedStyle(panel).backgroundColor"
    assert panel.evaluate(ground) == "rgb(255, 255, 255)"
    book.lab.theme("dark")
    book.page.wait_for_function(
        f"panel => ({ground})(panel) === 'rgb(17, 21, 26)'", arg=panel.element_handle()
    )
    assert moves(panel)


def test_a_stretch_that_was_dragged_over_is_kept_until_one_follows_again(book):
    book.run(0)
    panel = book.output(0).locator(PANEL)
    assert moves(panel)
    panel.locator(
        ".entry", has_text="SMA(50)"
    ).wait_for()  # with it the readout, and so the place, is settled
    plot = panel.locator(".u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"]
    mouse = book.page.mouse

    def earliest():
        """Return the time that the panel shows at its left end."""
        mouse.move(box["x"] + 2, y)
        return seconds(panel)

    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 0.3 * box["width"], y, steps=4)
    mouse.up()
    follow = panel.locator(".follow")
    follow.wait_for(state="visible")
    left = earliest()
    mouse.move(0, 0)
    assert moves(panel)
    assert earliest() == left
    follow.click()
    follow.wait_for(state="hidden")
    assert earliest() != left
    mouse.dblclick(x, y)
    assert moves(panel)
