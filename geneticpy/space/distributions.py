"""What one parameter may be: the distributions at the leaves of a space."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from geneticpy.errors import SpaceError

MAX_TABLE = 4096  # levels of unequal mass that are tabulated; finer grids are rounded one by one
MAX_LEVELS = 2**53  # beyond, a float quantile cannot tell neighbouring levels apart
TINY = 2.0**-40  # quantiles of unbounded distributions stay this far from 0 and 1
LEAST_MASS = 2.0**-36  # of a level, so that every level can be told from its neighbours
PULLS = 2048  # values drawn once from a user's own distribution


class DistributionBase:
    """What users subclass to bring a distribution of their own, as in GeneticPy.

    A subclass defines `pull_value()` (one random value) and `pull_constrained_value(low, high)`
    (one between two others). When the space is compiled, 2,048 values are pulled once and the run
    searches among these, ordered when they are numbers; so a value is never invented. The draws
    come from the subclass's own random numbers: only the subclass can make them reproducible.

    Examples
    --------
    >>> class Even(DistributionBase):
    ...     def pull_value(self):
    ...         return 4
    ...     def pull_constrained_value(self, low, high):
    ...         return low
    >>> Even().pull_value()
    4
    """

    def pull_value(self) -> Any:
        """Draw one value."""
        raise NotImplementedError(f"{type(self).__name__} must define pull_value().")

    def pull_constrained_value(self, low: Any, high: Any) -> Any:
        """Draw one value between two others."""
        raise NotImplementedError(f"{type(self).__name__} must define pull_constrained_value().")


class Distribution(DistributionBase, ABC):
    """One gene: a way from quantiles to values and back.

    Attributes
    ----------
    k : int
        Levels; 0 for a continuous one.
    edges : (k + 1,) array or None
        Cumulative probabilities of the levels; None if they are equally likely.
    ordered : bool
        Whether neighbouring quantiles mean similar values.
    """

    k: int = 0
    edges: np.ndarray | None = None
    ordered: bool = True

    @abstractmethod
    def values(self, u: np.ndarray) -> np.ndarray:
        """Values at quantiles `u`, of the same shape; `tolist()` gives the user's own values."""

    @abstractmethod
    def locate(self, value: Any) -> float:
        """Quantile of a value; SpaceError when the distribution cannot produce it."""

    def snap(self, u: np.ndarray) -> np.ndarray:
        """Canonical quantile of the value at `u`; only for grids without a table."""
        return u

    @property
    def needs_rounder(self) -> bool:
        """Whether `snap` moves quantiles although `k` is 0."""
        return False

    def level(self, u: np.ndarray) -> np.ndarray:
        """Level of quantiles."""
        if self.edges is None:
            return np.minimum((u * self.k).astype(np.int64), self.k - 1)
        return np.clip(np.searchsorted(self.edges, u, side="right") - 1, 0, self.k - 1)

    def centre(self, level: int) -> float:
        """Quantile in the middle of a level."""
        if self.edges is None:
            return (level + 0.5) / self.k
        return float(self.edges[level] + self.edges[level + 1]) / 2

    def pull_value(self, rng: np.random.Generator | None = None) -> Any:
        """Draw one value.

        Parameters
        ----------
        rng : numpy.random.Generator, optional
            Without one, a fresh unseeded generator; the global ones are never touched.
        """
        rng = np.random.default_rng() if rng is None else rng
        return self.values(rng.random(1)).tolist()[0]

    def pull_constrained_value(
        self, low: Any, high: Any, rng: np.random.Generator | None = None
    ) -> Any:
        """Draw one value between two others, in either order; one of the two if unordered."""
        rng = np.random.default_rng() if rng is None else rng
        ends = sorted((self.locate(low), self.locate(high)))
        if not self.ordered:
            return (low, high)[rng.integers(2)]
        return self.values(np.array([rng.uniform(*ends)])).tolist()[0]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


