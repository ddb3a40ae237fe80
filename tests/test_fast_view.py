"""A page that is sent a snapshot and then appends has what the feed has, however the market went on."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from algosim.charts import fast_view
from algosim.charts.feed import Feed
from algosim.charts.palette import DARK
from algosim.charts.point_messages import BEAT, ENDED, PointMessages, is_beside
from algosim.core.market import Ticks
from algosim.events import Attach, Control, Detach, Plot, Version
from algosim.runs.evaluate import evaluate
from algosim.runs.recording import Recording

TICKS = 1_500


@pytest.fixture(scope="module")
def recording():
    """Return a run of two strategies with lines that begin, end and have gaps, and with interventions."""
    whole = evaluate(["sma_crossover", "mean_reversion"], seed=5, ticks=TICKS, isolate=False).recording
    price = whole.price
    plots = []
    for tick in range(1, TICKS + 1):
        values = {"slow": float(price[tick - 1]) + 1.0 if tick >= 50 else None}
        if tick % 7:
            values["score"] = 0.01 * tick
        plots.append(Plot(seq=tick, id="sma_crossover", values=values))
        if 400 <= tick < 700:
            plots.append(Plot(seq=tick, id="mean_reversion", values={"band": float(price[tick - 1])}))
    whole.plots = plots
    whole.members = [
        *whole.members,
        Version(seq=333, id="sma_crossover", version=2, code="1"),
        Detach(seq=901, id="mean_reversion", reason="ValueError", last_ack=900),
        Attach(seq=950, id="mean_reversion", version=2, code="2"),
    ]
    whole.controls = [
        Control(seq=200, action="set", key="model.sigma", value=0.4),
        Control(seq=1_000, action="set", key="model.kappa", value=0.1),
    ]
    return whole


class Market:
    """A recording that grows as a live one does; what is done in a pause comes before the next tick."""

    def __init__(self, whole):
        self.recording = Recording()
        self._whole = whole
        self._events = whole.between_ticks()

    def run_to(self, tick, paused=False):
        first = len(self.recording) + 1
        if tick >= first:
            self.recording.add_ticks(self._whole.ticks_between(first, tick))
        kinds = (Control, Version) if paused else ()
        due = [e for e in self._events if e.seq <= tick or (e.seq == tick + 1 and isinstance(e, kinds))]
        self._events = [event for event in self._events if event not in due]
        self.recording.add(due)


class Reader:
    """What a page makes of messages, as the messages' description says; the window is applied when asked."""

    def receive(self, message):
        header = message.header
        if header["kind"] == "snapshot":
            self.window, self.first, self.n = header["window"], header["first"], 0
            self.columns, self.trades, self.marks = {}, [], []
        assert header["first"] == self.first + self.n
        rows = np.frombuffer(message.numbers, "<f8").reshape(-1, header["count"])
        names = ["time", "price", "equity", "peak", *(label for label, *_ in header["lines"])]
        assert len(rows) == len(names)
        for name, row in zip(names, rows, strict=True):
            before = self.columns.get(name, np.full(0, np.nan))
            gap = np.full(self.n - len(before), np.nan)
            self.columns[name] = np.concatenate([before, gap, row])
        self.n += header["count"]
        self.trades += [tuple(trade) for trade in header["trades"]]
        self.marks += [tuple(mark) for mark in header["marks"]]

    def shown(self):
        start = max(0, self.n - self.window)
        first = self.first + start
        columns = {}
        for name, values in self.columns.items():
            whole = np.concatenate([values, np.full(self.n - len(values), np.nan)])[start:]
            if not np.isnan(whole).all():
                columns[name] = whole.tolist()
        trades = sorted(trade for trade in self.trades if trade[0] >= first)
        return first, columns, trades, sorted(mark for mark in self.marks if mark[0] >= first)


STEPS = (3, 40, 49, 50, 57, 199, 199, 200, 332, 333, 600, 601, 999, 1_000, 1_499, 1_500)


def follow(recording, window, steps=STEPS):
    """Yield the feed and each message, with pauses before interventions."""
    market, feed = Market(recording), Feed(10_000.0)
    messages = PointMessages(feed, window)
    for step in steps:
        market.run_to(step, paused=True)
        feed.update(market.recording)
        yield feed, messages.append()


