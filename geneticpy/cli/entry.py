"""The door of the command line: which command runs, and the exit code that it ends with.

Exit codes: 0 done, 1 the run failed, 2 wrong usage or input, 130 stopped by Ctrl-C (and as usual
128 + its number for another signal), 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import geneticpy
from geneticpy.cli import demo, export, options, resume, show, tune
from geneticpy.cli.options import say
from geneticpy.errors import GeneticPyError

FAILED, WRONG = 1, 2
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program
UNREAD = BY_SIGNAL + 13  # SIGPIPE, which Windows does not know
ENDING = ("SIGTERM", "SIGHUP")  # treated as Ctrl-C

DESCRIPTION = (
    "Optimize any program or function over mixed, conditional and variable-length spaces."
)

EXAMPLES = """\
examples:
  geneticpy tune "python train.py --lr {lr}" --space space.toml --journal run.db
  geneticpy show run.db
  geneticpy resume run.db --generations 20
  geneticpy export run.db --csv > run.csv
  geneticpy COMMAND --help   options and examples of a command
  python -m geneticpy ...    where the command is not on the PATH

exit codes:
  0    done
  1    the run failed: no evaluation gave a loss, or the journal could not be written
  2    wrong usage, or input that cannot be used
  130  stopped by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP: with the best so far on standard output
  141  nobody reads the output any more
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after the name of the program; those of the process by default.

    Returns
    -------
    int
        One of those above. Wrong usage raises ``SystemExit(2)``, as argparse does.

    Examples
    --------
    >>> main(["--version"])
    Traceback (most recent call last):
    ...
    SystemExit: 0
    """
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        return UNREAD


def _run(argv: Sequence[str] | None) -> int:
    arguments = build_parser().parse_args(argv)
    with _signals_as_ctrl_c() as caught, warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            arguments.run(arguments)
        except KeyboardInterrupt:
            say("interrupted")
            return BY_SIGNAL + caught[-1]
        except GeneticPyError as error:
            say(f"error: {options.in_options(str(error))}")
            return WRONG if error.result is None else FAILED
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands; each stores the function that runs it as ``run``."""
    parser = argparse.ArgumentParser(
        prog="geneticpy",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"geneticpy {geneticpy.__version__}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (tune, show, resume, export, demo):
        command.add(commands)
    return parser


@contextlib.contextmanager
def _signals_as_ctrl_c() -> Iterator[list[int]]:
    """Let what asks the process to end stop it as Ctrl-C does; gives the signals that came."""
    caught = [int(signal.SIGINT)]

    def interrupt(number: int, frame: Any) -> None:
        caught.append(number)
        raise KeyboardInterrupt

    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # only the main thread may
    heeded = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, interrupt)
    try:
        yield caught
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)


def _show_warning(message: Any, *_: Any, **__: Any) -> None:
    say(f"warning: {message}")
