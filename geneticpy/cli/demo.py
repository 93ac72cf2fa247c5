"""The command ``geneticpy demo``."""

from __future__ import annotations

import argparse

from geneticpy.cli.options import Commands, add_command

EXAMPLES = """\
examples:
  geneticpy demo           a toy with a progress bar, then the tuning of a classifier
  geneticpy demo --quick   the same in a few seconds, with far fewer evaluations
"""


def add(commands: Commands) -> None:
    """Add the command."""
    demo = add_command(
        commands,
        "demo",
        run,
        help="show what the optimizer does",
        description="Solve the toy of the README, then tune a scikit-learn classifier (needs\n"
        "scikit-learn; one to two minutes).",
        epilog=EXAMPLES,
    )
    demo.add_argument("--quick", action="store_true", help="a few seconds only")
    demo.add_argument("--seed", type=int, default=0, help="seed of both runs (default: 0)")


def run(arguments: argparse.Namespace) -> None:
    """Run ``geneticpy demo``."""
    from geneticpy import demo  # here: --help and --version need none of it

    demo.run(quick=arguments.quick, seed=arguments.seed)
