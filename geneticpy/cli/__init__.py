"""The command line: results go to standard output, progress and messages to standard error."""

from geneticpy.cli.entry import main

__all__ = ["main"]
