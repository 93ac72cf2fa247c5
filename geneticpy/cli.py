"""The command line: results go to standard output, progress and errors to standard error.

Exit codes: 0 done, 2 wrong usage, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import geneticpy

INTERRUPTED = 128 + 2  # what a shell reports for a program ended by SIGINT

EXAMPLES = """\
examples:
  geneticpy demo             a toy with a progress bar, then the tuning of a classifier
  geneticpy demo --quick     the same in a few seconds, with far fewer evaluations
  python -m geneticpy demo   where the command is not on the PATH
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
        0 done, 130 stopped by Ctrl-C. Wrong usage raises ``SystemExit(2)``, as argparse does.

    Examples
    --------
    >>> main(["--version"])
    Traceback (most recent call last):
    ...
    SystemExit: 0
    """
    arguments = build_parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except KeyboardInterrupt:
        print("geneticpy: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands; each stores the function that runs it as ``run``."""
    parser = argparse.ArgumentParser(
        prog="geneticpy",
        description="Optimize any function over mixed, conditional and variable-length spaces.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"geneticpy {geneticpy.__version__}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_demo(commands)
    return parser


def add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command ``demo``."""
    demo = commands.add_parser(
        "demo",
        help="show what the optimizer does",
        description="Solve the toy of the README, then tune a scikit-learn classifier "
        "(needs scikit-learn; one to two minutes).",
    )
    demo.add_argument("--quick", action="store_true", help="a few seconds only")
    demo.add_argument("--seed", type=int, default=0, help="seed of both runs (default: 0)")
    demo.set_defaults(run=run_demo)


def run_demo(arguments: argparse.Namespace) -> None:
    """Run ``geneticpy demo``."""
    from geneticpy import demo  # here: --help and --version need none of it

    demo.run(quick=arguments.quick, seed=arguments.seed)
