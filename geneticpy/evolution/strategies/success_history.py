"""Difference mutation with a memory of what succeeded: L-SHADE.

Tanabe & Fukunaga, "Improving the search performance of SHADE using linear population size
reduction", CEC 2014: constants as proposed there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geneticpy.genome import Genome

MEMORY = 6  # H
BEST_SHARE = 0.11  # p of current-to-pbest/1
ARCHIVE = 2.6  # replaced members kept, times the population
FEWEST = 4  # members at the end
SPREAD = 0.1  # of the scaling factors and crossover rates around their memory
MOST_WAITING = 10_000  # trials that are remembered while they are not told
SAME = 1e-12  # range of all genes for the population to be one point


class SuccessHistory:
    """A population that is bred by differences, one trial for each member in turn.

    Trials are told in any order and any number; nothing waits for one that is lost.

    Parameters
    ----------
    rng : numpy.random.Generator
    genome : Genome
    settle : callable
        ``settle(genes) -> (n, d)`` rows as they will be evaluated.
    size : int
        Members at the start.
    evaluations : int
        After which the population has shrunk to four.
    legal : callable, optional
        ``legal(genes) -> (n,) mask`` of the rows that may be evaluated.

    Attributes
    ----------
    finished : bool
        Whether the population has shrunk to its end, or is one point.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        genome: Genome,
        settle: Callable[[np.ndarray], np.ndarray],
        size: int,
        evaluations: int,
        legal: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self._rng, self._genome, self._settle, self._legal = rng, genome, settle, legal
        self._size, self._evaluations = size, max(evaluations, 1)
        self._start = settle(genome.latin_hypercube(rng, size))
        self._genes, self._loss = np.empty((size, genome.d)), np.full(size, np.inf)
        self._members = np.zeros(0, np.int64)  # rows of these arrays
        self._alive = np.zeros(size + 1, bool)  # nobody, -1, is the last
        self._replaced = np.empty((0, genome.d))
        self._mean_f, self._mean_cr = np.full(MEMORY, 0.5), np.full(MEMORY, 0.5)
        self._written = 0  # place of the memory
        self._successes = np.empty((3, 0))  # f, cr, gain
        self._tickets = self._started = self._turn = self._told = self._since = 0
        self.finished = False
        self._trials = np.empty((4, 0))  # ticket, member, f, cr; f is NaN at the start

    def propose(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Make `n` rows: those of the start, then trials; fewer if many are not allowed.

        Returns
        -------
        genes : (n, d) array
            Settled.
        tickets : (n,) array of int
        """
        first = self._start[self._started : self._started + n]
        member = np.arange(self._started, self._started + len(first))
        unknown = np.full(len(first), np.nan)
        self._started += len(first)
        blocks = [(first, member, unknown, unknown)]
        missing = n - len(first)
        if missing:
            enough = len(self._members) >= FEWEST
            blocks.append(self._breed(missing) if enough else self._random(missing))
        genes, member, f, cr = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        tickets = self._tickets + np.arange(n)
        self._tickets += n
        trials = np.stack([tickets, member, f, cr])
        self._trials = np.concatenate([self._trials, trials], axis=1)[:, -MOST_WAITING - n :]
        legal = slice(None) if self._legal is None else self._legal(genes)
        return genes[legal], tickets[legal]

    def _random(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows that no member waits for."""
        nobody, unknown = np.full(n, -1), np.full(n, np.nan)
        return self._settle(self._genome.sample(self._rng, n)), nobody, unknown, unknown

    def _breed(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Trials for the next `n` members in turn: genes, members, f and cr."""
        rng, m = self._rng, len(self._members)
        at = (self._turn + np.arange(n)) % m
        self._turn = (self._turn + n) % m
        f, cr = self._parameters(n)
        genes = self._genes[self._members]
        pool = np.concatenate([genes, self._replaced])
        draw = rng.random((4, n))
        ranked = self._loss[self._members].argsort(kind="stable")
        best = ranked[(draw[0] * max(2, round(BEST_SHARE * m))).astype(np.int64)]
        plus = (at + 1 + (draw[1] * (m - 1)).astype(np.int64)) % m
        minus = (draw[2] * len(pool)).astype(np.int64)
        for _ in range(2):
            minus = (minus + ((minus == at) | (minus == plus))) % len(pool)
        x, scale = genes[at], f[:, None]
        v = (
            x + scale * (genes[best] - x) + scale * (genes[plus] - pool[minus])
        )  # current-to-pbest/1
        v = np.where(v < 0, x / 2, np.where(v > 1, (1 + x) / 2, v))  # midway to the bound
        crossed = rng.random(x.shape) < cr[:, None]
        crossed[np.arange(n), (draw[3] * x.shape[1]).astype(np.int64)] = True
        return self._settle(np.where(crossed, v, x)), self._members[at], f, cr

    def _parameters(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """(n,) scaling factors and crossover rates, around random places of the memory."""
        rng = self._rng
        place = rng.integers(MEMORY, size=n)
        cr = self._mean_cr[place] + SPREAD * rng.standard_normal(n)
        cr = np.where(np.isnan(cr), 0.0, np.clip(cr, 0.0, 1.0))
        mean = self._mean_f[place]
        least = np.arctan(-mean / SPREAD) / np.pi  # of the quantiles whose factor is positive
        quantile = least + (0.5 - least) * rng.random(n)
        return np.minimum(mean + SPREAD * np.tan(np.pi * quantile), 1.0), cr

    def learn(self, tickets: np.ndarray, genes: np.ndarray, loss: np.ndarray) -> None:
        """Let trials replace their members if they are not worse.

        Parameters
        ----------
        tickets : (n,) array of int
        genes : (n, d) array
            Settled.
        loss : (n,) array
            Infinite where it failed.
        """
        order = (-loss).argsort(kind="stable")  # of several for one member the best comes last
        at, known = self._found(tickets[order])
        order = order[known]
        member, f, cr = self._trials[1, at].astype(np.int64), *self._trials[2:, at]
        self._trials = np.delete(self._trials, at, axis=1)
        self._told += len(tickets)
        genes, loss = genes[order], loss[order]
        born = np.isnan(f) & (member >= 0)
        self._genes[member[born]], self._loss[member[born]] = genes[born], loss[born]
        self._members = np.append(self._members, np.sort(member[born]))
        self._alive[self._members] = True
        trial = ~np.isnan(f) & self._alive[member]
        self._replace(member[trial], genes[trial], loss[trial], f[trial], cr[trial])
        self._since += int(trial.sum())
        if self._since >= max(len(self._members), FEWEST):
            self._end_generation()
        members = self._genes[self._members]
        same = len(members) >= FEWEST and bool((np.ptp(members, axis=0) < SAME).all())
        self.finished = same or self._told >= self._evaluations

    def _found(self, tickets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the trials with these tickets, and a mask of the tickets that are found."""
        at = np.searchsorted(self._trials[0], tickets)
        known = at < self._trials.shape[1]
        known[known] = self._trials[0, at[known]] == tickets[known]
        return at[known], known

    def _replace(
        self,
        member: np.ndarray,
        genes: np.ndarray,
        loss: np.ndarray,
        f: np.ndarray,
        cr: np.ndarray,
    ) -> None:
        """Put trials, worst first, into the place of their members, and note what succeeded."""
        before = self._loss[member]
        better = loss < before
        gain = before[better] / 2 - loss[better] / 2  # halves do not overflow
        self._successes = np.append(
            self._successes, np.stack([f[better], cr[better], gain]), axis=1
        )
        self._replaced = np.concatenate([self._replaced, self._genes[member[better]]])
        taken = loss <= before
        self._genes[member[taken]], self._loss[member[taken]] = genes[taken], loss[taken]

    def _end_generation(self) -> None:
        """Write the memory, and shrink the population and what it replaced."""
        self._since = 0
        if self._successes.shape[1]:
            self._memorize(*self._successes)
            self._successes = np.empty((3, 0))
        share = min(self._told / self._evaluations, 1.0)
        wanted = round(
            self._size + (FEWEST - self._size) * share
        )  # linear population size reduction
        kept = self._loss[self._members].argsort(kind="stable")[: max(wanted, FEWEST)]
        self._members = self._members[np.sort(kept)]
        self._alive[:] = False
        self._alive[self._members] = True
        excess = len(self._replaced) - round(ARCHIVE * len(self._members))
        if excess > 0:
            stay = self._rng.permutation(len(self._replaced))[excess:]
            self._replaced = self._replaced[np.sort(stay)]

    def _memorize(self, f: np.ndarray, cr: np.ndarray, gain: np.ndarray) -> None:
        """Write weighted Lehmer means of what succeeded; a rate that was 0 throughout stays 0."""
        finite = np.isfinite(gain)
        largest = gain[finite].max(initial=0.0)
        weight = np.where(finite, gain, largest) / largest if largest > 0 else np.ones(len(gain))
        at = self._written
        self._mean_f[at] = (weight @ (f * f)) / (weight @ f)
        if np.isnan(self._mean_cr[at]) or cr.max() == 0:
            self._mean_cr[at] = np.nan  # the terminal value
        else:
            self._mean_cr[at] = (weight @ (cr * cr)) / max(float(weight @ cr), 1e-300)
        self._written = (at + 1) % MEMORY