@pytest.mark.parametrize("window", [5, 500, 10_000])
def test_a_snapshot_and_appends_are_one_later_snapshot(recording, window):
    reader = Reader()
    kinds = []
    for feed, message in follow(recording, window):
        if message is None:
            continue
        kinds.append(message.header["kind"])
        json.dumps(message.header, allow_nan=False)
        reader.receive(message)
        late = Reader()
        late.receive(PointMessages(feed, window).snapshot())
        np.testing.assert_equal(reader.shown(), late.shown())
    assert kinds[0] == "snapshot"
    assert len(kinds) == len(STEPS) - 1  # nothing was new when a step was taken twice
    assert "append" in kinds


def test_what_is_sent_is_what_the_feed_has(recording):
    *_, (feed, _) = follow(recording, 500)
    reader = Reader()
    reader.receive(PointMessages(feed, 500).snapshot())
    first, columns, trades, marks = reader.shown()
    series = feed.series(window=500)
    assert first == series.first == TICKS - 499
    for name in ("time", "price", "equity"):
        np.testing.assert_array_equal(columns[name], getattr(series, name))
    np.testing.assert_allclose(
        np.array(columns["equity"]) / columns["peak"] - 1.0, series.drawdown, rtol=0, atol=1e-14
    )
    lines = {name: columns[name] for name in columns if ": " in name}
    assert lines.keys() == series.lines.keys()  # the band ended before the window began
    assert len(trades) == len(series.buys.time) + len(series.sells.time) > 0
    assert len(marks) == len(series.marks)


def test_an_append_has_new_ticks_only(recording):
    sizes = [len(message.numbers) for _, message in follow(recording, 10_000, (1_000, 1_005))]
    assert sizes[1] <= 8 * 5 * 7 < sizes[0]


def test_a_reader_who_fell_behind_by_a_window_begins_anew(recording):
    kinds = [message.header["kind"] for _, message in follow(recording, 100, (200, 300, 401))]
    assert kinds == ["snapshot", "append", "snapshot"]


def test_a_line_far_from_the_price_has_a_scale_of_its_own():
    price = np.array([140.0, 100.0, 60.0, 60.5])
    assert not is_beside(np.array([np.nan, np.nan, 100.0, 90.1]), price)  # an average
    assert not is_beside(np.array([170.0, 150.0, 170.0, 200.0]), price)  # a band around it
    assert is_beside(np.array([np.nan, -1.0, 0.3, 2.0]), price)  # a score
    assert is_beside(np.array([50.0]), np.array([100.0, 100.1]))  # an index of strength


def test_an_average_is_on_the_prices_scale_whenever_it_begins():
    price = np.array([140.0, 120.0, 100.0, 60.0, 50.0])
    market = Recording()
    feed = Feed(10_000.0)
    messages = PointMessages(feed, 500)
    market.add_ticks(Ticks(1, np.arange(1, 5), price[:4], price[:4]))
    feed.update(market)
    messages.append()
    market.add_ticks(Ticks(5, np.arange(5, 6), price[4:], price[4:]))
    market.add([Plot(seq=5, id="a", values={"SMA": float(price.mean())})])
    feed.update(market)
    assert messages.append().header["lines"] == [["SMA", 0, False]]


PAGE = """
import { Points } from %s;
const points = new Points();
let asked = 0;
points.lacking = () => asked++;
for (const [header, bytes] of JSON.parse(%s)) {
  const buffer = Buffer.from(bytes, "base64");
  points.receive(header, new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength));
}
const lines = Object.fromEntries([...points.lines].map(([label, line]) => [label, line.values]));
const { first, time, price, equity, peak, trades, marks, ended } = points;
console.log(JSON.stringify({ first, time, price, equity, peak, lines, trades, marks, ended, asked,
  at: marks.map((mark) => points.timeOf(mark)) }));
"""


