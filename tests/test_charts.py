import math

import numpy as np
import pytest

from algosim.charts import numbers
from algosim.charts.feed import Feed
from algosim.charts.figures import run_figure, thinned, traces
from algosim.charts.palette import DARK, LIGHT, palette
from algosim.charts.point_messages import PointMessages
from algosim.events import Attach, Control, Plot, Version
from algosim.runs.evaluate import evaluate
from algosim.runs.recording import Recording


@pytest.fixture(scope="module")
def result():
    return evaluate(["sma_crossover", "momentum"], seed=3, ticks=3_000, isolate=False)


def cut(recording, last):
    """Return the run as it was after tick `last`."""
    part = Recording()
    part.add_ticks(recording.ticks_between(1, last))
    events = [event for event in recording.between_ticks() if event.seq <= last]
    part.add(events)
    return part


def test_equity_is_the_runs_own(result):
    feed = Feed(10_000.0)
    assert feed.update(result.recording) == 3_000
    series = feed.series()
    np.testing.assert_array_equal(series.equity, result.equity["total"].to_numpy()[:3_000])
    peak = np.maximum.accumulate(np.maximum(series.equity, 20_000.0))
    np.testing.assert_allclose(series.drawdown, series.equity / peak - 1.0, rtol=0, atol=1e-15)
    np.testing.assert_array_equal(series.price, result.recording.price)
    assert len(series.buys.time) + len(series.sells.time) == len(result.trades)


