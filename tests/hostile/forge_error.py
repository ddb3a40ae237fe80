"""Fail with an error as long as a book."""

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
                "type": "broke",
                "message": "x" * 7_000_000,
                "file": None,
                "line": None,
                "source": None,
                "frames": "",
                "said": [[], 0],
            }
        )
    )
    while True:
        pass
