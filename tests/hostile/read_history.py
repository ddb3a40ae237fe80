"""Read a file outside as the history of a command line, which tells no audit hook."""

import readline


def attack(ctx, at):
    readline.read_history_file(at["secret"])
    return readline.get_history_item(1)
