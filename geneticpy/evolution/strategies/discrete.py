"""Strategy "discrete": unordered and binary genes of a fixed structure.

ALGORITHM.md section 6, from where the constants are unless said otherwise.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from geneticpy.evolution.mating import half_and_half
from geneticpy.evolution.models.additive import Additive
from geneticpy.evolution.models.features import Features
from geneticpy.evolution.models.ranks import kendall_tau
from geneticpy.evolution.models.threads import one_thread
from geneticpy.evolution.mutation import heavy_tailed_steps
from geneticpy.evolution.population import Brood, Population
from geneticpy.evolution.selection import contenders, uniform
from geneticpy.genome import Genome

MODEL_BUDGET = 20_000  # evaluations up to which a model ranks the children
MOST_COLUMNS = 1_000  # of a model: beyond, a fit would cost more than most losses
FEWEST, FEWEST_CHEAP = 2, 20  # survivors at first, up to and above that budget (2: measured)
MOST = 200  # survivors
STAGNANT = 8  # evaluations for each gene without progress, after which the survivors double
CHILDREN = 10  # bred for each row that is wanted, where a model ranks them
TRUST, BROODS = 0.2, 6  # mean Kendall tau of so many broods above which the model ranks
JUDGED = (5, 200)  # fewest and most rows of one tau
MATED = 0.5  # of the children
SPARE, MORE, LESS = 0.1, 1.5, 0.98  # children bred on top, and how that share of them adapts
SIGMA = (0.001, 0.4)  # of the steps of numbers, log-uniform per child


class Discrete:
    """(mu + lambda) genetic algorithm with heavy-tailed mutation; a model ranks its children.

    Parameters
    ----------
    rng : numpy.random.Generator
    genome : Genome
        Flat: every gene is always active.
    budget : int
        Evaluations of the whole run; above 20,000 no model is used.
    immigrants : float, default 0
        Share of fresh random rows.
    """

    def __init__(
        self, rng: np.random.Generator, genome: Genome, budget: int, immigrants: float = 0.0
    ):
        self._rng, self._genome, self._immigrants = rng, genome, immigrants
        cheap = budget > MODEL_BUDGET
        self._judge = None if cheap else judge(genome)
        self._mu = FEWEST_CHEAP if cheap else FEWEST
        self._population = Population.empty(genome.d)
        self._start = genome.latin_hypercube(rng, 2 * self._mu)
        self._untold = len(self._start)
        self._stagnant = 0  # evaluations without progress
        self._spare, self._again = SPARE, False

    @property
    def population(self) -> Population:
        """The survivors, best first."""
        return self._population

    def propose(self, n: int) -> Brood:
        """Make `n` rows or a few more: what is left of the start, then children."""
        if self._untold > 0 or not len(self._population):
            rows = Brood.orphans(self._start[:n])
            self._start = self._start[n:]
            return rows.join(self._sample(n - len(rows)))
        if self._again:  # too few of the last children were new
            self._spare = min(MORE * self._spare, 1.0)
        self._again = True
        fresh = int(self._rng.binomial(n, self._immigrants))
        if not fresh:
            return self._bred(n)
        rows = self._sample(fresh)
        return rows.join(self._bred(n - fresh)) if n > fresh else rows

    def update(self, rows: Population) -> None:
        """Let the fittest of the survivors and of newly evaluated rows survive.

        Parameters
        ----------
        rows : Population
            In the order of their ids; failed ones have an infinite loss.
        """
        self._untold -= len(rows)
        self._spare, self._again = max(LESS * self._spare, SPARE), False
        if self._judge is not None:
            self._judge.update(rows)
        self._adapt(rows)
        rows = rows.take(contenders(rows.loss, self._population.loss, self._mu))
        if len(rows):
            pool = rows.join(self._population)  # newer ones come first, so that they win ties
            self._population = pool.take(pool.loss.argsort(kind="stable")[: self._mu])

    def _adapt(self, rows: Population) -> None:
        """Double the survivors when nothing has improved for long."""
        best = self._population.loss.min(initial=np.inf)
        if rows.loss.min(initial=np.inf) < best:
            self._stagnant = 0
            return
        self._stagnant += len(rows)
        if self._stagnant >= STAGNANT * self._genome.d:
            self._mu, self._stagnant = min(2 * self._mu, MOST), 0

    def _sample(self, n: int) -> Brood:
        return Brood.orphans(self._genome.sample(self._rng, n))

    def _bred(self, n: int) -> Brood:
        """`n` children and some spare ones, chosen by the model if there is one."""
        spare = 1 + int(n * self._spare)
        if self._judge is None:
            return self._children(n + spare)
        rows = self._judge.choose(self._children(CHILDREN * n), n + spare)
        self._judge.remember(rows.genes[:n])  # those that a constraint rejects do not come back
        return rows.join(self._sample(n - len(rows))) if len(rows) < n else rows

    def _children(self, n: int) -> Brood:
        """Mate half of the children, and mutate all."""
        rng, population = self._rng, self._population
        one, two = uniform(rng, population.loss, n), uniform(rng, population.loss, n)
        mated = slice(int(rng.binomial(n, MATED)))
        genes = population.genes.take(one, axis=0)
        partners = population.genes.take(two[mated], axis=0)
        genes[mated] = half_and_half(rng, genes[mated], partners, self._genome)
        sigma = SIGMA[0] * (SIGMA[1] / SIGMA[0]) ** rng.random(n)
        parents = np.empty((n, 2), np.int64)
        parents[:, 0], parents[:, 1] = population.ids[one], population.ids[two]
        parents[mated.stop :, 1] = -1
        parents[one == two, 1] = -1
        genes = heavy_tailed_steps(rng, genes, sigma, self._genome)
        return Brood(genes, sigma, parents, np.zeros(n, np.uint64))


class Judge:
    """Ranks new children by an additive model as long as it is right about them.

    Parameters
    ----------
    genome : Genome
    model : Additive
    """

    def __init__(self, genome: Genome, model: Additive):
        self._genome, self._model = genome, model
        self._known: set[int] = set()
        self._taus: deque[float] = deque(maxlen=BROODS)
        self._predicted, self._loss = np.zeros(0), np.zeros(0)  # of rows that wait for a tau

    @property
    def trusted(self) -> bool:
        """Whether the latest predictions were in the order of the losses."""
        return len(self._taus) > 0 and sum(self._taus) / len(self._taus) > TRUST

    def choose(self, children: Brood, n: int) -> Brood:
        """Take the `n` most promising new ones of some children, or any as long as none is known.

        Parameters
        ----------
        children : Brood
            Snapped in place.
        n : int

        Returns
        -------
        Brood
            Best first; fewer than `n` if too few are new.
        """
        children.genes = self._genome.snap(children.genes)
        first = {key: row for row, key in enumerate(self._genome.keys(children.genes).tolist())}
        new = sorted(row for key, row in first.items() if key not in self._known)
        rows = children.take(np.array(new, np.int64))
        if not self.trusted:
            return rows.take(slice(n))
        with one_thread():
            score = self._model.predict(rows.genes)
        return rows.take(score.argsort(kind="stable")[:n])

    def remember(self, genes: np.ndarray) -> None:
        """Do not choose these snapped rows again."""
        self._known.update(self._genome.keys(genes).tolist())

    def update(self, rows: Population) -> None:
        """Compare the losses of rows with their predictions, then learn from them."""
        self.remember(rows.genes)
        with one_thread():
            if len(self._model):
                self._compare(self._model.predict(rows.genes), rows.loss)
            self._model.update(rows.genes, rows.loss)

    def _compare(self, predicted: np.ndarray, loss: np.ndarray) -> None:
        """Note how well the model ranks, as soon as enough rows are told."""
        fewest, most = JUDGED
        predicted = np.append(self._predicted, predicted)[-most:]
        loss = np.append(self._loss, loss)[-most:]
        if len(loss) >= fewest:
            self._taus.append(kendall_tau(predicted, loss))
            predicted, loss = predicted[:0], loss[:0]
        self._predicted, self._loss = predicted, loss


def judge(genome: Genome) -> Judge | None:
    """Make a judge, if a model of the genome is small enough."""
    few = len(Features(genome).role) <= MOST_COLUMNS
    return Judge(genome, Additive(genome)) if few else None
