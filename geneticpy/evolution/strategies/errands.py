"""Who asked for which row: it is recognized when it comes back, in any order, late or never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

TICKETS = 2**40  # of one arm


class Arm(Protocol):
    """A search by portions that copes with any order of what it is told."""

    @property
    def finished(self) -> bool:
        """Whether another should take over."""

    def propose(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Make up to `n` settled rows and their tickets, numbers below `TICKETS`."""

    def learn(self, tickets: np.ndarray, genes: np.ndarray, loss: np.ndarray) -> None:
        """Learn the losses of rows."""


class Errands:
    """Rows by their keys: what was told of them, and which arms wait for them.

    Parameters
    ----------
    keys : callable
        ``keys(genes) -> (n,) array of int``, equal for rows that decode alike.
    """

    def __init__(self, keys: Callable[[np.ndarray], np.ndarray]):
        self._keys = keys
        self._known: dict[int, float] = {}
        self._waiting: dict[int, int] = {}  # number of the arm and ticket, as one number
        self._also: dict[int, list[int]] = {}  # more arms and tickets that wait for the same row
        self._arms: dict[int, Arm] = {}
        self._next = 0

    @property
    def told(self) -> int:
        """Number of different rows told."""
        return len(self._known)

    @property
    def begun(self) -> bool:
        """Whether any row was sent out or told."""
        return bool(self._waiting or self._known)

    def send(self, arm: Arm, genes: np.ndarray, tickets: np.ndarray) -> np.ndarray:
        """Note what an arm waits for, and tell it at once what is known; returns the new rows.

        Parameters
        ----------
        arm : Arm
        genes : (n, d) array
        tickets : (n,) array of int

        Returns
        -------
        (m, d) array
            Neither known nor sent before.
        """
        keys, codes = self._keys(genes).tolist(), (tickets + TICKETS * self._number(arm)).tolist()
        if self._all_new(keys):
            self._waiting.update(zip(keys, codes, strict=True))
            return genes
        new, told = [], []
        for i, (key, code) in enumerate(zip(keys, codes, strict=True)):
            if key in self._known:
                told.append(i)
            elif key in self._waiting:
                self._also.setdefault(key, []).append(code)
            else:
                self._waiting[key] = code
                new.append(i)
        if told:
            losses = np.array([self._known[keys[i]] for i in told])
            arm.learn(tickets[told], genes[told], losses)
        return genes[new]

    def _number(self, arm: Arm) -> int:
        """Give an arm a number; those that are finished are forgotten."""
        if self._arms.get(self._next) is not arm:
            found = [number for number, known in self._arms.items() if known is arm]
            if found:
                return found[0]
            self._arms = {n: known for n, known in self._arms.items() if not known.finished}
            self._next += 1
            self._arms[self._next] = arm
        return self._next

    def _all_new(self, keys: list[int]) -> bool:
        return (
            len(set(keys)) == len(keys)
            and self._known.keys().isdisjoint(keys)
            and self._waiting.keys().isdisjoint(keys)
        )

    def receive(self, genes: np.ndarray, loss: np.ndarray) -> np.ndarray:
        """Tell arms the losses of the rows that they wait for; returns a mask of the others.

        Parameters
        ----------
        genes : (n, d) array
        loss : (n,) array
        """
        keys = self._keys(genes).tolist()
        self._known.update(zip(keys, loss.tolist(), strict=True))
        codes = np.array([self._waiting.pop(key, -1) for key in keys])
        row = np.arange(len(keys))
        if self._also:
            more = [(code, i) for i, key in enumerate(keys) for code in self._also.pop(key, ())]
            codes = np.append(codes, [code for code, _ in more]).astype(np.int64)
            row = np.append(row, [i for _, i in more]).astype(np.int64)
        number, ticket = codes // TICKETS, codes % TICKETS
        for each in sorted(set(number.tolist())):
            if each in self._arms:
                mine = number == each
                self._arms[each].learn(ticket[mine], genes[row[mine]], loss[row[mine]])
        return number[: len(keys)] < 0
