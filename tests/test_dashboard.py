"""The dashboard as a person uses it, without a browser: its widgets are pressed and read in Python."""

from __future__ import annotations

import textwrap
import threading
import time

import pytest

pytest.importorskip("ipywidgets")
pytest.importorskip("anywidget")
pytest.importorskip("plotly")

import algosim
from algosim.charts.numbers import quantity
from algosim.config import Config
from algosim.errors import AlgosimError
from algosim.events import Version
from algosim.runs.player import Player
from algosim.setting_words import unit, words
from algosim.settings import keys
from tests.live_markets import kill, save, until
from tests.widget_trees import marked, markup, tags, text

pytestmark = pytest.mark.live

SPEED = 20.0  # simulated seconds per second: some 130 ticks


@pytest.fixture
def board(market):  # noqa: ARG001  (markets end after their dashboards)
    """Make dashboards of live markets; closed before the markets end, they leave no thread."""
    made = []

    def board(source, **arguments):
        made.append(algosim.dashboard(source, **arguments))
        return made[-1]

    yield board
    for each in made:
        each.close()
    names = ("algosim pump", "algosim errands", "algosim metrics")
    until(
        lambda: not [each for each in threading.enumerate() if each.name in names], "the end of the threads"
    )


def controls(sim, key):
    return [event.value for event in sim.recording.controls if event.key == key]


def knob(dashboard, key):
    """Return the widgets of one setting."""
    return [each.widget for each in dashboard.controls.settings.knobs[key].inputs]


def runs(sim, ticks=5):
    return until(lambda: len(sim.recording) >= ticks, f"{ticks} ticks")


def paused(sim):
    """Pause a market that runs, once it has some ticks; return their number."""
    runs(sim)
    sim.pause()
    return len(sim.recording)


def shows(dashboard, *words, within_s=20.0):
    """Wait until the dashboard shows all these words."""
    deadline = time.monotonic() + within_s
    while missing := [word for word in words if word not in text(dashboard.root)]:
        if time.monotonic() > deadline:
            pytest.fail(f"{missing} not within {within_s:g} s in: {text(dashboard.root)}")
        threading.Event().wait(0.05)


def strategy(home, name, body):
    folder = home / "strategies" / name
    folder.mkdir(parents=True)
    save(folder / "strategy.py", textwrap.dedent(body))
    return name


def test_a_dashboard_starts_its_market_and_shows_it(market, board):
    sim = market("sma_crossover", speed=SPEED, seed=42)
    dashboard = board(sim)
    runs(sim)
    shows(dashboard, "running", "42", "equity", sim.run_id, "sma_crossover", "trading")
    assert repr(dashboard) == "<Dashboard of Simulation of sma_crossover>"
    bundle = dashboard._repr_mimebundle_()
    assert bundle["text/plain"] == repr(dashboard)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == dashboard.root.model_id
    sim.stop()
    shows(dashboard, "stopped: the run has ended")
    assert marked(dashboard.root, "algosim-ended")
    figures = sim.metrics["total"]
    shows(dashboard, f"{figures['final_equity']:,.2f}", f"of {figures['round_trips']} round trips")


def test_what_comes_right_after_it_finds_the_market(home, market, board):
    """The next cell of a notebook that is run as a whole; there is one market, whoever starts it."""
    sim = market("sma_crossover", speed=SPEED)
    board(sim)
    assert sim.run_until(ticks=3).state == "paused"
    assert len([path for path in (home / "runs").iterdir() if not path.is_symlink()]) == 1
    other = market("sma_crossover", speed=SPEED)
    board(other)
    assert other.stop().folder is None or other.state == "finished"


def test_without_start_it_waits_for_the_button(market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim, start=False, fast=True)
    shows(dashboard, "the market has not started; press Start")
    assert sim.state == "new"
    transport = dashboard.controls.transport
    assert not transport.start.disabled
    assert transport.pause.disabled
    assert transport.stop.disabled
    transport.start.click()
    runs(sim)
    until(lambda: transport.start.disabled and not transport.pause.disabled, "the buttons")


