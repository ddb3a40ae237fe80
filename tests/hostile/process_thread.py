"""Start a thread."""

import _thread


def attack(ctx, at):
    return _thread.start_new_thread(print, ())
