"""What commands share: options, and how they speak."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

ARGUMENTS = (  # of optimize, by the names that they have there
    "generation_count",
    "max_evaluations",
    "time_limit",
    "target",
    "patience",
    "size",
    "seed",
    "batch",
    "strategy",
    "surrogate",
    "maximize_fn",
    "cache",
    "steady_state",
    "workers",
    "evaluation_timeout",
    "retries",
)
NAMES = {"generation_count": "generations", "maximize_fn": "maximize", "cache": "noisy"}


def add_command(
    commands: Commands,
    name: str,
    run: Callable[[argparse.Namespace], None],
    *,
    help: str,
    description: str,
    epilog: str,
) -> argparse.ArgumentParser:
    """Add a command that is run by a function."""
    parser = commands.add_parser(
        name,
        help=help,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_stopping(parser: argparse.ArgumentParser) -> None:
    """Add when a run ends."""
    group = parser.add_argument_group("when to stop, whichever comes first")
    number, seconds = _counts("N"), _measures("SECONDS")
    add = _adder(group)
    add("generation_count", "generations after the first (default: 10)", **number)
    add("max_evaluations", "evaluations", **number)
    add("time_limit", "time for the whole run; programs under way are ended", **seconds)
    add("target", "a loss that is as good or better", **_measures("LOSS"))
    add("patience", "generations without a better loss", **number)


def add_search(parser: argparse.ArgumentParser) -> None:
    """Add what fixes which points are tried."""
    number, yes = _counts("N"), {"action": "store_const", "const": True}
    add = _adder(parser.add_argument_group("search"))
    add("size", "evaluations in the first generation; half as many in others (100)", **number)
    add("seed", "the same seed gives the same run", **number)
    add("batch", "proposals at once (default: 5, or the workers if more)", **number)
    add("maximize_fn", "look for a large number", **yes)
    add(
        "cache",
        "a noisy loss: the same point may be evaluated again",
        action="store_const",
        const=False,
    )
    add("steady_state", "no worker waits for a batch to end; not repeatable", **yes)
    add("strategy", "screened, numeric, discrete or mixed (default: as fits)", metavar="NAME")
    add(
        "surrogate",
        "whether a model picks the points (default: while they are few)",
        action=argparse.BooleanOptionalAction,
    )


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """Add how evaluations are made."""
    add = _adder(parser.add_argument_group("evaluation"))
    add("workers", "evaluations at the same time (1); -1: one for each core", **_counts("N"))
    add("evaluation_timeout", "time for one; then it has failed", **_measures("SECONDS"))
    add("retries", "how often one is tried again that a signal killed (1)", **_counts("N"))


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add what a run prints."""
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="the result as one JSON object")
    amount = group.add_mutually_exclusive_group()
    amount.add_argument("-q", "--quiet", action="store_true", help="no messages but errors")
    amount.add_argument("-v", "--verbose", action="store_true", help="a message each generation")


def arguments_of(namespace: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `optimize` among the options that were given."""
    return {name: value for name, value in vars(namespace).items() if name in ARGUMENTS}


def say(message: str) -> None:
    """Write a message to standard error."""
    print(f"geneticpy: {message}", file=sys.stderr, flush=True)


def in_options(message: str) -> str:
    """Call the argument that an error begins with by its option."""
    name, colon, rest = message.partition(":")
    return f"{option(name)}{colon}{rest}" if name in (*ARGUMENTS, "journal") else message


def option(name: str) -> str:
    """Write a name as an option of the command line."""
    return "--" + NAMES.get(name, name).replace("_", "-")


def _adder(group: argparse._ArgumentGroup) -> Callable[..., None]:
    """Make what adds an option to a group; the namespace lacks one that is not given."""

    def add(name: str, help: str, **how: Any) -> None:
        group.add_argument(option(name), dest=name, default=argparse.SUPPRESS, help=help, **how)

    return add


def _counts(metavar: str) -> dict[str, Any]:
    return {"type": int, "metavar": metavar}


def _measures(metavar: str) -> dict[str, Any]:
    return {"type": float, "metavar": metavar}
