"""Seccomp: which system calls a process may make, kept by the kernel (Linux on x86_64 and aarch64).

What is not on the list of `algosim.sandbox.calls` is refused, whatever a newer kernel adds to it. See
``Documentation/userspace-api/seccomp_filter.rst`` of the Linux sources.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import NamedTuple

from algosim.sandbox.calls import CHECKED, PLAIN, numbers
from algosim.sandbox.linux import CPU, call

__all__ = ["available", "confine", "seal"]

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_ERROR = 0x00050000
_REFUSE, _UNKNOWN = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
_NEWER = 424
"""From here on calls are younger than what falls back on older ones: it is told that there is none."""

_LOAD, _AND, _IF_EQUAL, _IF_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06  # instructions of classic BPF
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # places in struct seccomp_data
_SET_FILTER, _ALL_THREADS, _ASK_ACTION = 1, 1, 2

Code = list[tuple[int, int, int, int]]


class Only(NamedTuple):
    """An argument, or the lower (0) or upper (1) half of its 64 bits, must be one of these."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF
    word: int = 0


NEVER = (Only(0, ()),)

_THREAD, _NAMESPACES = 0x10000, 0x7E020000
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)  # nothing that lets the kernel signal somebody
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # is it a terminal, how wide, how much is there
_PRCTL = (15, 16, 0x53564D41)  # names of threads and of memory
_PDEATHSIG = 1
# A file that may only be read must not be cut by opening it, which Landlock knows from its version 3 on.
_OPEN = (0x0, 0x1, 0x2, 0x201, 0x202)
_OPEN_MASK = 0x203


def available() -> bool:
    """Whether this kernel takes such a filter, and we know its calls."""
    if CPU not in _ARCHITECTURES:
        return False
    try:
        call(numbers(CHECKED, CPU)["seccomp"], _ASK_ACTION, 0, ctypes.byref(ctypes.c_uint32(_ERROR)))
    except OSError:
        return False
    return True


def confine() -> None:
    """Refuse this process, for good, all but what `PLAIN` and `CHECKED` have.

    Call `no_new_privileges` before.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    number = numbers(CHECKED, CPU)
    me = (0, os.getpid())
    rules: dict[int, tuple[Only, ...]] = dict.fromkeys(numbers(PLAIN, CPU).values(), ())
    checked: dict[str, tuple[Only, ...]] = {
        "seccomp": (),
        "clone": (Only(0, (_THREAD,), mask=_THREAD), Only(0, (0,), mask=_NAMESPACES)),
        "kill": (Only(0, me[1:]),),
        "tgkill": (Only(0, me[1:]),),
        "prlimit64": (Only(0, me),),
        "prctl": (Only(0, (_PDEATHSIG, *_PRCTL)),),
        "fcntl": (Only(1, _FCNTL),),
        "ioctl": (Only(1, _IOCTL),),
        "open": (Only(1, _OPEN, mask=_OPEN_MASK),),
        "openat": (Only(2, _OPEN, mask=_OPEN_MASK),),
    }
    rules |= {number[name]: tests for name, tests in checked.items() if name in number}
    _install(_program(rules, [(_IF_LEAST, 0, 1, _NEWER), _return(_UNKNOWN), _return(_REFUSE)]), 0)


def seal() -> None:
    """Refuse all threads of this process new threads, new limits and new filters, too."""
    number = numbers(CHECKED, CPU)
    rules: dict[int, tuple[Only, ...]] = {
        number["clone"]: NEVER,
        number["seccomp"]: NEVER,
        number["prlimit64"]: (Only(2, (0,)), Only(2, (0,), word=1)),
        number["prctl"]: (Only(0, _PRCTL),),
    }
    _install(_program(rules, [_return(_ALLOW)]), _ALL_THREADS)


def _return(what: int) -> tuple[int, int, int, int]:
    return _RETURN, 0, 0, what


def _program(rules: dict[int, tuple[Only, ...]], otherwise: Code) -> Code:
    """Return a filter that allows a call if its rule's tests hold; `otherwise` is for calls without one."""
    code: Code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, _ARCHITECTURES[CPU]),
        _return(_KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    for number, tests in rules.items():
        body = [step for test in tests for step in _test(test)] + [_return(_ALLOW)]
        code += [(_IF_EQUAL, 0, len(body), number), *body]
    return code + otherwise


def _test(test: Only) -> Code:
    """Return steps that refuse the call or go on behind them."""
    code: Code = [(_LOAD, 0, 0, _ARGUMENTS + 8 * test.argument + 4 * test.word)]
    if test.mask != 0xFFFFFFFF:
        code.append((_AND, 0, 0, test.mask))
    left = len(test.values)
    for value in test.values:
        code.append((_IF_EQUAL, left, 0, value))
        left -= 1
    return [*code, _return(_REFUSE)]


def _install(code: Code, flags: int) -> None:
    steps = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in code))
    program = struct.pack("@HP", len(code), ctypes.addressof(steps))
    call(numbers(CHECKED, CPU)["seccomp"], _SET_FILTER, flags, ctypes.c_char_p(program))
