"""Say more than a message holds."""

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
                "plots": {},
                "said": [[["error", "x" * 7_000_000]], 0],
                "warmup": "",
            }
        )
    )
    while True:
        pass