class _Number(Distribution):
    """A number with optional bounds and step: truncation, grid and rounding in one place.

    Subclasses set their parameters, call `_prepare` and define `_ppf` and `_cdf` of the law
    between the bounds `_bounds`.
    """

    low: float | None
    high: float | None
    q: float | None

    def _prepare(self, support: tuple[float, float] = (-math.inf, math.inf)) -> None:
        self._support = support
        _check_bounds(self, support)
        low = support[0] if self.low is None else max(float(self.low), support[0])
        high = support[1] if self.high is None else min(float(self.high), support[1])
        self._bounds = (low, high)
        if self.q is not None:
            self._prepare_grid()

    def _prepare_grid(self) -> None:
        """Lay the multiples of q over the range; half a step beyond the ends, for their mass."""
        _check_step(self)
        low, high = self._bounds
        step = self._step = _exact(self.q)
        if math.isfinite(low):
            self._first = math.ceil(_exact(low) / step)
        if math.isfinite(high):
            self._last = math.floor(_exact(high) / step)
        half = float(step) / 2
        self._bounds = (
            max(float(self._first * step) - half, self._support[0]) if math.isfinite(low) else low,
            float(self._last * step) + half if math.isfinite(high) else high,
        )
        if not math.isfinite(low):
            self._first = math.floor(_exact(float(self._ppf(np.array(TINY)))) / step)
        if not math.isfinite(high):
            self._last = math.ceil(_exact(float(self._ppf(np.array(1 - TINY)))) / step)
        self._check_grid()
        count = self._last - self._first + 1
        if count <= MAX_TABLE or self._equal_mass:
            self.k = count
        if not self._equal_mass and self.k:
            self.edges = self._grid_edges()

    def _check_grid(self) -> None:
        count = self._last - self._first + 1
        if count < 1:
            raise SpaceError(
                f"{self!r}: a multiple of q must lie between low and high, "
                f"got q={self.q!r}, low={self.low!r}, high={self.high!r}."
            )
        if count > MAX_LEVELS:
            raise SpaceError(
                f"{self!r}: the range must hold at most 2**53 steps of q, got {count}."
            )

    def _grid_edges(self) -> np.ndarray:
        """(k + 1,) cumulative probabilities halfway between neighbouring grid values."""
        index = np.arange(self._first, self._last, dtype=float)
        inner = self._cdf((index + 0.5) * float(self._step))
        return _edges(np.diff(inner, prepend=0.0, append=1.0))

    _equal_mass = False  # whether all multiples of q are equally likely

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no _ppf")

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no _cdf")

    @property
    def needs_rounder(self) -> bool:
        return self.q is not None and self.k == 0

    def values(self, u: np.ndarray) -> np.ndarray:
        if self.q is not None:
            return self._grid_values(self._index(u))
        low, high = self._bounds
        if not math.isfinite(low) or not math.isfinite(high):
            u = np.clip(u, TINY, 1 - TINY)
        return np.clip(self._ppf(u), low, high)

    def _index(self, u: np.ndarray) -> np.ndarray:
        """Position of quantiles on the grid, counted in steps of q from 0."""
        if self.k:
            return self.level(u) + self._first
        x = self._ppf(np.clip(u, TINY, 1 - TINY)) / float(self._step)
        return np.clip(np.rint(x), self._first, self._last)

    def _grid_values(self, index: np.ndarray) -> np.ndarray:
        """Decimal multiples of q: 0.3, not 0.30000000000000004; integers if q is one."""
        step = self._step
        if step.denominator == 1:
            if max(abs(self._first), abs(self._last)) * step < 2**62:
                return index.astype(np.int64) * int(step)
            flat = [int(i) * int(step) for i in index.ravel().tolist()]
            return _objects(flat).reshape(index.shape)
        if self.k and self.k <= MAX_TABLE:
            table = np.array([float(i * step) for i in range(self._first, self._last + 1)])
            return table[np.asarray(index - self._first, np.int64)]
        return np.round(index * float(step), _digits(step))

    def snap(self, u: np.ndarray) -> np.ndarray:
        """Middle of the probability of the grid value at `u`."""
        return self._middle(self._index(u))

    def _middle(self, index: np.ndarray) -> np.ndarray:
        step = float(self._step)
        return (self._cdf((index - 0.5) * step) + self._cdf((index + 0.5) * step)) / 2

    def locate(self, value: Any) -> float:
        x = _as_number(value)
        low = self._support[0] if self.low is None else float(self.low)
        high = self._support[1] if self.high is None else float(self.high)
        if not low <= x <= high:
            raise SpaceError(f"must lie between {low!r} and {high!r}, got {value!r}.")
        if self.q is None:
            return float(np.clip(self._cdf(np.array(x)), 0.0, 1.0))
        position = x / float(self._step)
        index = round(position)
        if abs(position - index) > 1e-9 * max(1.0, abs(position)):
            raise SpaceError(f"must be a multiple of q={self.q!r}, got {value!r}.")
        index = min(max(index, self._first), self._last)
        if self.k:
            return self.centre(index - self._first)
        return float(self._middle(np.array(float(index))))


