"""The guard: our row on a small fixed set of problems, against stored levels.

    python benchmarks/quality.py --guard            # minutes; fails naming the row
    python benchmarks/quality.py --guard --store    # after a change that is meant

A row is a few problems of a suite at one budget. Its level is the mean over its problems of the
median over seeds of a cell's measure: normalized regret, or one minus the area where targets are
counted. Stored are the measures of `STORED_SEEDS` seeds and, from a bootstrap of them, the level
that `SEEDS` seeds have on average and its standard deviation. A row fails above the average by
more than `SIGMAS` of these, and by more than `LEAST`. With the code unchanged the run is the same
and nothing can fail; for a change that makes nothing worse, the rate of false alarms is the share
of bootstrap samples above the limit, which is stored for each row.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

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


class Row(NamedTuple):
    """Problems of a suite that are judged together."""

    suite: str
    evaluations: int
    problems: tuple


# The model picks all rows of short runs; in long ones other strategies take over.
PLAN = {
    "continuous-5": Row("continuous-5", 100, ("rosenbrock-5", "rastrigin-5", "step-5")),
    "mixed": Row("mixed", 100, ("mixed-bowl", "mixed-branches", "mixed-tuning")),
    "lists": Row("lists", 100, ("lists-network", "lists-pipeline", "lists-curve")),
    "lengths": Row(
        "lengths", 100, ("lengths-blocks", "lengths-branches", "lengths-schedule-noisy")
    ),
    "yahpo": Row("yahpo", 50, ("lcbench-167168", "lcbench-189906", "rpart-14")),
    "tuning": Row(
        "tuning", 50, ("tuning-svm-cancer", "tuning-linear-cancer", "tuning-tree-digits")
    ),
    "depth": Row("depth", 50, ("depth-sgd", "depth-adam")),
    "routes": Row("routes", 250, ("routes-circle-20", "routes-uniform-30")),
    "continuous-5, long": Row("continuous-5", 1_000, ("ackley-5", "rastrigin-5", "schwefel-5")),
    "bbob, long": Row("bbob", 500, ("bbob-f01-5", "bbob-f08-5", "bbob-f15-5")),
    "mixint, long": Row(
        "mixint", 500, ("bbob-mixint-f01-5", "bbob-mixint-f08-5", "bbob-mixint-f15-5")
    ),
    "pbo, long": Row("pbo", 2_000, ("pbo-labs", "pbo-torus")),
    "lists, long": Row("lists", 2_000, ("lists-pipeline", "lists-curve")),
    "bbob, cheap": Row("bbob", 30_000, ("bbob-f08-5", "bbob-f15-5", "bbob-f20-5")),
    "mixed, cheap": Row("mixed", 30_000, ("mixed-bowl", "mixed-coupled")),
    "pbo, cheap": Row("pbo", 30_000, ("pbo-labs", "pbo-trap")),
}


def obstacle(row):
    """Return the reason why a row of the plan cannot run here, or None."""
    reason = SUITES[row.suite].missing()
    if reason:
        return reason
    for name in row.problems:
        problem = PROBLEMS[name]
        if isinstance(problem, ReferencedProblem) and problem.reference is None:
            return f"the stored reference of {name} belongs to other versions"
    return None


def cells_of(row, seeds):
    """Return the cells of a row, problem by problem."""
    size = SOLVERS[OURS].size(row.evaluations)
    return [
        {"problem": problem, "seed": seed, "budget": row.evaluations, "size": size}
        for problem in row.problems
        for seed in range(seeds)
    ]


def measure(names, seeds, options):
    """Run our solver on some rows of the plan: {name: (p, s) array}."""
    with ThreadPoolExecutor(options.jobs) as pool:
        run = [(name, cells_of(PLAN[name], seeds)) for name in names]
        stores = list(pool.map(lambda pair: run_solver(OURS, pair[1], options)[0], run))
    return {
        name: _measures(name, cells, store)
        for (name, cells), store in zip(run, stores, strict=True)
    }


def _measures(name, cells, store):
    """Measure the cells of a row: (p, s) array."""
    if store.failures:
        raise RuntimeError(f"guard: {name} did not run: {store.failures[0]}.")
    values = [measure_of(cell, store.get(cell)["trace"], PLAN[name].suite) for cell in cells]
    return np.array(values).reshape(len(PLAN[name].problems), -1)


def level(values):
    """Compute the level of a row: mean over problems of the median over seeds."""
    return np.median(values, axis=-1).mean(axis=-1)


def resampled(values, rng):
    """Draw levels of `SEEDS` seeds from those that are stored: (RESAMPLES,) array."""
    p, s = values.shape
    drawn = rng.integers(s, size=(RESAMPLES, p, SEEDS))
    return level(values[np.arange(p)[:, None], drawn])


def limits(values):
    """Compute what is stored about a row from its measures: (p, s) array."""
    levels = resampled(values, np.random.default_rng(0))
    limit = levels.mean() + max(SIGMAS * levels.std(), LEAST)
    return {
        "level": round(float(levels.mean()), 5),
        "limit": round(float(limit), 5),
        "false_alarms": float((levels > limit).mean()),
        "measures": values.round(5).tolist(),
    }


def compare(measured, stored):
    """Write a line for each row and return those that fail."""
    failed = []
    for name, values in measured.items():
        found, limit = float(level(values)), stored[name]["limit"]
        verdict = "worse" if found > limit else "ok"
        print(f"{name}: {found:.4f}, stored {stored[name]['level']:.4f}, {limit=:.4f}: {verdict}")
        if found > limit:
            failed.append(name)
    return failed


def store_levels(names, options, stored):
    """Measure rows again and write the levels of all."""
    measured = measure(names, STORED_SEEDS, options)
    stored = stored | {name: limits(values) for name, values in measured.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(stored[name])}" for name in PLAN if name in stored]
    LEVELS.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(options):
    """Run the guard and return the exit status."""
    stored = json.loads(LEVELS.read_text()) if LEVELS.exists() else {}
    skipped = {name: obstacle(row) for name, row in PLAN.items()}
    if not options.store:
        unknown = {name: "it has no stored levels" for name in PLAN if name not in stored}
        skipped |= {name: skipped[name] or reason for name, reason in unknown.items()}
    for name, reason in skipped.items():
        if reason:
            print(f"{name}: skipped, {reason}")
    names = [name for name in PLAN if not skipped[name]]
    if options.store:
        store_levels(names, options, stored)
        return 0
    failed = compare(measure(names, SEEDS, options), stored)
    if failed:
        print(f"guard: worse than noise on {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