def test_a_feed_that_followed_a_run_has_what_one_that_came_late_has(result):
    steps = (1, 2, 700, 701, 2_999, 3_000)
    early, late = Feed(10_000.0), Feed(10_000.0)
    for last in steps:
        early.update(cut(result.recording, last))
    late.update(cut(result.recording, 3_000))
    one, other = early.series(), late.series()
    for name in ("time", "price", "equity", "drawdown"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.buys.text == other.buys.text


def joined_late(recording, last, *, joined):
    """Return the run up to a tick as if momentum had come after tick 1,500."""
    part = Recording()
    part.add_ticks(recording.ticks_between(1, last))
    events = [event for event in recording.between_ticks() if event.seq <= last]
    attached = [event for event in events if isinstance(event, Attach) and event.id == "momentum"]
    later = [event for event in events if getattr(event, "id", "") != "momentum" or event.seq > 1_500]
    part.add([*(attached if joined else ()), *later])
    return part


def test_an_account_that_joins_is_no_gain(result):
    """The metrics count its cash from the first tick on; so do the curve, its drawdown and the fast view."""
    now, soon = (joined_late(result.recording, n, joined=n > 1_500) for n in (1_500, 1_600))
    feed, late = Feed(10_000.0), Feed(10_000.0)
    feed.update(now)
    messages = PointMessages(feed, 5_000)
    assert messages.append().header["kind"] == "snapshot"
    assert feed.series().equity[0] == 10_000.0
    feed.update(soon)
    late.update(soon)
    assert feed.series().equity[0] == 20_000.0
    np.testing.assert_array_equal(feed.series().equity, late.series().equity)
    np.testing.assert_array_equal(feed.series().drawdown, late.series().drawdown)
    assert messages.append().header["kind"] == "snapshot"  # what was sent before holds no longer
    assert messages.append() is None


def test_a_line_is_called_by_its_strategy_only_where_two_draw():
    """A manual order, or a strategy that draws nothing, opens an account and leaves the legend alone."""
    recording = evaluate(["buy_and_hold", "random_trader"], seed=1, ticks=5, isolate=False).recording
    recording.plots = [Plot(seq=2, id="buy_and_hold", values={"z": 1.0})]
    feed = Feed(10_000.0)
    feed.update(recording)
    assert feed.labels() == ["z"]
    recording.plots.append(Plot(seq=3, id="random_trader", values={"z": 2.0}))
    feed.update(recording)
    assert feed.labels() == list(feed.series().lines) == ["buy_and_hold: z", "random_trader: z"]


def test_a_window_is_the_end_of_the_whole(result):
    feed = Feed(10_000.0)
    feed.update(result.recording)
    whole, window = feed.series(), feed.series(2_000, window=500)
    assert window.first == 1_501
    np.testing.assert_array_equal(window.equity, whole.equity[1_500:2_000])
    assert set(window.sells.text) <= set(whole.sells.text)
    assert all(window.time[0] <= t <= window.time[-1] + 1.0 for t in window.buys.time)


def test_lines_have_gaps_where_nothing_was_drawn():
    recording = evaluate("buy_and_hold", seed=1, ticks=5, isolate=False).recording
    recording.plots = [
        Plot(seq=2, id="a", values={"z": 1.0}),
        Plot(seq=4, id="a", values={"z": None, "y": 2.0}),
    ]
    feed = Feed(10_000.0)
    feed.update(recording)
    lines = feed.series().lines
    np.testing.assert_array_equal(lines["z"], [math.nan, 1.0, math.nan, math.nan, math.nan])
    np.testing.assert_array_equal(lines["y"], [math.nan, math.nan, math.nan, 2.0, math.nan])


def test_what_people_did_is_marked():
    recording = evaluate("buy_and_hold", seed=1, ticks=9, isolate=False).recording
    recording.members = [
        Attach(seq=1, id="a", version=1, code="0"),
        Version(seq=5, id="a", version=2, code="1"),
    ]
    recording.controls = [
        Control(seq=3, action="pause"),
        Control(seq=4, action="set", key="model.sigma", value=0.4),
    ]
    feed = Feed(10_000.0)
    feed.update(recording)
    marks = feed.series().marks
    assert [(mark.kind, mark.text) for mark in marks] == [
        ("set", "model.sigma = 0.4"),
        ("reload", "a: version 2"),
    ]
    assert marks[0].time == pytest.approx(recording.time[3] * 1e-9)


def test_thinning_keeps_the_ends_and_the_extremes(result):
    feed = Feed(10_000.0)
    feed.update(result.recording)
    series = feed.series()
    keep = thinned(series, 300)
    assert len(keep) <= 310
    assert (keep[0], keep[-1]) == (0, 2_999)
    assert series.price[keep].min() == series.price.min()
    assert series.price[keep].max() == series.price.max()
    np.testing.assert_array_equal(thinned(series, 5_000), np.arange(3_000))


def test_a_figure_has_the_same_traces_whatever_it_shows(result):
    feed = Feed(10_000.0)
    feed.update(result.recording)
    full, empty = traces(feed.series(), LIGHT), traces(feed.series(10), LIGHT)
    assert [trace["type"] for trace in full] == [trace["type"] for trace in empty]
    figure = run_figure(feed.series(), DARK, title="two strategies")
    equity = next(trace for trace in figure.data if trace.name == "equity")
    assert equity.y[-1] == feed.series().equity[-1]
    assert figure.layout.paper_bgcolor == DARK.ground


def luminance(colour):
    """Return the relative luminance of WCAG 2.1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_is_drawn_can_be_seen(theme):
    """WCAG asks for a contrast of 4.5 for text and 3 for graphics."""
    colours = palette(theme)
    ground = luminance(colours.ground)

    def contrast(colour):
        low, high = sorted((ground, luminance(colour)))
        return (high + 0.05) / (low + 0.05)

    assert min(contrast(colours.text), contrast(colours.muted)) >= 4.5
    drawn = (colours.price, colours.buy, colours.sell, colours.equity, colours.loss, colours.mark)
    assert min(map(contrast, drawn)) >= 3.0


def test_numbers_are_written_for_people():
    assert numbers.money(-1234.5) == "\N{MINUS SIGN}1,234.50"
    assert numbers.signed_money(12.3) == "+12.30"
    assert numbers.percent(0.1254) == "12.5 %"
    assert numbers.ratio(1.2, 0.314) == "1.20 ± 0.31"
    assert numbers.ratio(math.nan) == numbers.NOTHING
    assert numbers.quantity(-0.5) == "\N{MINUS SIGN}0.5"
    assert numbers.quantity(1_000.0) == "1,000"
    assert numbers.clock(125.34) == "02:05.3"
    assert numbers.clock(3_725.0) == "1:02:05.0"
