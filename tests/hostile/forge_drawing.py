"""Draw more than a message holds."""

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
                "orders": [],
                "plots": {f"{n:0100}": 1.0 for n in range(60_000)},
                "said": [[], 0],
                "warmup": "",
            }
        )
    )
    while True:
        pass
