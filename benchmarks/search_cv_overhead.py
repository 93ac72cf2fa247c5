"""What a search in scikit-learn costs besides its fits, by how long a fit takes; print a table.

    python benchmarks/search_cv_overhead.py             # 7 minutes asleep, 15 in fits
    python benchmarks/search_cv_overhead.py --quick     # a smoke test

The fits of the first table sleep: what is measured is the CPU time around them. The second is
about the jobs of search_cv.py at the size that people give them: all samples, 5 folds, the
default sizes of the models.
"""

import argparse
import time

import numpy as np
import report
from search_cv import OURS, available, versions
from search_cv_jobs import FOLDS, Job, Linear, Log, OneOf, Whole, jobs
from search_cv_methods import METHODS, traces
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

FLOOR = "RandomizedSearchCV"
LEFT_OUT = "HalvingRandomSearchCV"  # its candidates are not all fitted on all samples
WHOLE_FOLDS = 5
LENGTHS = 1, 10, 50, 200  # milliseconds of a fit
SHARE = 0.02
SPACE = {
    "a": Linear(0.0, 1.0),
    "b": Log(1e-5, 1e1),
    "c": Whole(1, 20),
    "d": OneOf(["x", "y", "z"]),
    "e": Linear(0.0, 1.0),
}


class Asleep(ClassifierMixin, BaseEstimator):
    """A classifier that sleeps in `fit`, with a score of its parameters.

    Attributes
    ----------
    used : float
        CPU seconds in `fit` and `score` of all instances.
    """

    used = 0.0

    def __init__(self, seconds=0.0, a=0.5, b=1e-2, c=3, d="x", e=0.5):
        self.seconds, self.a, self.b, self.c, self.d, self.e = seconds, a, b, c, d, e

    def fit(self, X, y):
        start = time.process_time()
        self.classes_ = np.unique(y)
        time.sleep(self.seconds)
        Asleep.used += time.process_time() - start
        return self

    def predict(self, X):
        return np.zeros(len(X), int)

    def score(self, X, y):
        start = time.process_time()
        gaps = self.a - 0.3, np.log10(self.b) / 6 + 0.5, self.c / 20 - 0.2, self.e - 0.7
        found = -float(np.square(gaps).sum()) - 0.1 * (self.d != "y")
        Asleep.used += time.process_time() - start
        return found


def main():
    options = arguments()
    names = [name for name in METHODS if name != LEFT_OUT and available(name)]
    with threadpool_limits(1):
        costs = {
            name: [
                cost(name, length, options.candidates, options.repeats) for length in options.ms
            ]
            for name in names
        }
        wholes = {name: whole_jobs(name, options) for name in (OURS, FLOOR)}
    text = f"{document(costs, options)}\n\n{whole_document(wholes, options)}"
    report.publish(text, options.output, "search_cv_overhead")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ms", type=float, nargs="+", default=LENGTHS, help="of a fit")
    parser.add_argument("--candidates", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--jobs", default="", help="whole jobs whose name holds this text")
    parser.add_argument("--quick", action="store_true", help="one repeat, 6 candidates, wine")
    parser.add_argument("--output", help="file whose section search_cv_overhead is replaced")
    options = parser.parse_args()
    if options.quick:
        options.repeats, options.candidates, options.ms, options.jobs = 1, 6, (1,), "wine"
    return options


def cost(name, length, candidates, repeats):
    """Return the CPU milliseconds of a candidate outside `fit` and `score`, the least found."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 10)), np.arange(200) % 2
    job = Job(None, Asleep(length / 1000), SPACE, len(X), None)
    found = []
    for seed in range(repeats + 1):  # the first one imports what is missing, at no length
        job.model.seconds = length / 1000 if seed else 0.0
        Asleep.used, start = 0.0, time.process_time()
        trace = traces(name, job, X, y, KFold(FOLDS), (candidates,), seed)[candidates]
        seconds = time.process_time() - start - Asleep.used
        found.append(1000 * seconds / len(trace.params))
    return min(found[1:])


def share(cost_ms, length):
    """Return what part of a search is not fits."""
    return cost_ms / (cost_ms + FOLDS * length)


def whole_jobs(name, options):
    """Run a search on each whole job; returns their traces by job."""
    found = {}
    for title, job in jobs().items():
        if options.jobs in title:
            job, X, y = job.whole()
            folds = KFold(WHOLE_FOLDS, shuffle=True, random_state=0)
            trace = traces(name, job, X, y, folds, (options.candidates,), 0)
            found[title] = trace[options.candidates]
    return found


def whole_document(wholes, options):
    """Return the table of whole jobs as Markdown."""
    rows = []
    for name, found in wholes.items():
        fits = [sum(trace.fits_s) for trace in found.values()]
        totals = [trace.total_s for trace in found.values()]
        pairs = [*zip(fits, totals, strict=True), (sum(fits), sum(totals))]
        rows.append([name, *(f"{1 - fit / total:.1%} of {total:.0f} s" for fit, total in pairs)])
    return "\n\n".join(
        [
            f"### Whole jobs: time beyond the fits of {options.candidates} candidates, "
            f"{WHOLE_FOLDS} folds",
            report.table(["", *wholes[OURS], "all"], rows),
        ]
    )


def document(costs, options):
    """Return the table as Markdown."""
    rows = []
    for name, found in costs.items():
        cells = [
            f"{cost_ms:.1f} ms ({share(cost_ms, length):.1%})"
            for cost_ms, length in zip(found, options.ms, strict=True)
        ]
        enough = np.mean(found) * (1 - SHARE) / SHARE / FOLDS
        rows.append([name, *cells, f"{enough:.0f} ms"])
    rows.append(above_floor(costs, options.ms))
    header = ["", *(f"fits of {length:g} ms" for length in options.ms), f"{SHARE:.0%} at"]
    return "\n\n".join(
        [
            "## Cost of a search besides its fits: `search_cv_overhead.py`",
            report.provenance(versions(costs)),
            f"CPU time of a candidate outside `fit` and `score`, and its share of a search of "
            f"{options.candidates} candidates with {FOLDS} folds; the length of a fit at which it "
            f"is {SHARE:.0%}.",
            report.table(header, rows),
        ]
    )


def above_floor(costs, lengths):
    """Return the row of what our search costs more than random search."""
    more = np.subtract(costs[OURS], costs[FLOOR])
    cells = [
        f"{extra:.1f} ms ({extra / (found + FOLDS * length):.1%})"
        for extra, found, length in zip(more, costs[OURS], lengths, strict=True)
    ]
    enough = (np.mean(more) / SHARE - np.mean(costs[OURS])) / FOLDS
    return [f"{OURS} above {FLOOR}", *cells, f"{max(enough, 0):.0f} ms"]


if __name__ == "__main__":
    main()
