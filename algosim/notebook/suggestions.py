"""What may be written behind ``%algosim`` and ``%%strategy``: subcommands, options, settings, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args, get_origin

from algosim.errors import AlgosimError
from algosim.notebook import current, strategy_cell
from algosim.notebook.answers import parameters
from algosim.notebook.commands import COMMANDS, TOPICS
from algosim.runs.workspace import EVENTS, runs_folder, strategy_names
from algosim.settings import applies, keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from algosim.notebook.words import Option

__all__ = ["suggestions"]


def suggestions(text: str) -> list[str]:
    """Return all that may stand where a line ends, whatever letters of it are there already."""
    magic, *words = text.split()
    if text[-1:].isspace():
        words.append("")
    if not words:
        return []
    *before, word = words
    if magic == "%%strategy":
        return _for_cell(before, word)
    return _for_magic(before, word) if before else list(COMMANDS)


def _for_magic(before: Sequence[str], word: str) -> list[str]:
    command = COMMANDS.get(before[0])
    if command is None:
        return []
    given = _for_option(command.options, before)
    if given is not None:
        return given
    found = _REST[command.rest]() if command.rest in _REST and not word.startswith("-") else []
    if command.assigns and not word.startswith("-"):
        found += _assignments(before, word)
    return found if "=" in word else found + _open_options(command.options, before)


def _for_cell(before: Sequence[str], word: str) -> list[str]:
    given = _for_option(strategy_cell.OPTIONS, before)
    if given is not None:
        return given
    names = [other for other in before if not other.startswith("-")]
    if not names and not word.startswith("-"):
        return list(strategy_names())
    path = strategy_names().get(names[0]) if names else None
    found = [f"{name}=" for name in parameters(path)] if path and not word.startswith("-") else []
    return found + _open_options(strategy_cell.OPTIONS, before)


def _for_option(options: Iterable[Option], before: Sequence[str]) -> list[str] | None:
    """Return the values of the option that the word before is, or None if it is none."""
    for option in options:
        if before and option.name == before[-1] and option.value:
            return _market() if option.name == "--id" else list(option.choices()) if option.choices else []
    return None


def _open_options(options: Iterable[Option], before: Sequence[str]) -> list[str]:
    return [option.name for option in options if option.many or option.name not in before]


def _assignments(before: Sequence[str], word: str) -> list[str]:
    """Return names with their ``=``, or the values that a name can have."""
    name, equals, _ = word.partition("=")
    if equals:
        return _values(name)
    if "--id" in before[:-1]:
        return [f"{name}=" for name in _parameters(before[before.index("--id") + 1])]
    wanted = [key for key in keys() if before[0] != "set" or applies(key) == "now"]
    lasts = [key.rpartition(".")[2] for key in keys()]
    short = [key.rpartition(".")[2] for key in wanted if lasts.count(key.rpartition(".")[2]) == 1]
    return [f"{key}=" for key in (*short, *wanted)]


def _values(name: str) -> list[str]:
    kinds = [kind for key, kind in keys().items() if key == name or key.endswith(f".{name}")]
    return _literals(kinds[0]) if len(kinds) == 1 else []


def _literals(kind: object) -> list[str]:
    if kind is bool:
        return ["true", "false"]
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    inner = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
    return [text for part in inner for text in _literals(part)]


def _market() -> list[str]:
    """Return the strategies in the market."""
    sim = current.peek()
    try:
        return list(sim.config.strategies) if sim is not None else []
    except AlgosimError:
        return []


def _parameters(name: str) -> list[str]:
    """Return the parameters of a strategy in the market."""
    sim = current.peek()
    if sim is None or name not in sim.config.strategies:
        return []
    path = strategy_names().get(name) or sim.config.strategies[name].path
    return list(parameters(path))


def _run_names() -> list[str]:
    found = sorted((path.parent.name for path in runs_folder().glob(f"*/{EVENTS}")), reverse=True)
    return ["last", *(name for name in found if name != "last")]


_REST: dict[str, Callable[[], list[str]]] = {
    "RUN": _run_names,
    "STRATEGY": lambda: list(strategy_names()),
    "TOPIC": lambda: [*TOPICS, *COMMANDS],
}
