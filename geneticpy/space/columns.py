"""What a vectorized loss receives: parameters as columns, one entry a point."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class ListColumns(NamedTuple):
    """What a vectorized loss receives for a list of searched length.

    Attributes
    ----------
    size : (n,) array of int
    items : list of length max_size
        Columns of each item; masked where a row's list is shorter.
    """

    size: np.ndarray
    items: list[Any]


class ChoiceColumns(NamedTuple):
    """What a vectorized loss receives for a choice whose options carry parameters.

    Attributes
    ----------
    taken : (n,) array of int
        Which option each row takes.
    options : list
        Columns of each option; masked where a row takes another one.
    """

    taken: np.ndarray
    options: list[Any]


class View(NamedTuple):
    """Decoded columns of a batch: values by leaf column, activity, and which are conditional."""

    values: dict[int, np.ndarray]
    active: np.ndarray
    conditional: list[bool]

    def masked(self, column: int) -> np.ndarray:
        """Values of a column; a masked array if rows may not use it."""
        values = self.values[column]
        if not self.conditional[column]:
            return values
        unused = ~self.active[:, column].reshape(-1, *(1,) * (values.ndim - 1))
        return np.ma.MaskedArray(values, mask=np.broadcast_to(unused, values.shape))
