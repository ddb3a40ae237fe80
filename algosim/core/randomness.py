"""How one seed becomes the independent random streams of a run."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["derive", "stream"]


def derive(seed: int, *names: str | int) -> int:
    """Return the 256-bit integer that SHA-256 makes of the seed and a stream's name.

    A stream cannot be turned back into the seed, and streams of other names are independent of it.
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of the stream `names` of the run with this `seed`."""
    return np.random.Generator(np.random.PCG64(derive(seed, *names)))
