"""Evaluations of a journal: those that a run repeats, and those that it starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from geneticpy.errors import SpaceError
from geneticpy.evaluation.loss import Outcomes
from geneticpy.evolution.population import places
from geneticpy.run.recorded import RecordedRun, Row
from geneticpy.space.described import revive
from geneticpy.space.encoding import Encoding

EARLIER = -1  # generation of evaluations that were made for another run


class DivergedError(Exception):
    """The optimizer proposes other points than a journal has."""


class Points(Protocol):
    """What an optimizer proposes."""

    @property
    def ids(self) -> np.ndarray:
        """(n,) numbers of the evaluations."""

    @property
    def genes(self) -> np.ndarray:
        """(n, d) genes."""


@dataclass
class Past:
    """Evaluations in the order in which they were recorded: arrays of n.

    Attributes
    ----------
    id, generation : (n,) arrays of int
    genes : (n, d) array
    loss, seconds : (n,) arrays
    errors : dict of int to str
        Reasons of failures, by row.
    details : dict of int to plain data
        What else came of evaluations, by row.
    asks : list of (int, int)
        How many candidates were asked for, and how many of these evaluations had been told
        before: always in the steady state, otherwise where they were fewer than a batch.
    """

    id: np.ndarray
    generation: np.ndarray
    genes: np.ndarray
    loss: np.ndarray
    seconds: np.ndarray
    errors: dict[int, str]
    details: dict[int, Any]
    asks: list[tuple[int, int]]

    @classmethod
    def nothing(cls, d: int) -> Past:
        """No evaluations of `d` genes."""
        return cls._of_rows([], np.empty((0, d)))

    @classmethod
    def of(cls, run: RecordedRun, d: int) -> Past:
        """Read the evaluations of a run."""
        parts, asks = [cls.nothing(d)], []
        for block in run:
            genes = np.frombuffer(block.genes, "<f8").reshape(len(block.rows), d)
            parts.append(cls._of_rows(block.rows, genes))
            asks += block.asks
        return cls.joined(parts, asks)

    @classmethod
    def earlier(
        cls,
        runs: Sequence[RecordedRun],
        encoding: Encoding,
        constraint: Callable[[Any], bool] | None,
    ) -> Past:
        """Read those evaluations of other runs that a space and a constraint allow."""
        parts = [cls.nothing(encoding.genome.d)]
        for block in (block for run in runs for block in run):
            allowed = [pair for row in block.rows if (pair := _allowed(row, encoding, constraint))]
            if allowed:
                rows, genes = zip(*allowed, strict=True)
                parts.append(cls._of_rows(rows, np.concatenate(genes)))
        past = cls.joined(parts)
        past.generation[:] = EARLIER
        return past

    @classmethod
    def _of_rows(cls, rows: Sequence[Row], genes: np.ndarray) -> Past:
        return cls(
            np.array([row.id for row in rows], np.int64),
            np.array([row.generation for row in rows], np.int64),
            genes,
            np.array([row.loss for row in rows], float),
            np.array([row.seconds for row in rows], float),
            {at: row.error for at, row in enumerate(rows) if row.error is not None},
            {at: row.details for at, row in enumerate(rows) if row.details is not None},
            [],
        )

    @classmethod
    def joined(cls, parts: Sequence[Past], asks: Sequence[tuple[int, int]] = ()) -> Past:
        """Put some one after the other."""
        starts = np.cumsum([0] + [len(part) for part in parts]).tolist()
        named: dict[str, dict[int, Any]] = {
            name: {
                start + at: value
                for start, part in zip(starts, parts, strict=False)
                for at, value in getattr(part, name).items()
            }
            for name in ("errors", "details")
        }
        return cls(
            np.concatenate([part.id for part in parts]),
            np.concatenate([part.generation for part in parts]),
            np.concatenate([part.genes for part in parts]),
            np.concatenate([part.loss for part in parts]),
            np.concatenate([part.seconds for part in parts]),
            **named,
            asks=list(asks),
        )

    def __len__(self) -> int:
        return len(self.id)


def _allowed(
    row: Row, encoding: Encoding, constraint: Callable[[Any], bool] | None
) -> tuple[Row, np.ndarray] | None:
    """Pair an evaluation with its (1, d) genes, if its point may be searched."""
    params = revive(encoding.tree, row.params, encoding.genome.d)
    try:
        genes = encoding.encode([params])
    except SpaceError:
        return None
    return (row, genes) if constraint is None or constraint(params) else None


class Replay:
    """Evaluations that a run finds in its journal instead of making them.

    Parameters
    ----------
    past : Past

    Attributes
    ----------
    ids : (n,) array of int
    left : int
        Those that were not found yet.
    """

    def __init__(self, past: Past):
        self._past, self.ids = past, past.id
        self._order = past.id.argsort()
        self._sorted = past.id[self._order]
        self._portions = {told: n for n, told in past.asks}
        self.left = len(past)

    def recall(self, points: Points, outcomes: Outcomes) -> np.ndarray:
        """Fill in what came of points; returns the positions of those that are not known.

        Raises
        ------
        DivergedError
            If an evaluation was of another point.
        """
        place, known = places(self._sorted, points.ids)
        rows = self._order[place[known]]
        past, at = self._past, np.flatnonzero(known)
        other = (past.genes[rows] != points.genes[at]).any(axis=1)
        if other.any():
            raise DivergedError(f"evaluation {points.ids[at][other][0]} was of another point")
        outcomes.loss[at], outcomes.seconds[at] = past.loss[rows], past.seconds[rows]
        pairs = list(zip(at.tolist(), rows.tolist(), strict=True))
        outcomes.recalled |= {i: past.errors[row] for i, row in pairs if row in past.errors}
        outcomes.details |= {i: past.details[row] for i, row in pairs if row in past.details}
        self.left -= len(rows)
        return np.flatnonzero(~known)

    def portion(self, told: int) -> int | None:
        """Count the candidates that were asked for after so many evaluations, if it is known."""
        return self._portions.get(told)

    def asks(self) -> Iterator[tuple[int, list[list[int]]]]:
        """Give what was asked for in the steady state, and the ids of those that ended then.

        Yields
        ------
        n : int
            Candidates that were asked for.
        groups : list of list of int
            Ids that ended before the next time, parted where a generation was complete.
        """
        past = self._past
        starts = [told for _, told in past.asks] + [len(past)]
        for (n, start), stop in zip(past.asks, starts[1:], strict=True):
            ends = start + 1 + np.flatnonzero(np.diff(past.generation[start:stop]))
            parts = np.split(past.id[start:stop], ends - start)
            yield n, [part.tolist() for part in parts if len(part)]
