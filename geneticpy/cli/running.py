"""A run from the command line: `optimize`, with its result on standard output."""

from __future__ import annotations

import argparse
import sys
import warnings
from typing import Any

from geneticpy.cli import report
from geneticpy.cli.options import say
from geneticpy.cli.program import ProgramError
from geneticpy.cli.recipe import Prepared, Recipe
from geneticpy.errors import EvaluationError, EvaluationWarning, GeneticPyError
from geneticpy.optimize import optimize
from geneticpy.run.progress import Progress
from geneticpy.run.result import OptimizeResult


def run(recipe: Recipe, shown: argparse.Namespace, **journal: Any) -> None:
    """Optimize, and print the best point.

    Parameters
    ----------
    recipe : Recipe
    shown : Namespace
        With `json`, `quiet` and `verbose`.
    **journal
        Arguments of `optimize` about its journal.

    Raises
    ------
    GeneticPyError
        What `optimize` raises, after the result so far was printed.
    KeyboardInterrupt
        After Ctrl-C, when the result was printed.
    """
    prepared = recipe.prepare()
    try:
        result = _optimize(prepared, shown, journal)
        _print(result, shown)
    except GeneticPyError as error:
        if error.result is not None and error.result.best_params is not None:
            _print(error.result, shown)
        _explain(error)
        raise
    finally:
        prepared.stop()
    if result.message.startswith("interrupted"):
        raise KeyboardInterrupt  # optimize returned what it had; the command ends here
    if result.best_params is None:
        lossless = EvaluationError(f"an evaluation must give a loss, got none: {result.message}")
        lossless.result = result  # type: ignore[assignment]  # None for the class
        raise lossless


def _optimize(
    prepared: Prepared, shown: argparse.Namespace, journal: dict[str, Any]
) -> OptimizeResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EvaluationWarning)  # _tell has more to say
        return optimize(
            prepared.loss,
            prepared.space,
            verbose=not shown.quiet and not shown.verbose and sys.stderr.isatty(),
            callback=_line_of_generation if shown.verbose else None,
            **prepared.arguments,
            **journal,
        )


def _print(result: OptimizeResult, shown: argparse.Namespace) -> None:
    """Print the best point, and what else there is to say to standard error."""
    if shown.json:
        print(report.as_json(report.json_of_result(result)))
    elif result.best_params is not None:
        print(*report.lines_of_point(result.loss, result.best_params), sep="\n")
    if not shown.quiet:
        _tell(result)


def _tell(result: OptimizeResult) -> None:
    say(f"{result.message} in {result.total_time:.1f} s")
    failures = result.failures
    if failures:
        say(f"{len(failures)} of {result.evaluations} evaluations failed:")
        groups = report.grouped((failure.id, failure.reason) for failure in failures)
        print(
            *(f"  {line}" for line in report.lines_of_failures(groups)), sep="\n", file=sys.stderr
        )


def _line_of_generation(progress: Progress) -> None:
    """Tell of a generation, unless its evaluations come from the journal."""
    if progress.replayed:
        return
    say(
        f"generation {progress.generation}: {progress.evaluations} evaluations, "
        f"loss {progress.loss:.6g}, {progress.seconds:.1f} s"
    )


def _explain(error: GeneticPyError) -> None:
    """Put the output of a program in the place of the traceback that leads to it."""
    cause = error.__cause__
    if isinstance(error, EvaluationError) and isinstance(cause, ProgramError):
        first = str(error).partition("\n")[0]
        error.args = ("\n".join(filter(None, (first, cause.reason, cause.output))),)