class UniformDistribution(_Number):
    """A number between two bounds, all equally likely.

    Parameters
    ----------
    low, high : float
        Bounds, both included; low below high.
    q : float, optional
        Step: only the multiples of q inside the bounds are drawn, all equally likely, the ends
        included. An integral q gives int.

    Raises
    ------
    SpaceError
        Unless the bounds are finite, low < high, and a positive q leaves at least one multiple.

    Examples
    --------
    >>> UniformDistribution(low=5, high=10, q=1)
    UniformDistribution(low=5, high=10, q=1)
    >>> UniformDistribution(0, 1, q=0.1).values(np.array([0.35])).tolist()
    [0.3]
    """

    _equal_mass = True

    def __init__(self, low: float, high: float, q: float | None = None):
        self.low, self.high, self.q = low, high, q
        _check_finite(self, low=low, high=high)
        self._prepare()

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        low, high = self._bounds
        return low * (1 - u) + high * u  # high - low could overflow

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        low, high = self._bounds
        return (x / 2 - low / 2) / (high / 2 - low / 2)

    def __repr__(self) -> str:
        return _repr(self, low=self.low, high=self.high, q=self.q)


class LogUniformDistribution(_Number):
    """A positive number whose logarithm is uniform: every order of magnitude equally likely.

    Parameters
    ----------
    low, high : float
        Bounds, both included; 0 < low < high.
    q : float, optional
        Step, as for UniformDistribution; values keep their share of the logarithmic range.

    Raises
    ------
    SpaceError
        Unless 0 < low < high < inf, and a positive q leaves at least one multiple.

    Examples
    --------
    >>> LogUniformDistribution(1e-4, 1e-2).values(np.array([0.5])).round(6).tolist()
    [0.001]
    """

    def __init__(self, low: float, high: float, q: float | None = None):
        self.low, self.high, self.q = low, high, q
        _check_finite(self, low=low, high=high)
        if not low > 0:
            raise SpaceError(f"{self!r}: low must be above 0, got {low=}.")
        self._prepare(support=(0.0, math.inf))

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        low, high = np.log(self._bounds)
        return np.exp(low * (1 - u) + high * u)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        low, high = np.log(self._bounds)
        return (np.log(x) - low) / (high - low)

    def __repr__(self) -> str:
        return _repr(self, low=self.low, high=self.high, q=self.q)


class GaussianDistribution(_Number):
    """A normally distributed number, truncated (not clipped) to optional bounds.

    Parameters
    ----------
    mean : float
    standard_deviation : float
        Above 0; of the law before truncation.
    q : float, optional
        Step, as for UniformDistribution.
    low, high : float, optional
        Bounds, both included.

    Raises
    ------
    SpaceError
        Unless the parameters are finite, standard_deviation > 0, low < high and q > 0.

    Examples
    --------
    >>> GaussianDistribution(0, 1, low=0).values(np.array([0.0, 0.5])).round(3).tolist()
    [0.0, 0.674]
    """

    def __init__(
        self,
        mean: float,
        standard_deviation: float,
        q: float | None = None,
        low: float | None = None,
        high: float | None = None,
    ):
        self.mean, self.standard_deviation = mean, standard_deviation
        self.q, self.low, self.high = q, low, high
        _check_finite(self, mean=mean, standard_deviation=standard_deviation)
        _check_positive(self, standard_deviation=standard_deviation)
        self._prepare()

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        low, high = self._standardized
        return self.mean + self.standard_deviation * _truncated_normal_ppf(u, low, high)

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        low, high = self._standardized
        z = (x - self.mean) / self.standard_deviation
        return _truncated_normal_cdf(z, low, high)

    @property
    def _standardized(self) -> tuple[float, float]:
        low, high = self._bounds
        scale = self.standard_deviation
        return (low - self.mean) / scale, (high - self.mean) / scale

    def __repr__(self) -> str:
        return _repr(
            self,
            mean=self.mean,
            standard_deviation=self.standard_deviation,
            q=self.q,
            low=self.low,
            high=self.high,
        )


