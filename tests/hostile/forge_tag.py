"""Answer with an order whose note is a book."""

import os

import msgspec


def say(frame):
    for number in range(3, 64):
        try:
            os.write(number, len(frame).to_bytes(4, "little") + frame)
        except OSError:
            continue


def attack(ctx, at):
    say(
        msgspec.msgpack.encode(
            {
                "type": "acted",
                "orders": [["BUY", 1.0, "x" * 100_000]],
                "plots": {},
                "said": [[], 0],
                "warmup": "",
            }
        )
    )
    while True:
        pass
