"""Draw what JSON has no word for, and name it badly."""

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
                "orders": [["BUY", 1.0, "</script>"]] * 200,
                "plots": {"\x00<b>": float("nan")},
                "said": [[], 0],
                "warmup": "x" * 1_000_000,
            }
        )
    )
    while True:
        pass