class LogNormalDistribution(_Number):
    """A positive number whose logarithm is normally distributed, truncated to optional bounds.

    Parameters
    ----------
    mean : float, default 0
        Of the logarithm.
    sigma : float, default 1
        Standard deviation of the logarithm, above 0.
    q : float, optional
        Step, as for UniformDistribution.
    low, high : float, optional
        Bounds, both included; high above 0.

    Raises
    ------
    SpaceError
        Unless the parameters are finite, sigma > 0, low < high, high > 0 and q > 0.
    """

    def __init__(
        self,
        mean: float = 0,
        sigma: float = 1.0,
        q: float | None = None,
        low: float | None = None,
        high: float | None = None,
    ):
        self.mean, self.sigma = mean, sigma
        self.q, self.low, self.high = q, low, high
        _check_finite(self, mean=mean, sigma=sigma)
        _check_positive(self, sigma=sigma)
        self._prepare(support=(0.0, math.inf))

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        return np.exp(self.mean + self.sigma * _truncated_normal_ppf(u, *self._standardized))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        return _truncated_normal_cdf(self._standardize(x), *self._standardized)

    def _standardize(self, x: np.ndarray | float) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return (np.log(np.maximum(x, 0.0)) - self.mean) / self.sigma

    @property
    def _standardized(self) -> tuple[float, float]:
        low, high = self._bounds
        return float(self._standardize(low)), float(self._standardize(high))

    def __repr__(self) -> str:
        return _repr(
            self, mean=self.mean, sigma=self.sigma, q=self.q, low=self.low, high=self.high
        )


class ExponentialDistribution(_Number):
    """An exponentially distributed number of mean `scale`, truncated to optional bounds.

    Parameters
    ----------
    scale : float, default 1
        Mean of the law before truncation, above 0.
    q : float, optional
        Step, as for UniformDistribution.
    low, high : float, optional
        Bounds, both included; high above 0.

    Raises
    ------
    SpaceError
        Unless scale is finite and above 0, low < high, high > 0 and q > 0.
    """

    def __init__(
        self,
        scale: float = 1.0,
        q: float | None = None,
        low: float | None = None,
        high: float | None = None,
    ):
        self.scale, self.q, self.low, self.high = scale, q, low, high
        _check_finite(self, scale=scale)
        _check_positive(self, scale=scale)
        self._prepare(support=(0.0, math.inf))

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        low, high = self._bounds
        return low - self.scale * np.log1p(u * np.expm1((low - high) / self.scale))

    def _cdf(self, x: np.ndarray) -> np.ndarray:
        low, high = self._bounds
        inside = np.maximum(x, low)
        return np.expm1((low - inside) / self.scale) / np.expm1((low - high) / self.scale)

    def __repr__(self) -> str:
        return _repr(self, scale=self.scale, q=self.q, low=self.low, high=self.high)


