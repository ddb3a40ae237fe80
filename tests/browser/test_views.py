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
