"""The options of every command that starts a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from algosim.settings import parse_assignment

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RunOptions", "given_options", "run_options"]

_F = TypeVar("_F", bound="Callable[..., Any]")
_META = "algosim.run_options"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a person said about a run, as `algosim.runs.evaluate` and `Simulation` take it.

    None where nothing was said.
    """

    config: str | None
    strategy: tuple[str, ...] | None
    seed: int | None
    duration: str | None
    ticks: int | None
    settings: dict[str, object]
    out: str | None


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    assert parameter.name is not None
    context.meta.setdefault(_META, {})[parameter.name] = value


def _assign(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> None:
    _keep(context, parameter, dict(map(parse_assignment, texts)))


def _choose(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> None:
    _keep(context, parameter, names or None)


_OPTIONS = (
    click.option(
        "--config",
        metavar="F",
        expose_value=False,
        callback=_keep,
        help="Configuration: a YAML file, or vasicek, random_walk or gbm. See: sim config.",
    ),
    click.option(
        "--strategy",
        metavar="S",
        multiple=True,
        expose_value=False,
        callback=_choose,
        help="A strategy's name, file or folder. Repeat it for several on one market.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        expose_value=False,
        callback=_keep,
        help="Makes the run repeatable. Without it a fresh one is drawn and shown.",
    ),
    click.option(
        "--duration",
        metavar="D",
        expose_value=False,
        callback=_keep,
        help="Length in simulated time: 60s, 5m, 1.5h.",
    ),
    click.option(
        "--ticks",
        type=click.IntRange(min=1),
        metavar="N",
        expose_value=False,
        callback=_keep,
        help="Length in ticks.",
    ),
    click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        expose_value=False,
        callback=_assign,
        help="One setting over the configuration, such as model.sigma=0.3. Repeatable.",
    ),
    click.option(
        "--out",
        metavar="DIR",
        expose_value=False,
        callback=_keep,
        help="Folder to write the run to.",
    ),
)


def run_options(command: _F) -> _F:
    """Give a command the options of a run; it reads them with `given_options`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given_options(context: click.Context) -> RunOptions:
    """Return the options that `run_options` collected for this call."""
    return RunOptions(**context.meta[_META])
