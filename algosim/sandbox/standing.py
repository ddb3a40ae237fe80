"""Which limits are in force here, by what, and why not: known without putting them on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from algosim.errors import ConfigError
from algosim.sandbox import landlock, macos, seccomp

if TYPE_CHECKING:
    from algosim.sandbox.terms import Mode

__all__ = ["Row", "check", "standing", "summary"]

_TRUSTED = "limits.sandbox is trusted"
_NO_LANDLOCK = "this kernel offers no Landlock (it came with Linux 5.13; some containers hide it)"
_NO_SECCOMP = "this kernel takes no seccomp filter from us (x86_64 and aarch64; some containers hide it)"


class Row(NamedTuple):
    """One kind of limit.

    Attributes
    ----------
    limit : str
        ``files``, ``network``, ``processes``, ``signals``, ``memory`` or ``time``.
    by : str
        What enforces it; ``""`` for nothing.
    missing : str
        What is not enforced, and why; ``""`` if all is.
    """

    limit: str
    by: str
    missing: str = ""


def standing(mode: Mode) -> list[Row]:
    """Return what holds a strategy in this mode on this machine."""
    time = Row("time", "its host: CPU time, with a cap of wall time")
    if mode == "trusted":
        names = ("files", "network", "processes", "signals", "memory")
        return [*(Row(name, "", _TRUSTED) for name in names), time]
    if sys.platform == "linux":
        return [*_linux(), time]
    if sys.platform == "darwin":
        return [*_darwin(), time]
    return [*_windows(), time]


def _linux() -> list[Row]:
    version, calls = landlock.version(), seccomp.available()
    superuser = os.geteuid() == 0
    files = Row("files", f"Landlock {version}") if version else Row("files", "", _NO_LANDLOCK)
    if calls:
        both = "seccomp, Landlock" if version >= 6 else "seccomp"
        network = Row("network", both if version >= 4 else "seccomp")
        processes = Row("processes", "seccomp" if superuser else "seccomp, RLIMIT_NPROC")
        signals = Row("signals", both)
    else:
        network = Row("network", "Landlock" if version >= 4 else "", f"all but TCP: {_NO_SECCOMP}")
        processes = Row("processes", "" if superuser else "RLIMIT_NPROC", _NO_SECCOMP if superuser else "")
        signals = Row("signals", "Landlock") if version >= 6 else Row("signals", "", _NO_SECCOMP)
    return [files, network, processes, signals, Row("memory", "RLIMIT_AS")]


def _darwin() -> list[Row]:
    fault = macos.fault()
    by = "" if fault else "sandbox-exec"
    kept = [Row(name, by, fault) for name in ("files", "network")]
    limits = Row("processes", "RLIMIT_NPROC"), Row("signals", by, fault)
    return [*kept, *limits, Row("memory", "", "macOS keeps no limit on address space")]


def _windows() -> list[Row]:
    none = "Windows offers nothing for it that needs no installation"
    open_ = [Row(name, "", none) for name in ("files", "network")]
    return [*open_, Row("processes", "job object"), Row("signals", "", none), Row("memory", "job object")]


def summary(mode: Mode) -> str:
    """Return the mode and what it leaves open, in one line."""
    missing = [row.limit for row in standing(mode) if not row.by]
    return f"{mode}; not enforced: {', '.join(missing)}" if missing else mode


def check(mode: Mode) -> None:
    """Refuse ``strict`` where the kernel keeps neither files nor network.

    Raises
    ------
    ConfigError
        With what is missing.
    """
    if mode != "strict":
        return
    missing = [row for row in standing(mode) if row.limit in ("files", "network") and row.missing]
    if missing:
        why = "; ".join(f"{row.limit}: {row.missing}" for row in missing)
        msg = f"limits.sandbox is strict, which this machine cannot be ({why}); use standard"
        raise ConfigError(msg)
