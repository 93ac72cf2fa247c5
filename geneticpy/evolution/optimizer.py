"""Ask and tell: the engine under `optimize`, for other libraries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from geneticpy.checks import array, as_float, flag, function, generator, number, whole
from geneticpy.errors import ArgumentError, SpaceError
from geneticpy.evolution import replaceable
from geneticpy.evolution.breeding import Operators
from geneticpy.evolution.budget import Budget
from geneticpy.evolution.population import Brood, Population, places
from geneticpy.evolution.strategies.schedule import CHEAP_BUDGET, Task, make, plan
from geneticpy.evolution.supply import Supply
from geneticpy.space.encoding import Encoding

PORTION = 5  # candidates a portion below that budget (ALGORITHM 1)


class Candidates:
    """Points to evaluate; iterating gives pairs of id and parameters.

    Attributes
    ----------
    ids : (n,) array of int
    genes : (n, d) array
    parents : (n, 2) array of int
        Ids of the parents, -1 for none.
    species : (n,) array of uint64
        Equal for points of one structure.
    """

    def __init__(self, encoding: Encoding, rows: Population):
        self._encoding, self._rows = encoding, rows
        self.ids, self.genes = rows.ids, rows.genes
        self.parents, self.species = rows.parents, rows.species

    @cached_property
    def params(self) -> list[Any]:
        """Parameters of each point, in the shape of the space."""
        return self._encoding.decode(self.genes)

    @cached_property
    def columns(self) -> Any:
        """Parameters of all points as columns; see `Encoding.columns`."""
        return self._encoding.columns(self.genes)

    def take(self, rows: np.ndarray) -> Candidates:
        """Those at the given positions."""
        return Candidates(self._encoding, self._rows.take(rows))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return iter(zip(self.ids.tolist(), self.params, strict=True))

    def __repr__(self) -> str:
        return f"Candidates(ids={self.ids.tolist()}, params={self.params})"


class Optimizer:
    """Genetic algorithm by ask and tell; always minimizes.

    Parameters
    ----------
    space : nested data
        As for `optimize`.
    size, generation_count, retain_percentage, max_evaluations
        The planned budget, as for `optimize`; the algorithm is chosen by it, and nothing stops
        you from asking for more.
    constraint, initial, cache, percentage_to_randomly_spawn, mutate_chance, adaptive_mutation
        As for `optimize`.
    tournament_size : int, optional
        Select parents by tournaments of so many rivals.
    selector, crossover, mutation, replacer : callable, optional
        As for `optimize`.
    surrogate, strategy
        As for `optimize`.
    batch : int, optional
        Candidates that `ask` gives when it is not told how many. By default 5, and the new
        individuals of a generation when the budget is above 20,000.
    seed : int, SeedSequence, BitGenerator or Generator, optional

    Attributes
    ----------
    encoding : Encoding
    budget : Budget
    best_params, best_loss
        Of the best point told, the earliest of equals; None and nan before.
    exhausted : str
        Why there is nothing left to ask for; empty while there is.
    strategy : str
        How the points are found, and why so.

    Raises
    ------
    SpaceError
        For a space that is none, or an initial point outside it.
    ArgumentError
        For any other wrong argument.

    Notes
    -----
    Proposals depend on the seed, on how many candidates each `ask` was for, and on the results
    told before it, in the order of their ids: not on the order of the calls of `tell`.
    Calls must not overlap: threads that share an optimizer take turns, with a lock of yours.

    Examples
    --------
    >>> from geneticpy import Optimizer, UniformDistribution
    >>> optimizer = Optimizer({"x": UniformDistribution(-1, 1)}, seed=1)
    >>> for _ in range(30):
    ...     candidates = optimizer.ask()
    ...     optimizer.tell(candidates.ids, [p["x"] ** 2 for p in candidates.params])
    >>> optimizer.best_loss < 1e-2
    True
    """

    def __init__(
        self,
        space: Any,
        *,
        size: int = 100,
        generation_count: int = 10,
        retain_percentage: float = 0.5,
        max_evaluations: int | None = None,
        constraint: Callable[[Any], bool] | None = None,
        initial: Sequence[Any] | None = None,
        cache: bool = True,
        percentage_to_randomly_spawn: float | None = None,
        mutate_chance: float | None = None,
        adaptive_mutation: bool = False,
        tournament_size: int | None = None,
        selector: Callable[..., np.ndarray] | None = None,
        crossover: Callable[..., np.ndarray] | None = None,
        mutation: Callable[..., np.ndarray] | None = None,
        replacer: Callable[..., np.ndarray] | None = None,
        surrogate: bool | str = "auto",
        strategy: Any = None,
        batch: int | None = None,
        seed: Any = None,
    ):
        self.encoding = Encoding(space)
        self.budget = Budget(size, generation_count, retain_percentage, max_evaluations)
        self.batch = self._portion() if batch is None else whole("batch", batch)
        operators = Operators(
            mutate_chance=_share("mutate_chance", mutate_chance),
            adaptive_mutation=flag("adaptive_mutation", adaptive_mutation),
            immigrants=_share("percentage_to_randomly_spawn", percentage_to_randomly_spawn),
            tournament_size=None
            if tournament_size is None
            else whole("tournament_size", tournament_size),
            selector=replaceable.selector(selector),
            crossover=replaceable.crossover(crossover),
            mutation=replaceable.mutation(mutation),
            replacer=replaceable.replacer(replacer),
        )
        rng = generator(seed)
        allows = function("constraint", constraint, "params")
        self._supply = Supply(rng, self.encoding, allows, flag("cache", cache))
        self._initial = self._admit_initial(initial)
        task = Task(rng, self.encoding.genome, self.budget.total, operators, self._supply.legal)
        chosen = plan(task, surrogate, strategy)
        self.strategy = str(chosen)
        self._strategy = make(task, chosen, strategy)
        self._none = Population.empty(self.encoding.genome.d)
        self._pending = self._none
        self._told = np.zeros(0, bool)
        self._next_id = 0
        self._best: tuple[float, int] = (math.nan, -1)
        self._best_genes: np.ndarray | None = None

    def _portion(self) -> int:
        return self.budget.new_per_generation if self.budget.total > CHEAP_BUDGET else PORTION

    def _admit_initial(self, initial: Sequence[Any] | None) -> Brood:
        points = [] if initial is None else initial
        if not isinstance(points, list | tuple):
            raise ArgumentError(f"initial: must be a list of parameters, got {initial!r}.")
        genes = self.encoding.encode(points, "initial")
        for i, own in enumerate(self.encoding.decode(genes)):  # a constraint may change it
            if not self._supply.allows(own):
                raise SpaceError(f"initial[{i}]: must satisfy the constraint, got {points[i]!r}.")
        return self._supply.admit(Brood.orphans(genes), len(genes))

    def ask(self, n: int | None = None) -> Candidates:
        """Propose points that were never proposed before.

        Parameters
        ----------
        n : int, optional
            How many; `batch` by default.

        Returns
        -------
        Candidates
            Fewer than `n`, or none, when the space is exhausted.
        """
        n = self.batch if n is None else whole("n", n)
        self._learn()
        rows = self._initial
        if len(rows):
            rows, self._initial = rows.take(slice(n)), rows.take(slice(n, None))
        if len(rows) < n and not self._supply.exhausted:
            rows = rows.join(self._supply.find(self._strategy.propose, n - len(rows)))
        return Candidates(self.encoding, self._register(rows))

    def _register(self, brood: Brood) -> Population:
        """Give rows their ids and wait for their losses."""
        rows = Population.born(brood, self._next_id)
        self._next_id += len(rows)
        self._pending = self._pending.join(rows)
        told = np.zeros(len(self._pending), bool)
        told[: len(self._told)] = self._told
        self._told = told
        return rows

    def tell(
        self, ids: Any = None, loss: Any = None, *, params: Sequence[Any] | None = None
    ) -> None:
        """Report losses of asked points, or of points that were not asked for.

        Parameters
        ----------
        ids : int or (n,) array of int
            Any of the ids that `ask` gave, each once, in any order.
        loss : float or (n,) array
            NaN, or masked, for a failed evaluation.
        params : sequence of n parameter sets, instead of `ids`
            Known points, evaluated elsewhere.

        Raises
        ------
        ArgumentError
            For an id that is not waiting, or shapes that do not fit.
        SpaceError
            For parameters outside the space.
        """
        if (ids is None) == (params is None):
            raise ArgumentError(f"tell: must get ids or params, not both, got {ids=}, {params=}.")
        if params is not None:
            ids, loss = self._add(params, loss)
        ids = _as_ids(ids)
        losses = self._as_losses(loss, ids.shape)
        at = self._waiting(ids)
        self._pending.loss[at] = losses
        self._told[at] = True
        self._keep_best(at)

    def _add(self, params: Sequence[Any], loss: Any) -> tuple[np.ndarray, np.ndarray]:
        """Register points that were not asked for, if all is right; returns ids and losses."""
        if not isinstance(params, list | tuple):
            raise ArgumentError(f"tell: params must be a list of parameter sets, got {params!r}.")
        genes = self.encoding.encode(params)
        losses = self._as_losses(loss, (len(genes),))
        return self._enter(genes).ids, losses

    def _enter(self, genes: np.ndarray) -> Population:
        """Register rows that were not asked for."""
        return self._register(self._supply.note(Brood.orphans(genes)))

    def adopt(self, genes: np.ndarray, loss: np.ndarray) -> Candidates:
        """Report losses of genes that were not asked for, as of another run in the same space.

        Parameters
        ----------
        genes : (n, d) array
        loss : (n,) array
            NaN for failed evaluations.

        Returns
        -------
        Candidates
            The points, with their ids.

        Raises
        ------
        ArgumentError
            For genes that are not d numbers from 0 to 1, or losses that do not fit.
        """
        genes = self._as_genes(genes)
        losses = self._as_losses(loss, (len(genes),))
        rows = Candidates(self.encoding, self._enter(genes))
        self.tell(rows.ids, losses)
        return rows

    def _as_genes(self, genes: Any) -> np.ndarray:
        rule = f"adopt: genes must be rows of {self.encoding.genome.d} numbers from 0 to 1"
        try:
            rows = np.array(genes, float)
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"{rule}, got {genes!r}.") from error
        fits = rows.ndim == 2 and rows.shape[1] == self.encoding.genome.d
        if not (fits and (rows >= 0).all() and (rows <= 1).all()):
            raise ArgumentError(f"{rule}, got {genes!r}.")
        return rows

    def _as_losses(self, loss: Any, shape: tuple[int, ...]) -> np.ndarray:
        losses = np.atleast_1d(loss if np.ma.isMA(loss) else array(loss))
        if losses.dtype.kind == "O" and losses.ndim == 1:
            losses = _of_objects(losses)
        if losses.dtype.kind not in "biuf":  # None would become NaN
            raise ArgumentError(f"tell: loss must be numbers, got {loss!r}.")
        if losses.shape != shape:
            raise ArgumentError(f"tell: loss must have the shape {shape} of ids, got {loss!r}.")
        if np.ma.isMA(losses):  # made of columns that some rows do not use
            return np.ma.filled(losses.astype(float), math.nan)
        return losses

    def _waiting(self, ids: np.ndarray) -> np.ndarray:
        """Places of ids among the pending rows, which are sorted by id."""
        pending = self._pending.ids
        if ids is pending and not self._told.any():
            return np.arange(len(ids))
        at, known = places(pending, ids)
        known[known] = ~self._told[at[known]]
        if not known.all() or len(np.unique(at)) < len(at):
            wrong = ids[~known] if not known.all() else ids
            raise ArgumentError(
                f"tell: ids must be asked for and told once each, got {wrong.tolist()}."
            )
        return at

    def _keep_best(self, at: np.ndarray) -> None:
        """Remember the best of all, the earliest of equals."""
        rows = self._pending
        loss = rows.loss[at]
        least = np.fmin.reduce(loss, initial=np.nan)  # NaN only if all are
        if math.isnan(least) or least > self._best[0]:
            return
        first = at[loss == least].min()
        found = (float(least), int(rows.ids[first]))
        if self._best_genes is None or found < self._best:
            self._best, self._best_genes = found, rows.genes[first].copy()

    def _learn(self) -> None:
        """Hand what was told since the last time to the strategy, in the order of ids."""
        told = self._told
        if not told.any():
            return
        if told.all():
            rows, self._pending = self._pending, self._none
        else:
            rows, self._pending = self._pending.take(told), self._pending.take(~told)
        self._told = told[~told]
        rows.loss = np.where(np.isnan(rows.loss), np.inf, rows.loss)
        self._strategy.update(rows)

    @property
    def best_loss(self) -> float:
        """Smallest loss told; nan before."""
        return self._best[0]

    @property
    def best_params(self) -> Any:
        """Parameters of the smallest loss told."""
        if self._best_genes is None:
            return None
        return self.encoding.decode(self._best_genes[None])[0]

    @property
    def exhausted(self) -> str:
        """Why there is nothing left to ask for."""
        return "" if len(self._initial) else self._supply.exhausted


def _as_ids(ids: Any) -> np.ndarray:
    """(n,) checked array; a mask is no ids."""
    numbers = np.atleast_1d(array(ids))
    if numbers.ndim > 1 or numbers.dtype.kind not in "iuf":  # an empty list makes floats
        raise ArgumentError(f"tell: ids must be integers, one or a list of them, got {ids!r}.")
    return numbers


def _of_objects(losses: np.ndarray) -> np.ndarray:
    """(n,) array of floats, if fractions, decimals and the like are all there is."""
    try:
        return np.array([as_float(loss) for loss in losses])
    except Exception:  # whatever the conversion of an object raises
        return losses


def _share(name: str, value: float | None) -> float | None:
    return None if value is None else number(name, value, 0, 1)
