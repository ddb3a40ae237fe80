"""The page's sidebar without a browser: its widgets are used as in Streamlit's tests, the market obeys."""

from __future__ import annotations

import re
import textwrap
from functools import partial

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from algosim import evaluate
from algosim.board.setting_knobs import GROUPS
from algosim.page import mount, script, session
from algosim.page.roles import fresh_access
from algosim.page.session import Session
from algosim.runs.player import Player
from tests.live_markets import kill, save, until

pytestmark = pytest.mark.live

PATIENCE_S = 60.0
STAGE = mount.STAGE / "component.js"


@pytest.fixture
def page():
    """Open the page of a source, as somebody with the token of a role has it."""

    def page(source, role="drive"):
        opened = Session(source, fresh_access())
        session.install(opened)
        test = AppTest.from_file(script.__file__, default_timeout=PATIENCE_S)
        if role is not None:
            test.query_params["token"] = getattr(opened.access, role)
        test.run()
        assert not test.exception
        return test

    yield page
    session.install(None)


def widget(page, kind, key):
    """Return a widget by its key, or the one that has taken its place as its value changed elsewhere."""
    found = [each for each in getattr(page, kind) if re.fullmatch(rf"{re.escape(key)}( v\d+)?", each.key)]
    assert len(found) == 1, f"{len(found)} {kind} {key}"
    return found[0]


def press(page, key):
    """Press a button that can be pressed; the error that is shown then, if any."""
    button = page.button(key=key)
    assert not button.disabled, key
    button.click().run()
    return told(page)


def told(page):
    assert not page.exception
    assert len(page.error) <= 1
    return page.error[0].value if page.error else ""


def choose(page, kind, key, value):
    """Use a widget; return the error that is shown then."""
    widget(page, kind, key).set_value(value).run()
    return told(page)


def controls(sim, key):
    return [event.value for event in sim.recording.controls if event.key == key]


def actions(sim):
    return [event.action for event in sim.recording.controls]


def field(page, name, param):
    """Return the field of a strategy's parameter."""
    fields = [*page.number_input, *page.text_input, *page.toggle]
    return next(each for each in fields if str(each.key).startswith(f"params.{name}.{param}."))


def tick(sim, at_least=1):
    return until(lambda: len(sim.recording) >= at_least, f"{at_least} ticks")


