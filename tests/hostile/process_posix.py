"""Start a program past the audit hook."""

import _posixsubprocess
import os
import sys


def attack(ctx, at):
    read, write = os.pipe()
    return _posixsubprocess.fork_exec(
        [b"/bin/true"],
        [b"/bin/true"],
        True,
        (write,),
        None,
        None,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        read,
        write,
        False,
        False,
        -1,
        None,
        None,
        None,
        -1,
        None,
        *([False] if sys.version_info < (3, 14) else []),
    )
