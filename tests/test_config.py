"""The configuration: what loads, what is refused and in which words, and how settings are named."""

from __future__ import annotations

import contextlib
import json
import math
import re
import subprocess
import sys
import time
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from algosim.config import Config, Model, Run, StrategySpec
from algosim.errors import ConfigError
from algosim.settings import (
    PRESETS,
    applies,
    coerce,
    default_text,
    keys,
    load,
    parse_assignment,
    parse_epoch,
    parse_time,
    resolve,
    strategy_id,
    to_mapping,
    to_yaml,
    with_settings,
)
from algosim.yaml_border import parse_yaml

finite = st.floats(allow_nan=False, allow_infinity=False)
nonnegative = st.floats(0, 1e300)
positive = st.floats(1e-300, 1e300)
gap = st.floats(1e-6, 1e9)
count = st.integers(1, 1_000_000)
path = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
ident = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,20}", fullmatch=True)
data = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)
spec = st.fixed_dictionaries({"path": path}, optional={"params": st.dictionaries(ident, data, max_size=4)})

money = st.floats(0, 1e12, exclude_min=True)

VALID = {
    "transport.strict_ports": st.booleans(),
    "transport.hwm.orders": st.integers(400_000, 1_000_000),
    "transport.hwm.ticks_pub": st.integers(400_000, 1_000_000),
    "transport.hwm.fills_pub": st.integers(400_000, 1_000_000),
    "transport.endpoints.control": st.sampled_from(
        ["tcp://127.0.0.1:*", "tcp://[::1]:9000", "tcp://host.lan:0"]
    ),
    "model.type": st.sampled_from(["vasicek", "brownian", "gbm"]),
    "model.kappa": nonnegative,
    "model.theta": finite,
    "model.sigma": nonnegative,
    "model.mu": finite,
    "model.P0": money,
    "model.x0": finite,
    "model.price_map": st.sampled_from(["exponential", "additive"]),
    "model.floor": st.floats(1, 1e9),
    "model.tick_size": st.just(0.0) | st.floats(1e-9, 1),
    "model.reveal_state": st.booleans(),
    "model.asset_id": st.from_regex(r"\w[\w.-]{0,31}", fullmatch=True)
    | st.sampled_from(["1e6", "007", "null"]),
    "schedule.mode": st.sampled_from(["poisson", "fixed"]),
    "schedule.dt_fixed_ms": gap,
    "schedule.dt_mean_ms": gap,
    "schedule.speed": positive | st.just("max"),
    "execution.slippage_bps": st.floats(0, 10_000),
    "portfolio.max_position": money,
    "strategies": st.dictionaries(ident, spec, max_size=3),
    "run.seed": st.none() | st.integers(0, 2**128 - 1),
    "run.export_dir": st.none() | path,
    "run.ticks": st.integers(0, 10**12),
    "ui.throttle_fps": st.integers(1, 1000),
    "limits.output_kb": st.integers(1, 512),
}
settings_given = st.fixed_dictionaries({}, optional=VALID).map(
    lambda drawn: {"model.floor": 1.0} | drawn if "model.tick_size" in drawn else drawn
)


@given(settings_given)
@example(
    {
        "strategies": {
            "a": {"path": "\x85", "params": {"b": ["\u2028", " \n\n x", "\ufeff", "\t", "# : -", "1e6"]}}
        }
    }
)
@example({"strategies": {"1": {"path": "x" * 3000, "params": {"~": {"\r\n": " ", "": "=", "<<": "é 😀"}}}}})
def test_a_config_survives_yaml_json_and_mappings(changed):
    config = with_settings(Config(), changed)
    text = to_yaml(config)
    assert load(parse_yaml(text)) == config
    assert yaml.safe_load(text) == to_mapping(config)  # PyYAML agrees with our reading
    assert load(json.loads(json.dumps(to_mapping(config)))) == config
    assert load(config) == config
    for key, value in changed.items():
        if key != "strategies":
            section, name = key.rsplit(".", 1)
            node = to_mapping(config)
            for part in section.split("."):
                node = node[part]
            assert node[name] == value
    assert list(config.strategies) == list(changed.get("strategies", {"sma_crossover": None}))


