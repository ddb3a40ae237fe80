"""The dashboard where pages come and go: loaded anew, shown twice, left by its kernel; and playback."""

from __future__ import annotations

import psutil

from tests.browser.board import Board
from tests.browser.test_session import LINES
from tests.live_markets import until


def test_a_page_that_is_loaded_anew_is_live(notebook):
    book = notebook(LINES)
    book.run(0)
    Board(book, 0).moves()
    book.save()
    book.lab.load()
    book.open()
    board = Board(book, 0)
    board.moves()
    board.press("Pause")
    board.stands("paused")


def test_a_second_view_is_live(notebook):
    book = notebook(LINES)
    book.run(0)
    Board(book, 0).moves()
    book.come_forward()
    book.lab.command("notebook:create-output-view")
    view = Board(book, 0, view=True)
    view.moves()
    view.press("Pause")
    view.stands("paused")
    Board(book, 0).stands("paused")


def test_a_dashboard_whose_kernel_is_gone_says_so(notebook):
    book = notebook(LINES)
    book.run(0)
    board = Board(book, 0)
    board.moves()
    engine = book.engine()
    book.restart()
    assert psutil.wait_procs(engine, timeout=10.0)[1] == []
    until(board.stale, "the old view says that it is one", 30.0)


def test_a_recorded_run_plays(notebook):
    run = (
        "import algosim\n"
        "run = algosim.evaluate('sma_crossover', seed=3, duration='60s', out='runs/first')\n"
        "board = algosim.play('first', speed=2)\nboard"
    )
    book = notebook(run)
    book.run(0)
    assert book.error(0) == ""
    board = Board(book, 0)
    board.stands("playing")
    board.moves()
    board.press("Pause")
    board.stands("paused")
    book.do("board.source.seek(time=60.0)")
    board.stands("stopped")
    until(lambda: board.chart() > 59.0, "the end on the chart", 60.0)
    book.do("board.source.seek(time=10.0)")
    until(lambda: 0.0 < board.chart() <= 10.0, "the beginning on the chart again", 60.0)


def test_playback_comes_to_its_end_by_itself(notebook):
    """A page that sends positions back would have it go to and fro."""
    run = (
        "import algosim\n"
        "algosim.evaluate('sma_crossover', seed=3, duration='60s', out='runs/first')\n"
        "board = algosim.play('first', speed=8)\nboard"
    )
    book = notebook(run)
    book.run(0)
    board = Board(book, 0)
    board.moves()
    places = []

    def over():
        places.append(board.chart())
        return board.state() == "stopped"

    until(over, "the end", 30.0)
    assert places == sorted(places)


def test_a_slow_browser_gets_its_chart(notebook):
    """A page gives a widget's code two seconds, which a slow one needs longer for: it is sent again."""
    book = notebook(LINES)
    book.lab.slow_down(4)
    book.run(0)
    Board(book, 0).moves()


SHOWN = "area => area.querySelector('.js-plotly-plot')._fullLayout.xaxis.range.map(Number)"
WITHIN = """(area, [from, to]) =>
    [...area.querySelector('.js-plotly-plot').data[0].x].filter(x => from <= x && x <= to)"""


def test_a_zoom_stays_while_pictures_come_and_shows_every_tick(notebook):
    book = notebook(LINES, "sim.run_until(ticks=len(sim.recording) + 3000)\nsim.pause()")
    book.run(0)
    book.do("sim.set(speed=400)")
    board = Board(book, 0)
    board.moves()
    book.run(1)  # more ticks than the chart has points
    board.stands("paused")
    last = float(book.value("float(sim.recording.last_time * 1e-9)"))
    until(lambda: board.chart() == last, "the last picture", 30.0)
    plot = board.area.locator(".js-plotly-plot .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    y = box["y"] + 0.5 * box["height"]
    mouse, whole = book.page.mouse, board.area.evaluate(SHOWN)
    mouse.move(box["x"] + 0.4 * box["width"], y)
    mouse.down()
    mouse.move(box["x"] + 0.5 * box["width"], y, steps=5)
    mouse.up()
    low, high = until(lambda: (seen := board.area.evaluate(SHOWN)) != whole and seen, "a stretch", 20.0)
    ticks = int(book.value(f"int(sum({low} <= t * 1e-9 <= {high} for t in sim.recording.time))"))
    assert ticks > 50, (whole, low, high)
    until(lambda: len(board.area.evaluate(WITHIN, [low, high])) == ticks, "every tick of it", 20.0)
    end = board.chart()
    board.press("Resume")
    until(lambda: board.chart() > end, "another picture", 30.0)
    assert board.area.evaluate(SHOWN) == [low, high]
    plot.dblclick(position={"x": 0.5 * box["width"], "y": 0.5 * box["height"]})
    until(lambda: board.area.evaluate(SHOWN)[1] > high + 1.0, "all of it again", 20.0)
