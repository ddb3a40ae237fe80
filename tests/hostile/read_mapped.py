"""Map a file outside into memory."""

import mmap
import os


def attack(ctx, at):
    with open(os.open(at["secret"], os.O_RDONLY), "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:20]
