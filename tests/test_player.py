"""Playback: at every position it is the run as it had been recorded until then, at any pace, to and fro."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest

from algosim.errors import ConfigError, RunError
from algosim.runs.evaluate import evaluate
from algosim.runs.figures import run_metrics
from algosim.runs.player import Player
from algosim.runs.saved_events import read_events
from algosim.settings import load
from tests.live_markets import fails
from tests.recorded import Script, curious, record, times

LAST = 120
LATENCY = 400_000_000
KINDS = ("orders", "fills", "snapshots", "controls", "members", "plots", "logs")


def script(workspace):
    """Two strategies, one of which is reloaded, fails, comes back and leaves; orders by hand; pauses."""
    config = load({"execution": {"latency_ms": 400}, "schedule": {"dt_mean_ms": 100, "speed": 2.0}})
    told = Script(config, 7, LAST)
    told.set(30, "model.sigma", 0.5)
    told.pace(40, "pause")
    told.pace(40, "resume")
    told.pace(41, "speed", 4.0)
    told.controls[-1].key = "schedule.speed"
    told.set(LAST + 1, "execution.commission_bps", 99.0)
    time = times(told)
    first, second = (curious(workspace / f"v{n}", "a", every=n) for n in (3, 4))
    told.attach(1, "a", first)
    told.attach(1, "b", curious(workspace / "other", "b", every=2))
    told.order(20, "SELL", 1.5, due=time[19] + LATENCY)
    told.reload(51, "a", second, size=2.0)
    told.detach(70, "a")
    told.attach(80, "a", first)
    told.order(90, "BUY", 2.0, due=time[89] + LATENCY, id="raw", origin="wire")
    told.remove(100, "b")
    told.ends_at = time[LAST] + 1_000_000
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("workspace")
    folder = workspace / "runs" / "session"
    record(script(workspace).session(), folder)
    return folder


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("workspace")
    folder = workspace / "runs" / "crashed"
    record(script(workspace).session(), folder, crash=True)
    return folder


@pytest.fixture(scope="module")
def prefixes(folder, tmp_path_factory):
    """The run as its file was after each block."""
    path = tmp_path_factory.mktemp("cut") / "events.jsonl"
    read = []
    lines = []
    for line in (folder / "events.jsonl").read_bytes().splitlines(keepends=True):
        lines.append(line)
        if b'"end":true' in line:
            path.write_bytes(b"".join(lines))
            read.append(read_events(path).recording)
    assert len(read) == LAST + 2  # before the first tick, and the end
    return read


class Clock:
    """A wall clock that is set by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def plain(events):
    """Return what events say; which one closes a block is left out, as plots do not keep it."""
    return [{**msgspec.structs.asdict(event), "end": None} for event in events]


def same(recording, expected):
    assert recording.start == expected.start
    assert recording.end == expected.end
    for name in ("time", "price", "x"):
        np.testing.assert_array_equal(getattr(recording, name), getattr(expected, name), err_msg=name)
    for name in KINDS:
        assert plain(getattr(recording, name)) == plain(getattr(expected, name)), name


class TestPlace:
    def test_every_tick_shows_what_had_been_recorded(self, folder, prefixes):
        player = Player(folder)
        first = player.recording
        for tick in range(LAST + 1):
            assert player.seek(tick=tick).tick == tick
            same(player.recording, prefixes[tick])
        assert player.recording is first
        player.seek(time=player.duration)
        assert player.recording is first
        same(first, prefixes[-1])

    def test_anywhere_to_anywhere(self, folder, prefixes):
        player, order = Player(folder), list(range(LAST + 1)) * 2
        random.Random(5).shuffle(order)
        before = player.recording
        for tick in order:
            came_from = len(before)
            now = player.seek(tick=tick).recording
            same(now, prefixes[tick])
            assert (now is before) == (tick >= came_from)
            before = now

    def test_a_time_shows_the_ticks_up_to_it(self, folder, prefixes):
        player, time = Player(folder), prefixes[-1].time
        for goal in (0.0, 1.0, 3.21, 7.5):
            player.seek(time=goal)
            assert player.tick == int(np.sum(time <= goal * 1e9))
            assert player.position == pytest.approx(goal)
            same(player.recording, prefixes[player.tick])
        assert player.seek(time="2s").position == 2.0

    def test_the_end_is_the_run(self, folder):
        player = Player(folder, speed="max").play()
        assert player.recording.digest == (folder / "digest.txt").read_text().strip()
        assert player.state == "finished"
        saved = msgspec.json.decode((folder / "metrics.json").read_bytes())
        for name, figures in player.metrics.items():
            for key, value in figures.items():
                wanted = saved[name][key]
                assert value == wanted or (wanted is None and value != value), (name, key)

    def test_back_from_the_end_there_is_no_end(self, folder, prefixes):
        player = Player(folder)
        player.seek(time=player.duration)
        assert player.recording.end is not None
        player.seek(tick=LAST - 1)
        same(player.recording, prefixes[LAST - 1])

    def test_metrics_are_those_of_the_part(self, folder, prefixes):
        player = Player(folder).seek(tick=77)
        expected = run_metrics(prefixes[77], player.config)
        assert repr(player.metrics) == repr(expected)
        assert len(player.trades) == len(prefixes[77].fills)

    def test_what_is_not_there_is_refused(self, folder):
        player = Player(folder)
        fails(ConfigError, lambda: player.seek(tick=LAST + 1), f"no tick {LAST + 1}", f"its last is {LAST}")
        fails(ConfigError, lambda: player.seek(tick=-1), "no tick -1")
        fails(ConfigError, lambda: player.seek(time="1h"), "no 3600 s", "ends at")
        fails(ConfigError, lambda: player.seek(), "seek(tick=...)")
        fails(ConfigError, lambda: player.seek(tick=1, time=1.0), "seek(tick=...)")
        fails(ConfigError, lambda: Player(folder, speed=-1), "speed")
        fails(RunError, lambda: Player(folder / "nothing"), "no run")
        assert player.tick == 0