def test_a_written_config_loads_from_its_file(tmp_path):
    config = with_settings(
        Config(), {"sigma": 0.4, "seed": 2**127 + 1, "strategies.sma_crossover.params.fast": 5}
    )
    file = tmp_path / "größe.yaml"
    file.write_text(to_yaml(config), encoding="utf-8")
    assert load(file) == load(str(file)) == config


@given(st.integers() | finite)
def test_numbers_read_as_python_reads_them(number):
    assert parse_yaml(repr(number)) == number
    assert type(parse_yaml(repr(number))) is type(number)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e6", 1e6),
        ("010", 10),
        ("1.", 1.0),
        (".5", 0.5),
        ("+3", 3),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("2025-01-01", "2025-01-01"),
        ("", None),
        ("~", None),
        ("True", True),
        ("'1'", "1"),
        ("0x1F", "0x1F"),
        ("# only a comment", None),
        ("{1: a, null: b}", {"1": "a", "null": "b"}),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    assert parse_yaml(text) == value
    assert type(parse_yaml(text)) is type(value)


def leaf_lines():
    """Each dotted key of default.yaml with its line, found by indentation, in the file's order."""
    found, above = {}, []
    for line in default_text().splitlines():
        if match := re.match(r"( *)(\w+):(?= |$)", line):
            above = [*above[: len(match[1]) // 2], match[2]]
            found[".".join(above)] = line
    sections = {key.rpartition(".")[0] for key in found}
    return {key: line for key, line in found.items() if key not in sections}


def test_the_default_file_is_the_default_config():
    assert load(Path(__file__).parent.parent / "algosim" / "default.yaml") == Config()
    assert load(parse_yaml(default_text())) == load() == load({}) == Config()
    assert Config().strategies == {"sma_crossover": StrategySpec(path="sma_crossover")}


def test_the_default_file_has_every_key_in_order_with_a_comment():
    lines = leaf_lines()
    first = [re.sub(r"^strategies\..*", "strategies", key) for key in lines]
    assert list(dict.fromkeys(first)) == list(keys())
    for key, line in lines.items():
        assert re.search(r"# .*\w{3}", line), key
        assert key == "transport.type" or re.search(r"# \[[^\]]+\]|\[messages\]", line), f"{key} has no unit"


def test_the_default_file_says_when_a_change_applies():
    for key, line in leaf_lines().items():
        assert applies(key) == ("now" if line.endswith("(now)") else "reset"), key


def test_a_file_of_the_specifications_shape_loads(tmp_path):
    file = tmp_path / "spec.yaml"
    file.write_text(
        "model: {type: vasicek, kappa: 1, P0: 50}\n"
        "schedule:\n  mode: fixed   # or poisson\n  speed: max\n"
        "execution:\n"
        "strategy:\n  path: strategies/mine/strategy.py\n  params: {fast: 3, slow: 9, qty: 1}\n"
        "run: {seed: 42, duration_s: 0, export_dir: runs/last}\n"
    )
    config = load(file)
    assert config.model == Model(kappa=1.0, P0=50.0)
    assert isinstance(config.model.kappa, float)
    assert config.schedule.speed == "max"
    assert config.strategies == {
        "mine": StrategySpec(path="strategies/mine/strategy.py", params={"fast": 3, "slow": 9, "qty": 1})
    }
    assert config.run == Run(seed=42, export_dir="runs/last")


def test_presets():
    assert load("vasicek") == Config()
    walk, gbm = load("random_walk").model, load("gbm").model
    assert (walk.type, walk.price_map) == ("brownian", "additive")
    assert (gbm.type, gbm.price_map) == ("gbm", "exponential")
    assert set(PRESETS) == {"vasicek", "random_walk", "gbm"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("strategies/sma/strategy.py", "sma"),
        ("C:\\work\\strategies\\sma\\strategy.py", "sma"),
        ("sma_crossover", "sma_crossover"),
        ("mine/fast.py", "fast"),
        ("strategies/sma/", "sma"),
        ("./strategy.py", "strategy"),
    ],
)
def test_a_strategy_is_called_after_its_folder(text, name):
    assert strategy_id(text) == name
    assert list(load({"strategy": {"path": text}}).strategies) == [name]


BAD_FILES = {
    "unknown key": ("model: {kapa: 1}", "model.kapa is not a setting (did you mean 'kappa'?)"),
    "unknown key, other case": ("model: {p0: 1}", "model.p0 is not a setting (did you mean 'P0'?)"),
    "unknown section": ("modle: {sigma: 1}", "modle is not a setting (did you mean 'model'?)"),
    "wrong section": ("model: {latency_ms: 1}", "(did you mean 'execution.latency_ms'?)"),
    "no section": ("sigma: 1", "sigma is not a setting (did you mean 'model.sigma'?)"),
    "unknown key of a strategy": (
        "strategy: {path: a, parms: {}}",
        "strategy.parms is not a setting (did you mean",
    ),
    "deep unknown key": (
        "transport: {hwm: {order: 1}}",
        "transport.hwm.order is not a setting (did you mean 'orders'?)",
    ),
    "below range": ("model: {sigma: -1}", "model.sigma must be at least 0, got -1"),
    "above range": (
        "execution: {slippage_bps: 10001}",
        "execution.slippage_bps must be at most 10000, got 10001",
    ),
    "not above zero": ("model: {P0: 0}", "model.P0 must be above 0, got 0"),
    "gap below a nanosecond": (
        "schedule: {dt_mean_ms: 1e-7}",
        "schedule.dt_mean_ms must be at least 1e-06, got 1e-07",
    ),
    "text for a number": ("model: {sigma: high}", "model.sigma must be a number, got 'high'"),
    "bool for a number": ("model: {sigma: true}", "model.sigma must be a number, got true"),
    "nothing for a number": ("model: {sigma: }", "model.sigma must be a number, got nothing (null)"),
    "list for a number": ("model: {sigma: [1]}", "model.sigma must be a number, got a list"),
    "number for a bool": ("ui: {hot_reload: 1}", "ui.hot_reload must be true or false, got 1"),
    "yes for a bool": ("ui: {hot_reload: yes}", "ui.hot_reload must be true or false, got 'yes'"),
    "fraction for a count": ("run: {ticks: 1.5}", "run.ticks must be a whole number, got 1.5"),
    "unknown choice": (
        "model: {type: heston}",
        "model.type must be one of 'vasicek', 'brownian', 'gbm', got 'heston'",
    ),
    "bad speed": ("schedule: {speed: fast}", "schedule.speed must be a number or 'max', got 'fast'"),
    "speed 0": ("schedule: {speed: 0}", "schedule.speed must be above 0, got 0"),
    "negative seed": ("run: {seed: -1}", "run.seed must be at least 0, got -1"),
    "nan": ("model: {theta: .nan}", "model.theta must be finite, got nan"),
    "inf": ("model: {theta: -.inf}", "model.theta must be finite, got -inf"),
    "overflow": ("model: {theta: 1e999}", "model.theta must be finite, got inf"),
    "5,000 digits": ("run: {seed: " + "9" * 5000 + "}", "run.seed must be finite"),
    "4,000 digits": (
        "model: {theta: " + "9" * 4000 + "}",
        "model.theta must be a number, got a whole number of",
    ),
    "nan in params": ("strategy: {path: a, params: {k: [.nan]}}", "strategy.params.k[0] must be finite"),
    "section as number": ("model: 3", "model must be a section of settings, got 3"),
    "list at the top": ("- model", "a configuration is sections with settings, got a list"),
    "text at the top": ("hello", "a configuration is sections with settings, got 'hello'"),
    "strategy and strategies": (
        "strategy: {path: a}\nstrategies: {}",
        "strategy and strategies are both given",
    ),
    "strategy as text": ("strategy: sma", "strategy must be a section with path and params, got 'sma'"),
    "strategies empty": ("strategies:", "strategies must be a map of ids to path and params, got nothing"),
    "no path": ("strategies: {a: {params: {}}}", "strategies.a.path is missing"),
    "empty path": ("strategy: {path: ''}", "strategy.path must be a path, got ''"),
    "id with a dot": (
        "strategies: {a.b: {path: x}}",
        "an id in strategies must be text of at most 64 letters",
    ),
    "path without a name": ("strategy: {path: ../..}", "strategy.path ends in '..', which cannot be an id"),
    "euler elsewhere": (
        "model: {type: gbm, step: euler}",
        "model.step 'euler' exists for model.type 'vasicek' only",
    ),
    "floor": (
        "model: {price_map: additive, tick_size: 1}",
        "model.floor must be at least model.tick_size (1.0)",
    ),
    "short queue": (
        "transport: {window: 9000}",
        "transport.hwm.ticks_pub must be at least 4 x transport.window (36000)",
    ),
    "not an endpoint": (
        "transport: {endpoints: {control: here}}",
        "control must be an address such as tcp://",
    ),
    "port": ("transport: {endpoints: {control: 'tcp://a:99999'}}", "a port is at most 65535, got 99999"),
    "same port": (
        "transport: {endpoints: {control: 'tcp://127.0.0.1:5555'}}",
        "and ticks_pub are both tcp://",
    ),
    "external with keys": (
        "transport: {external: [me]}",
        "transport.external needs transport.security 'none'",
    ),
    "external id twice": (
        "transport: {external: [sma_crossover], security: none}",
        "transport.external: 'sma_crossover' is also the id of a strategy",
    ),
    "external not a list": ("transport: {external: me}", "transport.external must be a list, got 'me'"),
    "external not an id": (
        "transport: {external: [a, b c]}",
        "transport.external[1] must be text of at most 64",
    ),
    "asset with a space": ("model: {asset_id: '@ x'}", "model.asset_id must be text of at most 32 letters"),
    "epoch without zone": (
        "run: {epoch: 2025-01-01}",
        "run.epoch: '2025-01-01' is not a date and time such as",
    ),
    "duplicate key": ("model:\n  x0: 1\n  P0: 2\n  x0: 3", "line 4: 'x0' is given twice, first in line 2"),
    "duplicate section": ("model: {}\nrun: {}\nmodel: {}", "line 3: 'model' is given twice, first in line 1"),
    "anchor": ("model: &m {x0: 1}", "line 1: anchors and aliases (&, *) are not allowed"),
    "alias": ("run: {}\nmodel: *m", "line 2: anchors and aliases (&, *) are not allowed"),
    "billion laughs": (
        "a: &a [x]\n" + "".join(f"k{i}: &k{i} [*a, *a]\n" for i in range(99)),
        "line 1: anchors and aliases",
    ),
    "merge key": ("model:\n  <<: {x0: 1}", "model.<< is not a setting"),
    "python tag": ("model: !!python/object/apply:os.system [echo]", "line 1: tags (!) are not allowed"),
    "plain tag": ("model:\n  x0: !!float 1", "line 2: tags (!) are not allowed"),
    "list as key": ("? [a]\n: 1", "line 1: a list or map as a key; keys are text"),
    "20,000 brackets": ("[" * 20_000, "line 1: nested deeper than 20 levels"),
    "20,000 braces": ("{a: " * 20_000, "line 1: nested deeper than 20 levels"),
    "closed brackets": ("a: " + "[" * 21 + "]" * 21, "line 1: nested deeper than 20 levels"),
    "many values": ("[" + "1, " * 80_000 + "]", "line 1: more than 10,000 keys and values"),
    "too large": ("# " + "x" * 262_144, "larger than 256 KB"),
    "tab": ("model:\n\tx0: 1", "line 2: a tab; indent with spaces"),
    "indentation": ("model:\n x0: 1\n  P0: 2", "line 3: not valid YAML; check the indentation"),
    "dedent": ("model:\n    x0: 1\n  P0: 2", "line 3: not valid YAML; check the indentation"),
    "unclosed": ("model: {x0: 1", "line 1: not valid YAML"),
    "unclosed quote": ("run:\n  epoch: 'x", "line 2: not valid YAML"),
    "second document": ("run: {}\n---\nrun: {}", "line 2: a second document ('---')"),
    "control character": ("run: {}\n# \x07", "line 2: a character that YAML does not allow"),
    "escape beyond Unicode": ('a: "\\UFFFFFFFF"', "not valid YAML"),
    "directive with a huge number": ("%YAML " + "1" * 5000 + ".1\n---\na", "not valid YAML"),
    "half a surrogate": ('run: {export_dir: "\\ud800"}', "run.export_dir has a character that is no text"),
    "zero byte in a path": ('run: {export_dir: "a\\0b"}', "run.export_dir must be a path or null"),
    "latin-1": ("run: {}\n# ä".encode("latin-1"), "line 2: not UTF-8 text; save the file as UTF-8"),
    "UTF-16": ("run: {}".encode("utf-16"), "line 1: not UTF-8 text"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_one_clear_error(case, tmp_path):
    content, words = BAD_FILES[case]
    file = tmp_path / "config.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    start = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert time.process_time() - start < 1
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert words in message
    assert "\n" not in message
    assert len(message) < len(str(file)) + 400
    assert "$" not in message


@given(st.text(st.sampled_from("ab01.-:#&*!?|>%@[]{},'\"\\ \n\t\r\x85\ufeff~<"), max_size=60))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ConfigError):
        load(parse_yaml(text))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("gmb", "(did you mean 'gbm'?)"),
        ("Random_Walk", "(did you mean 'random_walk'?)"),
        ("nowhere.yaml", "neither a preset (vasicek, random_walk, gbm) nor a file that can be read"),
        ("model:\n  sigma: 1\n" * 99, "nor a file that can be read"),
        ("a\0b", "must be a path"),
        ("", "must be a path"),
        (3, "a configuration is a preset, a path, a mapping or a Config, got 3"),
        (Path(), "nor a file that can be read"),
        ({1: 2}, "1 is not a setting"),
        (Config(model=Model(sigma=-1)), "model.sigma must be at least 0"),
        (
            Config(strategies={"a": StrategySpec(path="a", params={"f": print})}),
            "strategies.a.params.f cannot be a",
        ),
    ],
)
def test_a_bad_source_is_one_clear_error(source, words):
    with pytest.raises(ConfigError) as caught:
        load(source)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


