"""Loading, checking, changing and writing a `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algosim.checked_config import check, from_mapping, strategies_of, strategy_id
from algosim.config import Config, PathText
from algosim.errors import ConfigError, did_you_mean
from algosim.setting_keys import applies, keys, kind_of, resolve
from algosim.setting_values import convert, named, plain, show
from algosim.times import parse_epoch, parse_time

__all__ = [
    "PRESETS",
    "applies",
    "check",
    "coerce",
    "default_text",
    "keys",
    "load",
    "named",
    "parse_assignment",
    "parse_epoch",
    "parse_time",
    "resolve",
    "strategy_id",
    "to_mapping",
    "to_yaml",
    "with_settings",
]

PRESETS: dict[str, dict[str, object]] = {
    "vasicek": {},
    "random_walk": {"model": {"type": "brownian", "price_map": "additive", "sigma": 0.5}},
    "gbm": {"model": {"type": "gbm", "sigma": 0.01}},
}


def load(source: Config | Mapping[str, object] | str | Path | None = None) -> Config:
    """Load and check a configuration; what it does not mention keeps its default.

    Parameters
    ----------
    source : Config, mapping, str, Path or None
        None for the defaults; the name of a preset (``vasicek``, ``random_walk``, ``gbm``); the path of a
        YAML file; a mapping of the same shape; or a Config, which is checked.

    Raises
    ------
    ConfigError
        With one message that names the file, the setting and the remedy.
    """
    if source is None:
        return Config()
    if isinstance(source, Config):
        return from_mapping(to_mapping(source))
    if isinstance(source, Mapping):
        return from_mapping(source)
    if isinstance(source, str) and source in PRESETS:
        return from_mapping(PRESETS[source])
    if isinstance(source, (str, Path)):
        return _from_file(Path(str(convert(PathText, source, "the path of a configuration"))))
    raise ConfigError(f"a configuration is a preset, a path, a mapping or a Config, got {show(source)}")


def with_settings(config: Config, settings: Mapping[str, object]) -> Config:
    """Return a new, checked Config with some settings changed.

    Parameters
    ----------
    config : Config
        Stays as it is.
    settings : mapping
        Dotted keys, or their unambiguous last parts, to values: ``{"model.sigma": 0.4, "seed": 1}``. One
        strategy's settings are ``strategies.<id>.path`` and ``strategies.<id>.params.<name>``.
    """
    tree = to_mapping(config)
    written: dict[str, str] = {}
    for name, value in named(settings, "settings").items():
        key = resolve(name)
        if key in written:
            raise ConfigError(f"{key} is given twice, as {written[key]} and as {name}")
        written[key] = name
        *sections, last = key.split(".")
        node = tree
        for section in sections:
            node = node.setdefault(section, {})
        node[last] = plain(coerce(key, value), key)
    return from_mapping(tree)


def coerce(key: str, value: object) -> object:
    """Check one value and convert it to its setting's type.

    Integers become floats where the setting is a float, numpy scalars become built-in numbers. Checks
    that concern several settings at once are `check`'s.

    Raises
    ------
    ConfigError
        If there is no such setting, or the value has the wrong type, is out of range or not finite.
    """
    full = resolve(key)
    return strategies_of(value) if full == "strategies" else convert(kind_of(full), value, full)


def parse_assignment(text: str) -> tuple[str, object]:
    """Split ``model.sigma=0.3`` into the full key and its checked value; the value is read as YAML."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"{show(text)} is not an assignment: write it as model.sigma=0.3")
    from algosim.yaml_border import parse_yaml  # noqa: PLC0415  PyYAML is half of the import time

    key = resolve(name.strip())
    try:
        return key, coerce(key, parse_yaml(value))
    except ConfigError as error:
        raise ConfigError(f"{show(text)}: {error}") from None


def to_mapping(config: Config) -> dict[str, Any]:
    """Return `config` as nested dicts of JSON's types, in the order of `Config`."""
    return {name: plain(getattr(config, name), name) for name in config.__struct_fields__}


def to_yaml(config: Config) -> str:
    """Return `config` as YAML text that `load` reads back as an equal Config."""
    from algosim.yaml_border import dump_yaml  # noqa: PLC0415  PyYAML is half of the import time

    return dump_yaml(to_mapping(config))


def default_text() -> str:
    """Return the default configuration as commented YAML."""
    return Path(__file__).with_name("default.yaml").read_text(encoding="utf-8")


def _from_file(path: Path) -> Config:
    from algosim.yaml_border import read_yaml  # noqa: PLC0415  PyYAML is half of the import time

    try:
        return from_mapping(read_yaml(path))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except OSError as error:
        raise ConfigError(
            f"{show(str(path))} is neither a preset ({', '.join(PRESETS)}) nor a file that can be read "
            f"({error.strerror}){did_you_mean(str(path), PRESETS)}"
        ) from error
