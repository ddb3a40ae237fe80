"""Answer with noise."""

import os


def say(frame):
    for number in range(3, 64):
        try:
            os.write(number, len(frame).to_bytes(4, "little") + frame)
        except OSError:
            continue


def attack(ctx, at):
    say(bytes(range(256)) * 40)
    while True:
        pass
