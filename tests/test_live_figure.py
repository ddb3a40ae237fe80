"""The live figure: what it shows is the feed's, and it never sends more than the page can draw."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algosim.charts.feed import Feed
from algosim.charts.palette import DARK, LIGHT
from algosim.events import Control, Plot, Version
from algosim.notebook.live_figure import LiveFigure
from algosim.notebook.pace import BLIND_S, BUSY, PATIENCE_S, Pace
from algosim.notebook.theme import watch
from algosim.runs.evaluate import evaluate
from algosim.runs.recording import Recording

CASH = 10_000.0


class Clock:
    """Time as the test says."""

    def __init__(self):
        self.now = 1_000.0

    def monotonic(self):
        return self.now


class Page:
    """The page's end of a widget's comm: has what was sent, and answers as a browser does."""

    comm_id = "page"

    def __init__(self, figure):
        self.figure = figure
        self.pictures = []
        figure.comm.close()
        figure.comm = self

    def send(self, data, buffers=None):
        if data["method"] == "update" and data["state"].get("_py2js_update"):
            self.pictures.append((data["state"]["_py2js_update"], buffers))

    def on_msg(self, callback):
        self.say = callback

    def close(self, *_args, **_more):
        pass

    def answer(self, cost, picture=-1):
        """Say that a picture is on the screen."""
        number = self.pictures[picture][0]["trace_edit_id"]
        self.tell("_js2py_traceDeltas", {"trace_edit_id": number, "cost": cost})

    def relayout(self, changes):
        """Say that somebody zoomed."""
        self.tell("_js2py_relayout", {"relayout_data": changes, "source_view_id": "one"})

    def tell(self, name, value):
        state = {name: value}
        self.say({"content": {"data": {"method": "update", "state": state}}, "buffers": []})


@pytest.fixture(scope="module")
def recording():
    """A run with a line near the price and one far from it."""
    recording = evaluate("sma_crossover", seed=3, ticks=3_000, isolate=False).recording
    recording.plots = []
    for seq, price in enumerate(recording.price, 1):
        values = {"near": None if seq < 20 else price + 1.0, "far": np.sin(seq)}
        recording.plots.append(Plot(seq=seq, id="sma_crossover", values=values))
    return recording


def fed(recording, last=None):
    """Return a feed of a run as it was after tick `last`."""
    feed, part = Feed(CASH), Recording()
    part.add_ticks(recording.ticks_between(1, last or len(recording)))
    part.add(event for event in recording.between_ticks() if event.seq <= (last or len(recording)))
    feed.update(part)
    return feed, part


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("algosim.notebook.live_figure.time", clock)
    return clock


@pytest.fixture
def figure(clock):  # noqa: ARG001
    figure = LiveFigure(500)
    yield figure
    figure.close()


def trace(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_what_is_drawn_is_the_feeds(figure, recording):
    feed, _ = fed(recording)
    assert figure.draw(feed)
    series = feed.series(window=500)
    for name, values in (("price", series.price), ("equity", series.equity), *series.lines.items()):
        np.testing.assert_array_equal(trace(figure, name).x, series.time, err_msg=name)
        np.testing.assert_array_equal(trace(figure, name).y, values, err_msg=name)
    np.testing.assert_array_equal(trace(figure, "BUY").y, series.buys.price)
    np.testing.assert_array_equal(trace(figure, "SELL").x, series.sells.time)
    assert list(trace(figure, "BUY").text) == series.buys.text
    assert trace(figure, "returns").y.sum() == 499
    assert list(series.lines) == ["near", "far"]
    assert all(trace(figure, name).showlegend for name in series.lines)
    assert (trace(figure, "near").yaxis, trace(figure, "far").yaxis) == ("y", "y4")


def test_a_picture_waits_while_a_cell_imports_what_plotly_looks_into(figure, recording, clock, monkeypatch):
    feed, _ = fed(recording)
    half = ModuleType("pandas")
    half.__spec__ = ModuleSpec("pandas", None)
    half.__spec__._initializing = True  # noqa: SLF001  (what imports of Python go by)
    with monkeypatch.context() as importing:
        importing.setitem(sys.modules, "pandas", half)
        assert not figure.draw(feed)
    clock.now += 10.0
    assert figure.draw(feed)
    np.testing.assert_array_equal(trace(figure, "price").y, feed.series(window=500).price)


def test_a_line_with_a_scale_of_its_own_stands_below_the_price(figure, recording, clock):
    feed, _ = fed(recording)
    figure.draw(feed)
    look = figure.layout
    assert look.yaxis4.visible
    assert look.yaxis2.domain[1] < look.yaxis4.domain[0] < look.yaxis4.domain[1] < look.yaxis.domain[0]
    plain, _ = fed(evaluate("sma_crossover", seed=3, ticks=100, isolate=False).recording)
    clock.now += 10.0
    figure.draw(plain)
    assert not look.yaxis4.visible
    assert look.yaxis.domain[0] < 0.5


def test_a_long_window_is_thinned_and_keeps_its_extremes(figure, recording):
    figure.window = 3_000
    feed, _ = fed(recording)
    assert figure.draw(feed)
    price, all_prices = trace(figure, "price").y, feed.series().price
    assert len(price) < 1_000
    assert (price[0], price[-1], price.min(), price.max()) == (
        all_prices[0],
        all_prices[-1],
        all_prices.min(),
        all_prices.max(),
    )


def test_who_zooms_sees_every_tick(figure, clock, recording):
    page = Page(figure)
    figure.window = 3_000
    feed, _ = fed(recording)
    figure.draw(feed)
    page.answer(cost=0.01)
    clock.now += 1.0
    time = feed.series().time
    page.relayout({"xaxis.range[0]": time[1_000], "xaxis.range[1]": time[1_400]})
    assert len(page.pictures) == 2  # drawn at once: of a run that is over, no other picture comes
    seen = trace(figure, "price").x
    np.testing.assert_array_equal(seen[(seen >= time[1_000]) & (seen <= time[1_400])], time[1_000:1_401])
    assert (seen[0], seen[-1]) == (time[0], time[-1])
    assert len(seen) < 1_500
    page.answer(cost=0.01)
    clock.now += 1.0
    page.relayout({"xaxis.autorange": True})
    assert len(page.pictures) == 3
    assert len(trace(figure, "price").x) < 1_000


def test_the_window_may_change(figure, clock, recording):
    feed, _ = fed(recording)
    figure.draw(feed)
    clock.now += 60.0
    assert not figure.draw(feed)
    figure.window = 100
    assert figure.draw(feed)
    np.testing.assert_array_equal(trace(figure, "price").y, feed.series(window=100).price)


def test_another_feed_begins_afresh(figure, clock, recording):
    figure.draw(fed(recording)[0])
    clock.now += 60.0
    other, _ = fed(recording, 40)
    assert figure.draw(other)
    assert trace(figure, "price").x[-1] == other.series().time[-1]
    assert len(trace(figure, "price").x) == 40
    assert len(trace(figure, "BUY").x) == len(other.series().buys.time)


def test_interventions_are_marked_and_flags_that_would_collide_are_counted_on_the_newer(figure, recording):
    feed, part = fed(recording, 400)
    part.members = [*part.members, Version(seq=200, id="sma_crossover", version=2, code="1")]
    part.controls = [
        Control(seq=300, action="set", key="model.sigma", value=0.4),
        Control(seq=300, action="set", key="model.kappa", value=2.0),
        Control(seq=303, action="speed", key="schedule.speed", value=2.0),
    ]
    feed = Feed(CASH)
    feed.update(part)
    assert figure.draw(feed)
    newest, older = figure.layout.annotations
    assert [line.x0 for line in figure.layout.shapes] == [
        part.time[seq - 1] * 1e-9 for seq in (200, 300, 303)
    ]
    assert (older.text, older.hovertext) == ("sma_crossover: version 2",) * 2
    assert newest.text == "schedule.speed = 2.0 +2"
    assert sorted(newest.hovertext.split("<br>")) == [
        "model.kappa = 2.0",
        "model.sigma = 0.4",
        "schedule.speed = 2.0",
    ]


def test_one_picture_in_flight(figure, clock, recording):
    page = Page(figure)
    feed, part = fed(recording, 1_000)
    assert figure.draw(feed)
    for step in range(1, 9):
        grow(feed, part, recording)
        clock.now += 0.1
        assert not figure.draw(feed), step
    page.answer(cost=0.04)
    assert figure.draw(feed)
    np.testing.assert_array_equal(trace(figure, "price").y, feed.series(window=500).price)
    assert len(page.pictures) == 2


def grow(feed, part, recording, ticks=5):
    first = len(part) + 1
    part.add_ticks(recording.ticks_between(first, first + ticks - 1))
    part.add(recording.plots[first - 1 : first + ticks - 1])
    feed.update(part)


def test_a_slow_page_has_time_for_other_things(figure, clock, recording):
    """In a minute in which each picture keeps the page busy for 0.3 s, it is busy half the time at most."""
    page = Page(figure)
    feed, part = fed(recording, 1_000)
    busy, free_at, began = 0.0, None, clock.now
    while clock.now < began + 60.0:
        grow(feed, part, recording, 1)
        if figure.draw(feed):
            assert free_at is None
            busy, free_at = busy + 0.3, clock.now + 0.3
        clock.now += 0.05
        if free_at is not None and clock.now >= free_at:
            page.answer(cost=0.3)
            free_at = None
    assert 0.8 * BUSY <= busy / 60.0 <= BUSY + 0.01


def test_without_answers_pictures_are_few(figure, clock, recording):
    page = Page(figure)
    feed, part = fed(recording, 1_000)
    for _ in range(300):
        grow(feed, part, recording, 1)
        figure.draw(feed)
        clock.now += 0.1
    assert 30.0 / PATIENCE_S * 0.9 <= len(page.pictures) <= 30.0 / PATIENCE_S + 1


def test_while_a_cell_runs_pictures_go_on_at_a_known_cost(figure, clock, recording):
    page = Page(figure)
    feed, part = fed(recording, 1_000)
    figure.draw(feed)
    page.answer(cost=0.05)
    for _ in range(200):
        grow(feed, part, recording, 1)
        clock.now += 0.1
        figure.draw(feed)
    assert 20.0 / BLIND_S * 0.8 <= len(page.pictures) - 1 <= 20.0 / BLIND_S + 1
    page.answer(cost=0.05, picture=3)  # late, and not of the last one
    grow(feed, part, recording, 1)
    assert not figure.draw(feed)


def test_only_what_changed_is_sent_and_as_binary(figure, clock, recording):
    page = Page(figure)
    feed, part = fed(recording, 1_000)
    figure.draw(feed)
    page.answer(cost=0.01)
    clock.now += 1.0
    grow(feed, part, recording, 1)
    figure.draw(feed)
    picture, buffers = page.pictures[-1]
    assert set(picture["style_data"]) == {"x", "y"}
    drawn = {figure.data[i].name for i in picture["style_traces"]}
    assert drawn == {"price", "near", "far", "peak", "equity", "returns"}
    arrays = [
        value for values in picture["style_data"].values() for value in values if value != "_undefined_"
    ]
    assert all(array["dtype"] == "float64" for array in arrays)
    assert len(buffers) == len(arrays)
    assert "shapes" not in picture["layout_data"]


def test_nothing_new_is_nothing_sent(figure, clock, recording):
    page = Page(figure)
    feed, _ = fed(recording)
    assert figure.draw(feed)
    page.answer(cost=0.01)
    clock.now += 60.0
    assert not figure.draw(feed)


def test_a_page_loaded_anew_gets_the_newest_picture(figure, recording):
    feed, _ = fed(recording)
    figure.draw(feed)
    state = figure.get_state()
    price = next(trace for trace in state["_widget_data"] if trace["name"] == "price")
    np.testing.assert_array_equal(np.asarray(price["y"]["buffer"]), feed.series(window=500).price)


def test_plotlys_module_has_the_classes_that_are_extended(figure):
    assert figure.get_state("_esm")["_esm"].rstrip().splitlines()[-1].startswith("followMarket(")


def test_it_follows_the_pages_theme_also_after_the_last_picture(figure, recording):
    feed, _ = fed(recording)
    figure.draw(feed)
    assert figure.layout.paper_bgcolor == LIGHT.ground
    watch().set_state({"theme": "dark"})
    try:
        assert (figure.layout.paper_bgcolor, trace(figure, "price").line.color) == (DARK.ground, DARK.price)
        assert LiveFigure(theme="light").layout.paper_bgcolor == LIGHT.ground
    finally:
        watch().set_state({"theme": "light"})
    assert trace(figure, "BUY").marker.color == LIGHT.buy


def test_a_closed_figure_draws_nothing(recording):
    figure = LiveFigure(500)
    figure.close()
    assert not figure.draw(fed(recording)[0])


def test_its_text_is_always_the_same(figure):
    assert repr(figure) == "LiveFigure()"


@given(
    cost=st.floats(0.005, 3.0),
    trip=st.floats(0.0, 0.3),
    heard=st.lists(st.booleans(), min_size=1, max_size=8),
)
def test_a_page_never_falls_behind(cost, trip, heard):
    """Pictures that wait to be drawn stay few, whatever one costs.

    Where one costs less than `PATIENCE_S` that is so even if the kernel hears no answer at all.
    """
    if cost > 0.9 * PATIENCE_S:
        heard = [True]
    pace, number, drawn_at = Pace(10.0), 0, [0.0]
    answers = []
    for step in range(1_500):
        now = 0.02 * step
        for answer in [answer for answer in answers if answer[0] <= now]:
            answers.remove(answer)
            pace.acknowledged(answer[1], now, cost)
        if pace.ready(now):
            number += 1
            pace.sent(number, now)
            drawn_at.append(max(drawn_at[-1], now) + cost)
            if heard[number % len(heard)]:
                answers.append((drawn_at[-1] + trip, number))
        assert sum(at > now for at in drawn_at) <= 1 + np.ceil((cost + trip) / PATIENCE_S)
    assert number >= 2