NOW = {
    *(f"model.{name}" for name in ("kappa", "theta", "sigma", "mu", "P0", "floor")),
    *(f"schedule.{name}" for name in ("mode", "dt_fixed_ms", "dt_mean_ms", "speed")),
    *(f"execution.{name}" for name in ("latency_ms", "slippage_bps", "commission_bps", "commission_fixed")),
    *("ui.throttle_fps", "ui.hot_reload", "metrics.window_s"),
}


def test_applies_knows_every_key():
    assert {key for key in keys() if applies(key) == "now"} == NOW
    assert {key for key in keys() if applies(key) == "reset"} == set(keys()) - NOW
    assert applies("sigma") == "now"
    assert applies("strategies.mine.params.fast") == "reset"


def test_every_unambiguous_end_of_a_key_resolves():
    for key in keys():
        parts = key.split(".")
        for i in range(len(parts)):
            end = ".".join(parts[i:])
            owners = [k for k in keys() if k == end or k.endswith("." + end)]
            if len(owners) == 1:
                assert resolve(end) == key
            else:
                with pytest.raises(ConfigError, match="ambiguous") as caught:
                    resolve(end)
                assert all(owner in str(caught.value) for owner in owners)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("P0", "model.P0"),
        ("sigma", "model.sigma"),
        ("latency_ms", "execution.latency_ms"),
        ("seed", "run.seed"),
        ("hwm.ticks_pub", "transport.hwm.ticks_pub"),
        ("strategies.a-1.params.fast", "strategies.a-1.params.fast"),
    ],
)
def test_short_names(short, full):
    assert resolve(short) == full


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("p0", "(did you mean 'model.P0'?)"),
        ("SIGMA", "(did you mean 'model.sigma'?)"),
        ("sigm", "(did you mean 'sigma'?)"),
        ("latency", "(did you mean 'latency_ms'?)"),
        ("modle.kappa", "(did you mean 'model.kappa'?)"),
        ("model.kapa", "model.kapa is not a setting (did you mean 'kappa'?)"),
        ("ticks_pub", "write transport.endpoints.ticks_pub or transport.hwm.ticks_pub"),
        ("schedule", "schedule is a section, not a setting; it has mode, dt_fixed_ms, dt_mean_ms, speed"),
        ("strategies.a.parms", "strategies.a.parms is not a setting"),
        ("", "is not a setting"),
        ("..", "is not a setting"),
    ],
)
def test_unknown_names_get_a_suggestion(key, words):
    for call in (resolve, applies, lambda k: coerce(k, 1), lambda k: with_settings(Config(), {k: 1})):
        with pytest.raises(ConfigError) as caught:
            call(key)
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("sigma", 1, 1.0),
        ("sigma", np.float64(0.5), 0.5),
        ("sigma", np.float32(0.5), 0.5),
        ("sigma", np.int64(2), 2.0),
        ("sigma", np.array(2.0), 2.0),
        ("run.ticks", np.int32(7), 7),
        ("reveal_state", np.True_, True),
        ("seed", 2**128 - 1, 2**128 - 1),
        ("seed", None, None),
        ("speed", "max", "max"),
        ("speed", 2, 2.0),
        ("export_dir", Path("runs") / "a", str(Path("runs") / "a")),
        ("external", ["a", "b"], ("a", "b")),
        ("strategies.a.params.fast", np.int64(3), 3),
        ("strategies.a.params", {"k": (1, 2)}, {"k": [1, 2]}),
        ("strategies", {"a": {"path": "b"}}, {"a": StrategySpec(path="b")}),
        ("strategies", {"a": StrategySpec(path="b")}, {"a": StrategySpec(path="b")}),
    ],
)
def test_coerce_converts(key, value, expected):
    result = coerce(key, value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("key", [k for k, kind in keys().items() if "float" in str(kind)])
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, np.nan, True, "1", [1.0], pytest.param(10**5000, id="5,000 digits"), 1j],
)
def test_no_number_setting_takes_what_is_not_a_finite_number(key, value):
    with pytest.raises(ConfigError, match=re.escape(key)):
        coerce(key, value)


