"""Regrets, ranks and bootstrap intervals of the quality benchmark."""

import numpy as np

SOLVED = 0.01  # a cell counts as solved when 99 % of the way from random to the optimum is done
EQUAL = 1e-9  # regrets that differ by less share a rank
FINAL = 1e-8  # smaller distances to the optimum share a rank where targets are counted
RESAMPLES = 2_000


def regret(loss, *, optimum, median):
    """Return the normalized regret: 0 at the optimum, 1 at the median of random draws.

    Clipped to [0, 1]; no logarithm, so it says how much of the loss is left, not how many digits.
    """
    return float(np.clip((loss - optimum) / (median - optimum), 0.0, 1.0))


def rank(regrets):
    """Rank solvers in each cell: 1 is best, ties share their mean rank.

    Parameters
    ----------
    regrets : (k, p, s) array
        Solvers, problems, seeds.

    Returns
    -------
    (k, p, s) array
    """
    grid = np.round(regrets / EQUAL)
    better = (grid[None] < grid[:, None]).sum(axis=1)
    equal = (grid[None] == grid[:, None]).sum(axis=1)
    return better + (equal + 1) / 2


def intervals(values, rng, level=0.95):
    """Bootstrap intervals of the mean over problems and seeds.

    Seeds are drawn with replacement inside each problem, the same for all solvers; problems are
    fixed. The interval therefore covers luck of runs, not the choice of problems.

    Parameters
    ----------
    values : (k, p, s) array
    rng : numpy.random.Generator
    level : float, default 0.95

    Returns
    -------
    (k, 2) array
        Lower and upper end for each solver.
    """
    _, p, s = values.shape
    drawn = rng.integers(s, size=(RESAMPLES, p, s))
    means = np.stack([values[:, i][:, drawn[:, i]].mean(axis=2) for i in range(p)]).mean(axis=0)
    ends = [50 * (1 - level), 100 - 50 * (1 - level)]
    return np.percentile(means, ends, axis=1).T


def summarize(regrets, seed=0):
    """Summarize a block of cells, one row for each solver in the order of the first axis.

    Parameters
    ----------
    regrets : (k, p, s) array
        Solvers, problems, seeds.

    Returns
    -------
    list of dict
        regret, regret_low, regret_high, rank, rank_low, rank_high, solved (share of cells).
    """
    ranks = rank(regrets)
    rng = np.random.default_rng(seed)
    regret_ends, rank_ends = intervals(regrets, rng), intervals(ranks, rng)
    rows = []
    for k in range(len(regrets)):
        row = {"regret": regrets[k].mean(), "rank": ranks[k].mean()}
        row["regret_low"], row["regret_high"] = regret_ends[k]
        row["rank_low"], row["rank_high"] = rank_ends[k]
        row["solved"] = (regrets[k] <= SOLVED).mean()
        rows.append({name: float(value) for name, value in row.items()})
    return rows


def reached(trace, targets, budget):
    """Measure how many targets a run has reached, and how early.

    Parameters
    ----------
    trace : sequence of (int, float)
        Evaluations and loss at each improvement, as a distance to the optimum.
    targets : (t,) array
        Distances to the optimum that are to be reached.
    budget : int
        Evaluations of the whole run, above 1.

    Returns
    -------
    area : float
        Area under the curve of the share of targets reached, over the logarithm of the number of
        evaluations from 1 to `budget`, as a share of the whole.
    solved : float
        Share of targets reached at the end.
    """
    counts, losses = np.array(trace, dtype=float).T
    hits = losses[:, None] <= targets  # (points of the trace, targets)
    solved = hits.any(axis=0)
    first = counts[hits.argmax(axis=0)]
    left = np.where(solved, 1 - np.log(first) / np.log(budget), 0.0)
    return float(left.mean()), float(solved.mean())


def summarize_targets(areas, solved, finals, seed=0):
    """Summarize a block of cells that are judged by targets, one row for each solver.

    Parameters
    ----------
    areas, solved, finals : (k, p, s) arrays
        What `reached` gives, and the final distance to the optimum: solvers, problems, seeds.

    Returns
    -------
    list of dict
        area, area_low, area_high, solved, solved_low, solved_high, rank, rank_low, rank_high.
    """
    ranks = rank(np.log10(np.maximum(finals, FINAL)))
    rng = np.random.default_rng(seed)
    measures = {"area": areas, "solved": solved, "rank": ranks}
    ends = {name: intervals(values, rng) for name, values in measures.items()}
    rows = []
    for k in range(len(areas)):
        row = {}
        for name, values in measures.items():
            low, high = ends[name][k]
            row |= {name: values[k].mean(), f"{name}_low": low, f"{name}_high": high}
        rows.append({name: float(value) for name, value in row.items()})
    return rows
