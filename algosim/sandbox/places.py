"""Where the interpreter, its packages and the libraries that they load are: what every strategy may read."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

__all__ = ["interpreter"]

_PACKAGES = ("site-packages", "dist-packages")

_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"),
    *("/etc/ld.so.cache", "/usr/share/zoneinfo", "/dev/null", "/dev/zero", "/dev/urandom", "/nix/store"),
)
_PROCESSOR = ("/proc/cpuinfo", "/sys/devices/system/cpu")
"""How numpy finds out what an ARM processor can do; others tell it themselves."""


@cache
def interpreter() -> list[str]:
    """Return the folders and files. Python's own parent folder is not among them, nor that of this package.

    That of this package may be a repository, with the seeds of recorded runs.
    """
    package = Path(__file__).resolve().parent.parent
    prefixes = dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix))
    places = [str(package)]
    places += [os.path.join(prefix, part) for prefix in prefixes for part in ("lib", "lib64", "Lib", "DLLs")]  # noqa: PTH118
    places += [entry for entry in sys.path if entry and _is_library(Path(entry), package.parent)]
    places += [entry for entry in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if entry]
    places += _SYSTEM if os.name == "posix" else ()
    places += _PROCESSOR if sys.platform == "linux" and os.uname().machine == "aarch64" else ()
    return list(dict.fromkeys(places))


def _is_library(path: Path, ours: Path) -> bool:
    return path.name in _PACKAGES or path.resolve() != ours