@pytest.mark.parametrize(
    ("keys_", "least", "included"),
    [
        (
            "kappa sigma tick_size latency_ms slippage_bps commission_bps commission_fixed duration_s",
            0.0,
            True,
        ),
        ("P0 floor seconds_per_unit speed initial_cash max_position seconds_per_year window_s", 0.0, False),
        ("throttle_fps init_s on_tick_s on_stop_s wall_s slow_ms", 0.0, False),
        ("dt_fixed_ms dt_mean_ms", 1e-6, True),
        ("interval_s", 0.001, True),
        ("run.seed run.ticks", 0, True),
        ("window snapshot_every orders_per_tick output_kb orders", 1, True),
    ],
)
def test_lower_bounds(keys_, least, included):
    below = least - 1 if isinstance(least, int) else math.nextafter(least, -1)
    for key in keys_.split():
        with pytest.raises(ConfigError, match=r"must be (at least|above) "):
            coerce(key, below)
        if included:
            assert coerce(key, least) == least
        else:
            assert coerce(key, 5e-324) == 5e-324
            with pytest.raises(ConfigError, match="must be above 0, got 0"):
                coerce(key, 0)


def test_parameters_must_be_data_of_bounded_depth():
    deep: list[object] = []
    deep.append(deep)
    for value, words in [
        (deep, "nested deeper than 20"),
        ({1: 2}, "names must be text"),
        ({"a": {3}}, "cannot be a set"),
    ]:
        with pytest.raises(ConfigError, match=words):
            coerce("strategies.a.params", {"k": value})


