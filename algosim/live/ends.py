"""The ends of a worker's pipes as its host holds them: something to poll, and calls that never wait."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from functools import partial
from typing import IO, TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["End", "bridged", "end_of"]

CHUNK = 1 << 16


class End(NamedTuple):
    """One end of a pipe. `read` and `write` raise `BlockingIOError` where they would have to wait.

    `fd` is what to poll; `close` gives back what the end has beside the pipe.
    """

    fd: int
    read: Callable[[int], bytes]
    write: Callable[[memoryview], int]
    close: Callable[[], None]


def end_of(stream: IO[bytes], way: Literal["in", "out"]) -> End:
    """Return our end of a pipe; ``"in"`` is one that we read from."""
    if sys.platform == "win32":
        return bridged(stream, way)  # not tested there
    fd = stream.fileno()
    os.set_blocking(fd, False)
    return End(fd, partial(os.read, fd), partial(os.write, fd), lambda: None)


def bridged(stream: IO[bytes], way: Literal["in", "out"]) -> End:
    """Return the same where pipes cannot be polled but sockets can: a thread carries the bytes across."""
    near, far = socket.socketpair()
    near.settimeout(0.0)
    for end in (near, far):
        with contextlib.suppress(OSError):  # what goes one way only would wait for acknowledgements
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # The thread has an end of its own: that of `stream` is closed, and its number given to another, before.
    own = os.fdopen(os.dup(stream.fileno()), "rb" if way == "in" else "wb", buffering=0)
    carry = _carry_in if way == "in" else _carry_out
    threading.Thread(target=carry, args=(own, far), name="bridge", daemon=True).start()
    return End(near.fileno(), near.recv, near.send, near.close)


def _carry_in(pipe: IO[bytes], far: socket.socket) -> None:
    """Carry what comes out of the pipe to our end, until either is closed."""
    with far, pipe, contextlib.suppress(OSError):
        while data := pipe.read(CHUNK):
            far.sendall(data)


def _carry_out(pipe: IO[bytes], far: socket.socket) -> None:
    """Carry what our end is given into the pipe."""
    with far, pipe, contextlib.suppress(OSError):
        while data := memoryview(far.recv(CHUNK)):
            while data:
                data = data[pipe.write(data) :]
