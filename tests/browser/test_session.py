"""A whole lesson in a notebook: a market traded, changed, broken, mended, stopped; and it replays."""

from __future__ import annotations

import json

import algosim
from tests.browser.board import Board
from tests.live_markets import until

LINES = """
import algosim
sim = algosim.Simulation(strategy="sma_crossover", seed=42)
sim.dashboard()
"""
MINE = """%%strategy mine
PARAMS = {{"every": {every}}}

def on_tick(ctx, tick):
    if tick["seq"] % ctx.get_param("every") == 0:
        ctx.target(-1 if ctx.position() > 0 else 1)
    {more}
"""


def events(book):
    """Return the events of the newest run in a notebook's workspace."""
    path = book.folder / "runs" / "last" / "events.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def recorded(book, **wanted):
    """Wait for an event with these fields and return it."""

    def found():
        return [event for event in events(book) if wanted.items() <= event.items()]

    return until(found, f"an event {wanted}", 60.0)[-1]


def done(book):
    return int(book.value("len(sim.recording)"))


def test_a_whole_lesson(notebook):
    book = notebook(LINES, MINE.format(every=4, more="pass"))
    book.lab.load()
    book.open()
    book.run(0)
    assert book.error(0) == ""
    board = Board(book, 0)
    board.moves()

    sigma = board.slide("volatility", 0.5)
    assert 0.3 < sigma < 0.7
    recorded(book, type="control", action="set", key="model.sigma", value=sigma)

    book.run(1)
    assert book.error(1) == ""
    recorded(book, type="attach", id="mine", version=1)
    book.output(1).get_by_text("trading").wait_for()
    book.edit(1, MINE.format(every=3, more="pass"))
    book.run(1)
    recorded(book, type="version", id="mine", version=2)
    until(lambda: "mine: version 2" in board.notes(), "a marker of the reload on the chart", 60.0)

    book.edit(1, MINE.format(every=3, more="return 1 +"))
    book.run(1)
    assert "line 7" in book.error(1)
    assert "version 2 of mine trades on" in book.error(1)

    book.edit(1, MINE.format(every=3, more="1 / 0"))
    book.run(1)
    fault = book.output(1).locator(".fault")
    fault.wait_for()
    assert "line 7: ZeroDivisionError" in fault.inner_text()
    assert "1 / 0" in fault.inner_text()
    until(lambda: "ZeroDivisionError" in board.log(), "the error in the log")

    book.edit(1, MINE.format(every=5, more="pass"))
    book.run(1)
    book.output(1).get_by_text("trading").wait_for()

    board.press("Pause")
    board.stands("paused")
    at = done(book)
    board.press("Step")
    until(lambda: done(book) == at + 1, "one tick more")
    board.press("BUY")
    board.area.get_by_text("fills at the next tick; market paused").first.wait_for()
    board.press("Resume")
    board.stands("running")
    recorded(book, type="fill", id="manual", side="BUY")

    run = book.begin(book.add("sim.run_until(ticks=1_000_000)"))
    until(lambda: book.busy, "the cell runs")
    book.interrupt()
    run.wait()
    board.stands("paused")

    board.press("Stop")
    board.stands("stopped")
    end = recorded(book, type="end")
    assert end.get("state", "finished") == "finished"
    folder = (book.folder / "runs" / "last").resolve()
    until(lambda: (folder / "digest.txt").exists(), "the digest")
    assert algosim.replay(folder).digest == (folder / "digest.txt").read_text().strip()
    assert book.lab.foreign() == []
