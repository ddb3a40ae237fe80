"""A worker that tries what a strategy may not, one act for each kind of limit: ``python -m algosim.sandbox``.

It goes through the C library where there is one, so that what it finds is what the kernel keeps.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import sys
from typing import TYPE_CHECKING

from algosim.sandbox.enter import seal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ACTS", "main"]

ACTS = {
    "files": "open a file outside",
    "network": "open a socket",
    "processes": "start a process",
    "signals": "signal its host",
    "memory": "take more memory than it may",
}


def main() -> None:
    """Read what to go for, try, and write what succeeded as JSON."""
    seal()
    target = json.loads(sys.stdin.readline())
    tries: dict[str, Callable[[], bool]] = {
        "files": lambda: _opens(target["file"]),
        "network": _makes_socket,
        "processes": _forks,
        "signals": lambda: _signals(target["pid"]),
        "memory": lambda: _takes(target["memory_mb"]),
    }
    sys.stdout.write(json.dumps({name: _succeeds(act) for name, act in tries.items()}))


def _succeeds(act: Callable[[], bool]) -> bool:
    try:
        return act()
    except OSError:
        return False


def _opens(path: str) -> bool:
    if sys.platform == "win32":
        return os.open(path, os.O_RDONLY) >= 0
    return int(ctypes.CDLL(None).open(path.encode(), os.O_RDONLY)) >= 0


def _makes_socket() -> bool:
    if sys.platform == "win32":
        return socket.socket().fileno() >= 0
    return int(ctypes.CDLL(None).socket(int(socket.AF_INET), int(socket.SOCK_DGRAM), 0)) >= 0


def _forks() -> bool:
    if sys.platform == "win32":
        return os.spawnl(os.P_NOWAIT, sys.executable, "python", "-c", "") > 0
    child = int(ctypes.CDLL(None).fork())
    if child == 0:
        os._exit(0)
    return child > 0


def _signals(pid: int) -> bool:
    if sys.platform == "win32":
        os.kill(pid, 0)
        return True
    return int(ctypes.CDLL(None).kill(pid, 0)) == 0


def _takes(size_mb: int) -> bool:
    return len(mmap.mmap(-1, size_mb << 20)) > 0  # which nothing is written to
