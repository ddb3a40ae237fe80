"""The forms in which a person names strategies, seeds and lengths of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from algosim.config import Config, StrategySpec
from algosim.errors import ConfigError, StrategyError
from algosim.runs.setup import prepare
from algosim.runs.source import read_source
from algosim.runs.workspace import find_strategy, strategy_names, workspace
from tests.recorded import write_strategy

QUIET = """
    def on_tick(ctx, tick):
        pass
"""
SHIPPED = Path(__file__).parents[1] / "strategies"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A workspace with one strategy in a folder, and one in a file beside it."""
    write_strategy(tmp_path, "mine", QUIET, helper="X = 1\n")
    (tmp_path / "alone.py").write_text("def on_tick(ctx, tick):\n    pass\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chosen(strategy, **options):
    setup = prepare(strategy, **options)
    return {name: (one.source.path, one.params) for name, one in setup.strategies.items()}


def test_a_strategy_is_a_name_a_file_a_folder_or_a_spec(place):
    mine, alone = place / "strategies" / "mine" / "strategy.py", place / "alone.py"
    shipped = (SHIPPED / "momentum" / "strategy.py").resolve()
    spec = {"path": "mine", "params": {"n": 3}}
    assert chosen("momentum") == {"momentum": (shipped, {})}
    assert chosen("mine") == chosen(mine) == chosen(mine.parent) == {"mine": (mine, {})}
    assert chosen("strategies/mine/strategy.py") == chosen("strategies/mine/") == {"mine": (mine, {})}
    assert chosen("alone.py") == chosen(alone) == {"alone": (alone, {})}
    assert chosen(spec) == {"mine": (mine, {"n": 3})}
    assert chosen(["mine", alone, spec | {"path": "momentum"}]) == {
        "mine": (mine, {}),
        "alone": (alone, {}),
        "momentum": (shipped, {"n": 3}),
    }
    assert chosen({"a": "mine", "b": spec, "c": StrategySpec(path="alone.py"), "path": "mine"}) == {
        "a": (mine, {}),
        "b": (mine, {"n": 3}),
        "c": (alone, {}),
        "path": (mine, {}),
    }
    assert chosen([]) == {}


def test_a_folder_is_named_from_inside(place, monkeypatch):
    monkeypatch.chdir(place / "strategies" / "mine")
    assert list(chosen(".")) == ["mine"]
    assert workspace() == place


def test_without_a_strategy_those_of_the_configuration_run(place):
    (place / "conf").mkdir()
    (place / "conf" / "near.py").write_text(QUIET)
    block = place / "conf" / "one.yaml"
    block.write_text("strategy:\n  path: near.py\n  params: {n: 4}\nrun: {seed: 9, ticks: 5}\n")
    many = place / "conf" / "many.yaml"
    many.write_text("strategies:\n  a: {path: mine}\n  b: {path: ../alone.py}\n")
    assert chosen(None, config=block) == {"near": (place / "conf" / "near.py", {"n": 4})}
    assert list(chosen(None, config=str(many))) == ["a", "b"]
    assert list(chosen(None)) == ["sma_crossover"]
    assert list(chosen("mine", config=block)) == ["mine"]
    setup = prepare(config=block, seed=8)
    assert (setup.seed, setup.config.run.seed, setup.config.run.ticks) == (8, 8, 5)


def test_settings_reach_parameters_and_keep_the_configuration_as_it_was():
    config = Config()
    setup = prepare("mine", config=config, settings={"strategies.mine.params.n": 7, "sigma": 0.3})
    assert setup.strategies["mine"].params == {"n": 7}
    assert (setup.config.model.sigma, config.model.sigma) == (0.3, 0.2)


def test_seeds():
    assert prepare("mine", seed=0).seed == 0
    assert prepare("mine", seed=np.int64(5)).seed == 5
    assert type(prepare("mine", seed=np.int64(5)).seed) is int
    fresh = [prepare("mine").seed for _ in range(4)]
    assert len(set(fresh)) == 4
    assert all(0 <= seed < 2**128 for seed in fresh)
    assert max(fresh) >= 2**64  # a chance of 2**-256 to be wrong
    with pytest.raises(ConfigError, match=r"run\.seed"):
        prepare("mine", seed=-1)
    with pytest.raises(ConfigError, match="twice"):
        prepare("mine", seed=1, settings={"seed": 2})


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60.0), ("5m", 300.0), ("0.1", 0.1), (2, 2.0), ("250ms", 0.25)]
)
def test_durations(text, seconds):
    assert prepare("mine", duration=text).config.run.duration_s == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("sma_crosover", r"no strategy 'sma_crosover' \(did you mean 'sma_crossover'\?\)"),
        ("nowhere/at_all.py", "no strategy 'nowhere/at_all.py'"),
        ("strategies", "the folder 'strategies' has no strategy.py"),
        ("notes.txt", "'notes.txt' is not a Python file"),
        ("my strategy.py", r"'my strategy' cannot be an id .*name it: {'my_id': 'my strategy.py'}"),
        ("", "must be a name, a path or"),
        (["mine", "strategies/mine"], "'mine' is given twice; name each"),
        ({"a b": "mine"}, "an id in strategies"),
        ({"a": 3}, r"strategy 'a' must be a name, a path or \{'path'"),
        ({"a": {"path": "mine", "param": {}}}, "strategy 'a' must be"),
        ({"a": {"path": "mine", "params": 3}}, "strategy 'a' must be"),
        ({"a": {"path": "mine", "params": {"f": print}}}, "cannot be a builtin_function_or_method"),
        ([3], "strategy 'strategy' must be"),
    ],
)
def test_what_is_no_strategy_is_refused_with_the_remedy(place, strategy, words):
    (place / "notes.txt").write_text("no code")
    (place / "my strategy.py").write_text(QUIET)
    with pytest.raises(ConfigError, match=words):
        prepare(strategy)


