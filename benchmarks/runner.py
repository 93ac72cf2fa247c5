"""Child processes of the quality benchmark: one for each solver, in its own interpreter."""

import json
import subprocess
import sys

import environments
from solvers import SOLVERS
from store import Store


def start(name, cells, options):
    """Start a child process for the cells of one solver; it answers in JSON lines."""
    kind = SOLVERS[name].interpreter
    child = subprocess.Popen(
        [environments.interpreter(kind, options.geneticpy2_python), "-W", "ignore", "cells.py"],
        cwd=environments.HERE,
        env=environments.surroundings(kind),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if not cells else subprocess.DEVNULL,
        text=True,
    )
    child.stdin.write(json.dumps({"solver": name, "cells": cells}))
    child.stdin.close()
    return child


def identify(name, options):
    """Return (identity, None), or (None, the reason why the solver cannot run here)."""
    try:
        child = start(name, [], options)
    except environments.MissingInterpreterError as error:
        return None, str(error)
    answer, complaints = child.stdout.read(), child.stderr.read()
    if child.wait() == 0:
        return json.loads(answer)["identity"], None
    lines = complaints.strip().splitlines()
    return None, lines[-1] if lines else "its process died"


def run_solver(name, cells, options):
    """Run those of some cells that are not stored yet.

    Returns
    -------
    store : Store or None
    note : str
        Version, or the reason why the solver is left out.
    """
    identity, reason = identify(name, options)
    if reason:
        return None, reason
    store = Store(name, identity, told=SOLVERS[name].told)
    missing = store.missing(cells)
    print(f"{name} {identity['version']}: {len(missing)} cells to run", file=sys.stderr)
    store.failures = run_cells(name, missing, store, options) if missing else []
    return store, identity["version"]


def run_cells(name, cells, store, options):
    """Run cells in a child process, store what is done, and return what failed and why."""
    failures = []
    child = start(name, cells, options)
    for line in child.stdout:
        answer = json.loads(line)
        if "error" in answer:
            failures.append(f"{answer['error']} on {answer['cell']}")
        elif "cell" in answer:
            store.put(answer.pop("cell"), answer)
    if child.wait():
        failures.append(f"the end of its process with {child.returncode}")
    return failures
