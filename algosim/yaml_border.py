"""The part of YAML that a settings file may use, read within bounds of size, depth and time.

Plain scalars follow the core schema of YAML 1.2 (``1e6`` is a number; ``yes``, ``010`` as octal and bare
dates are not special). Anchors, aliases, tags, duplicate keys and further documents are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

import msgspec
import yaml

from algosim.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["dump_yaml", "excess", "parse_yaml", "read_yaml"]

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 10_000

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Longer integers read as a float, which is then infinite: int() refuses more than 4,300 digits.
_INT = re.compile(r"[-+]?[0-9]{1,4000}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF|nan|NaN|NAN)")


def read_yaml(path: Path) -> object:
    """Read a file; see `parse_yaml`. An `OSError` rises, and no message names the file."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"larger than {MAX_BYTES // 1024} KB, which no settings file is")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"line {line}: not UTF-8 text; save the file as UTF-8") from error
    return parse_yaml(text)


def parse_yaml(text: str) -> object:
    """Convert YAML text to dicts with text keys, lists and scalars; an empty text is None.

    Raises
    ------
    ConfigError
        With the line, if `text` is not YAML, uses what is refused here, or exceeds the bounds.
    """
    try:
        return _Builder(yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except ConfigError:
        raise
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"line {line}: a character that YAML does not allow") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax_message(error)) from error
    except (ValueError, OverflowError) as error:
        # PyYAML lets these escape from "\UFFFFFFFF" and from a %YAML directive with a huge number.
        raise ConfigError(f"not valid YAML ({str(error).partition(':')[0]})") from error


def dump_yaml(data: Mapping[str, object]) -> str:
    """Convert a tree of plain data to YAML text that `parse_yaml` reads back as the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


def excess(data: Mapping[str, object]) -> str:
    """Return what of a tree of plain data is too much to be read back as YAML, or ``""``."""
    nodes, depth = _measured(data)
    if nodes > MAX_NODES:
        return f"{nodes:,} keys and values, at most {MAX_NODES:,}"
    if depth > MAX_DEPTH:
        return f"{depth} levels, at most {MAX_DEPTH}"
    size = len(msgspec.json.encode(data))
    if size < 2 * MAX_BYTES:  # PyYAML takes its time, and no YAML is less than half as long
        size = len(dump_yaml(data).encode())
    return f"{size / 1024:,.0f} KB, at most {MAX_BYTES // 1024} KB" if size > MAX_BYTES else ""


def _measured(data: object) -> tuple[int, int]:
    """Return the number of keys and values and the levels of a tree of plain data."""
    if not isinstance(data, dict | list):
        return 1, 0
    inside = [_measured(value) for value in (data.values() if isinstance(data, dict) else data)]
    keys = len(data) if isinstance(data, dict) else 0
    return 1 + keys + sum(nodes for nodes, _ in inside), 1 + max((depth for _, depth in inside), default=0)


class _Builder:
    """Builds plain data from PyYAML's events, so that refusal comes before the rest is scanned."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.events = events
        self.nodes = 0

    def document(self) -> object:
        next(self.events)  # the start of the stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        data = self._value(next(self.events), 0)
        next(self.events)  # the end of the document
        following = next(self.events)
        if not isinstance(following, yaml.StreamEndEvent):
            _refuse(following, "a second document ('---'); a settings file has one")
        return data

    def _value(self, event: yaml.Event, depth: int) -> object:
        self._check(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event.value) if event.style is None else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth + 1)
        return self._mapping(depth + 1)

    def _sequence(self, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, depth))
        return items

    def _mapping(self, depth: int) -> dict[str, object]:
        items: dict[str, object] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self._check(event, depth)
            if not isinstance(event, yaml.ScalarEvent):
                _refuse(event, "a list or map as a key; keys are text")
            key = event.value
            if key in items:
                _refuse(event, f"{_short(key)} is given twice, first in line {lines[key]}")
            lines[key] = _line(event)
            items[key] = self._value(next(self.events), depth)
        return items

    def _check(self, event: yaml.Event, depth: int) -> None:
        self.nodes += 1
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            _refuse(event, "anchors and aliases (&, *) are not allowed; write the value out")
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag is not None:
            _refuse(event, "tags (!) are not allowed; write the plain value")
        if depth == MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            _refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        if self.nodes > MAX_NODES:
            _refuse(event, f"more than {MAX_NODES:,} keys and values")


class _Dumper(yaml.SafeDumper):
    """PyYAML's dumper, quoting also what only `_scalar` takes for a number."""

    def text(self, value: str) -> yaml.ScalarNode:
        # PyYAML's other styles lose line breaks such as U+0085.
        style = None if value.isprintable() and _scalar(value) == value else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _Dumper.text)


def _scalar(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if match := _SPECIAL.fullmatch(text):
        return float("".join(match.groups()))
    return text


def _refuse(event: yaml.Event, reason: str) -> NoReturn:
    raise ConfigError(f"line {_line(event)}: {reason}")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}: " if mark else ""
    problem = error.problem or error.context or "not valid YAML"
    if "'\\t'" in problem:
        return f"{where}a tab; indent with spaces"
    if "<block end>" in problem or "mapping values" in problem:
        return f"{where}not valid YAML; check the indentation, and quote text that contains ': '"
    return f"{where}not valid YAML ({problem})"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