def test_a_slider_is_recorded_and_follows_the_market(market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim)
    runs(sim)
    slider, field = knob(dashboard, "model.sigma")
    slider.value = 0.4
    until(lambda: controls(sim, "model.sigma") == [0.4], "sigma in the recording")
    assert field.value == 0.4
    sim.set(sigma=3.5, kappa=1.25)  # beyond the slider's end
    until(lambda: slider.value == field.value == 3.5, "the slider follows")
    until(lambda: knob(dashboard, "model.kappa")[1].value == 1.25, "the other one too")
    top = knob(dashboard, "schedule.speed")[2]
    top.value = True
    until(lambda: sim.config.schedule.speed == "max", "full speed")
    sim.set(speed=SPEED)
    until(lambda: not top.value, "the button is up")
    knob(dashboard, "ui.hot_reload")[0].value = False
    until(lambda: not sim.config.ui.hot_reload, "no hot reload")
    sim.pause()  # all of it is recorded
    assert controls(sim, "model.sigma") == [0.4, 3.5]  # following is no asking
    assert controls(sim, "model.kappa") == [1.25]


def test_of_a_slider_that_moves_the_last_value_counts(market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim)
    runs(sim)
    slider, _ = knob(dashboard, "execution.latency_ms")
    for value in range(10, 300, 10):
        slider.value = float(value)
    until(lambda: 290.0 in controls(sim, "execution.latency_ms"), "the last value")
    assert controls(sim, "execution.latency_ms")[-1] == 290.0
    assert len(controls(sim, "execution.latency_ms")) <= 3


def test_a_refused_value_goes_back_and_says_why(market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim)
    runs(sim)
    field = knob(dashboard, "model.P0")[1]
    field.value = -5.0
    shows(dashboard, "model.P0 must be above 0, got -5.0")
    until(lambda: field.value == 100.0, "the engine's value")
    assert controls(sim, "model.P0") == []
    seed = knob(dashboard, "run.seed")[0]
    seed.value = "forty-two"
    shows(dashboard, "run.seed must be")
    until(lambda: seed.value == "1", "the seed of the run")


def test_a_setting_that_waits_for_a_reset_says_so(market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim)
    runs(sim)
    first, (seed,) = sim.run_id, knob(dashboard, "run.seed")
    box = dashboard.controls.settings.knobs["run.seed"].box
    seed.value = "7"
    shows(dashboard, "run.seed = 7 waits for the next reset")
    until(lambda: marked(box, "algosim-waits"), "a mark that it waits")
    assert seed.value == "7"
    assert sim.config.run.seed == 1
    dashboard.controls.transport.reset.click()
    until(lambda: sim.run_id != first and sim.state == "paused", "a fresh run")
    shows(dashboard, sim.run_id, "ready")
    until(lambda: not marked(box, "algosim-waits"), "no mark")
    assert sim.config.run.seed == 7
    until(lambda: not dashboard.controls.transport.start.disabled, "the start button")
    dashboard.controls.transport.start.click()
    runs(sim)
    shows(dashboard, "running")
    second = sim.run_id
    sim.reset()  # from a cell
    assert sim.run_id != second
    shows(dashboard, sim.run_id, "ready")
    for _ in range(2):  # as fast as can be, while the dashboard looks on
        sim.reset().start()
    runs(sim)
    shows(dashboard, sim.run_id, "running")


def test_orders_by_hand_and_steps(market, board):
    sim = market([], speed=SPEED)
    dashboard = board(sim)
    ticks = paused(sim)
    ticket, transport = dashboard.controls.order, dashboard.controls.transport
    until(lambda: not ticket.sell.disabled and not transport.step.disabled, "the buttons of a paused market")
    ticket.qty.value = 2.5
    ticket.sell.click()
    shows(dashboard, "2.5 units pending: fills at the next tick; market paused")
    transport.steps.value = 3
    transport.step.click()
    until(lambda: len(sim.recording) == ticks + 3, "three ticks")
    (fill,) = sim.recording.fills
    assert (fill.id, fill.side, fill.qty) == ("manual", "SELL", 2.5)
    shows(dashboard, "manual", f"{fill.price:,.4f}", quantity(-2.5))
    ticket.qty.value = -1.0
    ticket.buy.click()
    shows(dashboard, "qty must be positive and finite, got -1.0")
    transport.resume.click()
    runs(sim, ticks + 10)
    transport.stop.click()
    until(lambda: sim.state == "finished", "the end")
    shows(dashboard, "stopped: the run has ended")
    assert len(sim.recording.orders) == 1


