"""Turning nested mappings into a `Config`, and the rules that several settings obey together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from algosim.config import Config, Id, Section, StrategySpec
from algosim.errors import ConfigError
from algosim.setting_keys import unknown_setting
from algosim.setting_values import convert, show
from algosim.times import parse_epoch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check", "from_mapping", "strategies_of", "strategy_id"]

_S = TypeVar("_S", bound=Section)


def from_mapping(source: object) -> Config:
    """Build and check a Config; what `source` does not mention keeps its default."""
    if source is None:
        source = {}
    if not isinstance(source, Mapping):
        raise ConfigError(f"a configuration is sections with settings, got {show(source)}")
    config = _section(Config, _with_strategies(source), "")
    check(config)
    return config


def check(config: Config) -> None:
    """Raise `ConfigError` for the first rule that several settings break together."""
    for problem in (*_model_problems(config), *_transport_problems(config), *_endpoint_problems(config)):
        raise ConfigError(problem)
    if any(spec.params for spec in config.strategies.values()) or len(msgspec.json.encode(config)) > SMALL:
        _check_size(config)
    try:
        parse_epoch(config.run.epoch)
    except ConfigError as error:
        raise ConfigError(f"run.epoch: {error}") from None


def strategy_id(path: str) -> str:
    """Return the id that a strategy has unless given another: the name of its folder or file."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if len(parts) > 1 and parts[-1] == "strategy.py":
        parts.pop()
    return parts[-1].removesuffix(".py") if parts else ""


def _with_strategies(source: Mapping[str, object]) -> Mapping[str, object]:
    """Turn the block ``strategy:`` into an entry of ``strategies:``."""
    if "strategy" not in source:
        return source
    if "strategies" in source:
        raise ConfigError("strategy and strategies are both given; keep one of them")
    spec = _strategy(source["strategy"], "strategy")
    name = strategy_id(spec.path)
    try:
        convert(Id, name, "id")
    except ConfigError:
        raise ConfigError(
            f"strategy.path ends in {show(name)}, which cannot be an id; "
            "write strategies: {my_id: {path: ...}} instead"
        ) from None
    return {k: v for k, v in source.items() if k != "strategy"} | {"strategies": {name: spec}}


def strategies_of(value: object) -> dict[str, StrategySpec]:
    """Check the map of strategy ids to their path and parameters."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"strategies must be a map of ids to path and params, got {show(value)}")
    return {
        str(convert(Id, name, "an id in strategies")): _strategy(spec, f"strategies.{name}")
        for name, spec in value.items()
    }


def _strategy(value: object, key: str) -> StrategySpec:
    if value is None or isinstance(value, str):
        raise ConfigError(f"{key} must be a section with path and params, got {show(value)}")
    return _section(StrategySpec, value, key)


def _section(cls: type[_S], value: object, key: str) -> _S:
    """Build `cls`, checking every value in it; an empty section (null) keeps its defaults."""
    if isinstance(value, Section):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    if value is not None and not isinstance(value, Mapping):
        raise ConfigError(f"{key} must be a section of settings, got {show(value)}")
    fields = {field.name: field for field in msgspec.structs.fields(cls)}
    prefix = f"{key}." if key else ""
    checked: dict[str, Any] = {}
    for name, item in (value or {}).items():
        if name not in fields:
            raise unknown_setting(f"{prefix}{name}", tuple(fields))
        checked[name] = _value(fields[name].type, item, f"{prefix}{name}")
    for name, field in fields.items():
        if field.required and name not in checked:
            raise ConfigError(f"{prefix}{name} is missing")
    return cls(**checked)


def _value(kind: object, value: object, key: str) -> object:
    if isinstance(kind, type) and issubclass(kind, Section):
        return _section(kind, value, key)
    return strategies_of(value) if key == "strategies" else convert(kind, value, key)


def _check_size(config: Config) -> None:
    """Refuse a configuration that could not be read back from the folder of its run."""
    from algosim.yaml_border import excess  # noqa: PLC0415  PyYAML is half of the import time

    too_much = excess(msgspec.to_builtins(config))
    if too_much:
        raise ConfigError(f"the settings have {too_much}; keep a strategy's data in a file beside it")


SMALL = 8 * 1024
"""Bytes of JSON; settings without parameters that have fewer are never too much."""

SMALLEST_TICK = 1e-9
"""Smallest price grid [currency]; on a finer one a price in units of it leaves the exact integers."""


def _model_problems(config: Config) -> Iterator[str]:
    model = config.model
    if model.step == "euler" and model.type != "vasicek":
        yield f"model.step 'euler' exists for model.type 'vasicek' only, got {model.type!r}; use step 'exact'"
    if 0.0 < model.tick_size < SMALLEST_TICK:
        yield f"model.tick_size must be 0 or at least {SMALLEST_TICK:g}, got {model.tick_size}"
    if model.price_map == "additive" and model.floor < model.tick_size:
        yield (
            f"model.floor must be at least model.tick_size ({model.tick_size}) "
            f"when model.price_map is 'additive', got {model.floor}"
        )


def _transport_problems(config: Config) -> Iterator[str]:
    transport = config.transport
    least = 4 * transport.window
    for name, mark in msgspec.structs.asdict(transport.hwm).items():
        if mark < least:
            yield f"transport.hwm.{name} must be at least 4 x transport.window ({least}), got {mark}"
    if transport.external and transport.security != "none":
        yield "transport.external needs transport.security 'none': raw clients have no keys"
    for name in transport.external:
        if name in config.strategies:
            yield f"transport.external: {name!r} is also the id of a strategy"


def _endpoint_problems(config: Config) -> Iterator[str]:
    taken: dict[str, str] = {}
    for name, address in msgspec.structs.asdict(config.transport.endpoints).items():
        port = address.rpartition(":")[2]
        if port == "*" or int(port) == 0:
            continue
        if int(port) > 65535:
            yield f"transport.endpoints.{name}: a port is at most 65535, got {port}"
        if taken.setdefault(address, name) != name:
            yield f"transport.endpoints.{name} and {taken[address]} are both {address}"
