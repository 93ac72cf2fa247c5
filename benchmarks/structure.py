"""What is left on spaces of searched length: how much is the structure, how much the numbers?

    python benchmarks/structure.py --output benchmarks/RESULTS.md

Every problem is run as it is, and with the structure of its best parameters given: how long each
list is and of which kind each part, so that only numbers and options are searched. What is left
then is out of reach of any better search for structures.
"""

import argparse
import contextlib
from pathlib import Path

import environments
import numpy as np
import report
from adapters import nested
from budget import BudgetSpentError, CountedLoss, cut
from problems import SUITES
from scores import intervals, regret
from spaces import ListOf, Variant

import geneticpy

SUITE = "lengths"


def given(space, best):
    """Translate a space to one of this package in which only numbers and options are searched."""
    match space:
        case dict():
            return {name: given(part, best[name]) for name, part in space.items()}
        case Variant():
            return {"kind": best["kind"], **given(space.arms[best["kind"]], best)}
        case ListOf():
            return [given(space.element, item) for item in best]
    return nested(space)


def trace_of(instance, space, budget, seed):
    """Run this package with its defaults."""
    loss = CountedLoss(instance.loss, budget, instance.truth)
    with contextlib.suppress(BudgetSpentError):
        geneticpy.optimize(loss, space, generation_count=budget, max_evaluations=budget, seed=seed)
    return loss.trace


def regrets(problem, seed, budgets):
    """Normalized regrets of one seed: (2, budgets) array, structure searched and given."""
    best, median = problem.exact(seed).best, problem.median_loss(seed)
    spaces = (nested(problem.space), given(problem.space, best))
    rows = []
    for space in spaces:
        trace = trace_of(problem.instance(seed), space, max(budgets), seed)
        cuts = [cut({"trace": trace, "evaluations": 0}, count)["trace"] for count in budgets]
        optimum = problem.optimum_of(seed)
        rows.append([regret(part[-1][1], optimum=optimum, median=median) for part in cuts])
    return np.array(rows)


def table(measured, budgets):
    """Format the mean regrets of problems, of groups of them, and of all."""
    titles = [f"{how}, {count:,}" for how in ("searched", "given") for count in budgets]
    noisy = {name: problem.noise > 0 for name, problem in SUITES[SUITE].problems.items()}
    groups = {
        "**all**": list(measured),
        "**without noise**": [name for name in measured if not noisy[name]],
        "**with noise**": [name for name in measured if noisy[name]],
    }
    rows = []
    for title, names in groups.items():
        values = np.array([measured[name] for name in names])  # (problems, seeds, columns)
        ends = intervals(values.transpose(2, 0, 1), np.random.default_rng(0))
        means = values.mean(axis=(0, 1))
        pairs = zip(means, ends, strict=True)
        rows.append(
            [title, *(f"{mean:.3f} [{low:.3f}, {high:.3f}]" for mean, (low, high) in pairs)]
        )
    for name, values in measured.items():
        rows.append([name, *(f"{mean:.3f}" for mean in values.mean(axis=0))])
    return report.table(["problem", *titles], rows)


def document(options):
    """Run everything and write it as Markdown."""
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    measured = {
        name: np.array([regrets(problem, seed, options.budgets).ravel() for seed in seeds])
        for name, problem in SUITES[SUITE].problems.items()
    }
    parts = [
        f"## Suite {SUITE}: structure searched, and given",
        report.provenance({"geneticpy": environments.version("geneticpy")}),
        f"Seeds {seeds[0]} to {seeds[-1]}. Mean normalized regret after so many evaluations; "
        "intervals: bootstrap over seeds.",
        table(measured, options.budgets),
    ]
    return "\n\n".join(parts)


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budgets", nargs="+", type=int, default=[50, 100, 250])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="Markdown file whose section is replaced")
    parser.add_argument("--section", default="structure", help="its name (default structure)")
    return parser.parse_args()


def main():
    """Run the command."""
    options = arguments()
    text = document(options)
    report.publish(text, options.output, options.section)


if __name__ == "__main__":
    main()
