"""The child process of overhead.py: one library, one measurement, in a fresh interpreter.

The loss's own time is measured on arguments that the library itself made, and subtracted.

Standard input holds {"task": "measure" or "generations", ...}; the answer is one JSON line.
"""

import itertools
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import environments
import numpy as np
import overhead_calls as calls

RECORDED = 500  # arguments kept to time the loss with


@dataclass(frozen=True)
class Case:
    """A row of the table.

    Attributes
    ----------
    run : callable
        `run(loss, genes, size, generations)`.
    package : str
        Distribution name.
    loss : callable
        The sphere for the library's type of argument.
    rows : callable or None
        Number of points in an argument, for losses of many points at once.
    size : int or None
        Population that differs from the one asked for.
    interpreter : {"main", "geneticpy2"}
    """

    run: Callable
    package: str
    loss: Callable
    rows: Callable | None = None
    size: int | None = None
    interpreter: str = "main"


def _column_rows(columns):
    """Count the points in a dict of columns."""
    return len(next(iter(columns.values())))


VECTORIZED = partial(calls.run_geneticpy, vectorized=True)
SCIPY_VECTORIZED = partial(calls.run_scipy, vectorized=True, updating="deferred")

CASES = {
    "geneticpy": Case(calls.run_geneticpy, "geneticpy", calls.sphere_of_mapping),
    "geneticpy, vectorized": Case(VECTORIZED, "geneticpy", calls.spheres_of_columns, _column_rows),
    "geneticpy, vectorized, size=2000": Case(
        VECTORIZED, "geneticpy", calls.spheres_of_columns, _column_rows, size=2_000
    ),
    "GeneticPy 2.0.0": Case(
        calls.run_geneticpy, "geneticpy", calls.sphere_of_mapping, interpreter="geneticpy2"
    ),
    "geneticalgorithm2": Case(
        calls.run_geneticalgorithm2, "geneticalgorithm2", calls.sphere_of_array
    ),
    "geneticalgorithm2, vectorized": Case(
        partial(calls.run_geneticalgorithm2, vectorized=True),
        "geneticalgorithm2",
        calls.spheres_of_rows,
        len,
    ),
    "inspyred": Case(calls.run_inspyred, "inspyred", calls.sphere_of_sequence),
    "DEAP": Case(calls.run_deap, "deap", calls.sphere_of_sequence),
    "scipy DE": Case(calls.run_scipy, "scipy", calls.sphere_of_array),
    "scipy DE, vectorized": Case(
        SCIPY_VECTORIZED, "scipy", calls.spheres_of_transposed, lambda columns: columns.shape[1]
    ),
    "PyGAD": Case(calls.run_pygad, "pygad", calls.sphere_of_array),
    "pymoo GA": Case(calls.run_pymoo, "pymoo", calls.sphere_of_array),
    "pymoo GA, vectorized": Case(
        partial(calls.run_pymoo, vectorized=True), "pymoo", calls.spheres_of_rows, len
    ),
    "nevergrad TwoPointsDE": Case(calls.run_nevergrad, "nevergrad", calls.sphere_of_array),
    "random dicts": Case(calls.run_random, "numpy", calls.sphere_of_mapping),
}


def peak_mb():
    """Largest resident memory of this process so far, in MB.

    From /proc where there is one: ru_maxrss of a child also contains its parent's memory.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def record(case, genes, size):
    """Run a few generations and return arguments that the library gave to the loss."""
    kept = []

    def loss(argument):
        """Keep the argument."""
        if len(kept) < RECORDED:
            kept.append(argument)
        return case.loss(argument)

    case.run(loss, genes, size, 6)
    return kept


def counting(case):
    """Return the loss, wrapped to count points, and the function that tells the count."""
    loss, rows = case.loss, case.rows
    if rows is None:
        counter = itertools.count()
        step = counter.__next__

        def count_one(argument):
            """Count one point."""
            step()
            return loss(argument)

        return count_one, lambda: next(counter)
    seen = [0]

    def count_many(argument):
        """Count the points of the argument."""
        seen[0] += rows(argument)
        return loss(argument)

    return count_many, lambda: seen[0]


def loss_seconds(case, arguments, at_least_s=0.3):
    """CPU seconds that the counted loss takes for one point, the median of several rounds."""
    loss, _ = counting(case)
    points = sum(map(case.rows, arguments)) if case.rows else len(arguments)
    rounds, total = [], 0.0
    while total < at_least_s:
        started = time.process_time()
        for argument in arguments:
            loss(argument)
        rounds.append(time.process_time() - started)
        total += rounds[-1]
    return float(np.median(rounds)) / points


def measure(name, *, genes, size, generations):
    """Measure one case: CPU seconds of the whole call, of one loss, evaluations and memory."""
    case = CASES[name]
    size = case.size or size
    arguments = record(case, genes, size)
    loss_s = loss_seconds(case, arguments)
    del arguments
    before_mb = peak_mb()
    loss, count = counting(case)
    started = time.process_time()
    case.run(loss, genes, size, generations)
    cpu_s = time.process_time() - started
    done = count()
    return {
        "version": environments.version(case.package),
        "evaluations": done,
        "cpu_us": 1e6 * (cpu_s / done - loss_s),
        "loss_us": 1e6 * loss_s,
        "peak_mb": peak_mb(),
        "grown_mb": peak_mb() - before_mb,
    }


def _noise(rng, argument, *, vectorized):
    """Draw a loss, or one for each point of the argument."""
    return rng.random(_column_rows(argument)) if vectorized else rng.random()


def generation_costs(*, size, generations, noise, vectorized, windows, half_width):
    """CPU microseconds per evaluation, loss included, of our generations around given numbers.

    The sphere converges to the last bit after some hundred generations, after which most children
    are repeats; `noise` instead returns random losses, on which nothing ever converges.
    """
    stamps = []
    rng = np.random.default_rng(calls.SEED)
    loss = calls.spheres_of_columns if vectorized else calls.sphere_of_mapping
    if noise:
        loss = partial(_noise, rng, vectorized=vectorized)

    def stamp(*_state):
        """Note the time at the end of a generation; None means go on."""
        stamps.append(time.process_time())

    calls.run_geneticpy(loss, 10, size, generations, vectorized=vectorized, callback=stamp)
    costs = np.diff(stamps) * 1e6 / (size / 2)
    around = [slice(max(0, at - half_width), at + half_width + 1) for at in windows]
    return [float(np.median(costs[part])) for part in around]


TASKS = {"measure": measure, "generations": generation_costs}


def main():
    """Answer one request: {"task": name, ...arguments}."""
    request = json.load(sys.stdin)
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(TASKS[request.pop("task")](**request)), file=answers, flush=True)


if __name__ == "__main__":
    main()
