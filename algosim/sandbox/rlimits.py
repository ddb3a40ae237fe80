"""Limits on resources: memory, size and number of files, processes. The kernel keeps them (POSIX)."""

from __future__ import annotations

import sys

__all__ = ["AVAILABLE", "FILE_MB", "has_memory_limit", "limit", "no_more_processes"]

AVAILABLE = sys.platform != "win32"

FILE_MB = 16
"""Size of any file that a strategy writes."""

OPEN_FILES = 64


def has_memory_limit() -> bool:
    """Whether the kernel keeps a limit on address space; macOS accepts one and does not."""
    return sys.platform == "linux"


def limit(memory_mb: int) -> None:
    """Limit this process for good."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  (is not everywhere)

    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: FILE_MB << 20,
        resource.RLIMIT_NOFILE: OPEN_FILES,
    }
    if has_memory_limit():
        bounds[resource.RLIMIT_AS] = memory_mb << 20
    for kind, most in bounds.items():
        allowed = resource.getrlimit(kind)[1]
        if allowed != resource.RLIM_INFINITY:
            most = min(most, allowed)
        resource.setrlimit(kind, (most, most))


def no_more_processes() -> None:
    """Let this process start no other, and no thread; those that it has go on. No limit for the superuser."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
