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
import numpy as np
import report
from problems import PROBLEMS, SUITES
from scores import SOLVED, regret, summarize
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


def cells_of(name, options):
    """Return every cell that the options ask of a solver."""
    solver = SOLVERS[name]
    return [
        {
            "problem": problem,
            "seed": seed,
            "budget": budget,
            "size": options.population or solver.size(budget),
        }
        for budget in options.budgets
        if solver.largest_budget is None or budget <= solver.largest_budget
        for suite in options.suites
        for problem in SUITES[suite]
        for seed in range(options.first_seed, options.first_seed + options.seeds)
    ]


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


def collect(stores, suite, budget, options):
    """Gather the regrets of a suite at a budget.

    Returns
    -------
    names : list of str
        Solvers with every cell done.
    regrets : (k, p, s) array
    """
    names, blocks = [], []
    for name, store in stores.items():
        if store is None:
            continue
        cells = [
            cell
            for cell in cells_of(name, options)
            if cell["budget"] == budget and cell["problem"] in SUITES[suite]
        ]
        outcomes = [store.get(cell) for cell in cells]
        if not cells or None in outcomes:
            continue
        losses = [outcome["trace"][-1][1] for outcome in outcomes]
        names.append(name)
        blocks.append([_regret(*pair) for pair in zip(cells, losses, strict=True)])
    shape = (len(names), len(SUITES[suite]), options.seeds)
    return names, np.array(blocks).reshape(shape)


def _regret(cell, loss):
    """Normalize the final loss of a cell."""
    problem = PROBLEMS[cell["problem"]]
    return regret(loss, optimum=problem.optimum, median=problem.median_loss(cell["seed"]))


def suite_rows(stores, suite, budget, options):
    """Summarize a suite at a budget: one dict for each solver, best mean rank first."""
    names, regrets = collect(stores, suite, budget, options)
    if not names:
        return []
    rows = [
        {"suite": suite, "budget": budget, "solver": name, "seeds": options.seeds, **summary}
        for name, summary in zip(names, summarize(regrets), strict=True)
    ]
    return sorted(rows, key=lambda row: row["rank"])


def problem_rows(stores, suite, budget, options):
    """List the mean regret of each solver on each problem."""
    names, regrets = collect(stores, suite, budget, options)
    return [
        [name, *(f"{value:.4f}" for value in block.mean(axis=1))]
        for name, block in zip(names, regrets, strict=True)
    ]


def format_rows(rows):
    """Format summaries as a Markdown table."""
    header = ["solver", "mean regret [95 %]", "mean rank [95 %]", "solved"]
    return report.table(
        header,
        [
            [
                row["solver"],
                f"{row['regret']:.4f} [{row['regret_low']:.4f}, {row['regret_high']:.4f}]",
                f"{row['rank']:.2f} [{row['rank_low']:.2f}, {row['rank_high']:.2f}]",
                f"{row['solved']:.0%}",
            ]
            for row in rows
        ],
    )


def overview(rows):
    """Put the mean rank of every solver in every suite and budget into one table."""
    blocks = list(dict.fromkeys((row["suite"], row["budget"]) for row in rows))
    names = list(dict.fromkeys(row["solver"] for row in rows))
    ranks = {(row["solver"], row["suite"], row["budget"]): f"{row['rank']:.2f}" for row in rows}
    header = ["mean rank", *(f"{suite}, {budget:,}" for suite, budget in blocks)]
    return report.table(
        header, [[name, *(ranks.get((name, *block), "-") for block in blocks)] for name in names]
    )


def document(stores, notes, options):
    """Write all tables as Markdown.

    Returns
    -------
    text : str
    rows : list of dict
        The same numbers for the CSV file.
    """
    present = {name: note for name, note in notes.items() if stores[name] is not None}
    first = options.first_seed
    rows, tables = [], []
    for suite in options.suites:
        for budget in options.budgets:
            block = suite_rows(stores, suite, budget, options)
            rows += block
            if not block:
                continue
            count = len(SUITES[suite])
            tables.append(
                f"### {suite}, {budget:,} evaluations ({count} problems x {options.seeds} seeds)"
            )
            tables.append(format_rows(block))
            if options.problems:
                problems = problem_rows(stores, suite, budget, options)
                tables.append(report.table(["mean regret", *SUITES[suite]], problems))
    head = [
        "## Quality at equal evaluations",
        report.provenance(present),
        f"Seeds {first} to {first + options.seeds - 1}. Regret: 0 is the known optimum, 1 the "
        f"median of random draws. Solved: regret at most {SOLVED}. Intervals: bootstrap over "
        "seeds. Best mean rank first.",
        *(f"Left out: {name} ({notes[name]})." for name in stores if stores[name] is None),
        *(
            f"Left out where incomplete: {name} ({len(store.failures)} cells failed, the first "
            f"with {store.failures[0]})."
            for name, store in stores.items()
            if store and store.failures
        ),
        *(
            f"Left out above {SOLVERS[name].largest_budget:,} evaluations: {name} (hours of its "
            "own time)."
            for name in present
            if SOLVERS[name].largest_budget
        ),
        overview(rows) if rows else "Nothing ran.",
    ]
    return "\n\n".join(head + tables), rows


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
