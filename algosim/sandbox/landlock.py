"""Landlock: which files a process may read and write, kept by the kernel (Linux 5.13 and later).

See ``Documentation/userspace-api/landlock.rst`` of the Linux sources.
"""

from __future__ import annotations

import ctypes
import os
import stat
from typing import TYPE_CHECKING

from algosim.sandbox.linux import CPU, call

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["confine", "version"]

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every processor
_ASK_VERSION = 1
_PATH_BENEATH = 1

_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_FILE, _MAKE_REG, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_READ = _READ_FILE | _READ_DIR
# No folders, links, sockets or pipes: what a strategy leaves is then easy to count and to remove.
_WRITE = _READ | _WRITE_FILE | _REMOVE_FILE | _MAKE_REG | _TRUNCATE
_OF_FILES = _READ_FILE | _WRITE_FILE | _TRUNCATE

_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights on files that a version knows, by the first version that knew them."""
_NET_RIGHTS = {4: 0b11}
_SCOPES = {6: 0b11}


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 for none."""
    if CPU not in ("x86_64", "aarch64"):
        return 0
    try:
        return call(_CREATE, None, 0, _ASK_VERSION)
    except OSError:
        return 0


def confine(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Keep this process from all files but these, from TCP and from signals to others, for good.

    Paths that do not exist are left out. Call `no_new_privileges` before.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    known = version()
    rights = _newest(_FILE_RIGHTS, known)
    ruleset = _Ruleset(rights, _newest(_NET_RIGHTS, known), _newest(_SCOPES, known))
    fd = call(_CREATE, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    try:
        for path in readable:
            _allow(fd, path, _READ & rights)
        for path in writable:
            _allow(fd, path, _WRITE & rights)
        call(_RESTRICT, fd, 0)
    finally:
        os.close(fd)


def _newest(rights: dict[int, int], known: int) -> int:
    return max((bits for since, bits in rights.items() if since <= known), default=0)


def _allow(ruleset: int, path: str, allowed: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            allowed &= _OF_FILES
        rule = _PathBeneath(allowed, parent)
        call(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)
