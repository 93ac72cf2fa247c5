"""The guard: our row on a small fixed set of problems, against stored levels.

    python benchmarks/quality.py --guard            # minutes; fails naming the suite
    python benchmarks/quality.py --guard --store    # after a change that is meant

The level of a suite is the mean over its problems of the median over seeds of a cell's measure:
normalized regret, or one minus the area where targets are counted. Stored are the measures of
`STORED_SEEDS` seeds and, from a bootstrap of them, the level that `SEEDS` seeds have on average
and its standard deviation. A suite fails above the average by more than `SIGMAS` of these, and by
more than `LEAST`. With the code unchanged the run is the same and nothing can fail; for a change
that makes nothing worse, the rate of false alarms is the share of bootstrap samples above the
limit, which is stored for each suite.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from outcomes import measure_of
from problem import ReferencedProblem
from problems import PROBLEMS, SUITES
from runner import run_solver
from solvers import OURS, SOLVERS

LEVELS = Path(__file__).with_name("guard.json")
SEEDS, STORED_SEEDS = 5, 12
SIGMAS, LEAST = 3.5, 0.002
RESAMPLES = 20_000

# suite: (evaluations, problems)
PLAN = {
    "continuous-5": (100, ("rosenbrock-5", "rastrigin-5", "step-5")),
    "mixed": (100, ("mixed-bowl", "mixed-branches", "mixed-tuning")),
    "lists": (100, ("lists-network", "lists-pipeline", "lists-curve")),
    "lengths": (100, ("lengths-blocks", "lengths-branches", "lengths-schedule-noisy")),
    "yahpo": (50, ("lcbench-167168", "lcbench-189906", "rpart-14")),
    "tuning": (50, ("tuning-svm-cancer", "tuning-linear-cancer", "tuning-tree-digits")),
    "depth": (50, ("depth-sgd", "depth-adam")),
    "bbob": (200, ("bbob-f01-5", "bbob-f08-5", "bbob-f15-5")),
    "mixint": (200, ("bbob-mixint-f01-5", "bbob-mixint-f08-5", "bbob-mixint-f15-5")),
    "pbo": (300, ("pbo-leadingones", "pbo-torus")),
    "routes": (250, ("routes-circle-20", "routes-uniform-30")),
}


def obstacle(suite):
    """Return the reason why a suite cannot be judged here, or None."""
    reason = SUITES[suite].missing()
    if reason:
        return reason
    for name in PLAN[suite][1]:
        problem = PROBLEMS[name]
        if isinstance(problem, ReferencedProblem) and problem.reference is None:
            return f"the stored reference of {name} belongs to other versions"
    return None


def cells_of(suite, seeds):
    """Return the cells of a suite, problem by problem."""
    budget, problems = PLAN[suite]
    size = SOLVERS[OURS].size(budget)
    return [
        {"problem": problem, "seed": seed, "budget": budget, "size": size}
        for problem in problems
        for seed in range(seeds)
    ]


def measure(suites, seeds, options):
    """Run our row on some suites: {suite: (p, s) array}."""
    with ThreadPoolExecutor(options.jobs) as pool:
        run = [(suite, cells_of(suite, seeds)) for suite in suites]
        stores = list(pool.map(lambda pair: run_solver(OURS, pair[1], options)[0], run))
    return {
        suite: _measures(suite, cells, store)
        for (suite, cells), store in zip(run, stores, strict=True)
    }


def _measures(suite, cells, store):
    """Measure the cells of a suite: (p, s) array."""
    if store.failures:
        raise RuntimeError(f"guard: {suite} did not run: {store.failures[0]}.")
    values = [measure_of(cell, store.get(cell)["trace"], suite) for cell in cells]
    return np.array(values).reshape(len(PLAN[suite][1]), -1)


def level(values):
    """Compute the level of a suite: mean over problems of the median over seeds."""
    return np.median(values, axis=-1).mean(axis=-1)


def resampled(values, rng):
    """Draw levels of `SEEDS` seeds from those that are stored: (RESAMPLES,) array."""
    p, s = values.shape
    drawn = rng.integers(s, size=(RESAMPLES, p, SEEDS))
    return level(values[np.arange(p)[:, None], drawn])


def limits(values):
    """Compute what is stored about a suite from its measures: (p, s) array."""
    levels = resampled(values, np.random.default_rng(0))
    limit = levels.mean() + max(SIGMAS * levels.std(), LEAST)
    return {
        "level": round(float(levels.mean()), 5),
        "limit": round(float(limit), 5),
        "false_alarms": float((levels > limit).mean()),
        "measures": values.round(5).tolist(),
    }


def compare(measured, stored):
    """Write a line for each suite and return those that fail."""
    failed = []
    for suite, values in measured.items():
        found, limit = float(level(values)), stored[suite]["limit"]
        verdict = "worse" if found > limit else "ok"
        print(
            f"{suite}: {found:.4f}, stored {stored[suite]['level']:.4f}, {limit=:.4f}: {verdict}"
        )
        if found > limit:
            failed.append(suite)
    return failed


def main(options):
    """Run the guard and return the exit status."""
    skipped = {suite: obstacle(suite) for suite in PLAN}
    for suite, reason in skipped.items():
        if reason:
            print(f"{suite}: skipped, {reason}")
    suites = [suite for suite in PLAN if not skipped[suite]]
    stored = json.loads(LEVELS.read_text()) if LEVELS.exists() else {}
    if options.store:
        measured = measure(suites, STORED_SEEDS, options)
        stored |= {suite: limits(values) for suite, values in measured.items()}
        lines = [f"{json.dumps(suite)}: {json.dumps(row)}" for suite, row in stored.items()]
        LEVELS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        return 0
    failed = compare(measure([s for s in suites if s in stored], SEEDS, options), stored)
    if failed:
        print(f"guard: worse than noise on {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
