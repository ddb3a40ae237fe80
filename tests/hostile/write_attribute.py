"""Attach an attribute to a file outside."""

import os


def attack(ctx, at):
    os.setxattr(at["victim_file"], "user.x", b"x")
    return "attached"
