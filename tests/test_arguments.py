"""What a person gives that cannot be used is one algosim error, which says what it must be."""

from __future__ import annotations

import pytest

import algosim
from algosim import AlgosimError, Simulation
from algosim.errors import ConfigError, StrategyError
from tests.live_markets import fails
from tests.recorded import write_strategy

pytestmark = pytest.mark.usefixtures("home")

EMPTY = "def on_tick(ctx, tick):\n    pass\n"
TWO = "PARAMS = {'fast': 3, 'slow': 9}\n\n" + EMPTY
NO_PATHS = [5, 1.5, b"run", ["run"], "a\0b", "x" * 5000, "~nobody-of-this-name/run"]
"""None of these can be a path, each for a reason of its own."""


def evaluate(**arguments):
    return algosim.evaluate("momentum", seed=1, ticks=5, **arguments)


@pytest.mark.parametrize("what", NO_PATHS, ids=lambda what: repr(what)[:12])
class TestPaths:
    """Whatever asks for a path."""

    def test_of_an_output_folder(self, what):
        fails(ConfigError, lambda: evaluate(out=what), "out must be a path, got ")
        fails(ConfigError, lambda: Simulation(out=what), "out must be a path, got ")

    def test_of_a_run(self, what):
        fails(ConfigError, lambda: algosim.replay(what), 'a run is its folder, its id or "last", got ')

    def test_of_a_strategy_to_check(self, what):
        fails(ConfigError, lambda: algosim.doctor(what), "a strategy is a file, a folder or a name, got ")

    def test_of_a_strategy_to_run(self, what):
        fails(AlgosimError, lambda: algosim.evaluate({"s": what}, seed=1, ticks=5), "a", "path")

    def test_of_a_copy(self, what, market):
        run = market("momentum").run_until(ticks=1)
        fails(ConfigError, lambda: run.export(what), "the folder to copy a run to must be a path, got ")


def test_a_running_market_has_its_id_as_text():
    fails(ConfigError, lambda: algosim.connect(5), "run_id", "got 5")
    fails(ConfigError, lambda: algosim.connect(["20250101-120000-ab12"]), "run_id")


@pytest.mark.parametrize("what", [5, "sigma", [1], ["sigma"], [("sigma", 0.1)]])
def test_settings_are_named(what):
    words = "settings must be a dict of names and values, got "
    fails(ConfigError, lambda: evaluate(settings=what), words)
    fails(ConfigError, lambda: Simulation("momentum", settings=what), words)
    fails(ConfigError, lambda: Simulation("momentum").set(what), words)


def test_names_of_settings_are_text():
    fails(ConfigError, lambda: evaluate(settings={5: 1}), "names must be text, got 5")
    fails(ConfigError, lambda: Simulation("momentum").set({5: 1}), "names must be text, got 5")


@pytest.mark.live
def test_what_a_running_market_is_told(market):
    sim = market("momentum").run_until(ticks=2)
    fails(ConfigError, lambda: sim.set(5), "a dict of names and values")
    fails(ConfigError, lambda: sim.add("momentum", id="m", params=5), "strategies.m.params", "got 5")
    fails(ConfigError, lambda: sim.add("momentum", id="m", params={"qty": object()}), "m.params.qty")
    fails(ConfigError, lambda: sim.add("momentum", id="m", params={"qty": float("nan")}), "finite")
    fails(ConfigError, lambda: sim.reload(params=[1]), "momentum.params", "a list")
    for command in (sim.remove, sim.reload, lambda id: sim.set(id=id, qty=2)):
        fails(ConfigError, lambda command=command: command(5), "5 cannot be an id")


class TestParametersOfTheNextRun:
    """A parameter that a strategy does not have is refused at once: no start could mend it."""

    SPELLINGS = (
        {"id": "two", "fats": 4},
        {"settings": {"strategies.two.params.fats": 4}},
        {"settings": {"strategies.two.params": {"fats": 4}}},
    )

    def refused(self, sim):
        for change in self.SPELLINGS:
            error = fails(StrategyError, lambda change=change: sim.set(**change), "'fats'", "mean 'fast'?")
            assert "it has: fast, slow" in str(error)

    def test_before_the_start(self, home):
        path = write_strategy(home, "two", TWO)
        sim = Simulation({"two": str(path)})
        self.refused(sim)
        sim.set(id="two", fast=4)
        assert sim.config.strategies["two"].params == {"fast": 4}

    @pytest.mark.live
    def test_after_the_end(self, home, market):
        path = write_strategy(home, "two", TWO)
        sim = market({"two": str(path)}).run_until(ticks=3)
        sim.stop()
        self.refused(sim)
        path.write_text(TWO.replace("'slow'", "'fats'"), "utf-8")  # its file as it is now
        sim.set(id="two", fats=4).reset().run_until(ticks=3)
        assert sim.config.strategies["two"].params == {"fats": 4}
        sim.stop()

    def test_a_strategy_without_any(self, home):
        sim = Simulation({"none": str(write_strategy(home, "none", EMPTY))})
        fails(StrategyError, lambda: sim.set(id="none", fast=4), "'fast'", "it has: none")

    def test_where_only_its_run_would_tell(self, home):
        path = write_strategy(home, "some", "PARAMS = dict(fast=3)\n\n" + EMPTY)
        assert Simulation({"some": str(path)}).set(id="some", fast=4).config.strategies["some"].params


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


class TestTooMuch:
    """Settings that could not be read back from the run's folder are refused, whoever gives them."""

    MUCH = (
        ("x" * 300_000, "KB, at most 256 KB"),
        (list(range(12_000)), "at most 10,000"),
        (nested(17), "21"),
    )

    @pytest.mark.parametrize(("value", "limit"), MUCH, ids=["text", "numbers", "levels"])
    def test_at_every_start(self, home, value, limit):
        path = str(write_strategy(home, "two", TWO))
        given = {"path": path, "params": {"fast": value}}
        for start in (
            lambda: algosim.evaluate(given, seed=1, ticks=5),
            lambda: Simulation(given),
            lambda: Simulation(path).set(id="two", fast=value),
            lambda: algosim.evaluate(seed=1, ticks=5, config={"strategies": {"two": given}}),
        ):
            fails(ConfigError, start, "the settings have ", limit, "keep a strategy's data in a file")

    def test_what_just_fits_can_be_read_back(self, home):
        path = str(write_strategy(home, "two", TWO))
        for value in ("x" * 250_000, list(range(9_800)), nested(16)):
            given = {"path": path, "params": {"fast": value}}
            run = algosim.evaluate(given, seed=1, ticks=5, out="run")
            assert algosim.replay("run").digest == run.digest

    @pytest.mark.live
    def test_while_the_market_runs_and_after(self, home, market):
        path = str(write_strategy(home, "two", TWO))
        sim = market({"two": path}).run_until(ticks=2).set(id="two", fast="x" * 200_000)
        for change in (
            lambda: sim.set(id="two", slow="x" * 100_000),
            lambda: sim.set({"strategies.two.params.slow": "x" * 100_000}),
            lambda: sim.reload(params={"slow": "x" * 100_000}),
            lambda: sim.add(path, id="more", params={"slow": "x" * 100_000}),
        ):
            fails(ConfigError, change, "KB, at most 256 KB")
        sim.step(2).stop()
        fails(ConfigError, lambda: sim.set(id="two", slow="x" * 100_000), "KB, at most 256 KB")
        assert algosim.replay(sim.folder).digest == sim.digest