class TestTransport:
    def test_start_pause_step_resume_stop(self, market, page):
        sim = market("sma_crossover", speed=20)
        shown = page(sim)
        assert press(shown, "start") == ""
        assert tick(sim)
        shown.run()
        assert press(shown, "pause") == ""
        assert sim.state == "paused"
        before = len(sim.recording)
        widget(shown, "number_input", "ticks to a step").set_value(7).run()
        assert press(shown, "step") == ""
        until(lambda: len(sim.recording) == before + 7, "seven ticks")
        until(lambda: sim.state == "paused", "the end of the step")
        shown.run()
        assert press(shown, "resume") == ""
        assert tick(sim, before + 9)
        assert press(shown, "stop") == ""
        assert sim.state == "finished"
        assert {"pause", "resume"} <= set(actions(sim))
        assert shown.button(key="start again").label == "Start again"

    def test_reset_makes_a_fresh_run_ready_with_what_waited_for_it(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        first = sim.run_id
        assert choose(shown, "text_input", "run.seed", "7") == ""
        assert "waits for the reset" in widget(shown, "text_input", "run.seed").label
        assert choose(shown, "selectbox", "model.type", "gbm") == ""
        assert "waits for the reset" in widget(shown, "selectbox", "model.type").label
        assert press(shown, "reset") == ""
        assert sim.run_id != first
        assert (sim.config.run.seed, sim.config.model.type) == (7, "gbm")
        assert "waits" not in widget(shown, "text_input", "run.seed").label
        until(lambda: sim.status["state"] == "paused", "ready")
        shown.run()
        assert press(shown, "start") == ""
        assert tick(sim)

    def test_a_killed_engine_can_be_started_again(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        first = sim.run_id
        kill(sim.status["processes"]["simulator"])
        until(lambda: sim.state == "crashed", "the crash")
        shown.run()
        assert any(each.value.startswith(":red[run ended: ") for each in shown.caption)
        assert press(shown, "start again") == ""
        assert sim.run_id != first
        assert tick(sim)


class TestSettings:
    @pytest.mark.parametrize(
        ("kind", "key", "value"),
        [
            ("slider", "model.sigma", 0.4),
            ("slider", "model.kappa", 1.5),
            ("slider", "model.theta", -0.25),
            ("select_slider", "model.P0", 120.0),
            ("select_slider", "schedule.dt_mean_ms", 80.0),
            ("selectbox", "schedule.mode", "fixed"),
            ("slider", "execution.latency_ms", 200.0),
            ("slider", "execution.slippage_bps", 5.0),
            ("slider", "execution.commission_bps", 2.5),
            ("slider", "execution.commission_fixed", 1.0),
            ("select_slider", "schedule.speed", 50.0),
            ("select_slider", "schedule.speed", "max"),
        ],
    )
    def test_each_changes_the_run(self, market, page, kind, key, value):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        if key == "model.P0":
            value = next(each for each in widget(shown, "select_slider", key).options if float(each) > value)
            value = float(value)
        assert choose(shown, kind, key, value) == ""
        until(lambda: value in controls(sim, key), f"{key} in the events")
        section, name = key.split(".")
        assert getattr(getattr(sim.config, section), name) == value
        assert widget(shown, kind, key).value == value

    def test_only_what_counts_is_shown(self, market, page):
        sim = market("sma_crossover", settings={"model.type": "gbm", "schedule.mode": "fixed"})
        shown = page(sim)
        keys = {each.key for each in (*shown.slider, *shown.select_slider)}
        assert {"model.mu", "schedule.dt_fixed_ms"} <= keys
        assert not {"model.kappa", "model.theta", "schedule.dt_mean_ms"} & keys

    def test_they_follow_what_is_changed_elsewhere_and_what_is_beyond_their_ends(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        sim.set(sigma=0.35, latency_ms=125, speed=3.7)
        shown.run()
        assert widget(shown, "slider", "model.sigma").value == 0.35
        assert widget(shown, "slider", "execution.latency_ms").value == 125
        assert widget(shown, "select_slider", "schedule.speed").value == 3.7
        sim.set(sigma=1.75)
        shown.run()
        assert widget(shown, "slider", "model.sigma").value == 1.0
        assert "1.75" in widget(shown, "slider", "model.sigma").label
        until(lambda: controls(sim, "model.sigma") == [0.35, 1.75], "both, and no other")

    @pytest.mark.parametrize(("key", "value"), [("model.sigma", 2.5), ("schedule.speed", 1_500.0)])
    def test_a_value_beyond_the_ends_is_typed(self, market, page, key, value):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        assert choose(shown, "number_input", f"{key} typed", value) == ""
        until(lambda: controls(sim, key) == [value], f"{key} in the events")
        assert widget(shown, "number_input", f"{key} typed").value == value
        sim.set({key: 0.5})
        shown.run()
        assert widget(shown, "number_input", f"{key} typed").value == 0.5
        assert choose(shown, "number_input", f"{key} typed", None) == ""
        assert widget(shown, "number_input", f"{key} typed").value == 0.5
        until(lambda: controls(sim, key) == [value, 0.5], "both, and no other")

    def test_what_is_refused_is_told_in_a_line_and_not_left_standing(self, market, page):
        sim = market("sma_crossover").start()
        shown = page(sim)
        error = choose(shown, "text_input", "run.seed", "lots")
        assert "run.seed" in error
        assert "\n" not in error
        assert widget(shown, "text_input", "run.seed").value == "1"
        assert choose(shown, "slider", "model.sigma", 0.4) == ""  # and the line goes

    def test_every_knob_has_its_unit_and_says_what_it_is(self, market, page):
        shown = page(market("sma_crossover"))
        widgets = {each.key: each for each in (*shown.slider, *shown.select_slider)}
        for knob in (knob for knobs in GROUPS.values() for knob in knobs):
            if knob.key in widgets:
                assert ":gray[" in widgets[knob.key].label
                assert widgets[knob.key].help


class TestOrders:
    def test_buy_and_sell_by_hand(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        tick(sim)
        widget(shown, "number_input", "order: quantity").set_value(2.5).run()
        assert press(shown, "buy") == ""
        assert press(shown, "sell") == ""
        made = until(lambda: [f for f in sim.recording.fills if f.id == "manual"][1:] and sim, "two fills")
        fills = [fill for fill in made.recording.fills if fill.id == "manual"]
        assert [(fill.side, fill.qty) for fill in fills] == [("BUY", 2.5), ("SELL", 2.5)]

    def test_it_says_when_an_order_fills(self, market, page):
        sim = market("sma_crossover", speed=20, settings={"execution.latency_ms": 80}).start()
        shown = page(sim)
        assert "fills after 80 sim ms" in [each.value for each in shown.caption]
        sim.pause()
        shown.run()
        assert "fills at the next tick; market paused" in [each.value for each in shown.caption]

    def test_nonsense_is_told_in_a_line(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        widget(shown, "number_input", "order: quantity").set_value(-1.0).run()
        error = press(shown, "buy")
        assert "qty must be positive" in error
        assert "\n" not in error


class TestStrategies:
    def test_parameters_reload_it(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        tick(sim)
        field(shown, "sma_crossover", "fast").set_value(5).run()
        assert told(shown) == ""
        until(lambda: sim.status["strategies"]["sma_crossover"]["version"] == 2, "the second version")
        assert sim.config.strategies["sma_crossover"].params["fast"] == 5
        shown.run()
        assert field(shown, "sma_crossover", "fast").value == 5

    def test_add_use_instead_and_remove(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        tick(sim)
        widget(shown, "selectbox", "library").set_value("mean_reversion").run()
        assert press(shown, "add") == ""
        assert set(sim.config.strategies) == {"sma_crossover", "mean_reversion"}
        widget(shown, "selectbox", "strategy").set_value("mean_reversion").run()
        widget(shown, "selectbox", "library").set_value("momentum").run()
        assert press(shown, "use instead") == ""
        assert set(sim.config.strategies) == {"sma_crossover", "momentum"}
        widget(shown, "selectbox", "strategy").set_value("momentum").run()
        assert press(shown, "remove") == ""
        assert set(sim.config.strategies) == {"sma_crossover"}

    def test_a_broken_one_is_told_in_a_line_and_the_good_one_trades_on(self, market, page, home):
        folder = home / "strategies" / "mine"
        folder.mkdir()
        good = textwrap.dedent("""
            PARAMS = {"n": 3}
            def init(ctx): pass
            def on_tick(ctx, tick): pass
        """)
        save(folder / "strategy.py", good)
        sim = market("mine", speed=20, settings={"ui.hot_reload": False}).start()
        shown = page(sim)
        tick(sim)
        save(folder / "strategy.py", good.replace("(ctx): pass", "(ctx): raise ValueError('no')"))
        error = press(shown, "reload")
        assert "mine" in error
        assert "\n" not in error
        before = len(sim.recording)
        assert tick(sim, before + 5)
        assert sim.status["strategies"]["mine"]["state"] == "trading"

    def test_before_the_start_they_are_what_it_starts_with(self, market, page):
        sim = market("sma_crossover", speed=20)
        shown = page(sim)
        widget(shown, "selectbox", "library").set_value("momentum").run()
        assert press(shown, "add") == ""
        assert press(shown, "remove") == ""
        assert press(shown, "start") == ""
        assert tick(sim)
        assert list(sim.config.strategies) == ["momentum"]

    def test_hot_reload(self, market, page):
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        assert widget(shown, "toggle", "ui.hot_reload").value is True
        assert choose(shown, "toggle", "ui.hot_reload", value := False) == ""
        assert sim.config.ui.hot_reload is value


class TestRoles:
    @pytest.mark.parametrize("role", ["view", None])
    def test_who_may_only_watch_has_no_controls(self, market, page, role):
        shown = page(market("sma_crossover"), role)
        widgets = (*shown.button, *shown.slider, *shown.select_slider, *shown.selectbox, *shown.toggle)
        assert not widgets
        assert not len(shown.sidebar)
        assert bool(shown.title) is (role is None)  # a stranger is told where the address is

    def test_who_has_lost_the_token_has_lost_the_controls(self, market, page):
        """Streamlit calls a widget's callback before the script, with the address as it is then."""
        sim = market("sma_crossover", speed=20).start()
        shown = page(sim)
        shown.query_params["token"] = session.current().access.view
        shown.button(key="stop").click().run()
        assert sim.state == "running"
        assert not shown.button


class TestPlayback:
    def test_while_it_plays_the_slider_does_not_pull(self, home, page):
        result = evaluate("sma_crossover", seed=3, ticks=400, isolate=False, out=home / "run")
        player = Player(result.folder, speed=0.1)
        shown = page(player)
        assert press(shown, "play") == ""
        player.seek(tick=100)
        shown.run()
        assert widget(shown, "slider", "place").key == "place"
        assert widget(shown, "slider", "place").value == 0
        assert press(shown, "pause") == ""
        shown.run()
        assert widget(shown, "slider", "place").value == player.tick >= 100

    def test_play_seek_jump_and_speed(self, home, page):
        result = evaluate("sma_crossover", seed=3, ticks=400, isolate=False, out=home / "run")
        player = Player(result.folder)
        shown = page(player)
        assert press(shown, "play") == ""
        assert player.state == "playing"
        assert press(shown, "pause") == ""
        assert choose(shown, "slider", "place", 250) == ""
        assert player.tick == 250
        assert choose(shown, "select_slider", "schedule.speed", 5.0) == ""
        assert player.speed == 5.0
        assert press(shown, "rewind") == ""
        assert player.tick == 0


def test_an_export_is_offered_once_there_is_a_run(market, page):
    sim = market("sma_crossover", speed=20)
    shown = page(sim)
    export = partial(shown.get, "download_button")
    assert export()[0].proto.disabled
    sim.start()
    shown.run()
    assert not export()[0].proto.disabled