class ChoiceDistribution(Distribution):
    """One of several options, which may be any objects and may carry parameters of their own.

    Parameters
    ----------
    choice_list : iterable
        Options. One that contains distributions (``{"name": "sgd", "momentum":
        UniformDistribution(0, 1)}``) is a part of the space that is searched while it is chosen.
        The others reach the loss as they are.
    probabilities : "uniform" or sequence of float, default "uniform"
        How often each option is drawn at first: not negative, summing to 1.
    ordered : bool, default False
        Whether neighbours in the list are similar (small, medium, large): then the search also
        takes small steps along the list.

    Raises
    ------
    SpaceError
        For an empty list, or probabilities that do not fit it.

    Examples
    --------
    >>> ChoiceDistribution(["relu", "tanh"])
    ChoiceDistribution(choice_list=['relu', 'tanh'])
    """

    def __init__(
        self,
        choice_list: Iterable[Any],
        probabilities: str | Sequence[float] = "uniform",
        ordered: bool = False,
    ):
        self.choice_list = _as_list("ChoiceDistribution", "choice_list", choice_list)
        if not self.choice_list:
            raise SpaceError("ChoiceDistribution: choice_list must not be empty, got [].")
        self.probabilities = probabilities
        mass = _masses(probabilities, len(self.choice_list))
        self.options = [o for o, p in zip(self.choice_list, mass, strict=True) if p > 0]
        self.k = len(self.options)
        self.edges = _edges(mass[mass > 0])
        self._given_order = bool(ordered)
        self.ordered = self._given_order or self.k == 2
        self._table = table_of(self.options)

    def values(self, u: np.ndarray) -> np.ndarray:
        return self._table[self.level(u)]

    def locate(self, value: Any) -> float:
        for level, option in enumerate(self.options):
            if same(option, value):
                return self.centre(level)
        raise SpaceError(f"must be one of {self.options!r}, got {value!r}.")

    def __repr__(self) -> str:
        shown: dict[str, Any] = {}
        if not isinstance(self.probabilities, str):
            shown["probabilities"] = np.asarray(self.probabilities, float).tolist()
        if self._given_order:
            shown["ordered"] = True
        return _repr(self, choice_list=self.choice_list, **shown)


class FrozenDistribution(Distribution):
    """A frozen scipy.stats distribution as a leaf; users put the scipy object into the space.

    Parameters
    ----------
    frozen : object
        With `cdf`, and `ppf` (or `icdf`); discrete if its `dist` has a `pmf`.
    """

    def __init__(self, frozen: Any):
        self.frozen = frozen
        self._discrete = _is_discrete(frozen)
        probe = np.asarray(self._ppf(np.array([TINY, 0.5, 1 - TINY])), float)
        if not np.isfinite(probe).all():
            raise SpaceError(f"{frozen!r}: quantiles must be finite, got {probe.tolist()}.")
        self._lowest, self._highest = float(probe[0]), float(probe[2])
        if self._discrete and self._highest - self._lowest < MAX_TABLE:
            self._tabulate()

    def _tabulate(self) -> None:
        """Make levels of the values between the extreme quantiles that have any mass."""
        grid = self._lowest + np.arange(round(self._highest - self._lowest) + 1)
        mass = np.diff(np.asarray(self.frozen.cdf(grid[:-1]), float), prepend=0.0, append=1.0)
        self._grid = self._typed(grid[mass > 0])
        self.k = len(self._grid)
        self.edges = _edges(mass[mass > 0])

    def _ppf(self, u: np.ndarray) -> np.ndarray:
        quantile = self.frozen.ppf if hasattr(self.frozen, "ppf") else self.frozen.icdf
        return np.asarray(quantile(u), float)

    def _typed(self, x: np.ndarray) -> np.ndarray:
        whole = self._discrete and self._lowest.is_integer()
        return x.astype(np.int64) if whole else x

    @property
    def needs_rounder(self) -> bool:
        return self._discrete and self.k == 0

    def values(self, u: np.ndarray) -> np.ndarray:
        if self.k:
            return self._grid[self.level(u)]
        return self._typed(self._ppf(np.clip(u, TINY, 1 - TINY)))

    def snap(self, u: np.ndarray) -> np.ndarray:
        x = self._ppf(np.clip(u, TINY, 1 - TINY))
        return (self.frozen.cdf(x - 1) + self.frozen.cdf(x)) / 2

    def locate(self, value: Any) -> float:
        x = _as_number(value)
        if self.k:
            level = np.flatnonzero(self._grid == x)
            if not len(level):
                raise SpaceError(f"must be a value of {self.frozen!r}, got {value!r}.")
            return self.centre(int(level[0]))
        below, u = float(self.frozen.cdf(x - 1)), float(self.frozen.cdf(x))
        return (below + u) / 2 if self._discrete else u

    def __repr__(self) -> str:
        return repr(self.frozen)