def test_with_settings_returns_a_new_config():
    before = Config()
    after = with_settings(before, {"sigma": 0.4, "execution.latency_ms": np.int64(200), "run.seed": 7})
    assert (after.model.sigma, after.execution.latency_ms, after.run.seed) == (0.4, 200.0, 7)
    assert before == Config()
    assert with_settings(after, {"sigma": 0.2, "latency_ms": 50, "seed": None}) == before


def test_with_settings_reaches_one_strategy_and_leaves_the_callers_data_alone():
    given_ = {"b": {"path": "x", "params": {"n": 1}}}
    config = with_settings(Config(), {"strategies": given_, "strategies.b.params.n": 2})
    assert config.strategies == {"b": StrategySpec(path="x", params={"n": 2})}
    assert given_ == {"b": {"path": "x", "params": {"n": 1}}}
    with pytest.raises(ConfigError, match=r"strategies\.c\.path is missing"):
        with_settings(config, {"strategies.c.params.n": 2})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sigma": 1, "model.sigma": 2}, "model.sigma is given twice, as sigma and as model.sigma"),
        ({"step": "euler", "model.type": "gbm"}, "exists for model.type 'vasicek' only"),
        ({"price_map": "additive", "tick_size": 0.01}, "model.floor must be at least model.tick_size (0.01)"),
        ({"sigma": "0.3"}, "model.sigma must be a number, got '0.3'"),
    ],
)
def test_with_settings_checks(changes, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        with_settings(Config(), changes)


def test_a_coarse_euler_step_is_allowed():
    config = with_settings(Config(), {"step": "euler", "kappa": 100, "dt_mean_ms": 1000})
    assert config.model.step == "euler"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model.sigma=0.3", ("model.sigma", 0.3)),
        (" sigma = 3e-1", ("model.sigma", 0.3)),
        ("seed=null", ("run.seed", None)),
        ("speed=max", ("schedule.speed", "max")),
        ("hot_reload=false", ("ui.hot_reload", False)),
        ("external=[a, b]", ("transport.external", ("a", "b"))),
        ("export_dir=C:\\runs\\a=b", ("run.export_dir", "C:\\runs\\a=b")),
        ("strategies.a.params.fast=10", ("strategies.a.params.fast", 10)),
    ],
)
def test_assignments(text, expected):
    assert parse_assignment(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sigma", "write it as model.sigma=0.3"),
        ("sigm=1", "did you mean 'sigma'"),
        ("sigma=-1", "model.sigma must be at least 0, got -1"),
        ("sigma=", "model.sigma must be a number, got nothing"),
        ("sigma=[", "'sigma=[': line 1: not valid YAML"),
        ("sigma=1: 2", "model.sigma must be a number, got a map"),
    ],
)
def test_bad_assignments(text, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        parse_assignment(text)


UNITS = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "": 10**9,
    "m": 60 * 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}


