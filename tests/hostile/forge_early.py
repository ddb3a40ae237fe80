"""Answer what was not asked."""

import os

import msgspec


def say(frame):
    for number in range(3, 64):
        try:
            os.write(number, len(frame).to_bytes(4, "little") + frame)
        except OSError:
            continue


def attack(ctx, at):
    say(msgspec.msgpack.encode({"type": "loaded", "name": "x" * 100_000, "params": {}, "dropped": []}))
    while True:
        pass
