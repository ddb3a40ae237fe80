"""Settings that wait for a reset, and what happens to them as the market changes meanwhile."""

from __future__ import annotations

import pytest

from algosim.config import Config
from algosim.errors import ConfigError
from algosim.live.noted import Noted
from algosim.settings import with_settings

BOTH = {"a": {"path": "momentum", "params": {"window": 5}}, "b": {"path": "bollinger", "params": {}}}


@pytest.fixture
def config():
    return with_settings(Config(), {"strategies": BOTH})


@pytest.fixture
def noted():
    return Noted()


def strategies(config):
    return {name: (spec.path, spec.params) for name, spec in config.strategies.items()}


def test_the_last_one_said_holds(noted, config):
    noted.keep({"run.seed": 1, "model.type": "gbm"})
    noted.keep({"run.seed": 2})
    assert noted.changes == {"model.type": "gbm", "run.seed": 2}
    changed = noted.over(config)
    assert (changed.run.seed, changed.model.type) == (2, "gbm")
    assert changed.strategies == config.strategies


def test_what_does_not_go_together_is_refused(noted, config):
    noted.keep({"model.type": "gbm", "model.step": "euler"})
    with pytest.raises(ConfigError, match="euler"):
        noted.over(config)


def test_parameters_that_were_noted_whole_give_way_to_later_ones(noted, config):
    noted.keep({"strategies.a.params": {"window": 9, "qty": 2.0}})
    noted.parameters("a", {"window": 7})
    noted.parameters("b", {"window": 30})  # of which nothing was noted: the configuration has it
    assert strategies(noted.over(config)) == {
        "a": ("momentum", {"window": 7, "qty": 2.0}),
        "b": ("bollinger", {}),
    }


def test_one_parameter_gives_way_to_all_of_them(noted, config):
    noted.keep({"strategies.a.params.window": 9})
    noted.keep({"strategies.a.params": {"qty": 3.0}})
    assert strategies(noted.over(config))["a"] == ("momentum", {"qty": 3.0})


def test_a_removed_strategy_does_not_come_back(noted):
    noted.keep({"strategies.a.params.window": 9, "run.seed": 1})
    noted.removed("a")
    noted.removed("b")
    assert noted.changes == {"run.seed": 1}


def test_strategies_that_come_and_go_after_the_whole_list_was_noted(noted, config):
    noted.keep({"strategies": {"c": {"path": "momentum"}, "d": {"path": "momentum"}}})
    noted.removed("d")
    noted.added("e", "bollinger", {"window": 4})
    noted.parameters("c", {"window": 6})
    assert strategies(noted.over(config)) == {
        "c": ("momentum", {"window": 6}),
        "e": ("bollinger", {"window": 4}),
    }