def test_strategies_come_go_and_change_their_parameters(market, board):
    sim = market("sma_crossover", speed=SPEED)
    dashboard = board(sim)
    runs(sim)
    panel = dashboard.controls.strategies
    until(lambda: set(panel.form.fields) == {"fast", "slow", "qty"}, "the parameters")
    assert [type(panel.form.fields[name]).__name__ for name in ("fast", "qty")] == ["IntText", "FloatText"]
    panel.form.fields["fast"].value, panel.form.fields["qty"].value = 5, 2.0
    panel.apply.click()
    until(lambda: any(isinstance(event, Version) for event in sim.recording.members), "a reload")
    version = next(event for event in sim.recording.members if isinstance(event, Version))
    assert version.params == {"fast": 5, "qty": 2.0}
    until(lambda: panel.form.values == {"fast": 5, "slow": 50, "qty": 2.0}, "the new values")
    panel.form.fields["slow"].value = 0
    panel.apply.click()
    shows(dashboard, "window")
    until(lambda: panel.form.fields["slow"].value == 50, "the value that runs")
    panel.library.value = "momentum"
    panel.add.click()
    until(lambda: set(panel.account.options) == {"sma_crossover", "momentum"}, "two strategies")
    shows(dashboard, "momentum", "sma_crossover")
    panel.account.value, panel.library.value = "sma_crossover", "random_trader"
    panel.swap.click()
    until(lambda: set(panel.account.options) == {"random_trader", "momentum"}, "another one instead")
    until(
        lambda: set(panel.form.fields) == {"chance", "qty"} or panel.account.value == "momentum", "its form"
    )
    panel.account.value = "momentum"
    panel.remove.click()
    until(lambda: panel.account.options == ("random_trader",), "one is left")


def test_strategies_are_chosen_before_the_start_too(market, board):
    sim = market("sma_crossover", speed=SPEED)
    dashboard = board(sim, start=False)
    panel = dashboard.controls.strategies
    until(lambda: set(panel.form.fields) == {"fast", "slow", "qty"}, "the parameters")
    panel.library.value = "buy_and_hold"
    panel.swap.click()
    until(lambda: panel.account.options == ("buy_and_hold",), "the other one")
    dashboard.controls.transport.start.click()
    runs(sim)
    assert list(sim.status["strategies"]) == ["buy_and_hold"]


def test_what_strategies_say_and_how_they_fail(home, market, board):
    strategy(
        home,
        "loud",
        """
        PARAMS = {"<i>": "<u>"}
        def on_tick(ctx, tick):
            if tick["seq"] == 2:
                ctx.log("<script>alert(1)</script>")
                ctx.place_market_order("BUY", 1, tag="<img src=x>")
                ctx.place_market_order("BUY", -1)
            if tick["seq"] == 8:
                raise ValueError("<b>broken</b>")  # the line
        """,
    )
    sim = market("loud", speed=SPEED)
    dashboard = board(sim)
    runs(sim, 12)
    shows(dashboard, "<script>alert(1)</script>", "<img src=x>", "<b>broken</b>", "# the line", "failed")
    assert tags(dashboard.root).isdisjoint({"script", "img", "u", "i"})
    assert "<b>broken" not in markup(dashboard.root)
    assert any("reject" in log.level for log in sim.recording.logs)


def test_a_market_that_does_not_start_shows_why(home, market, board):
    strategy(home, "broken", "def on_tick(ctx, tick)\n    pass\n")
    dashboard = board(market("broken", speed=SPEED))
    shows(dashboard, "line 1", "def on_tick(ctx, tick)")
    assert not dashboard.controls.transport.start.disabled


def test_a_crash_is_shown_as_one(market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim)
    runs(sim)
    kill(sim.status["processes"]["simulator"])
    shows(dashboard, "stopped: the run crashed")
    assert marked(dashboard.root, "algosim-ended")
    until(lambda: dashboard.controls.order.buy.disabled, "no order can be given")


def test_the_newest_dashboard_of_a_market_is_the_live_one(market, board):
    sim = market(speed=SPEED)
    first = board(sim)
    runs(sim)
    second = board(sim)
    shows(first, "opened last; run this cell again")
    runs(sim, len(sim.recording) + 5)
    shows(second, "running", "equity")
    assert "equity" not in text(first.root)
    first.controls.transport.pause.click()
    other = market(speed=SPEED, seed=5)
    third = board(other)
    runs(other)
    runs(sim, len(sim.recording) + 5)
    shows(third, other.run_id)
    shows(second, sim.run_id, "running")


def test_a_market_that_was_found_is_on_a_dashboard_too(market, board):
    sim = market(speed=SPEED).start()
    found = algosim.connect(sim.run_id)
    dashboard = board(found)
    runs(found)
    shows(dashboard, "running", sim.run_id)
    dashboard.controls.transport.pause.click()
    until(lambda: sim.state == "paused", "paused by the other handle")