class PulledDistribution(Distribution):
    """A user's subclass of DistributionBase as a leaf: the values it gave when pulled.

    Parameters
    ----------
    source : DistributionBase
        Pulled 2,048 times; how often a value came is its probability.
    """

    def __init__(self, source: DistributionBase):
        self.source = source
        pulled = [source.pull_value() for _ in range(PULLS)]
        self.ordered = all(_is_real(value) for value in pulled)
        options, counts = _distinct(sorted(pulled) if self.ordered else pulled)
        self.options = options
        self.k = len(options)
        self.edges = _edges(np.array(counts) / PULLS)
        self._table = table_of(options)

    def values(self, u: np.ndarray) -> np.ndarray:
        return self._table[self.level(u)]

    def locate(self, value: Any) -> float:
        for level, option in enumerate(self.options):
            if same(option, value):
                return self.centre(level)
        if self.ordered and _is_real(value) and self.options[0] <= value <= self.options[-1]:
            nearest = min(range(self.k), key=lambda level: abs(self.options[level] - value))
            return self.centre(nearest)
        raise SpaceError(f"must be a value that {self.source!r} gave, got {value!r}.")

    def __repr__(self) -> str:
        return repr(self.source)


def table_of(options: Sequence[Any]) -> np.ndarray:
    """(k,) array of options whose `tolist()` gives them back with their types.

    Typed for plain bools, ints and floats, which vectorized losses compute with; objects else.
    """
    kinds = {type(option) for option in options}
    if kinds in ({bool}, {float}):
        return np.array(options)
    if kinds == {int} and all(abs(option) < 2**63 for option in options):
        return np.array(options, np.int64)
    return _objects(options)


def same(one: Any, two: Any) -> bool:
    """Whether two values are the same for the user: identical, or of one type and equal."""
    if one is two:
        return True
    numbers = _is_real(one) and _is_real(two) and isinstance(one, bool) == isinstance(two, bool)
    if type(one) is not type(two) and not numbers:
        return False
    try:
        return bool(np.all(one == two)) and np.shape(one) == np.shape(two)
    except Exception:  # objects of the user may refuse to be compared or to have a truth value
        return False


def _objects(options: Sequence[Any]) -> np.ndarray:
    """(k,) object array; numpy would unpack options that are sequences."""
    table = np.empty(len(options), object)
    for i, option in enumerate(options):
        table[i] = option
    return table


def _distinct(values: list[Any]) -> tuple[list[Any], list[int]]:
    """Different values in order of appearance, and how often each came."""
    try:
        counts: dict[Any, int] = {}
        for value in values:
            counts[value] = counts.get(value, 0) + 1
        return list(counts), list(counts.values())
    except TypeError:  # unhashable
        options: list[Any] = []
        often: list[int] = []
        for value in values:
            known = next((i for i, option in enumerate(options) if same(option, value)), None)
            if known is None:
                options.append(value)
                often.append(1)
            else:
                often[known] += 1
        return options, often


def _truncated_normal_ppf(u: np.ndarray, low: float, high: float) -> np.ndarray:
    """Quantiles of the standard normal law between two bounds, exact in both tails."""
    from scipy.special import log_ndtr, ndtri, ndtri_exp

    if math.isinf(low) and math.isinf(high):
        return ndtri(u)
    if low > 0:  # mirrored, where the logarithm of the cdf keeps its digits
        return -_truncated_normal_ppf(1 - u, -high, -low)
    log_low, log_high = log_ndtr(low), log_ndtr(high)
    with np.errstate(divide="ignore"):
        log_p = log_high + np.log(u + (1 - u) * np.exp(log_low - log_high))
    return ndtri_exp(np.minimum(log_p, 0.0))


def _truncated_normal_cdf(z: np.ndarray, low: float, high: float) -> np.ndarray:
    """Cumulative probability of the standard normal law between two bounds."""
    from scipy.special import log_ndtr

    if low > 0:
        return 1 - _truncated_normal_cdf(-z, -high, -low)
    log_low, log_high = log_ndtr(low), log_ndtr(high)
    below = np.exp(log_low - log_high)
    return np.clip((np.exp(log_ndtr(z) - log_high) - below) / (1 - below), 0.0, 1.0)


def _exact(x: float | None) -> Fraction:
    """The decimal number that the user wrote, as a fraction: 0.1 is 1/10."""
    return Fraction(repr(float(x))) if isinstance(x, float | np.floating) else Fraction(str(x))


def _digits(step: Fraction) -> int:
    """Digits behind the point of a decimal step."""
    digits = 0
    while digits < 300 and (step * 10**digits).denominator != 1:
        digits += 1
    return digits


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating)


