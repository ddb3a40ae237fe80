"""The pump: newest frames of a source, until it is told to stop, and never in silence."""

from __future__ import annotations

import queue
import threading
import time

import ipywidgets
import numpy as np
import pytest

import algosim
from algosim.board import pump as pump_module
from algosim.board.pump import Pump
from algosim.config import Config
from algosim.core.market import Ticks
from algosim.runs.recording import Recording

SOON_S = 10.0


class Source:
    """A run that grows as the test says."""

    def __init__(self):
        self.run_id = "one"
        self.recording = Recording()
        self.config = Config()
        self.status = {"state": "running", "tick": 0}

    def add(self, count):
        first = len(self.recording) + 1
        numbers = np.arange(first, first + count)
        self.recording.add_ticks(Ticks(first, numbers * 1_000_000_000, 100.0 + numbers % 7, np.zeros(count)))

    def begin(self, run_id):
        self.run_id, self.recording = run_id, Recording()
        self.status = {"state": "running", "tick": 0}


class Frames(queue.Queue):
    """The frames that came, as a refresh callback."""

    def __call__(self, frame):
        self.put(frame)

    def until(self, wanted):
        """Return the first frame, now or to come, that is so."""
        deadline = time.monotonic() + SOON_S
        while time.monotonic() < deadline:
            frame = self.get(timeout=SOON_S)
            if wanted(frame):
                return frame
        raise TimeoutError

    def or_nothing(self):
        """Return the next frame, or None if none comes for a second."""
        try:
            return self.get(timeout=1.0)
        except queue.Empty:
            return None


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def running():
    """Make pumps that are stopped afterwards."""
    made = []

    def make(source, refresh, **more):
        made.append(Pump(source, refresh, **more))
        made[-1].start()
        return made[-1]

    yield make
    for pump in made:
        pump.stop()


def test_frames_have_all_that_was_recorded(source, running):
    frames = Frames()
    running(source, frames)
    for count in (1, 5, 200):
        source.add(count)
        last = frames.until(lambda frame: frame.feed.ticks == len(source.recording))
    assert last.phase == "live"
    np.testing.assert_array_equal(last.feed.series().price, source.recording.price)


def test_a_slow_view_gets_the_newest_and_not_all_between(source, running):
    entered, go, seen = threading.Event(), threading.Event(), Frames()

    def slow(frame):
        seen(frame.feed.ticks)
        entered.set()
        assert go.wait(SOON_S)

    source.add(1)
    running(source, slow)
    assert entered.wait(SOON_S)
    for _ in range(100):
        source.add(1)
    go.set()
    assert (seen.get(timeout=SOON_S), seen.get(timeout=SOON_S)) == (1, 101)


def test_no_more_frames_than_the_settings_allow(source, running):
    frames = Frames()
    pump = running(source, frames)
    times = []
    while len(times) < 12:
        source.add(1)
        frames.until(lambda _: True)
        times.append(time.monotonic())
    assert pump.phase == "live"
    assert times[-1] - times[0] >= 0.9 * 11 / source.config.ui.throttle_fps


def test_a_quiet_market_has_a_heartbeat_only(source, running, monkeypatch):
    monkeypatch.setattr(pump_module, "LINGER_S", 0.2)
    monkeypatch.setattr(pump_module, "HEARTBEAT_S", 0.5)
    source.add(3)
    frames = Frames()
    running(source, frames)
    frames.until(lambda frame: frame.feed.ticks == 3)
    times = []
    for _ in range(7):
        frames.until(lambda _: True)
        times.append(time.monotonic())
    gaps = np.diff(times)[-2:]
    assert (gaps > 0.8 * pump_module.HEARTBEAT_S).all()


def test_the_last_frames_say_that_the_run_is_over_and_another_run_begins_afresh(source, running, monkeypatch):
    monkeypatch.setattr(pump_module, "LINGER_S", 0.2)
    monkeypatch.setattr(pump_module, "HEARTBEAT_S", 0.2)
    frames = Frames()
    pump = running(source, frames)
    source.add(10)
    source.status = {"state": "finished", "tick": 10}
    over = frames.until(lambda frame: frame.phase == "over")
    assert over.feed.ticks == 10
    assert {frame.phase for frame in iter(frames.or_nothing, None)} <= {"over"}
    source.begin("two")
    source.add(4)
    fresh = frames.until(lambda frame: frame.phase == "live" and frame.feed.ticks == 4)
    assert fresh.feed is not over.feed
    assert pump.phase == "live"


