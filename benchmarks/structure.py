"""What is left on spaces of searched length: how much is the structure, how much the numbers?

    python benchmarks/structure.py --output benchmarks/RESULTS.md

Every problem is run as it is, and with the structure of its best parameters given: how long each
list is and of which kind each part, so that only numbers and options are searched. What is left
then is out of reach of any better search for structures. The best peer is given it, too.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import environments
import numpy as np
import report
from ablation import left_over
from cells import spend
from problems import SUITES
from scores import intervals
from solvers import OURS, SOLVERS
from spaces import Category, ListOf, Variant

SUITE = "lengths"
RUNS = [(OURS, "searched"), (OURS, "given"), ("Optuna TPE", "given")]


def given(space, best):
    """Reduce a space to the structure of some parameters; items of lists get names."""
    match space:
        case dict():
            return {name: given(part, best[name]) for name, part in space.items()}
        case Variant():
            return {"kind": Category((best["kind"],)), **given(space.arms[best["kind"]], best)}
        case ListOf():
            return {str(at): given(space.element, item) for at, item in enumerate(best)}
    return space


def restored(space, params):
    """Give parameters of a reduced space the shape that the whole one has."""
    match space:
        case dict():
            return {name: restored(part, params[name]) for name, part in space.items()}
        case Variant():
            return {"kind": params["kind"], **restored(space.arms[params["kind"]], params)}
        case ListOf():
            return [restored(space.element, item) for item in params.values()]
    return params


def reduced(problem, instance):
    """Leave the structure of the best parameters, and its numbers and options to be searched."""

    def restoring(fn):
        return fn and (lambda params: fn(restored(problem.space, params)))

    space = given(problem.space, instance.best)
    loss, truth = restoring(instance.loss), restoring(instance.truth)
    return replace(problem, space=space), replace(instance, loss=loss, truth=truth)


def regrets(problem, seed, budgets):
    """Normalized regrets of one seed: (rows, budgets) array; the rows are those of `RUNS`."""
    rows = []
    for name, way in RUNS:
        instance = problem.instance(seed)  # each run meets the same noise
        what = reduced(problem, instance) if way == "given" else (problem, instance)
        points = spend(name, *what, budget=max(budgets), seed=seed).trace
        cuts = [[point for point in points if point[0] <= count] for count in budgets]
        pairs = zip(cuts, budgets, strict=True)
        rows.append([left_over(SUITE, problem, seed, part, count) for part, count in pairs])
    return np.array(rows)


def table(measured, budgets):
    """Format the mean regrets of problems, of groups of them, and of all."""
    titles = [f"{name}, {way}, {count:,}" for name, way in RUNS for count in budgets]
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
    packages = sorted({SOLVERS[name].package for name, _ in RUNS})
    parts = [
        f"## Suite {SUITE}: structure searched, and given",
        report.provenance({name: environments.version(name) for name in packages}),
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