def test_a_recorded_run_is_played(market, board):
    sim = market(speed="max", ticks=200)
    sim.run_until(ticks=100)
    sim.set(sigma=0.5)
    sim.resume().wait()
    player = Player(sim.folder, speed=1.0)
    dashboard = board(player, start=False)
    bar = dashboard.controls
    shows(dashboard, "ready: press Play", sim.run_id)
    assert [text for text, _ in bar.jump.options if "model.sigma = 0.5" in text]
    bar.jump.value = 101
    until(lambda: player.tick == 101, "the intervention")
    shows(dashboard, "101")
    until(lambda: bar.seek.value == player.position, "the slider follows")
    bar.seek.value = player.duration
    shows(dashboard, "stopped: the run has ended")
    bar.seek.value = 0.0
    until(lambda: player.tick == 0, "the beginning")
    bar.speed.inputs[2].widget.value = True
    bar.play.click()
    until(lambda: player.state == "finished", "the end again")
    shows(dashboard, f"{len(sim.recording.fills):,}")


def test_export_copies_the_run(home, market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim)
    paused(sim)
    until(lambda: sim.run_id in dashboard.controls.save.folder.value, "a folder to go to")
    dashboard.controls.save.export.click()
    until(lambda: (home / "exports" / sim.run_id / "events.jsonl").is_file(), "a copy")
    shows(dashboard, "exported to")


def test_the_page_for_the_projector_is_opened_once(market, board, monkeypatch):
    asked = []

    class Page:
        port, ended, view_address = 8501, "", "http://127.0.0.1:8501/?view=present"

        def _repr_html_(self):
            return '<p><a href="http://127.0.0.1:8501/?view=present">view only</a></p>'

    monkeypatch.setattr(algosim, "present", lambda source, port: asked.append((source, port)) or Page())
    sim = market(speed=SPEED)
    dashboard = board(sim)
    runs(sim)
    until(lambda: not dashboard.controls.present.open.disabled, "the button")
    for _ in range(2):
        dashboard.controls.present.open.click()
        shows(dashboard, "view only", "presented at http://127.0.0.1:8501/?view=present")
    until(lambda: text(dashboard.root).count("presented at") == 2, "the second answer")
    assert asked == [(sim, None)]


def test_the_views_take_turns(market, board):
    sim = market(speed=SPEED)
    dashboard = board(sim)
    runs(sim)

    def view():
        until(lambda: dashboard.stage.box.children, "a view")
        (view,) = dashboard.stage.box.children  # one that no page takes is made anew after some seconds
        return view

    assert repr(view()) == "LiveFigure()"
    dashboard.stage.kind.value = "fast view"
    assert repr(view()) == "FastView()"
    dashboard.stage.window.value = 500
    assert view().window == 500
    dashboard.stage.kind.value = "plotly"
    assert repr(view()) == "LiveFigure()"
    assert view().window == 500


def test_a_run_that_is_over_is_drawn_on_every_view(market, board, monkeypatch):
    monkeypatch.setattr("algosim.board.pump.LINGER_S", 0.3)
    monkeypatch.setattr("algosim.notebook.stage.TRIES", 0)  # nothing but a choice brings another picture
    sim = market(speed="max", ticks=3_000).start()
    sim.wait()
    dashboard = board(sim, fast=True)
    shows(dashboard, "stopped: the run has ended")
    time = sim.recording.time * 1e-9

    def begins():
        """Return the first time that plotly's figure shows."""
        (view,) = dashboard.stage.box.children
        return view.data[0].x[0] if repr(view) == "LiveFigure()" and len(view.data[0].x) else None

    for kind, window in (("plotly", 2_000), ("plotly", 500), ("fast view", 500), ("plotly", 10_000)):
        dashboard.stage.kind.value = kind
        dashboard.stage.window.value = window
        if kind == "plotly":
            first = pytest.approx(time[max(0, len(time) - window)])
            until(lambda first=first: begins() == first, f"{window} ticks")


def test_where_the_fast_view_was_not_built_the_other_one_stands(market, board, monkeypatch):
    def fail(_, **_more):
        raise AlgosimError("it is not built")

    monkeypatch.setattr("algosim.notebook.stage.FastView", fail)
    dashboard = board(market(speed=SPEED), fast=True)
    shows(dashboard, "it is not built")
    until(lambda: [repr(view) for view in dashboard.stage.box.children] == ["LiveFigure()"], "plotly's")
    assert text(dashboard.root).count("it is not built") == 1


def test_every_setting_has_its_words():
    described = {key for key in words() if not key.startswith("strategies.")}
    assert set(keys()) - described == {"transport.type", "strategies"}
    assert unit("model.sigma", Config()) == "log price / √unit"
    additive = algosim.Simulation([], config="random_walk").config
    assert unit("model.sigma", additive) == "currency / √unit"
    assert unit("execution.latency_ms", additive) == "sim ms"