@given(
    st.decimals(0, 10**6, allow_nan=False, places=9),
    st.sampled_from(sorted(UNITS)),
    st.sampled_from(["", " "]),
)
def test_times_are_exact(number, unit, space):
    assert parse_time(f"{number:f}{space}{unit}") == round(
        Fraction(number) * UNITS[unit]
    )  # round: half to even


@given(st.floats(0, 9e9))
def test_plain_numbers_are_seconds_as_typed(number):
    expected = round(Fraction(repr(number)) * 10**9)
    assert parse_time(number) == parse_time(np.float64(number)) == parse_time(repr(number)) == expected


@given(st.integers(0, 9 * 10**9))
def test_whole_seconds(number):
    assert parse_time(number) == parse_time(np.int64(number)) == number * 10**9


@given(st.integers(0, 2**63 - 1))
def test_a_time_may_be_a_timedelta(ns):
    assert parse_time(pd.Timedelta(ns, "ns")) == ns
    assert parse_time(pd.Timedelta(ns, "ns").as_unit("s")) == ns // 10**9 * 10**9
    assert parse_time(timedelta(microseconds=ns // 1000)) == ns // 1000 * 1000


@pytest.mark.parametrize("value", [timedelta(microseconds=-1), pd.Timedelta(-1, "ns"), pd.NaT])
def test_a_time_is_no_negative_timedelta(value):
    with pytest.raises(ConfigError, match="time"):
        parse_time(value)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("60s", 60 * 10**9),
        ("200ms", 2 * 10**8),
        ("5m", 3 * 10**11),
        ("1h", 36 * 10**11),
        ("1.5s", 15 * 10**8),
        (".1", 10**8),
    ],
)
def test_times(text, ns):
    assert parse_time(text) == ns


