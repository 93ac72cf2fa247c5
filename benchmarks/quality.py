"""Compare solvers at equal numbers of evaluations and write one table per suite and budget.

    python benchmarks/quality.py                    # everything, 5 seeds: days
    python benchmarks/quality.py --quick            # a smoke test
    python benchmarks/quality.py --guard            # our row against stored levels, minutes
    python benchmarks/quality.py --suites tuning depth --peers "Optuna TPE" random
    python benchmarks/quality.py --suites lists --budgets 1000 --solvers geneticpy random

Finished cells are kept in benchmarks/.cache and are not run again while solver, version, adapter,
problem, seed, budget and population are the same; an interrupted run goes on where it stopped.
"""

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import environments
import guard
import report
from outcomes import cells_of
from problems import SUITES
from quality_tables import document
from runner import run_solver
from solvers import OURS, SOLVERS
from suites import parse_budget


def _run(name, options):
    """Run what the tables need of one solver."""
    return run_solver(name, cells_of(name, options), options)


def run_all(options):
    """Run all solvers: {name: store or None}, {name: version or reason}."""
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda name: _run(name, options), options.solvers))
    named = list(zip(options.solvers, outcomes, strict=True))
    return {name: store for name, (store, _) in named}, {name: note for name, (_, note) in named}


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    peers = [name for name in SOLVERS if name != OURS]
    parser.add_argument("--seeds", type=int, default=5, help="runs per problem (default 5)")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--budgets", type=parse_budget, nargs="+", help="like 250 or 100d; default: by suite"
    )
    parser.add_argument("--suites", nargs="+", choices=SUITES, metavar="NAME", help="default: all")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--solvers", nargs="+", choices=SOLVERS, metavar="NAME", help="exactly these rows"
    )
    chosen.add_argument(
        "--peers", nargs="*", choices=peers, metavar="NAME", help="our row and these"
    )
    parser.add_argument("--population", type=int, help="for all solvers, instead of their own")
    parser.add_argument(
        "--jobs", type=int, help="processes (default 1, with --guard one per core)"
    )
    parser.add_argument("--problems", action="store_true", help="add a table by problem")
    parser.add_argument(
        "--guard", action="store_true", help="our row on a small set, against stored levels"
    )
    parser.add_argument("--store", action="store_true", help="with --guard: store the levels")
    parser.add_argument(
        "--quick", action="store_true", help="2 seeds, 100 evaluations, the first suites"
    )
    parser.add_argument("--output", type=Path, help="Markdown file whose section is replaced")
    parser.add_argument("--section", default="quality", help="its name (default quality)")
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write a CSV file by suite")
    environments.add_interpreter_option(parser)
    return finish(parser.parse_args())


def late(suite):
    """Whether a suite is too slow for a smoke test."""
    return SUITES[suite].every_peer


def finish(options):
    """Fill in what depends on other options, and leave out suites that cannot run here."""
    if options.peers is not None:
        options.solvers = [OURS, *options.peers]
    options.jobs = options.jobs or (os.cpu_count() if options.guard else 1)
    options.named = options.solvers is not None
    options.solvers = options.solvers or list(SOLVERS)
    options.suites = options.suites or [s for s in SUITES if not (options.quick and late(s))]
    if options.quick:
        options.seeds = 2
        options.budgets = options.budgets or [100]
    options.skipped = {name: SUITES[name].missing() for name in options.suites}
    options.skipped = {name: reason for name, reason in options.skipped.items() if reason}
    options.suites = [name for name in options.suites if name not in options.skipped]
    return options


def write_tables(folder, rows):
    """Write one CSV file for each suite into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for suite in dict.fromkeys(row["suite"] for row in rows):
        block = [row for row in rows if row["suite"] == suite]
        report.write_csv(folder / f"{suite}.csv", block)


def main():
    """Run the command."""
    options = arguments()
    if options.guard:
        sys.exit(guard.main(options))
    stores, notes = run_all(options)
    text, rows = document(stores, notes, options)
    report.publish(text, options.output, options.section)
    if options.csv:
        write_tables(options.csv, rows)


if __name__ == "__main__":
    main()
