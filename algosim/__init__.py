"""algosim: live, replayable trading simulations for teaching."""

__version__ = "0.1.0"
