"""Reads what follows a magic: options as IPython has them, assignments, and other words."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from algosim.errors import ConfigError, did_you_mean
from algosim.yaml_border import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Option", "Words", "read_words", "split"]


class Option(NamedTuple):
    """An option of a magic.

    `value` names what follows it in help, ``"N"``; an option without one is a flag. `read` checks the value.
    `choices` are offered by completion. An option with `many` may be given several times.
    """

    name: str
    value: str
    about: str
    read: Callable[[str], object] = str
    choices: Callable[[], Iterable[str]] | None = None
    many: bool = False


@dataclass
class Words:
    """What was said.

    Attributes
    ----------
    options : dict
        Values by the option's name as Python writes it, ``keep_state``; a list where there may be several.
    assigned : dict
        The values of ``name=value``, read as YAML.
    rest : list of str
        The other words.
    """

    options: dict[str, Any] = field(default_factory=dict)
    assigned: dict[str, Any] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything was said."""
        return bool(self.options or self.assigned or self.rest)


def split(line: str) -> list[str]:
    """Split a line into words; quotes keep spaces, a backslash is a character of a path.

    Raises
    ------
    ConfigError
        If a quote is not closed.
    """
    reader = shlex.shlex(line, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.escape, reader.commenters = True, "", ""
    try:
        return list(reader)
    except ValueError as error:
        msg = f"a quote is not closed in: {line.strip()}"
        raise ConfigError(msg) from error


def read_words(
    words: Sequence[str], options: Iterable[Option], *, usage: str, most: int = 0, assigns: bool = False
) -> Words:
    """Sort words into options, assignments and the rest.

    Parameters
    ----------
    words : sequence of str
    options : iterable of Option
        Those that there are.
    usage : str
        How the magic is written; errors end with it.
    most : int, optional
        How many other words there may be.
    assigns : bool, optional
        Whether there may be assignments.

    Raises
    ------
    ConfigError
        If a word cannot be used, with the nearest that can.
    """
    known = {option.name: option for option in options}
    said = Words()
    left = list(words)
    while left:
        word = left.pop(0)
        if word.startswith("--"):
            _take_option(said, known, word, left, usage)
        elif assigns and "=" in word:
            name, _, value = word.partition("=")
            said.assigned[name.strip()] = _value(word, value)
        elif len(said.rest) < most:
            said.rest.append(word)
        else:
            raise ConfigError(_meaningless(word, left, known, usage, assigns=assigns))
    return said


def _meaningless(word: str, left: Sequence[str], known: Iterable[str], usage: str, *, assigns: bool) -> str:
    """Return what to say of a word too many; ``sigma = 0.4`` and ``sigma 0.4`` are meant as one word."""
    value = "".join(left[:2]).removeprefix("=") if left and left[0].startswith("=") else "".join(left[:1])
    if assigns and word.isidentifier() and value and "=" not in value and not value.startswith("-"):
        return f"write {word}={value}, in one word"
    return f"{word!r} has no meaning here{did_you_mean(f'--{word}', known)}; write: {usage}"


def _value(word: str, text: str) -> object:
    try:
        return parse_yaml(text)
    except ConfigError as error:
        msg = f"{word!r}: {error}"
        raise ConfigError(msg) from None


def _take_option(said: Words, known: dict[str, Option], word: str, left: list[str], usage: str) -> None:
    """Take one option, and its value from the same word or the next."""
    name, equals, value = word.partition("=")
    option = known.get(name)
    if option is None:
        msg = f"there is no option {name}{did_you_mean(name, known)}; write: {usage}"
        raise ConfigError(msg)
    key = name.removeprefix("--").replace("-", "_")
    if not option.value:
        if equals:
            msg = f"{name} takes no value; write {name} alone"
            raise ConfigError(msg)
        said.options[key] = True
        return
    if not equals and not left:
        msg = f"{name} needs a value: {name} {option.value}"
        raise ConfigError(msg)
    found = option.read(value if equals else left.pop(0))
    if option.many:
        said.options.setdefault(key, []).append(found)
    else:
        said.options[key] = found