def in_page(messages):
    """Return what the page's own code makes of messages."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine")
    sent = json.dumps([(header, base64.b64encode(numbers).decode()) for header, numbers in messages])
    source = (Path(fast_view.__file__).with_name("points.js")).as_uri()
    script = PAGE % (json.dumps(source), json.dumps(sent))
    command = [node, "--input-type=module", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("window", [500, 10_000])
def test_the_page_keeps_what_the_feed_has(recording, window):
    sent = list(follow(recording, window))
    feed = sent[-1][0]
    page = in_page([message for _, message in sent if message is not None])
    series = feed.series(window=window)
    assert page["first"] == series.first
    for name in ("time", "price", "equity"):
        assert page[name] == getattr(series, name).tolist()
    lines = {label: [None if np.isnan(v) else v for v in line] for label, line in series.lines.items()}
    assert page["lines"] == lines
    trades = sorted((trade["time"], trade["price"], trade["text"]) for trade in page["trades"])
    assert trades == sorted(zip(*(a + b for a, b in zip(*listed(series), strict=True)), strict=True))
    assert page["at"] == [mark.time for mark in series.marks]
    assert page["asked"] == 0


def listed(series):
    return [(side.time.tolist(), side.price.tolist(), side.text) for side in (series.buys, series.sells)]


def test_a_page_that_missed_ticks_asks_and_draws_no_line_across(recording):
    messages = [message for _, message in follow(recording, 10_000, (100, 200, 300, 305))]
    page = in_page([messages[0], messages[2], messages[3]])
    assert page["asked"] == 1
    assert (page["first"], len(page["time"])) == (201, 105)


def test_a_page_takes_no_tick_twice_and_knows_the_end(recording):
    messages = [message for _, message in follow(recording, 10_000, (100, 200))]
    page = in_page([*messages, messages[1], BEAT, ENDED])
    assert (len(page["time"]), page["ended"], page["asked"]) == (200, True, 0)


# The widget


@pytest.fixture
def view(monkeypatch):
    pytest.importorskip("anywidget", reason="anywidget is not installed: pip install 'algosim[lab]'")
    from algosim.notebook.fast_view import FastView  # noqa: PLC0415  (needs anywidget)

    made = FastView(window=500)
    sent = []
    monkeypatch.setattr(made, "send", lambda header, buffers: sent.append((header, len(buffers[0]))))
    made.sent = sent
    return made


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    made = Clock()
    monkeypatch.setattr("algosim.notebook.fast_view.time", made)
    return made


def hello(view):
    """Say what a page says when it listens."""
    data = {"method": "custom", "content": {"kind": "hello"}}
    view.comm.handle_msg({"content": {"data": data}, "buffers": []})


def kinds(view):
    return [header["kind"] for header, _ in view.sent]


@pytest.fixture
def market(recording):
    made = Market(recording)
    made.run_to(100)
    return made


@pytest.fixture
def feed(market):
    made = Feed(10_000.0)
    made.update(market.recording)
    return made


def test_a_view_sends_what_is_new_and_beats_when_nothing_is(view, clock, market, feed):
    assert view.draw(feed)
    hello(view)
    assert not view.draw(feed)
    market.run_to(110)
    feed.update(market.recording)
    assert view.draw(feed)
    clock.now += 0.9
    assert view.draw(feed)
    assert kinds(view) == ["snapshot", "snapshot", "append", "beat"]


def test_until_a_page_says_hello_the_snapshot_is_repeated_ever_less_often(view, clock, feed):
    times = []
    for _ in range(300):
        before = kinds(view).count("snapshot")
        view.draw(feed)
        if kinds(view).count("snapshot") > before:
            times.append(clock.now - 100.0)
        clock.now += 0.125
    gaps = np.diff(times)
    assert times[:2] == [0.0, 0.5]
    assert list(gaps) == sorted(gaps)
    assert max(gaps) == 5.0
    hello(view)
    before = kinds(view).count("snapshot")
    for _ in range(100):
        view.draw(feed)
        clock.now += 0.125
    assert kinds(view).count("snapshot") == before


def test_another_feed_and_another_window_begin_anew(view, feed, recording):
    view.draw(feed)
    hello(view)
    other = Feed(10_000.0)
    other.update(recording)
    view.draw(other)
    view.window = 50
    view.draw(other)
    firsts = [(header["first"], header["window"]) for header, _ in view.sent]
    assert firsts == [(1, 500), (1, 500), (1_001, 500), (1_451, 50)]


def test_a_view_that_has_ended_says_so_also_to_pages_that_come_later(view, feed):
    view.draw(feed)
    view.end()
    view.end()
    hello(view)
    assert kinds(view) == ["snapshot", "ended", "snapshot", "ended"]
    assert view.draw(feed)
    assert kinds(view)[-1] == "snapshot"


def test_a_closed_view_is_drawn_no_more_and_may_be_closed_again(view, feed):
    view.draw(feed)
    view.close()
    assert view.comm is None
    view.draw(feed)
    view.close()
    assert kinds(view)[:2] == ["snapshot", "ended"]


def test_a_page_may_come_before_anything_is_drawn(view):
    hello(view)
    assert view.sent == []


def test_a_view_is_shown_by_the_same_words_always(view):
    assert repr(view) == "FastView()"
    assert "Leon Sorokin" in view.get_state()["_esm"]


def test_both_palettes_travel_with_the_snapshot(feed):
    look = PointMessages(feed, 10).snapshot().header["look"]
    assert look["dark"]["ground"] == DARK.ground
    assert look.keys() == {"light", "dark"}