@pytest.mark.parametrize(
    "value", ["", "s", "5 x", "1 2s", "ms200", "1,5s", "0x10", True, None, math.nan, math.inf, [1], b"1s"]
)
def test_what_is_not_a_time_gets_examples(value):
    with pytest.raises(
        ConfigError, match=r"is not a time: write 60s, 200ms, 5m, 1\.5h or a number of seconds"
    ):
        parse_time(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("-5s", "at least 0"),
        (-1, "at least 0"),
        pytest.param(10**5000, "292 years", id="5,000 digits"),
        ("1e999h", "292 years"),
    ],
)
def test_times_out_of_range(value, words):
    with pytest.raises(ConfigError, match=words):
        parse_time(value)


def test_epochs():
    assert parse_epoch(Config().run.epoch) == 1_735_689_600 * 10**9
    assert parse_epoch("2025-01-01T01:00:00.000001+01:00") == 1_735_689_600 * 10**9 + 1000
    for text in ("", "2025", "2025-01-01T00:00:00", "1969-12-31T23:59:59Z", "3000-01-01T00:00:00Z"):
        with pytest.raises(ConfigError, match="is not a date and time such as"):
            parse_epoch(text)


def test_importing_stays_light():
    code = "import sys, algosim.config, algosim.settings as s; s.load('gbm'); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "algosim.settings" in loaded
    assert not {"yaml", "numpy", "pandas", "zmq"} & set(loaded)


def test_a_config_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        Config().model.sigma = 1.0
    assert msgspec.structs.replace(Model(), sigma=1.0).sigma == 1.0