def test_stop_says_so_and_start_goes_on(source, running):
    frames = Frames()
    pump = running(source, frames)
    source.add(2)
    frames.until(lambda frame: frame.feed.ticks == 2)
    pump.stop()
    assert pump.phase == "stopped"
    last = frames.until(lambda frame: frame.phase == "stopped")
    assert (last.feed.ticks, last.error, pump.error) == (2, "", "")
    source.add(2)
    pump.start()
    assert frames.until(lambda frame: frame.feed.ticks == 4).phase == "live"


def test_starting_twice_is_once(source, running):
    frames = Frames()
    pump = running(source, frames)
    before = threading.active_count()
    pump.start()
    assert threading.active_count() == before
    source.add(1)
    frames.until(lambda frame: frame.feed.ticks == 1)


def test_a_cell_run_again_replaces_the_pump_of_before(source, running):
    old, new = Frames(), Frames()
    first = running(source, old)
    old.until(lambda frame: frame.phase == "live")
    second = running(source, new)
    assert old.until(lambda frame: frame.phase == "stopped").error == ""
    source.add(3)
    new.until(lambda frame: frame.feed.ticks == 3)
    assert (first.phase, second.phase) == ("stopped", "live")
    assert old.empty()


def test_pumps_of_two_markets_leave_each_other_alone(running):
    sources, frames = (Source(), Source()), (Frames(), Frames())
    pumps = [running(source, seen) for source, seen in zip(sources, frames, strict=True)]
    for count, source, seen in zip((2, 3), sources, frames, strict=True):
        source.add(count)
        seen.until(lambda frame, count=count: frame.feed.ticks == count)
    assert [pump.phase for pump in pumps] == ["live", "live"]


def test_what_goes_wrong_is_told_in_a_last_frame(source, running):
    frames = Frames()

    def refresh(frame):
        frames(frame)
        if frame.phase != "stopped":
            raise ValueError("no such colour")

    pump = running(source, refresh)
    last = frames.until(lambda frame: frame.phase == "stopped")
    assert last.error == pump.error == "ValueError: no such colour"


def test_a_view_that_can_show_nothing_ends_the_pump_all_the_same(source, running):
    called = threading.Event()

    def refresh(_frame):
        called.set()
        raise OSError("gone")

    pump = running(source, refresh)
    assert called.wait(SOON_S)
    pump.stop()
    assert (pump.phase, pump.error) == ("stopped", "OSError: gone")


def test_closing_the_widget_ends_its_pump(source, running):
    owner, frames = ipywidgets.HTML(), Frames()
    pump = running(source, frames, closed=lambda: owner.comm is None)
    frames.until(lambda frame: frame.phase == "live")
    owner.close()
    deadline = time.monotonic() + SOON_S
    while pump.phase != "stopped" and time.monotonic() < deadline:
        frames.get(timeout=SOON_S) if not frames.empty() else threading.Event().wait(0.01)
    assert pump.phase == "stopped"


def test_a_market_that_has_not_started_keeps_its_feed(running):
    frames = Frames()
    running(algosim.Simulation("buy_and_hold", seed=1), frames)
    feeds = {id(frames.until(lambda frame: frame.status["state"] == "new").feed) for _ in range(5)}
    assert len(feeds) == 1


@pytest.mark.live
def test_it_follows_a_market_while_the_cell_is_busy(running, tmp_path):
    frames = Frames()
    with algosim.Simulation("sma_crossover", seed=3, speed="max", out=tmp_path / "one") as sim:
        running(sim, frames)
        sim.run_until(ticks=len(sim.recording) + 2_000)
        shown = frames.until(lambda frame: frame.feed.ticks == len(sim.recording))
        np.testing.assert_array_equal(shown.feed.series().equity, sim.equity["total"].to_numpy())
        before = sim.run_id
        sim.stop()
        frames.until(lambda frame: frame.phase == "over")
        assert sim.run_id == before
