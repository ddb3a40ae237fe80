"""Promise a frame that never comes."""

import os


def say(frame):
    for number in range(3, 64):
        try:
            os.write(number, len(frame).to_bytes(4, "little") + frame)
        except OSError:
            continue


def attack(ctx, at):
    for number in range(3, 64):
        try:
            os.write(number, b"\xff\xff\xff\xff")
        except OSError:
            continue
    while True:
        pass