class TestPace:
    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def player(self, folder, clock):
        return Player(folder, speed=2.0, clock=clock)

    def test_time_passes_at_its_speed(self, player, clock):
        clock.now += 0.5
        assert (player.position, player.state) == (0.0, "paused")
        player.play()
        clock.now += 0.5
        assert player.position == pytest.approx(1.0)
        player.speed = 0.5
        clock.now += 0.5
        assert player.position == pytest.approx(1.25)
        player.pause()
        clock.now += 0.5
        assert (player.position, player.state) == (pytest.approx(1.25), "paused")

    def test_it_comes_to_the_end_and_stays_there(self, player, clock, prefixes):
        player.play()
        looks = 0
        while player.state == "playing":
            same(player.recording, prefixes[player.tick])
            clock.now += 0.05
            looks += 1
        assert looks == pytest.approx(player.duration / 2.0 / 0.05, abs=2)
        clock.now += 0.5
        assert (player.position, player.state) == (player.duration, "finished")
        same(player.recording, prefixes[-1])

    def test_a_stall_is_not_made_up_for(self, player, clock):
        player.play()
        clock.now += 3600.0  # the lid was closed
        assert player.position == pytest.approx(2.0)
        clock.now += 0.1
        assert player.position == pytest.approx(2.2)

    def test_seeking_plays_on(self, player, clock):
        player.play().seek(time=1.0)
        clock.now += 0.25
        assert player.position == pytest.approx(1.5)
        assert player.state == "playing"

    def test_playing_at_the_end_begins_anew(self, player, clock, prefixes):
        player.seek(time=player.duration)
        whole = player.recording
        player.play()
        assert (player.position, player.state) == (0.0, "playing")
        assert player.recording is not whole
        same(player.recording, prefixes[0])
        clock.now += 0.25
        assert player.position == pytest.approx(0.5)

    def test_a_step_shows_ticks_and_pauses(self, player):
        assert player.play().step().tick == 1
        assert player.step(10).tick == 11
        assert player.state == "paused"
        assert player.seek(tick=LAST - 1).step(5).tick == LAST

    def test_without_a_speed_it_is_the_runs(self, folder, tmp_path):
        assert Player(folder).speed == 2.0
        evaluate("buy_and_hold", seed=1, ticks=5, settings={"schedule.speed": "max"}, out=tmp_path / "run")
        assert Player(tmp_path / "run").speed == 1.0

    def test_the_rate_is_what_is_shown(self, player, prefixes):
        player.seek(time=4.0).play()
        time = prefixes[-1].time * 1e-9
        assert player.status["ticks_per_s"] == np.sum((time > 2.0) & (time <= 4.0))
        assert player.pause().status["ticks_per_s"] == 0.0


