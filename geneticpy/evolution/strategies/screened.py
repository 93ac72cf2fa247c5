"""Strategy "screened": a brood judged by a Gaussian process, for expensive losses.

Hundreds of children are bred for every one that is evaluated. A model of what was told picks
them: ALGORITHM.md section 4, from where the constants are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geneticpy.evolution.breeding import Operators, mates, restructure
from geneticpy.evolution.models.acquisition import believers, log_expected_improvement
from geneticpy.evolution.models.features import Features, standardize
from geneticpy.evolution.models.gaussian_process import (
    NOISE_PRIOR,
    GaussianProcess,
    Posterior,
    Prediction,
)
from geneticpy.evolution.models.sums import SumFeatures
from geneticpy.evolution.models.threads import one_thread
from geneticpy.evolution.models.trend import TrendFeatures
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.species import group
from geneticpy.genome import Genome, rounded

FEWEST_AT_START = 8
PARENTS, PARENTS_PER_ROW = 20, 0.5  # of a brood, plus so many for each row wanted
CHILDREN, CHILDREN_PER_ROW = 200, 4
INNER_GENERATIONS = 3
FRESH = 0.1  # of the first inner generation is drawn from the space
SIGMA = (0.01, 0.4)  # of small steps, log-uniform per child: the model picks among all scales
RIVALS = 2  # of a parent selection
MODEL_ROWS, FIT_ROWS = 300, 200  # that the model sees, and its hyperparameters are fitted to
REFIT = 1.2  # growth of the data after which the hyperparameters are fitted again
EXPLORATION, LEAST_WEIGHT, MOST_WEIGHT = 8.0, 0.25, 2.0  # weight of the variance, by active genes
# Told rows from which on the model is judged and, in a space of structures, has a trend and
# chooses whether to see sums over items (both promise too much when few are told); the share of
# their variance that it must foretell, each from the others; and the share of the next rows that
# are drawn without it if it does not: on a plateau it would follow noise (measured on networks of
# searched depth, most of which do not learn).
JUDGED, FORETOLD, UNSCREENED = 20, 0.1, 0.5
# Logarithm of the odds, before any data, that the items of a list count one by one, not as sums;
# and of the odds at which the less probable of the two is not looked at again.
SUMS_DOUBTED, SETTLED = 2.0, 10.0
# Expected improvement, in standard deviations of the losses and in those of their noise, below
# which a space of structures is explored in the same way: polishing gains next to nothing then,
# and what a model foretells of structures that it never saw is worth little (measured on spaces
# of searched length).
WORTHWHILE, ABOVE_NOISE = 0.01, 0.1
# Noise that a model assumes before it has seen any. In flat spaces it does not count: the optimum
# of a sphere would be shunned for being known. Among structures it is worth it (both measured).
ASSUMED_NOISE = float(np.exp(NOISE_PRIOR[0]))
EPOCH, PROGRESS = 200, 0.01  # evaluations before a restart, and the least gain of their later half
MOST_WAITING = 100  # rows that were proposed and not told, of which the model takes notice
DRAWS = 20  # from the space for each row that is wanted from it
SPARE = 16  # best of the others, offered after the chosen in case that those are not allowed
LISTED = 1000  # points of a space of which all are judged


class Screened:
    """Genetic algorithm of which a model evaluates most children.

    Parameters
    ----------
    rng : numpy.random.Generator
    genome : Genome
    operators : Operators
        Without functions of the user.
    legal : callable, optional
        ``legal(genes) -> (n,) mask`` of the rows that may be evaluated.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        genome: Genome,
        operators: Operators | None = None,
        legal: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self._rng, self._genome, self._legal = rng, genome, legal
        self._operators = operators or Operators()
        self._few_told = self._many_told = [Features(genome)]
        if not genome.flat:
            trend, sums = TrendFeatures(genome), SumFeatures(genome, rng)
            self._many_told = [trend, sums] if sums.sums else [trend]
        self._everything = genome.enumerate() if genome.points <= LISTED else None
        self._known = np.zeros(0, np.uint64)  # sorted keys that are not proposed again
        self._waiting = np.empty(
            (0, genome.d)
        )  # proposed and not told, or rejected by a constraint
        self._stagnant = 0
        self._begin()

    def _begin(self) -> None:
        """Start, or forget all rows but their keys and start again."""
        self._epoch = Population.empty(self._genome.d)
        self._start: np.ndarray | None = None
        self._process: GaussianProcess | None = None
        self._learned: Posterior | None = None
        self._eligible, self._features = self._many_told, self._few_told[0]
        self._fitted = 0
        self._misled = self._exhausted = False

    def propose(self, n: int) -> Brood:
        """Make `n` rows or a few more: what is left of the start, then the best of a brood."""
        if self._start is None:
            self._start = self._space_filling(max(FEWEST_AT_START, n))
        rows = Brood.orphans(self._start[:n])
        self._start = self._start[n:]
        missing = n - len(rows)
        if missing and np.isfinite(self._epoch.loss).any():
            with one_thread():
                learned = self._learn()
                fresh = self._rng.binomial(missing, self._unscreened())
                if fresh:
                    rows = rows.join(self._unexplored(fresh))
                if missing > fresh:
                    rows = rows.join(self._screen(missing - fresh, learned))
        if len(rows) < n:
            rows = rows.join(self._unexplored(n - len(rows)))
        self._remember(rows.genes[:n])  # those that a constraint rejects do not come back
        self._waiting = np.concatenate([self._waiting, rows.genes[:n]])[-MOST_WAITING:]
        return rows

    def update(self, rows: Population) -> None:
        """Add evaluated rows to what the model learns from.

        Parameters
        ----------
        rows : Population
            In the order of their ids; failed ones have an infinite loss.
        """
        best = self._epoch.loss.min(initial=np.inf)
        self._stagnant = 0 if rows.loss.min(initial=np.inf) < best else self._stagnant + 1
        told = self._remember(rows.genes)
        self._waiting = self._waiting[~np.isin(self._genome.keys(self._waiting), told)]
        self._epoch = self._epoch.join(rows)
        self._learned = None
        if stuck(self._epoch.loss):
            self._begin()

    def _space_filling(self, n: int) -> np.ndarray:
        """Latin hypercube of `n` rows, the very first with its ordinary genes at the centre."""
        genes = self._genome.latin_hypercube(self._rng, n)
        if not len(self._known):
            genes[0, self._genome.ordinary] = 0.5
        return self._genome.snap(genes)

    def _unscreened(self) -> float:
        """Share of rows that are drawn from the space."""
        unaided = UNSCREENED if self._misled or self._exhausted else 0.0
        return max(self._operators.immigrants or 0.0, unaided)

    def _sample(self, n: int) -> Brood:
        return Brood.orphans(self._genome.sample(self._rng, n))

    def _unexplored(self, n: int) -> Brood:
        """Draw `n` rows from the space; structures first that were not told, then new points."""
        genome = self._genome
        genes = genome.sample(self._rng, DRAWS * n)
        active = genome.activity(genes)
        new = first_of(genome.keys(genes, active), self._known)
        seen = np.isin(genome.species(genes[new], active[new]), self._epoch.species)
        new = new[seen.argsort(kind="stable")]
        old = np.setdiff1d(np.arange(len(genes)), new)
        return Brood.orphans(genes[np.append(new, old)[:n]])

    def _remember(self, genes: np.ndarray) -> np.ndarray:
        """Do not propose these rows again; returns their keys."""
        keys = self._genome.keys(genes)
        self._known = np.union1d(self._known, keys)
        return keys

    def _screen(self, n: int, learned: Posterior) -> Brood:
        """Breed a pool from the best, judge it, and pick `n` rows and some spare ones."""
        posterior = self._believing(learned)
        if self._everything is None:
            pool = self._bred(n, posterior)
        else:
            pool = self._judge(Brood.orphans(self._everything.copy()), posterior)
        if not self._genome.flat:
            least = max(WORTHWHILE, ABOVE_NOISE * np.sqrt(learned.noise))
            self._exhausted = pool.score.max(initial=-np.inf) < np.log(least)
        chosen = believers(
            posterior, pool.prediction, posterior.best, self._weight, self._noise, n
        )
        others = pool.best(SPARE + len(chosen))
        return pool.rows.take(np.append(chosen, others[~np.isin(others, chosen)]))

    def _learn(self) -> Posterior:
        """Model of the epoch, the same until more is told."""
        if self._learned is not None:
            return self._learned
        rows = self._epoch.take(spread(self._epoch.loss, MODEL_ROWS))
        active, z = self._genome.activity(rows.genes), standardize(rows.loss)
        size = active[:, self._features.counted].sum(axis=1).mean()
        self._weight = float(np.clip(EXPLORATION / max(size, 1.0), LEAST_WEIGHT, MOST_WEIGHT))
        if self._process is None or len(self._epoch) >= REFIT * self._fitted:
            part = spread(rows.loss, FIT_ROWS)
            self._process = self._fit(rows.genes[part], active[part], z[part], size)
            self._fitted = len(self._epoch)
        self._learned = self._process.condition(self._features(rows.genes, active), z)
        self._misled = len(self._epoch) >= JUDGED and self._learned.foretold() < FORETOLD
        assumed = ASSUMED_NOISE if self._genome.flat else 0.0
        self._noise = max(self._learned.noise - assumed, 0.0)
        return self._learned

    def _fit(
        self, genes: np.ndarray, active: np.ndarray, z: np.ndarray, size: float
    ) -> GaussianProcess:
        """Fit hyperparameters to some rows, with the features that make them most probable."""
        many = len(self._epoch) >= JUDGED
        fits = []
        for features in self._eligible if many else self._few_told:
            columns, x = features.fewer(features(genes, active))
            fitted = GaussianProcess(columns, size, self._process)
            value = fitted.fit(x, z, twice=columns.trend > 0)
            fits.append((value + SUMS_DOUBTED * (features.sums > 0), features, fitted))
        least, self._features, fitted = min(fits, key=lambda fit: fit[0])
        if many:
            self._eligible = [features for value, features, _ in fits if value < least + SETTLED]
        return GaussianProcess(self._features, size, fitted)

    def _believing(self, learned: Posterior) -> Posterior:
        """Model that believes what is waiting for its loss at its mean, as within a batch."""
        if not len(self._waiting):
            return learned
        active = self._genome.activity(self._waiting)
        return learned.believing(self._features(self._waiting, active))

    def _bred(self, n: int, posterior: Posterior) -> Pool:
        """Children of the best told, their children, and so on, judged; none was told."""
        most = PARENTS + int(PARENTS_PER_ROW * n)
        count = CHILDREN + int(CHILDREN_PER_ROW * n)
        fresh = int(FRESH * count)
        told = self._epoch.take(self._epoch.loss.argsort(kind="stable")[:most])
        ids = np.column_stack([told.ids, told.ids])
        parents = Brood(told.genes, told.sigma, ids, told.species)
        children = self._sample(fresh).join(self._children(parents, count - fresh))
        pool = self._judge(children, posterior)
        for _ in range(INNER_GENERATIONS - 1):
            if not len(pool.rows):
                break
            parents = pool.rows.take(pool.best(most))
            pool = self._judge(self._children(parents, count), posterior, pool)
            pool = pool.take(pool.best(count))
        return pool

    def _children(self, parents: Brood, n: int) -> Brood:
        """Breed from rows sorted best first; their first parent ids count as their own."""
        rng, genome, operators = self._rng, self._genome, self._operators
        one = operators.select(rng, np.arange(len(parents)), n, RIVALS)
        two, mating = one.copy(), slice(n // 2, None)
        base = parents.genes[one]
        genes = base.copy()
        two[mating] = mate = mates(rng, group(parents.species), one[mating], genome)
        genes[mating] = operators.cross(rng, genes[mating], parents.genes[mate], genome)
        restructure(rng, genes, 0, genome)
        active = genome.activity(genes)
        lively = rng.random(n) < operators.chance(self._stagnant)
        rows = np.flatnonzero(lively | (genes == base).all(axis=1))
        sigma = SIGMA[0] * (SIGMA[1] / SIGMA[0]) ** rng.random(n)
        operators.mutate(rng, genes, active, sigma, rows, genome)
        ids = parents.parents[:, 0]
        pairs = np.column_stack([ids[one], np.where(one == two, -1, ids[two])])
        return Brood(genes, sigma, pairs, np.zeros(n, np.uint64))

    def _judge(self, rows: Brood, posterior: Posterior, pool: Pool | None = None) -> Pool:
        """Score the legal rows that were never told, and are not in a pool, and add them to it."""
        rows.genes = self._genome.snap(rounded(rows.genes))
        active = self._genome.activity(rows.genes)
        rows.species = self._genome.species(rows.genes, active)
        keys = self._genome.keys(rows.genes, active)
        known = self._known if pool is None else np.append(self._known, pool.keys)
        new = first_of(keys, known)
        if self._legal is not None:
            new = new[self._legal(rows.genes[new])]
        prediction = posterior.predict(self._features(rows.genes[new], active[new]))
        variance = self._weight * prediction.variance
        score = log_expected_improvement(prediction.mean, variance, posterior.best, self._noise)
        judged = Pool(rows.take(new), keys[new], prediction, score)
        return judged if pool is None else pool.join(judged)


@dataclass
class Pool:
    """Judged rows.

    Attributes
    ----------
    rows : Brood
    keys : (m,) array of uint64
    prediction : Prediction
    score : (m,) array
        Logarithm of the expected improvement.
    """

    rows: Brood
    keys: np.ndarray
    prediction: Prediction
    score: np.ndarray

    def join(self, other: Pool) -> Pool:
        """Append the rows of another."""
        return Pool(
            self.rows.join(other.rows),
            np.append(self.keys, other.keys),
            self.prediction.join(other.prediction),
            np.append(self.score, other.score),
        )

    def take(self, rows: np.ndarray) -> Pool:
        """Copy some rows."""
        return Pool(
            self.rows.take(rows), self.keys[rows], self.prediction.take(rows), self.score[rows]
        )

    def best(self, n: int) -> np.ndarray:
        """Numbers of the `n` best scored rows, best first."""
        return (-self.score).argsort(kind="stable")[:n]


def first_of(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Numbers of the rows that are the first with their key and have none of the known ones."""
    unique, first = np.unique(keys, return_index=True)
    return np.sort(first[~np.isin(unique, known)])


def spread(loss: np.ndarray, most: int) -> np.ndarray:
    """Numbers of at most `most` rows, in rising order of loss: best half, others even by rank."""
    order = loss.argsort(kind="stable")
    if len(order) <= most:
        return order
    best = most // 2
    others = np.linspace(best, len(order) - 1, most - best).round().astype(np.int64)
    return np.append(order[:best], order[others])


def stuck(loss: np.ndarray) -> bool:
    """Whether an epoch is long, and its later half gained next to nothing."""
    if len(loss) < EPOCH or not np.isfinite(loss).any():
        return False
    finite = np.isfinite(loss)
    y = np.where(finite, loss, loss[finite].max())
    y = y / max(np.abs(y).max(), np.finfo(float).tiny)  # differences do not overflow
    least = y.min()
    return bool(y[: len(y) // 2].min() - least <= PROGRESS * (np.median(y) - least))
