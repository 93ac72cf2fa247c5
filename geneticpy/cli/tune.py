"""The command ``geneticpy tune``."""

from __future__ import annotations

import argparse
import os

from geneticpy.cli import options
from geneticpy.errors import ArgumentError

DESCRIPTION = """\
Find the parameters with which a program prints the smallest number.

LOSS is a command; {name} in it stands for a parameter. It runs without a shell, and its loss is
the last number that it prints. Or LOSS is module:function, a Python function of a dict of
parameters. SPACE says what is searched: a TOML file (see docs/command_line.md), or module:name.

The best loss and its parameters go to standard output, all else to standard error.
"""

EXAMPLES = """\
a space file:
  lr = {log_uniform = [1e-5, 1e-1]}
  layers = {uniform = [1, 8], q = 1}
  activation = {choice = ["relu", "tanh"]}

examples:
  geneticpy tune "python train.py --lr {lr} --layers {layers} {activation}" --space space.toml
  geneticpy tune --space space.toml -- python train.py --lr {lr} --layers {layers} {activation}
      the same, word by word: nothing to quote
  geneticpy tune ./train.sh --space space.toml --env-prefix HP_ --workers 4
      $HP_LR, $HP_LAYERS and $HP_ACTIVATION hold the parameters; 4 programs at the same time
  geneticpy tune "python train.py {params_file}" --space space.toml --params-file
      all parameters as JSON: for nested ones
  geneticpy tune "..." --space space.toml --loss-pattern 'val_loss=(\\S+)'
  geneticpy tune model:loss --space model:space --size 20 --generations 30
      loss and space are in model.py
  geneticpy tune "..." --space space.toml --journal run.db
      every evaluation is kept; the same command, or geneticpy resume run.db, continues the run

exit codes:
  0 done; 1 the run failed; 2 wrong usage or input; 130 Ctrl-C (the best so far is printed)
"""

PASSING = ("env_prefix", "params_file", "loss_pattern")


def add(commands: options.Commands) -> None:
    """Add the command."""
    parser = options.add_command(
        commands,
        "tune",
        run,
        help="find the best parameters of a program or a Python function",
        description=DESCRIPTION,
        epilog=EXAMPLES,
    )
    parser.add_argument("loss", nargs="+", metavar="LOSS", help="a command, or module:function")
    parser.add_argument("--space", required=True, help="TOML file, or module:name")
    _add_passing(parser)
    options.add_stopping(parser)
    options.add_search(parser)
    options.add_evaluation(parser)
    _add_journal(parser)
    options.add_output(parser)


def _add_passing(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("programs")
    group.add_argument(
        "--env-prefix",
        metavar="PREFIX",
        default=argparse.SUPPRESS,
        help="parameters as environment variables: HP_ gives HP_LR for lr",
    )
    group.add_argument(
        "--params-file",
        action="store_true",
        default=argparse.SUPPRESS,
        help="parameters as a JSON file, whose path is {params_file} and in the environment "
        "variable GENETICPY_PARAMS_FILE",
    )
    group.add_argument(
        "--loss-pattern",
        metavar="REGEX",
        default=argparse.SUPPRESS,
        help="the loss is the group of the last match in the output",
    )


def _add_journal(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("journal")
    group.add_argument(
        "--journal",
        metavar="FILE",
        help="write every evaluation into this file; continue the run that it holds",
    )
    group.add_argument(
        "--warm",
        action="store_true",
        help="start anew from the points in the journal, as after a change of the space",
    )


def run(arguments: argparse.Namespace) -> None:
    """Run ``geneticpy tune``."""
    from geneticpy.cli import recipe, running  # here: --help needs none of it

    text, path = recipe.read_space(arguments.space)
    made = recipe.Recipe(
        target=arguments.loss,
        space=text,
        space_file=path,
        directory=os.getcwd(),
        passing={name: value for name, value in vars(arguments).items() if name in PASSING},
        arguments=options.arguments_of(arguments),
    )
    running.run(made, arguments, **_journal(arguments))


def _journal(arguments: argparse.Namespace) -> dict[str, str]:
    """Arguments of `optimize` about a journal."""
    if arguments.journal is None:
        if arguments.warm:
            raise ArgumentError("--warm: must come with --journal, got no journal.")
        return {}
    return {"journal": arguments.journal, "resume": "warm" if arguments.warm else "exact"}
