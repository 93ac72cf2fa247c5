"""The command ``geneticpy resume``."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from geneticpy.cli import options
from geneticpy.errors import ArgumentError, JournalError

if TYPE_CHECKING:
    from geneticpy.cli.recipe import Recipe
    from geneticpy.run.recorded import RecordedRun

DESCRIPTION = """\
Go on with a run that was interrupted or killed, or extend one that has ended.

The journal knows the command and the space, with which `geneticpy tune` began: no file of that
time is needed but the program. It runs in the directory where it ran before. What has been
evaluated is not evaluated again; the rest is what it would have been without interruption.
"""

EXAMPLES = """\
examples:
  geneticpy resume run.db
  geneticpy resume run.db --generations 50   more of them than before
  geneticpy resume run.db --workers 8

exit codes:
  0 done; 1 the run failed; 2 wrong usage or input; 130 Ctrl-C (the best so far is printed)
"""


def add(commands: options.Commands) -> None:
    """Add the command."""
    parser = options.add_command(
        commands,
        "resume",
        run,
        help="go on with the run of a journal",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    parser.add_argument("journal", metavar="JOURNAL", help="file that tune --journal has written")
    parser.add_argument(
        "--directory", metavar="FOLDER", help="where the program is now, if it was moved"
    )
    options.add_stopping(parser)
    options.add_evaluation(parser)
    options.add_output(parser)


def run(arguments: argparse.Namespace) -> None:
    """Run ``geneticpy resume``."""
    from geneticpy.cli import running
    from geneticpy.run.recorded import read

    path = os.path.abspath(arguments.journal)
    made = _recipe(read(path).runs[-1], path)
    changed = options.arguments_of(arguments)
    made = made.changed(arguments.directory or made.directory, changed)
    with _inside(made.directory):
        running.run(made, arguments, journal=path)


def _recipe(recorded: RecordedRun, path: str) -> Recipe:
    """Recipe of a run, with the arguments that have changed since it began."""
    from geneticpy.cli.recipe import Recipe

    found: Any = recorded.loss
    if not isinstance(found, dict) or found.keys() != Recipe.__dataclass_fields__.keys():
        raise JournalError(
            f"journal {path!r}: must come from geneticpy tune to be resumed by a command, got "
            f"the loss {found!r}. Run again the script that wrote it, with the same journal."
        )
    recipe = Recipe(**found)
    return recipe.changed(recipe.directory, recorded.budget)


@contextlib.contextmanager
def _inside(directory: str) -> Iterator[None]:
    """Be where the program of a run is."""
    before = os.getcwd()
    try:
        os.chdir(directory)
    except OSError as error:
        raise ArgumentError(
            f"--directory: must be where the run was begun, got {directory!r}: {error}"
        ) from None
    try:
        yield
    finally:
        os.chdir(before)
