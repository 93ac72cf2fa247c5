"""Spaces written as TOML: a table with the name of a distribution as a key is a distribution."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from geneticpy.errors import SpaceError
from geneticpy.space.distributions import (
    ChoiceDistribution,
    ExponentialDistribution,
    GaussianDistribution,
    LogNormalDistribution,
    LogUniformDistribution,
    UniformDistribution,
)
from geneticpy.space.encoding import Encoding
from geneticpy.space.structures import (
    ListDistribution,
    PermutationDistribution,
    SubsetDistribution,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CLOSE = 0.83  # likeness from which a key is taken for a misspelt word: choise, unifrom, lists


@dataclass(frozen=True)
class Word:
    """What the key of a table can mean.

    Attributes
    ----------
    make : callable
        The distribution.
    numbers : tuple of str
        Arguments in the array that is its value; without any, its value is the first argument.
    options, required : tuple of str
        Arguments that stand beside it in the table, and those among them that must.
    """

    make: Callable[..., Any]
    numbers: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


STEP = ("q",)
BOUNDS = ("q", "low", "high")
SIZES = ("min_size", "max_size")
WORDS = {
    "uniform": Word(UniformDistribution, ("low", "high"), STEP),
    "log_uniform": Word(LogUniformDistribution, ("low", "high"), STEP),
    "gaussian": Word(GaussianDistribution, ("mean", "standard_deviation"), BOUNDS),
    "log_normal": Word(LogNormalDistribution, ("mean", "sigma"), BOUNDS),
    "exponential": Word(ExponentialDistribution, ("scale",), BOUNDS),
    "choice": Word(ChoiceDistribution, options=("probabilities", "ordered")),
    "list": Word(ListDistribution, options=SIZES, required=SIZES),
    "permutation": Word(PermutationDistribution),
    "subset": Word(SubsetDistribution, options=SIZES),
}
SPECIAL = ("scipy", "none", "table")  # what TOML has no value for, and the way out of the words


def load(text: str, where: str) -> dict[str, Any]:
    """Read a space.

    Parameters
    ----------
    text : str
        TOML. The whole is a table; its keys are names of parameters, whatever they are.
    where : str
        What errors call it: the name of the file.

    Returns
    -------
    dict
        As `optimize` takes it.

    Raises
    ------
    SpaceError
        With the line of what is no TOML, or the key of what is no space.

    Examples
    --------
    >>> load('rate = {log_uniform = [1e-4, 1e-1]}', "space.toml")
    {'rate': LogUniformDistribution(low=0.0001, high=0.1)}
    >>> load('units = {uniform = [9, 1], q = 1}', "space.toml")
    Traceback (most recent call last):
    ...
    geneticpy.errors.SpaceError: space.toml: units: UniformDistribution(low=9, high=1, q=1): low
    must be below high, got low=9, high=1.
    """
    try:
        space = _names(_tables(text), "")
        genes = Encoding(space).genome.d
    except SpaceError as error:
        raise SpaceError(f"{where}: {error}") from None
    except RecursionError:
        raise SpaceError(
            f"{where}: tables must be nested less deeply, got {text!r:.80}."
        ) from None
    if not genes:
        raise SpaceError(f"{where}: must search something, got constants only: {space!r}.")
    return space


def _tables(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # names the line
        raise SpaceError(f"must be TOML, got: {error}") from None


def _part(value: Any, path: str) -> Any:
    """Part of a space: what stands for a table, an array or a constant."""
    if isinstance(value, dict):
        return _table(value, path)
    if isinstance(value, list):
        return [_part(item, f"{path}[{i}]") for i, item in enumerate(value)]
    return value


def _table(table: dict[str, Any], path: str) -> Any:
    """Make a distribution if a key is a word, and a dict otherwise."""
    words = [key for key in table if key in WORDS or key in SPECIAL]
    if len(words) > 1:
        raise SpaceError(f"{path}: must have one of these keys only, got {words!r}. {_way_out()}")
    if not words:
        _refuse_misspelt(table, path)
        return _names(table, path)
    word = words[0]
    rest = {key: value for key, value in table.items() if key != word}
    if word == "scipy":
        return _frozen(table[word], rest, path)
    if word in SPECIAL:
        _check_options(word, rest, (), path)
        return _none(table[word], path) if word == "none" else _plain_table(table[word], path)
    return _distribution(word, table[word], rest, path)


def _names(table: dict[str, Any], path: str) -> dict[str, Any]:
    """Make a dict of a table whose keys are names."""
    return {key: _part(value, _step(path, key)) for key, value in table.items()}


def _distribution(word: str, value: Any, options: dict[str, Any], path: str) -> Any:
    known = WORDS[word]
    _check_options(word, options, known.options, path)
    for name in known.required:
        if name not in options:
            raise SpaceError(f"{path}: {word} must have {name} beside it, got {options!r}.")
    if not isinstance(options.get("ordered", False), bool):
        raise SpaceError(f"{path}.ordered: must be true or false, got {options['ordered']!r}.")
    if known.numbers:
        arguments = _numbers(value, known.numbers, _step(path, word))
    else:
        arguments = [_part(value, _step(path, word))]
    try:
        return known.make(*arguments, **options)
    except SpaceError as error:
        raise SpaceError(f"{path}: {error}") from None


def _numbers(value: Any, names: tuple[str, ...], path: str) -> list[Any]:
    if not isinstance(value, list) or len(value) != len(names):
        raise SpaceError(f"{path}: must be [{', '.join(names)}], got {value!r}.")
    return value


def _check_options(word: str, given: dict[str, Any], known: tuple[str, ...], path: str) -> None:
    for name in given:
        if name not in known:
            raise SpaceError(
                f"{_step(path, name)}: beside {word} there may be {_listed(known)}, got {name!r}. "
                f"{_way_out()}"
            )


def _frozen(name: Any, arguments: dict[str, Any], path: str) -> Any:
    """Frozen distribution of scipy.stats by its name."""
    import scipy.stats

    law = getattr(scipy.stats, name, None) if isinstance(name, str) else None
    if not isinstance(law, scipy.stats.rv_continuous | scipy.stats.rv_discrete):
        raise SpaceError(f"{path}.scipy: must name a distribution of scipy.stats, got {name!r}.")
    try:
        return law(**arguments)
    except Exception as error:
        raise SpaceError(
            f"{path}: scipy.stats.{name} must accept its arguments, got {arguments!r}: {error}"
        ) from None


def _none(value: Any, path: str) -> None:
    if value is not True:
        raise SpaceError(f"{path}.none: must be true, got {value!r}. {_way_out()}")


def _plain_table(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SpaceError(f"{path}.table: must be a table, got {value!r}.")
    return _names(value, _step(path, "table"))


def _refuse_misspelt(table: dict[str, Any], path: str) -> None:
    """Refuse a key that is almost a word: it would pass for a table of constants."""
    for key in table:
        close = get_close_matches(key.lower(), WORDS, n=1, cutoff=CLOSE)
        if close:
            raise SpaceError(
                f"{_step(path, key)}: must be a word of spaces, got {key!r}. Did you mean "
                f"{close[0]}? {_way_out()}"
            )


def _way_out() -> str:
    return "For a table of parameters with such names, write {table = {...}}."


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if names else "nothing"


def _step(path: str, key: str) -> str:
    """Path of a key, as TOML would write it."""
    written = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)
    return f"{path}.{written}" if path else written
