"""``python -m algosim.live ROLE``: one process of a live run."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from algosim.errors import AlgosimError
from algosim.live.child import born
from algosim.runs.guard import die_with_launcher, die_with_parent

if TYPE_CHECKING:
    from types import TracebackType

ROLES = ("supervisor", "simulator", "broker", "recorder", "host")
LINGERING = ("supervisor", "recorder")
"""Those who bring the run to an end when their parent has died; the others have nothing left to do."""

GRACE_S = 2.5


def last_words(
    name: str, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Say why a process ends, in a last line that begins with its name."""
    text = str(error)
    if not issubclass(kind, AlgosimError):
        sys.__excepthook__(kind, error, trace)
        text = f"{kind.__name__}: {text}"
    sys.stderr.write(f"{name}: {text}\n")
    sys.stderr.flush()


def give_up(name: str, failure: threading.ExceptHookArgs) -> None:
    """End the process whose thread has failed: half of one would let the others wait for ever."""
    if failure.exc_value is not None:
        last_words(name, failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(1)


def main(role: str) -> None:
    """Be this role until the supervisor says stop."""
    birth = born()
    sys.excepthook = partial(last_words, birth.name)
    threading.excepthook = partial(give_up, birth.name)
    if role in LINGERING:
        orphaned = die_with_parent(grace_s=GRACE_S)
        import_module(f"algosim.live.{role}").main(birth, orphaned)
    else:
        die_with_launcher()
        die_with_parent()
        import_module(f"algosim.live.{role}").main(birth)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ROLES:
        main(sys.argv[1])
    else:
        sys.exit(f"processes of a live run are started by algosim itself, as one of: {', '.join(ROLES)}")