def _is_discrete(frozen: Any) -> bool:
    """Whether a scipy.stats distribution, of the old or the new kind, has a mass function."""
    kinds = {kind.__name__ for kind in type(getattr(frozen, "dist", frozen)).__mro__}
    return bool(kinds & {"rv_discrete", "DiscreteDistribution"})


def _as_number(value: Any) -> float:
    if isinstance(value, bool | np.bool_) or not _is_real(value) or math.isnan(value):
        raise SpaceError(f"must be a number, got {value!r}.")
    return float(value)


def _as_list(where: str, name: str, items: Any) -> list[Any]:
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise SpaceError(f"{where}: {name} must be a list of options, got {items!r}.")
    return list(items)


def _check_finite(where: object, **parameters: Any) -> None:
    for name, value in parameters.items():
        if isinstance(value, bool) or not _is_real(value) or not math.isfinite(value):
            raise SpaceError(f"{where!r}: {name} must be a finite number, got {name}={value!r}.")


def _check_positive(where: object, **parameters: Any) -> None:
    for name, value in parameters.items():
        if not value > 0:
            raise SpaceError(f"{where!r}: {name} must be above 0, got {name}={value!r}.")


def _check_bounds(number: _Number, support: tuple[float, float]) -> None:
    low, high = number.low, number.high
    for name, value in (("low", low), ("high", high)):
        if value is not None and (isinstance(value, bool) or not _is_real(value)):
            raise SpaceError(f"{number!r}: {name} must be a number, got {name}={value!r}.")
        if value is not None and math.isnan(value):
            raise SpaceError(f"{number!r}: {name} must not be NaN, got {name}={value!r}.")
    if low == math.inf or high == -math.inf:
        raise SpaceError(f"{number!r}: the bounds must leave a range, got {low=}, {high=}.")
    if low is not None and high is not None and not low < high:
        raise SpaceError(f"{number!r}: low must be below high, got {low=}, {high=}.")
    if high is not None and not high > support[0]:
        raise SpaceError(f"{number!r}: high must be above {support[0]}, got {high=}.")


def _check_step(number: _Number) -> None:
    q, low, high = number.q, number.low, number.high
    if isinstance(q, bool) or not _is_real(q) or not math.isfinite(q) or not q > 0:
        raise SpaceError(f"{number!r}: q must be a number above 0, got {q=}.")
    if low is not None and high is not None and q > high - low:
        raise SpaceError(
            f"{number!r}: q must not exceed the range high - low, got {q=}, {low=}, {high=}."
        )


def _masses(probabilities: str | Sequence[float], k: int) -> np.ndarray:
    """(k,) checked probabilities of the options of a choice."""
    if isinstance(probabilities, str):
        if probabilities != "uniform":
            raise SpaceError(
                f'ChoiceDistribution: probabilities must be "uniform" or {k} numbers, '
                f"got {probabilities!r}."
            )
        return np.full(k, 1 / k)
    p = np.asarray(probabilities, float)
    if p.shape != (k,):
        raise SpaceError(
            f"ChoiceDistribution: probabilities must be one for each of {k} options, "
            f"got {probabilities!r}."
        )
    if not (np.isfinite(p).all() and (p >= 0).all()):
        raise SpaceError(
            f"ChoiceDistribution: probabilities must not be negative or NaN, got {p.tolist()}."
        )
    if abs(p.sum() - 1) > 1e-6:
        raise SpaceError(
            f"ChoiceDistribution: probabilities must sum to 1, got {p.tolist()} (sum {p.sum()})."
        )
    return p


def _edges(mass: np.ndarray) -> np.ndarray | None:
    """(k + 1,) cumulative probabilities of (k,) levels; None if all are equally likely."""
    mass = np.maximum(mass, LEAST_MASS)
    if np.ptp(mass) < 1e-12:
        return None
    edges = np.concatenate([[0.0], np.cumsum(mass / mass.sum())])
    edges[-1] = 1.0
    return edges


def _repr(of: object, **parameters: Any) -> str:
    """Constructor call; optional parameters that are None are left out."""
    shown = ", ".join(f"{name}={v!r}" for name, v in parameters.items() if v is not None)
    return f"{type(of).__name__}({shown})"
