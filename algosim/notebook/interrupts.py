"""Interrupts as the person who pressed stop needs them: the line of the cell, none of ours below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["keep_short"]


def keep_short(shell: InteractiveShell) -> None:
    """Let a shell show of an interrupt what led to algosim; who has handlers of their own keeps those."""
    if not shell.custom_exceptions:
        shell.set_custom_exc((KeyboardInterrupt,), _show)  # type: ignore[no-untyped-call]


def _show(
    shell: InteractiveShell,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    if _cut(trace):
        error.__context__ = None  # what we were waiting for
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _cut(trace: TracebackType | None) -> bool:
    """End a traceback where algosim begins; say whether it does."""
    while trace is not None and trace.tb_next is not None:
        if trace.tb_next.tb_frame.f_globals.get("__name__", "").partition(".")[0] == "algosim":
            trace.tb_next = None
            return True
        trace = trace.tb_next
    return False
