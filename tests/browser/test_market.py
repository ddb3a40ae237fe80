"""A market in a notebook, as the person in front of it meets it: begun, interrupted, restarted, killed."""

from __future__ import annotations

import json
import os
import signal

import psutil

from tests.browser.board import Board
from tests.live_markets import answers, until

DASHBOARD = """
import algosim
sim = algosim.Simulation(strategy="sma_crossover", seed=42)
board = sim.dashboard()
board"""
START = """
import algosim, json
sim = algosim.Simulation(strategy="sma_crossover", seed=42, speed=5)
sim.start().wait(ticks=3)
"""


def endpoints(book):
    """Return where the notebook's market listens."""
    text = book.value("json.dumps(sim.status['endpoints'])")
    return list(json.loads(text.strip("'")).values())


def gone(processes, ports):
    """Whether nothing is left of a market."""
    assert len(processes) >= 5  # supervisor, simulator, broker, recorder, host; the worker
    _, left = psutil.wait_procs(processes, timeout=10.0)
    return left == [] and until(lambda: not any(map(answers, ports)), "ports free again")


def test_a_figure_in_a_notebook_is_a_widget(notebook):
    book = notebook(START, "sim.figure()")
    book.run(0)
    book.run(1)
    book.output(1).locator(".js-plotly-plot").wait_for()
    assert book.plot_ends(1)[0] > 0
    data = book.outputs(1)[0]["data"]
    assert data["text/plain"] == "<figure of a run>"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_restart_of_the_kernel_leaves_nothing(notebook):
    book = notebook(START)
    book.run(0)
    ports, engine = endpoints(book), book.engine()
    book.restart()
    assert gone(engine, ports)
    book.run(0)
    assert book.error(0) == ""


def test_a_killed_kernel_leaves_nothing(notebook):
    book = notebook(START)
    book.run(0)
    ports, engine, kernel = endpoints(book), book.engine(), book.kernel()
    os.kill(kernel.pid, signal.SIGKILL)
    assert gone(engine, ports)
    book.accept()  # JupyterLab says that the kernel has died, and starts another
    book.wait_idle()
    assert book.kernel() != kernel
    book.run(0)
    assert book.error(0) == ""


def test_an_interrupted_run_until_pauses(notebook):
    book = notebook(START, "sim.run_until(ticks=1_000_000)", "sim.state")
    book.run(0)
    run = book.begin(1)
    until(lambda: book.busy, "the cell runs")
    book.interrupt()
    run.wait()
    assert book.error(1).startswith("KeyboardInterrupt")
    book.run(2)
    assert book.outputs(2)[0]["data"]["text/plain"] == "'paused'"
    before = int(book.value("len(sim.recording)"))
    assert book.value("sim.step(3); len(sim.recording)".replace("; ", "\n")) == str(before + 3)
    assert book.value("sim.stop()").startswith("<Result ")


def test_two_notebooks_at_once(notebook):
    books = [notebook(START), notebook(START)]
    for book in books:
        book.run(0)
        assert book.error(0) == ""
    ids = {book.value("sim.run_id") for book in books}
    assert len(ids) == 2
    assert not {*endpoints(books[0])} & {*endpoints(books[1])}
    for book in books:
        before = int(book.value("len(sim.recording)"))
        assert int(book.value(f"len(sim.wait(ticks={before + 5}).recording)")) >= before + 5
    books[0].restart()
    assert books[1].value("sim.state") == "'running'"


def test_a_cell_with_a_dashboard_leaves_no_market_behind_when_it_runs_again(notebook):
    book = notebook(DASHBOARD)
    book.run(0)
    Board(book, 0).moves()
    before = book.engine()
    book.run(0)
    assert psutil.wait_procs(before, timeout=10.0)[1] == []
    Board(book, 0).moves()


def test_a_market_that_a_variable_has_goes_on_without_its_dashboard(notebook):
    book = notebook("markets = []", f"{DASHBOARD}\nmarkets.append(sim)\nboard")
    book.run(0)
    for _ in range(2):
        book.run(1)
        Board(book, 1).moves()
    assert book.value("[market.state for market in markets]") == "['running', 'running']"


def test_running_a_cell_again_is_safe(notebook):
    book = notebook(START)
    book.run(0)
    book.run(0)
    assert book.error(0) == ""
    assert book.value("sim.state") == "'running'"
