"""Take one component away at a time and measure what it was worth.

    python benchmarks/ablation.py --output benchmarks/RESULTS.md
    python benchmarks/ablation.py --strategies screened --seeds 2 --section ablation-screened

Problems, losses and measures are those of quality.py. A variant runs in a process of its own, in
which names of the package are bound to other values before the first run; every variant meets the
same instances and seeds, so differences are taken pair by pair.
"""

import argparse
import contextlib
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import environments
import numpy as np
import report
from ablation_variants import STRATEGIES
from budget import BudgetSpentError, CountedLoss
from problems import SUITES
from scores import RESAMPLES, reached, regret
from solvers import OURS, SOLVERS
from suites import budget_text, evaluations

FULL = "all in"


class Block(NamedTuple):
    """What one variant reached: (problems, seeds) array, 0 is perfect and 1 as bad as it gets."""

    left: np.ndarray
    reason: str = ""


def place(path):
    """Find what holds a name, "module:name" or "module:Class.name": (module or class, name)."""
    module, names = path.split(":")
    *classes, name = names.split(".")
    owner = importlib.import_module(f"geneticpy.evolution.{module}")
    for each in classes:
        owner = getattr(owner, each)
    if not hasattr(owner, name):
        raise AttributeError(f"ablation: {path} does not exist any more.")
    return owner, name


def patch(changes):
    """Bind names of the package to other values."""
    for path, value in changes.items():
        setattr(*place(path), value)


def run(problem, seed, budget, options):
    """Trace of one run of this package."""
    from adapters import nested

    import geneticpy

    loss = CountedLoss(problem.instance(seed).loss, budget, problem.instance(seed).truth)
    with contextlib.suppress(BudgetSpentError):
        geneticpy.optimize(
            loss,
            nested(problem.space),
            size=SOLVERS[OURS].size(budget),
            generation_count=budget,
            max_evaluations=budget,
            seed=seed,
            **options,
        )
    return loss.trace


def left_over(suite, problem, seed, trace, budget):
    """What a run has left to gain: the share of targets missed, or the normalized regret."""
    optimum, median = problem.optimum_of(seed), problem.median_loss(seed)
    if SUITES[suite].targets is None:
        return regret(trace[-1][1], optimum=optimum, median=median)
    distances = [(count, loss - optimum) for count, loss in trace]
    return 1 - reached(distances, SUITES[suite].targets(median - optimum), budget)[1]


def measure(request):
    """Run one variant in this process; returns a row a problem and a column a seed."""
    strategy = STRATEGIES[request["strategy"]]
    variant = strategy.variants[request["variant"]]
    patch(variant.changes)
    rows = []
    for problem in SUITES[request["suite"]].problems.values():
        budget = evaluations(strategy.budget, problem)
        seeds = range(request["first_seed"], request["first_seed"] + request["seeds"])
        traces = [run(problem, seed, budget, strategy.options | variant.options) for seed in seeds]
        rows.append(
            [
                left_over(request["suite"], problem, seed, trace, budget)
                for seed, trace in zip(seeds, traces, strict=True)
            ]
        )
    return rows


def ask(request):
    """Run one variant in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--request", json.dumps(request)],
        cwd=environments.HERE,
        env=environments.surroundings("main"),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return Block(np.empty((0, 0)), done.stderr.strip().splitlines()[-1])
    return Block(np.array(json.loads(done.stdout.splitlines()[-1])))


def interval(difference, rng):
    """95% bootstrap interval of the mean of (p, s) differences; problems are fixed."""
    p, s = difference.shape
    drawn = rng.integers(s, size=(RESAMPLES, p, s))
    means = np.take_along_axis(difference[None], drawn, axis=2).mean(axis=(1, 2))
    return np.percentile(means, [2.5, 97.5])


def table(blocks):
    """Write the table of one strategy on one suite."""
    whole = blocks[FULL].left
    rows = []
    for variant, block in blocks.items():
        if block.reason:
            rows.append([variant, "", f"failed: {block.reason}", ""])
            continue
        low, high = interval(block.left - whole, np.random.default_rng(0))
        change = f"{(block.left - whole).mean():+.4f} [{low:+.4f}, {high:+.4f}]"
        worse = f"{(block.left > whole).mean():.0%} / {(block.left < whole).mean():.0%}"
        rows.append([variant, f"{block.left.mean():.4f}", change, worse])
    return report.table(["variant", "left", "change [95 %]", "worse / better"], rows)


def measure_block(name, suite, options):
    """Measure the whole and its variants on one suite: {variant: Block}."""
    chosen = [v for v in STRATEGIES[name].variants if v in (options.variants or [v])]
    blocks = {}
    for variant in dict.fromkeys([FULL, *chosen]):
        request = {"strategy": name, "variant": variant, "suite": suite}
        request |= {"seeds": options.seeds, "first_seed": options.first_seed}
        blocks[variant] = ask(request)
        print(f"{name}, {suite}: {variant} done", file=sys.stderr)
    return blocks


def document(options):
    """Run everything and write it as Markdown."""
    parts = []
    for name in options.strategies:
        strategy = STRATEGIES[name]
        for suite in strategy.suites:
            title = f"### {name}: suite {suite}, {budget_text(strategy.budget)}"
            reason = SUITES[suite].missing()
            body = f"Left out: {reason}." if reason else table(measure_block(name, suite, options))
            parts.append(f"{title}\n\n{body}")
    head = [
        f"## Ablation: {', '.join(options.strategies)}",
        report.provenance({"geneticpy": environments.version("geneticpy")}),
        f"Seeds {options.first_seed} to {options.first_seed + options.seeds - 1}, which the other "
        "tables do not use. Left: mean normalized regret, or the share of targets missed; smaller "
        "is better. Change: what taking the component away adds, positive if it pays; bootstrap "
        "over seeds. Worse / better: share of cells without the component that are worse, better.",
    ]
    return "\n\n".join(head + parts)


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--variants", nargs="+", help="only these, and the whole")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--output", type=Path, help="Markdown file whose section is replaced")
    parser.add_argument("--section", default="ablation", help="its name (default ablation)")
    parser.add_argument("--request", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    """Run the command."""
    options = arguments()
    if options.request:
        print(json.dumps(measure(options.request)))
        return
    text = document(options)
    report.publish(text, options.output, options.section)


if __name__ == "__main__":
    main()
