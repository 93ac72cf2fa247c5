"""Tune real models with GeneticSearchCV and its peers, at equal cost; print tables.

    python benchmarks/search_cv.py                  # 3 seeds, 20 minutes on a free core, resumable
    python benchmarks/search_cv.py --seeds 10
    python benchmarks/search_cv.py --quick          # a smoke test
    GENETICPY_MNIST=mnist.npz python benchmarks/search_cv.py   # Keras's file: one job more

Finished cells are kept in benchmarks/.cache/search_cv.jsonl and are not run again for the same
sources of this package, versions, jobs and budgets.
"""

import argparse
import hashlib
import importlib.metadata
import itertools
import json
import sys
import warnings
from pathlib import Path

import environments
import numpy as np
import report
import scipy.stats
from search_cv_jobs import jobs
from search_cv_methods import METHODS, PACKAGES, traces
from sklearn.base import clone
from sklearn.metrics import get_scorer
from threadpoolctl import threadpool_limits

BUDGETS = 30, 60, 120
STORE = environments.CACHE / "search_cv.jsonl"
OURS = "GeneticSearchCV"
REPEATING = "GASearchCV"  # candidates, from a cache: search_cv_overhead.py says what it costs
ROOMS = "space", "evolution", "learn"  # and genome.py: what decides on the candidates


def main():
    options = arguments()
    chosen = {name: job for name, job in jobs().items() if options.jobs in name}
    cells = Cells(tuple(options.budgets))
    names = [name for name in METHODS if available(name)]
    for seed, (job, _), name in itertools.product(range(options.seeds), chosen.items(), names):
        print(f"{job}, seed {seed}, {name}", file=sys.stderr, flush=True)
        with threadpool_limits(1):  # small data, many fits
            cells.run(job, chosen[job], name, seed)
    text = document(cells, list(chosen), names, options.seeds)
    report.publish(text, options.output, "search_cv")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    parser.add_argument("--jobs", default="", help="only those whose name holds this text")
    parser.add_argument("--quick", action="store_true", help="one seed, one job, 6 candidates")
    parser.add_argument("--output", help="file whose section search_cv is replaced")
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.budgets, options.jobs = 1, (6,), "wine"
    return options


def available(name):
    """Return whether a peer is installed; say so if it is not."""
    package = PACKAGES.get(name, "scikit-learn")
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        print(f"{name} is left out: {package} is not installed", file=sys.stderr)
        return False
    return True


def identity(name):
    """Return what the outcome of a method depends on besides the job."""
    if name == OURS:
        root, digest = Path(__file__).parents[1] / "geneticpy", hashlib.sha256()
        rooms = [path for room in ROOMS for path in (root / room).rglob("*.py")]
        for path in sorted([root / "genome.py", *rooms]):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]
    return importlib.metadata.version(PACKAGES.get(name, "scikit-learn"))


class Cells:
    """Finished cells: a job, a seed, a method, with one result for each budget."""

    def __init__(self, budgets):
        self.budgets = budgets
        self._identity = {name: identity(name) for name in METHODS if available(name)}
        lines = STORE.read_text().splitlines() if STORE.exists() else []
        self._known = {}
        for line in lines:
            record = json.loads(line)
            self._known[record["key"]] = record["result"]

    def key(self, job, name, seed):
        return json.dumps([job, name, self._identity[name], seed, self.budgets])

    def result(self, job, name, seed):
        return self._known[self.key(job, name, seed)]

    def run(self, job_name, job, name, seed):
        """Run one cell unless it is known."""
        key = self.key(job_name, name, seed)
        if key in self._known:
            return
        result = outcome(job, name, self.budgets, seed)
        self._known[key] = result
        STORE.parent.mkdir(parents=True, exist_ok=True)
        with STORE.open("a") as file:
            file.write(json.dumps({"key": key, "result": result}) + "\n")


def outcome(job, name, budgets, seed):
    """Return held-out and validated scores at each budget, and the times of the longest run."""
    X, y, X_out, y_out, folds = job.split(seed)
    found = traces(name, job, X, y, folds, budgets, seed)
    held_out, validated = [], []
    for budget in budgets:
        score, params = found[budget].best(None if "Halving" in name else budget)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = clone(job.model).set_params(**params).fit(X, y)
            held_out.append(float(get_scorer(job.scoring)(model, X_out, y_out)))
        validated.append(score)
    last = found[max(budgets)]
    return {
        "held_out": held_out,
        "validated": validated,
        "candidates": len(last.params),
        "total_s": round(last.total_s, 3),
        "fits_s": round(sum(last.fits_s), 3),
    }


def document(cells, job_names, names, seeds):
    """Return all tables as Markdown."""
    parts = [
        "## Tuning of scikit-learn models: `search_cv.py`",
        report.provenance(versions(names)),
    ]
    for at, budget in enumerate(cells.budgets):
        for kind in ("held_out", "validated"):
            values = {
                name: np.array(
                    [
                        [cells.result(job, name, seed)[kind][at] for seed in range(seeds)]
                        for job in job_names
                    ]
                )
                for name in names
            }
            title = "held-out" if kind == "held_out" else "cross-validated"
            parts.append(f"### {budget} candidates, mean {title} score over {seeds} seeds")
            parts.append(score_table(values, job_names))
    parts.append(
        "### Time beyond the fits: of a candidate, and as a share of the search, largest budget"
    )
    parts.append(time_table(cells, job_names, names, seeds))
    return "\n\n".join(parts)


def score_table(values, job_names):
    """Return a row for each method: score of each job, mean rank with its interval."""
    ranks = rank(values)
    rows = []
    for name in sorted(values, key=lambda name: ranks[name].mean()):
        mean, half = ranks[name].mean(), interval(ranks[name])
        scores = [f"{row.mean():.4f}" for row in values[name]]
        rows.append([name, *scores, f"{mean:.2f} ± {half:.2f}"])
    return report.table(["", *job_names, "mean rank"], rows)


def rank(values):
    """Return (jobs, seeds) ranks by method; 1 is best, equals share theirs."""
    stacked = np.stack(list(values.values()))
    ranks = scipy.stats.rankdata(np.round(-stacked, 9), axis=0)
    return dict(zip(values, ranks, strict=True))


def interval(ranks):
    """Return half of a 95 % bootstrap interval of the mean rank, over seeds inside each job."""
    rng = np.random.default_rng(0)
    jobs_, seeds = ranks.shape
    draws = rng.integers(seeds, size=(2000, jobs_, seeds))
    means = np.take_along_axis(ranks[None], draws, axis=2).mean(axis=(1, 2))
    low, high = np.quantile(means, [0.025, 0.975])
    return (high - low) / 2


def time_table(cells, job_names, names, seeds):
    """Return a row for each method: milliseconds a candidate, and their share of the search."""
    rows = []
    for name in names:
        if name == REPEATING:
            continue
        row = [name]
        for job in job_names:
            found = [cells.result(job, name, seed) for seed in range(seeds)]
            total, fits, candidates = (
                sum(result[key] for result in found) for key in ("total_s", "fits_s", "candidates")
            )
            row.append(f"{1000 * (total - fits) / candidates:.1f} ms ({1 - fits / total:.1%})")
        rows.append(row)
    return report.table(["", *job_names], rows)


def versions(names):
    """Return versions by package, with the digest of this one's sources."""
    packages = {"scikit-learn", "numpy", *(PACKAGES[name] for name in names if name in PACKAGES)}
    found = {package: importlib.metadata.version(package) for package in sorted(packages)}
    return {**found, "geneticpy (digest)": identity(OURS)}


if __name__ == "__main__":
    main()
