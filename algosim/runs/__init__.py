"""Runs: where they are kept, how a strategy gets into a process, evaluate, replay and what they return."""
