"""Where playback stands in simulated time; the wall clock decides only how fast it moves on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algosim import settings

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Playhead"]

LONGEST_S = 1.0
"""The most wall time that passes between two looks: after a stall playback goes on, it does not leap."""


class Playhead:
    """A position that moves while it plays, whenever somebody looks at it.

    Parameters
    ----------
    t_end : int
        Where it stops [simulated ns].
    speed : float or "max"
        Simulated seconds per second; ``"max"`` is at the end at once.
    clock : callable
        Returns monotonic seconds.
    """

    def __init__(self, t_end: int, speed: float | str, clock: Callable[[], float]) -> None:
        self.t_end = t_end
        self._clock = clock
        self._position = 0
        self._playing = False
        self._seen_at = clock()
        self.speed = speed

    @property
    def speed(self) -> float | str:
        """Simulated seconds per second, or ``"max"``."""
        return self._speed

    @speed.setter
    def speed(self, speed: float | str) -> None:
        wanted = settings.coerce("schedule.speed", speed)
        assert isinstance(wanted, float | str)
        self._advance()
        self._speed = wanted

    @property
    def position(self) -> int:
        """Where it is now [simulated ns]."""
        self._advance()
        return self._position

    @property
    def playing(self) -> bool:
        """Whether it moves."""
        self._advance()
        return self._playing

    @property
    def at_end(self) -> bool:
        """Whether it has come to the end."""
        return self.position >= self.t_end

    def play(self) -> None:
        """Move on from now; from the beginning, if it stands at the end."""
        if self.at_end:
            self._position = 0
        self._playing = True

    def pause(self) -> None:
        """Stand still."""
        self._advance()
        self._playing = False

    def move_to(self, position: int) -> None:
        """Be somewhere else [simulated ns]; it moves on from there if it moved."""
        self._advance()
        self._position = position

    def _advance(self) -> None:
        """Let the wall time pass since the last look."""
        now = self._clock()
        passed, self._seen_at = min(now - self._seen_at, LONGEST_S), now
        if not self._playing:
            return
        if isinstance(self._speed, str):
            self._position = self.t_end
        else:
            self._position += round(passed * self._speed * 1e9)
        if self._position >= self.t_end:
            self._position, self._playing = self.t_end, False
