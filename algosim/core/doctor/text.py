"""What was found in a strategy's source, and how its bytes become text and a syntax tree."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Literal

import msgspec

from algosim.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MAX_BYTES",
    "MAX_WORD",
    "Finding",
    "Level",
    "Text",
    "compile_fault",
    "cut",
    "hint",
    "parse",
    "read_text",
]

Level = Literal["error", "warning"]

MAX_BYTES = 1 << 20
"""Largest source that is read [bytes]."""

MAX_SHOWN = 200
"""Longest text of a line in a finding [characters]."""

MAX_WORD = 40
MAX_KNOWN = 100
"""Bounds of a suggestion: comparing words costs the product of their lengths."""

_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_UTF8_NAMES = ("utf8", "utf8sig", "ascii", "usascii")


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong or suspicious in a strategy's source.

    Attributes
    ----------
    line, column : int
        Where, both counted from 1; the column in characters.
    level : {"error", "warning"}
        An error: the strategy cannot load or work. A warning: it would not replay, or looks like a slip.
    rule : str
        Name of the rule in kebab-case.
    message : str
        What is wrong and what to do.
    source : str
        The text of the line.
    filename : str
    """

    line: int
    column: int
    level: Level
    rule: str
    message: str
    source: str
    filename: str

    def __str__(self) -> str:
        return f"{self.filename}:{self.line}: {self.level}: {self.message}"


class Text:
    """A source as text, with its lines as Python counts them."""

    def __init__(self, content: str, filename: str) -> None:
        self.content = content
        self.filename = filename
        self.lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    def finding(self, level: Level, rule: str, message: str, line: int = 1, column: int = 1) -> Finding:
        """Return a finding on a line; a line outside the text is moved to its nearest."""
        line = min(max(line, 1), len(self.lines))
        source = self.lines[line - 1].rstrip()[:MAX_SHOWN]
        return Finding(line, max(column, 1), level, rule, message, source, self.filename)

    def column(self, line: int, byte_offset: int) -> int:
        """Return the column, from 1 in characters, of an offset that counts UTF-8 bytes."""
        before = self.lines[line - 1].encode()[:byte_offset] if 0 < line <= len(self.lines) else b""
        return len(before.decode(errors="ignore")) + 1


def read_text(source: bytes | str, filename: str) -> tuple[Text, list[Finding]]:
    """Return a source as text; findings of level error mean that it cannot be read any further."""
    if len(source) > MAX_BYTES:
        return _too_large(filename)
    data = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        return _too_large(filename)
    text = Text(data.decode("utf-8-sig", "replace"), filename)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return text, [_not_utf8(text, data, error.start)]
    at = text.content.find("\0")
    if at >= 0:
        line, column = _place(text.content[:at])
        message = "there is a null byte here: this is not a text file, or it was damaged; delete it"
        return text, [text.finding("error", "null-byte", message, line, column)]
    return text, _other_coding(text)


def parse(text: Text) -> ast.Module | Finding:
    """Return the syntax tree, or what keeps Python from reading the source."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.content, text.filename)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        return _unreadable(text, error)


def compile_fault(text: Text) -> Finding | None:
    """Return what the compiler refuses in a source that parses, such as ``return`` outside a function."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text.content, text.filename, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        return _unreadable(text, error)
    return None


def hint(word: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` or ``""``, at a bounded cost."""
    return did_you_mean(word, list(known)[:MAX_KNOWN]) if len(word) <= MAX_WORD else ""


def cut(word: str, length: int = MAX_WORD) -> str:
    """Return a word of the learner's for a message, shortened where it is long."""
    return word if len(word) <= length else word[:length] + "..."


def _unreadable(text: Text, error: Exception) -> Finding:
    if not isinstance(error, SyntaxError):
        longest = max(range(len(text.lines)), key=lambda index: len(text.lines[index]))
        message = "nested too deeply for Python to read, most likely in this line, the longest; split it"
        return text.finding("error", "too-deep", message, longest + 1)
    message = f"Python cannot read this line: {error.msg}"
    if isinstance(error, TabError):
        message += "; indent with spaces only"
    return text.finding("error", "syntax", message, error.lineno or 1, error.offset or 1)


def _too_large(filename: str) -> tuple[Text, list[Finding]]:
    text = Text("", filename)
    message = f"the source has more than {MAX_BYTES:,} bytes; keep data in a file of its own"
    return text, [text.finding("error", "too-large", message)]


def _not_utf8(text: Text, data: bytes, start: int) -> Finding:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return text.finding("error", "not-utf8", "this is UTF-16 text; save the file as UTF-8")
    line, column = _place(data[:start].decode("utf-8-sig", "replace"))
    message = f"byte 0x{data[start]:02x} is not UTF-8; save the file as UTF-8 in your editor"
    return text.finding("error", "not-utf8", message, line, column)


def _other_coding(text: Text) -> list[Finding]:
    """Look for a coding line (PEP 263) that names anything but UTF-8."""
    for number, line in enumerate(text.lines[:2], 1):
        match = _COOKIE.match(line[:1000])
        if match and re.sub(r"[-_.]", "", match[1].lower()) not in _UTF8_NAMES:
            message = (
                f"strategies are read as UTF-8, whatever this line says; delete it, it names {match[1][:40]}"
            )
            return [text.finding("warning", "not-utf8", message, number)]
    return []


def _place(before: str) -> tuple[int, int]:
    """Return line and column of what follows this text."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1
