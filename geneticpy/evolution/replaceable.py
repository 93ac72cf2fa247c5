"""Users' own operators behind checks of what they return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from geneticpy.checks import array, function
from geneticpy.errors import ArgumentError

Operator = Callable[..., Any]


def selector(fn: Any) -> Operator | None:
    """``(rng, loss, n) -> (n,) rows``, checked."""

    def select(rng: np.random.Generator, loss: np.ndarray, n: int) -> np.ndarray:
        return _rows("selector", fn(rng, loss, n), len(loss), n)

    return select if function("selector", fn, "rng", "loss", "n") else None


def crossover(fn: Any) -> Operator | None:
    """``(rng, one, two, genome) -> (n, d) genes``, checked."""

    def cross(rng: np.random.Generator, one: np.ndarray, two: np.ndarray, genome: Any) -> Any:
        return checked_genes("crossover", fn(rng, one, two, genome), one.shape)

    return cross if function("crossover", fn, "rng", "one", "two", "genome") else None


def mutation(fn: Any) -> Operator | None:
    """``(rng, genes, active, genome) -> (n, d) genes``, checked."""

    def mutate(rng: np.random.Generator, genes: np.ndarray, active: Any, genome: Any) -> Any:
        return checked_genes("mutation", fn(rng, genes, active, genome), genes.shape)

    return mutate if function("mutation", fn, "rng", "genes", "active", "genome") else None


def replacer(fn: Any) -> Operator | None:
    """``(rng, loss, birth, n) -> rows``, checked."""

    def replace(rng: np.random.Generator, loss: np.ndarray, birth: np.ndarray, n: int) -> Any:
        return _rows("replacer", fn(rng, loss, birth, n), len(loss))

    return replace if function("replacer", fn, "rng", "loss", "birth", "n") else None


def _rows(name: str, returned: Any, m: int, n: int | None = None) -> np.ndarray:
    """Row numbers of m rows: n of them, or any number above 0."""
    rows = array(returned)
    right = rows.ndim == 1 and (rows.dtype.kind in "iu" or not len(rows))
    right = right and (len(rows) == n or (n is None and len(rows) > 0))
    if not right or (len(rows) and not 0 <= rows.min() <= rows.max() < m):
        count = "one or more" if n is None else n
        raise ArgumentError(
            f"{name}: must return {count} row numbers from 0 to {m - 1}, got {returned!r}."
        )
    return rows.astype(np.int64)


def checked_genes(name: str, returned: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Check what the user's function `name` returned: finite genes of a given shape."""
    genes = array(returned)
    numbers = genes.dtype.kind in "fiub"
    if genes.shape != shape or not numbers:
        got = f"shape {genes.shape}" if numbers and genes.ndim else repr(returned)
        raise ArgumentError(
            f"{name}: must return an array of numbers of shape {shape}, got {got}."
        )
    wrong = int((~np.isfinite(genes)).sum())  # mutation would make NaN of infinity
    if wrong:
        raise ArgumentError(
            f"{name}: must return no NaN or infinity, got {wrong} in {genes.size} genes."
        )
    return genes