class TestStanding:
    def test_strategies_are_as_they_were(self, folder):
        player = Player(folder)

        def at(tick):
            return player.seek(tick=tick).status["strategies"]

        assert at(0) == {}
        assert {name: books["version"] for name, books in at(50).items()} == {"a": 1, "b": 1}
        assert (at(51)["a"]["version"], at(51)["a"]["params"]) == (2, {"size": 2.0})
        assert (at(71)["a"]["state"], at(71)["a"]["error"]["message"]) == ("failed", "killed")
        assert (at(80)["a"]["state"], at(80)["a"]["error"], at(80)["a"]["version"]) == ("trading", None, 3)
        assert at(100)["b"]["state"] == "removed"

    @pytest.mark.parametrize("tick", [0, 19, 35, 60, 95, LAST])
    def test_books_add_up(self, folder, prefixes, tick):
        status, part = Player(folder).seek(tick=tick).status, prefixes[tick]
        books = status["strategies"] | status["accounts"]
        assert set(books) == set(part.accounts())
        for name, account in books.items():
            fills = [fill for fill in part.fills if fill.id == name]
            orders = [order for order in part.orders if order.id == name]
            signed = [event.qty if event.side == "BUY" else -event.qty for event in orders]
            assert account["position"] == (fills[-1].position if fills else 0.0)
            assert account["cash"] == (fills[-1].cash if fills else 10_000.0)
            assert account["realized"] == pytest.approx(sum(fill.realized for fill in fills))
            assert account["position"] + account["pending"] == pytest.approx(sum(signed))

    def test_settings_are_as_they_were(self, folder):
        player = Player(folder)
        assert player.seek(tick=29).config.model.sigma == 0.2
        assert player.seek(tick=30).config.model.sigma == 0.5
        assert player.seek(tick=41).config.schedule.speed == 4.0
        assert player.seek(tick=60).config.strategies["a"].params == {"size": 2.0}
        assert player.seek(tick=20).config.model.sigma == 0.2
        assert player.seek(time=player.duration).config.execution.commission_bps == 99.0

    def test_the_timeline_has_what_was_done(self, folder):
        player = Player(folder)
        assert [(done.tick, done.kind, done.text) for done in player.timeline] == [
            (20, "order", "manual: SELL 1.5"),
            (30, "set", "model.sigma = 0.5"),
            (40, "pace", "pause"),
            (40, "pace", "resume"),
            (41, "pace", "schedule.speed = 4.0"),
            (51, "reload", "a: version 2"),
            (71, "fail", "a stopped: killed"),
            (80, "add", "a joins"),
            (90, "order", "raw: BUY 2"),
            (100, "remove", "b leaves"),
            (LAST + 1, "set", "execution.commission_bps = 99.0"),
        ]
        for done in player.timeline[:-1]:
            assert player.seek(time=done.time).tick == done.tick
        assert player.timeline[-1].time == player.duration

    def test_its_status_has_what_a_markets_has(self, folder, market):
        sim = market("buy_and_hold", ticks=3)
        assert set(sim.status) == set(Player(folder).status)


class TestCrashed:
    def test_it_ends_where_the_record_does(self, crashed):
        player = Player(crashed)
        assert player.last_tick == LAST
        player.seek(tick=LAST)
        assert player.state == "crashed"
        assert player.status["reason"] == "the run has no end"
        assert player.recording.end is None
        assert player.seek(tick=LAST - 1).state == "paused"

    def test_a_torn_block_is_left_out_and_said(self, crashed, tmp_path):
        torn = tmp_path / "torn"
        torn.mkdir()
        for name in ("config.yaml", "provenance.json"):
            (torn / name).write_bytes((crashed / name).read_bytes())
        whole = (crashed / "events.jsonl").read_bytes()
        (torn / "events.jsonl").write_bytes(whole[: len(whole) * 2 // 3])
        player = Player(torn)
        assert 0 < player.last_tick < LAST
        assert "dropped" in player.note
        assert player.seek(tick=player.last_tick).state == "crashed"

    def test_a_run_of_which_nothing_but_the_start_is_left(self, crashed, tmp_path):
        bare = tmp_path / "bare"
        bare.mkdir()
        (bare / "config.yaml").write_bytes((crashed / "config.yaml").read_bytes())
        first = (crashed / "events.jsonl").read_bytes().split(b"\n")[0]
        (bare / "events.jsonl").write_bytes(first + b"\n")
        player = Player(bare).play()
        assert (player.last_tick, player.duration, player.state) == (0, 0.0, "crashed")
        assert len(player.recording) == 0
        assert player.metrics == {}
        assert player.timeline == []


@pytest.mark.live
def test_a_run_that_goes_on_plays_what_there_is(market):
    sim = market("sma_crossover", speed=20).start().wait(ticks=20)
    player = Player(sim.folder)
    assert player.last_tick >= 20
    player.seek(time=player.duration)
    assert player.state == "finished"
    assert "goes on" in player.status["reason"]
    there = sim.wait(ticks=player.last_tick + 5).recording
    np.testing.assert_array_equal(player.recording.price, there.price[: player.last_tick])
