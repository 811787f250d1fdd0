"""The command line."""

from augsynth.cli.main import main

__all__ = ["main"]
