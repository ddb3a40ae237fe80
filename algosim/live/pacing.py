"""When, on the wall clock, the next tick is released. Nothing here changes what the tick is."""

from __future__ import annotations

__all__ = ["Pacer"]

STALL_S = 0.05
"""A release later than this was a stall: time goes on from there, nothing is caught up."""


class Pacer:
    """Maps simulated time to the wall clock at a speed that may change at any moment.

    Times on the wall are seconds of a monotonic clock, given by the caller.

    Parameters
    ----------
    speed : float or "max"
        Simulated seconds per second.
    now : float
    """

    def __init__(self, speed: float | str, now: float) -> None:
        self.speed = speed
        self.paused = True
        self._wall = now
        self._sim = 0.0

    def _reached(self, now: float) -> float:
        """Return the simulated time [ns] that the present pace has reached."""
        if self.paused or isinstance(self.speed, str):
            return self._sim
        return self._sim + (now - self._wall) * self.speed * 1e9

    def _anchor(self, now: float) -> None:
        self._sim, self._wall = self._reached(now), now

    def set_speed(self, speed: float | str, now: float) -> None:
        """Go on at another speed; the part of the gap that has passed stays passed."""
        self._anchor(now)
        self.speed = speed

    def pause(self, now: float) -> None:
        """Stand still; the rest of the gap is kept."""
        self._anchor(now)
        self.paused = True

    def resume(self, now: float) -> None:
        """Go on where `pause` stopped."""
        if self.paused:
            self._wall, self.paused = now, False

    def wait(self, t_next: int, now: float) -> float:
        """Return how many seconds to wait for the tick at simulated time `t_next` [ns]; 0 for none."""
        if isinstance(self.speed, str):
            return 0.0
        return max(0.0, (t_next - self._reached(now)) * 1e-9 / self.speed)

    def released(self, t: int, now: float) -> None:
        """Take note that the tick at simulated time `t` [ns] has been released."""
        if isinstance(self.speed, str):
            self._sim, self._wall = float(t), now
            return
        late = (self._reached(now) - t) * 1e-9 / self.speed
        self._sim = float(t)
        # A little lateness is made up for at the next tick, or the pace would drift; a stall is not.
        self._wall = now - late if 0.0 <= late < STALL_S else now
