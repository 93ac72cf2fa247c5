"""The state of a source of random numbers as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from geneticpy.errors import JournalError
from geneticpy.jsonable import as_plain

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def state_of(rng: np.random.Generator) -> Any:
    """Give plain data of the state; numbers that are too large for JSON are text."""
    return as_plain(rng.bit_generator.state)


def generator_of(state: dict[str, Any]) -> np.random.Generator:
    """Make a generator of the plain data of its state.

    Raises
    ------
    JournalError
        For a bit generator that numpy does not have.
    """
    name = state["bit_generator"]
    if name not in BIT_GENERATORS:
        raise JournalError(f"seed: must come from one of {BIT_GENERATORS}, got {name!r}.")
    bits = getattr(np.random, name)()
    bits.state = _revived(state)
    return np.random.Generator(bits)


def _revived(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _revived(part) for key, part in value.items()}
    if isinstance(value, list):
        return np.array([int(part) for part in value], np.uint64)
    return int(value) if isinstance(value, str) and value.isdigit() else value
