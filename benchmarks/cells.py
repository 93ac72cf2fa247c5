"""The child process of quality.py: runs cells of one solver and writes a JSON line for each.

Standard input holds {"solver": name, "cells": [{"problem", "seed", "budget", "size"}, ...]}.
With no cells it only tells the solver's identity.
"""

import contextlib
import functools
import hashlib
import inspect
import json
import sys
import time
from pathlib import Path

import environments
from budget import BudgetSpentError, CountedLoss
from problems import PROBLEMS
from solvers import OURS, SOLVERS, run

DECIDING = ("genome.py", "space", "evolution")  # parts of this package that choose points


def _sources(package):
    """Digest of the sources that decide which points are proposed: the version does not tell."""
    digest = hashlib.sha256()
    folder = Path(package.__file__).parent
    for part in map(folder.joinpath, DECIDING):
        for path in sorted(part.rglob("*.py")) if part.is_dir() else [part]:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _text(solve):
    """Return the source of an adapter, with its settings if they are bound to it."""
    if isinstance(solve, functools.partial):
        return f"{inspect.getsource(solve.func)}{solve.args}{solve.keywords}"
    return inspect.getsource(solve)


def identity(name):
    """Return version and digest of a solver: a stored cell counts only for the same ones."""
    solver = SOLVERS[name]
    digest = hashlib.sha256(_text(solver.solve).encode()).hexdigest()[:12]
    if name == OURS:
        import geneticpy

        digest += "-" + _sources(geneticpy)
    environments.version(solver.needs)
    return {"version": environments.version(solver.package), "digest": digest}


def spend(name, problem, instance, *, budget, seed, size=None):
    """Run one solver with exactly `budget` evaluations at most; returns the loss that counted."""
    loss = CountedLoss(instance.loss, budget, instance.truth)
    with contextlib.suppress(BudgetSpentError):
        run(name, problem, loss, budget=budget, seed=seed, size=size)
    return loss


def run_cell(name, *, problem, seed, budget, size):
    """Run one solver on one instance of a problem by its name."""
    problem = PROBLEMS[problem]
    instance = problem.instance(seed)
    started = time.process_time()
    loss = spend(name, problem, instance, budget=budget, seed=seed, size=size)
    seconds = time.process_time() - started
    if not loss.trace:
        raise RuntimeError(f"{name}: no evaluation at all on {problem.name}, {seed=}.")
    return {"evaluations": loss.evaluations, "trace": loss.trace, "cpu_s": round(seconds, 3)}


def main():
    """Answer one request."""
    request = json.load(sys.stdin)
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries that print must not spoil the lines
    print(json.dumps({"identity": identity(request["solver"])}), file=answers, flush=True)
    for cell in request["cells"]:
        try:
            outcome = run_cell(request["solver"], **cell)
        except Exception as error:
            outcome = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"cell": cell, **outcome}), file=answers, flush=True)


if __name__ == "__main__":
    main()
