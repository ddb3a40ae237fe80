"""`algosim.figure`: the same picture of a run whichever way it is named; one clear error without plotly."""

from __future__ import annotations

import subprocess
import sys

import ipywidgets
import numpy as np
import plotly.graph_objects as go
import pytest
from comm.base_comm import BaseComm

import algosim
from algosim.charts.palette import DARK, LIGHT
from algosim.charts.whole_run import whole_run
from algosim.errors import ConfigError, RunError
from algosim.notebook.run_widget import RunFigure
from tests.live_markets import fails


@pytest.fixture
def result(home):
    return algosim.evaluate("sma_crossover", seed=2, ticks=400, out=home / "runs" / "first")


def equity(figure):
    return next(trace.y for trace in figure.data if trace.name == "equity")


def test_it_shows_the_whole_run(result):
    figure = result.plot()
    assert type(figure) is go.Figure  # there is no notebook here
    price = next(trace for trace in figure.data if trace.name == "price")
    np.testing.assert_array_equal(price.y, result.recording.price)
    np.testing.assert_array_equal(price.x, result.recording.time * 1e-9)
    np.testing.assert_allclose(equity(figure), result.equity["total"].to_numpy()[:400])
    trades = [len(trace.x) for trace in figure.data if trace.name in ("BUY", "SELL")]
    assert sum(trades) == len(result.trades)
    assert figure.layout.paper_bgcolor == LIGHT.ground
    assert algosim.figure(result, theme="dark").layout.paper_bgcolor == DARK.ground


def test_a_folder_an_id_and_a_result_are_the_same(result):
    whole = result.figure()
    for named in ("first", result.folder, str(result.folder)):
        np.testing.assert_array_equal(equity(algosim.figure(named)), equity(whole))


@pytest.mark.live
def test_a_market_is_shown_as_it_is_now(market):
    sim = market("buy_and_hold", ticks=50)
    assert len(equity(sim.figure())) == 0
    sim.run_until(ticks=20)
    before = sim.figure()
    sim.step(5)
    assert (len(equity(before)), len(equity(sim.figure()))) == (20, 25)


def test_a_page_has_the_picture_with_the_first_message(result, monkeypatch):
    """A busy one takes no later message, and showed empty axes."""
    opened = []

    class Page(BaseComm):
        def publish_msg(self, msg_type, data=None, buffers=None, **_):
            if msg_type == "comm_open":
                opened.append((data, buffers))

    monkeypatch.setattr(ipywidgets.widgets.widget.comm, "create_comm", Page)
    RunFigure(whole_run(result), "dark")
    (data, buffers), state = opened[-1], opened[-1][0]["state"]
    at = next(i for i, trace in enumerate(state["_widget_data"]) if trace["name"] == "price")
    y = buffers[data["buffer_paths"].index(["_widget_data", at, "y", "buffer"])]
    np.testing.assert_array_equal(np.frombuffer(y), result.recording.price)
    assert state["_widget_layout"]["paper_bgcolor"] == DARK.ground


def test_what_is_no_run_is_refused(home):  # noqa: ARG001
    fails(ConfigError, lambda: algosim.figure(3), "not int")
    fails(RunError, lambda: algosim.figure("nothing"), "no run 'nothing'")


def test_without_plotly_it_says_what_to_install(result):
    code = (
        "import sys; sys.modules['plotly'] = None\n"
        "import algosim\n"
        "try: algosim.figure(sys.argv[1])\n"
        "except algosim.AlgosimError as error: print(error)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, result.folder], capture_output=True, check=True, encoding="utf-8"
    )
    assert said.stdout == "figures need plotly: pip install 'algosim[lab]'\n"
