"""Finished cells of the quality benchmark on disk, so that an interrupted run goes on."""

import json
import math
from collections import defaultdict

import environments
from budget import cut
from problems import PROBLEMS

STORE = environments.CACHE / "quality"


class Store:
    """Finished cells of one solver: an append-only file with a JSON line for each.

    Parameters
    ----------
    name : str
        Of the solver.
    identity : dict
        Version and digest; cells of other versions are left alone.
    told : bool
        Whether the solver's runs depend on their budget. If not, a longer run answers for all
        shorter ones.

    Attributes
    ----------
    failures : list of str
        Why cells of this run are missing.
    """

    def __init__(self, name, identity, *, told=True):
        slug = "".join(c if c.isalnum() else "-" for c in name.lower())
        self._path = STORE / f"{slug}.jsonl"
        self._identity = identity
        self._told = told
        self._runs = defaultdict(dict)  # {run: {budget: record}}
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
        identity, fingerprint, cell = json.loads(record["key"])
        if identity == self._identity:
            self._runs[_run(fingerprint, cell)][cell["budget"]] = record

    def get(self, cell):
        """Return the stored outcome, or None."""
        run = self._runs.get(_run(_fingerprint(cell), cell), {})
        budget = cell["budget"]
        if budget in run or self._told:
            return run.get(budget)
        longer = [stored for stored in run if stored > budget]
        return cut(run[min(longer)], budget) if longer else None

    def put(self, cell, outcome):
        """Keep an outcome, on disk at once."""
        fingerprint = _fingerprint(cell)
        key = json.dumps([self._identity, fingerprint, cell], sort_keys=True)
        record = {"key": key, **outcome}
        self._runs[_run(fingerprint, cell)][cell["budget"]] = record
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def missing(self, cells):
        """Return the cells that have to be run."""
        absent = [cell for cell in cells if self.get(cell) is None]
        if self._told:
            return absent
        longest = {}
        for cell in sorted(absent, key=lambda cell: cell["budget"]):
            longest[_run("", cell)] = cell
        return list(longest.values())

    def lowest(self, problem):
        """Return the smallest loss that any stored run has found on a problem."""
        fingerprint = PROBLEMS[problem].fingerprint()
        losses = [
            record["trace"][-1][1]
            for run, records in self._runs.items()
            if run[:2] == (fingerprint, problem)
            for record in records.values()
        ]
        return min(losses, default=math.inf)


def _fingerprint(cell):
    """Return the fingerprint of a cell's problem."""
    return PROBLEMS[cell["problem"]].fingerprint()


def _run(fingerprint, cell):
    """Return what a run is, apart from solver and budget."""
    return fingerprint, cell["problem"], cell["seed"], cell["size"]
