"""Compare solvers at equal numbers of evaluations and write one table per suite and budget.

    python benchmarks/quality.py                    # everything, 5 seeds, 100 to 10,000
    python benchmarks/quality.py --quick            # a smoke test
    python benchmarks/quality.py --suites lists --budgets 1000 --solvers geneticpy random

Finished cells are kept in benchmarks/.cache and are not run again while solver, version, adapter,
problem, seed, budget and population are the same; an interrupted run goes on where it stopped.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environments
import report
from problems import PROBLEMS, SUITES
from quality_tables import cells_of, document
from solvers import SOLVERS

STORE = environments.CACHE / "quality"


class Store:
    """Finished cells of one solver: an append-only file with a JSON line for each.

    Attributes
    ----------
    failures : list of str
        Why cells of this run are missing.
    """

    def __init__(self, name, identity):
        slug = "".join(c if c.isalnum() else "-" for c in name.lower())
        self._path = STORE / f"{slug}.jsonl"
        self._identity = identity
        self._cells = {}
        self.failures = []
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                self._remember(line)

    def _remember(self, line):
        """Take over a stored line; one torn by a kill is ignored."""
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            return
        self._cells[record["key"]] = record

    def _key(self, cell):
        """Return all that the outcome of a cell depends on."""
        fingerprint = PROBLEMS[cell["problem"]].fingerprint()
        return json.dumps([self._identity, fingerprint, cell], sort_keys=True)

    def get(self, cell):
        """Return the stored outcome, or None."""
        return self._cells.get(self._key(cell))

    def put(self, cell, outcome):
        """Keep an outcome, on disk at once."""
        record = {"key": self._key(cell), **outcome}
        self._cells[record["key"]] = record
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(record) + "\n")


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


def run_solver(name, options):
    """Run the cells of a solver that are not stored yet.

    Returns
    -------
    store : Store or None
    note : str
        Version, or the reason why the solver is left out.
    """
    identity, reason = identify(name, options)
    if reason:
        return None, reason
    store = Store(name, identity)
    missing = [cell for cell in cells_of(name, options) if store.get(cell) is None]
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


def run_all(options):
    """Run all solvers: {name: store or None}, {name: version or reason}."""
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda name: run_solver(name, options), options.solvers))
    named = list(zip(options.solvers, outcomes, strict=True))
    return {name: store for name, (store, _) in named}, {name: note for name, (_, note) in named}


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = [name for name, solver in SOLVERS.items() if not solver.optional]
    parser.add_argument("--seeds", type=int, default=5, help="runs per problem (default 5)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--suites", nargs="+", choices=SUITES, default=list(SUITES))
    parser.add_argument("--solvers", nargs="+", choices=SOLVERS, default=default)
    parser.add_argument("--population", type=int, help="for all solvers, instead of their own")
    parser.add_argument("--jobs", type=int, default=1, help="solvers run at a time (default 1)")
    parser.add_argument("--problems", action="store_true", help="add a table by problem")
    parser.add_argument("--quick", action="store_true", help="2 seeds, 100 evaluations")
    parser.add_argument("--output", type=Path, help="Markdown file whose section is replaced")
    parser.add_argument("--csv", type=Path, help="write the summaries as CSV")
    environments.add_interpreter_option(parser)
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.budgets = 2, [100]
    return options


def main():
    """Run the command."""
    options = arguments()
    stores, notes = run_all(options)
    text, rows = document(stores, notes, options)
    print(text)
    if options.output:
        report.write_section(options.output, "quality", text)
    if options.csv and rows:
        report.write_csv(options.csv, rows)


if __name__ == "__main__":
    main()