def test_strategies_of_the_workspace_come_before_the_shipped_ones(place):
    write_strategy(place, "momentum", QUIET)
    assert strategy_names()["momentum"] == place / "strategies" / "momentum" / "strategy.py"
    assert {"bollinger", "mine"} <= set(strategy_names())


def test_a_run_folder_is_no_workspace(place, monkeypatch):
    run = place / "runs" / "one"
    (run / "strategies").mkdir(parents=True)
    (run / "events.jsonl").touch()
    monkeypatch.chdir(run)
    assert workspace() == place


def test_the_hash_of_a_source_is_that_of_its_names_and_bytes(place):
    folder = place / "strategies" / "mine"
    before = find_strategy("mine")
    assert set(before.files) == {"strategy.py", "helper.py"}
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "helper.pyc").write_bytes(b"\0")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "strategy.py").write_text("old")
    assert find_strategy("mine") == before
    codes = {before.code}
    (folder / "data.csv").write_text("1")
    codes.add(find_strategy("mine").code)
    (folder / "data.csv").rename(folder / "date.csv")
    codes.add(find_strategy("mine").code)
    (folder / "date.csv").write_text("2")
    codes.add(find_strategy("mine").code)
    assert len(codes) == 4
    assert find_strategy("mine").label == "strategies/mine/strategy.py"


def test_a_folder_of_data_is_refused(place):
    with (place / "strategies" / "mine" / "prices.bin").open("wb") as file:
        file.truncate(17_000_000)
    with pytest.raises(StrategyError, match="has 17 MB"):
        find_strategy("mine")


def test_a_file_that_cannot_be_read_is_named(place):
    (place / "strategies" / "mine" / "loop").symlink_to("loop")  # a link to itself is not a file
    assert set(find_strategy("mine").files) == {"strategy.py", "helper.py"}
    with pytest.raises(StrategyError, match=r"cannot read the strategy .*gone"):
        read_source(place / "gone.py", place)
