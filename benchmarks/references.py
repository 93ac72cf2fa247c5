"""Compute what is stored about problems without a known optimum: best known loss and median.

    python benchmarks/references.py --suites yahpo
    python benchmarks/references.py --suites tuning --draws 300

The best known loss is the smallest of: random draws; a walk of small changes from the best of
them, or a solver that the problem brings along; what any stored run of quality.py has found. It
only ever gets smaller, unless the problem itself has changed. The numbers go to
benchmarks/references.json, each with the fingerprint of its problem, and count only for that.
"""

import argparse
import json
import sys

import environments
import numpy as np
from problem import REFERENCES, ReferencedProblem, references
from problems import SUITES
from spaces import decoder

SEED = 7_777
STEP = 0.1  # of the range of a gene


def walk(problem, steps, seed=SEED):
    """Improve the best of some draws by random changes of a few genes: the smallest loss.

    Parameters
    ----------
    problem : ReferencedProblem
    steps : int
        Evaluations; the first tenth are draws.
    """
    rng = np.random.default_rng(seed)
    coordinates, decode = decoder(problem.space)
    low, high = np.array([c.bounds for c in coordinates], dtype=float).T
    loss = problem.exact(0).loss

    def value(codes):
        """Evaluate codes."""
        return loss(decode(_rounded(codes, coordinates)))

    draws = rng.uniform(low, high, size=(max(1, steps // 10), len(low)))
    best, at = min(((value(codes), codes.tolist()) for codes in draws), key=lambda pair: pair[0])
    for _ in range(steps - len(draws)):
        codes = _changed(np.array(at), low, high, rng)
        reached = value(codes)
        if reached <= best:
            best, at = reached, codes.tolist()
    return best


def _changed(codes, low, high, rng):
    """Change each gene with probability 1/d, at least one: a step or a new draw."""
    d = len(codes)
    chosen = rng.random(d) < 1 / d
    chosen[rng.integers(d)] = True
    step = STEP * 10 ** -rng.uniform(0, 2) * (high - low) * rng.standard_normal(d)
    fresh = rng.uniform(low, high)
    moved = np.where(rng.random(d) < 0.2, fresh, np.clip(codes + step, low, high))
    return np.where(chosen, moved, codes)


def _rounded(codes, coordinates):
    """Round the codes of genes that are not real."""
    pairs = zip(codes, coordinates, strict=True)
    return [code if c.type == "real" else round(float(code)) for code, c in pairs]


def stored_best(problem):
    """Return the smallest loss among all runs of quality.py on this very problem."""
    best = np.inf
    for path in (environments.CACHE / "quality").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            best = min(best, _loss_in(line, problem))
    return best


def _loss_in(line, problem):
    """Return the loss in a stored line, or infinity if it is of another problem or torn."""
    if problem.name not in line:
        return np.inf
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return np.inf
    _, fingerprint, cell = json.loads(record["key"])
    same = cell["problem"] == problem.name and fingerprint == problem.fingerprint()
    return record["trace"][-1][1] if same else np.inf


def reference(problem, draws, steps):
    """Compute the numbers of one problem: {"digest", "optimum", "median"}."""
    losses = problem.random_losses(0, draws)
    found = problem.solve() if problem.solve else [walk(problem, steps)]
    best = min(losses.min(), stored_best(problem), *found)
    old = references().get(problem.name)
    if old and old["digest"] == problem.fingerprint():
        best = min(best, old["optimum"])
    median = float(np.median(losses))
    agreeing = sum(value <= best + 1e-9 for value in found)
    print(f"{problem.name}: {best:.6g}, reached from {agreeing} of {len(found)} starts")
    return {"digest": problem.fingerprint(), "optimum": float(best), "median": median}


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suites", nargs="+", choices=SUITES, default=list(SUITES))
    parser.add_argument("--draws", type=int, default=1_000, help="for the median")
    parser.add_argument("--steps", type=int, default=0, help="of the walk (default 10 draws)")
    return parser.parse_args()


def main():
    """Run the command."""
    options = arguments()
    stored = dict(references())
    for suite in options.suites:
        reason = SUITES[suite].missing()
        if reason:
            print(f"{suite}: left out, {reason}", file=sys.stderr)
            continue
        for problem in SUITES[suite].problems.values():
            if isinstance(problem, ReferencedProblem):
                steps = options.steps or 10 * options.draws
                stored[problem.name] = reference(problem, options.draws, steps)
                REFERENCES.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
