"""What a strategy's process is held to, as it travels on a command line."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

__all__ = ["MODES", "Mode", "Terms"]

Mode = Literal["standard", "strict", "trusted"]
"""``standard``: the best that this machine has. ``strict``: no start without files and network kept by the
kernel. ``trusted``: nothing, for code that one knows."""

MODES: tuple[Mode, ...] = ("standard", "strict", "trusted")


class Terms(NamedTuple):
    """The terms of one process.

    Attributes
    ----------
    mode : Mode
    memory_mb : int
        Address space [MiB].
    folder : str
        What it may read beside the interpreter.
    scratch : str
        What it may write; its working folder.
    """

    mode: Mode
    memory_mb: int
    folder: str
    scratch: str

    def arguments(self) -> list[str]:
        """Return them as words of a command line."""
        return [self.mode, str(self.memory_mb), self.folder, self.scratch]

    @classmethod
    def of(cls, words: list[str]) -> Terms:
        """Read what `arguments` made."""
        mode, memory_mb, folder, scratch = words
        return cls(cast("Mode", mode), int(memory_mb), folder, scratch)
