"""Random nested spaces, and a second opinion on what fits them: shape, leaves, structure, columns.

Nothing here uses the encoding; each function walks space and value side by side.
"""

from typing import NamedTuple

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from scipy import stats

import geneticpy as gp

# Derandomized: every run tries the same examples. No deadline: the cores are shared.
DETERMINISTIC = settings(derandomize=True, deadline=None, max_examples=100, database=None)


class Pair(NamedTuple):
    left: object
    right: object


FINITE = [
    gp.UniformDistribution(1, 3, q=1),
    gp.UniformDistribution(0, 0.3, q=0.1),
    gp.UniformDistribution(0.5, 1.5, q=1),  # one value
    gp.GaussianDistribution(0, 1, q=1, low=-1, high=1),
    gp.LogUniformDistribution(1, 4, q=1),
    gp.ExponentialDistribution(1, q=1, high=2),
    gp.ChoiceDistribution(["a", "b"]),
    gp.ChoiceDistribution([1, 1.5, None, "x"], probabilities=[0.7, 0.1, 0, 0.2]),
    gp.ChoiceDistribution([True, False]),
    gp.ChoiceDistribution(["small", "medium", "large"], ordered=True),
    gp.ChoiceDistribution([[1, 2], (3,), {"k": 4}]),
    gp.ChoiceDistribution(["only"]),
    gp.PermutationDistribution(["p", "q", "r"]),
    gp.PermutationDistribution([7]),
    gp.SubsetDistribution([1, 2, 3]),
    gp.SubsetDistribution(["s", "t", "u"], min_size=1, max_size=2),
    gp.SubsetDistribution(["s", "t"], min_size=2),
    gp.SubsetDistribution(["s"], max_size=0),
    stats.randint(0, 3),
]
INFINITE = [
    gp.UniformDistribution(-1, 1),
    gp.LogUniformDistribution(1e-5, 1e-1),
    gp.LogUniformDistribution(1, 1e6, q=1),
    gp.GaussianDistribution(0, 1),
    gp.GaussianDistribution(5, 3, low=4),
    gp.LogNormalDistribution(high=3),
    gp.ExponentialDistribution(2),
    stats.norm(1, 2),
    stats.poisson(1e6),
]
CONSTANTS = [None, 3, "text", len, object, (), [], {}]
BLOCKS = (gp.ListDistribution, gp.PermutationDistribution, gp.SubsetDistribution)


@st.composite
def choices(draw, parts):
    """Choices of which some options carry parameters; a tag says which option it was."""
    options = draw(st.lists(parts, min_size=1, max_size=3))
    tagged = [{"arm": i, "of": option} for i, option in enumerate(options)]
    tagged += ["constant"] * draw(st.booleans())
    masses = ["uniform", (np.arange(1, len(tagged) + 1) / sum(range(len(tagged) + 1))).tolist()]
    return gp.ChoiceDistribution(tagged, draw(st.sampled_from(masses)), draw(st.booleans()))


@st.composite
def lists(draw, parts):
    low = draw(st.integers(0, 2))
    return gp.ListDistribution(draw(parts), low, low + draw(st.integers(0, 2)))


def containers(parts):
    keys = st.sampled_from(["x", "y", 1, (2, 3), None, True])
    return st.one_of(
        st.dictionaries(keys, parts, max_size=3),
        st.lists(parts, max_size=3),
        st.lists(parts, max_size=3).map(tuple),
        st.builds(Pair, parts, parts),
        lists(parts),
        choices(parts),
    )


def spaces(finite=False):
    leaves = st.sampled_from(FINITE if finite else FINITE + INFINITE)
    return st.recursive(leaves | st.sampled_from(CONSTANTS), containers, max_leaves=6)


def is_law(space):
    return isinstance(space, gp.DistributionBase) or hasattr(space, "cdf")


def carries(space):
    """Whether anything in a space is searched."""
    if is_law(space) or isinstance(space, BLOCKS):
        return True
    parts = space.values() if isinstance(space, dict) else space
    return isinstance(space, dict | list | tuple) and any(carries(part) for part in parts)


def arms(choice):
    """Options of a choice that can be drawn."""
    given = choice.probabilities
    return [
        option
        for i, option in enumerate(choice.choice_list)
        if isinstance(given, str) or given[i] > 0
    ]


def arm_of(choice, value):
    """Number of the option that a value of a choice with parameters is, by its tag."""
    tags = [option["arm"] if isinstance(option, dict) else option for option in arms(choice)]
    return tags.index(value["arm"] if isinstance(value, dict) else value)


def pairs(space, value):
    """Parts of a container with the values in them."""
    if isinstance(space, gp.ListDistribution):
        return [(space.element, item) for item in value]
    if isinstance(space, dict):
        return [(part, value[key]) for key, part in space.items()]
    return list(zip(space, value, strict=True))


def genes_used(space, value):
    """Number of genes behind a value; AssertionError if it does not fit the space."""
    if isinstance(space, gp.ListDistribution):
        assert type(value) is list
        assert space.min_size <= len(value) <= space.max_size
        size = int(space.min_size < space.max_size)
        return size + sum(genes_used(*pair) for pair in pairs(space, value))
    if isinstance(space, gp.PermutationDistribution):
        assert sorted(value) == sorted(space.items)
        return len(value) if has_genes(space) else 0
    if isinstance(space, gp.SubsetDistribution):
        assert value == [item for item in space.items if item in value]
        assert space.min_size <= len(value) <= space.max_size
        return len(space.items) if has_genes(space) else 0
    if isinstance(space, gp.ChoiceDistribution):
        return genes_of_choice(space, value)
    if is_law(space):
        return genes_of_number(space, value)
    if isinstance(space, dict | list | tuple):
        assert type(value) is type(space)
        assert list(value) == list(space) or not isinstance(space, dict)
        return sum(genes_used(*pair) for pair in pairs(space, value))
    assert value is space
    return 0


def genes_of_choice(space, value):
    options = arms(space)
    if not carries(options):
        assert any(value is option or (value == option and type(value) is type(option))
                   for option in options)  # fmt: skip
        return int(len(options) > 1)
    arm = arm_of(space, value)
    return int(len(options) > 1) + genes_used(options[arm], value)


def genes_of_number(space, value):
    if hasattr(space, "cdf"):
        assert type(value) is (float if space.dist.name == "norm" else int)
        return 1
    assert type(value) is (int if space.q in (1, 2) else float)
    assert space.low is None or value >= space.low
    assert space.high is None or value <= space.high
    return int(has_genes(space))


def has_genes(space):
    """Whether a space has more than one point."""
    if isinstance(space, gp.ListDistribution):
        return space.min_size < space.max_size or (space.max_size > 0 and has_genes(space.element))
    if isinstance(space, gp.PermutationDistribution):
        return len(space.items) > 1
    if isinstance(space, gp.SubsetDistribution):
        return space.max_size > 0 and space.min_size < len(space.items)
    if isinstance(space, gp.ChoiceDistribution):
        return len(arms(space)) > 1 or has_genes(arms(space)[0])
    if is_law(space):
        return hasattr(space, "cdf") or (space.low, space.high, space.q) != (0.5, 1.5, 1)
    parts = space.values() if isinstance(space, dict) else space
    return isinstance(space, dict | list | tuple) and any(map(has_genes, parts))


def structure(space, value):
    """Lengths of lists and options taken, all that a species is."""
    if isinstance(space, gp.ListDistribution):
        return [len(value), [structure(*pair) for pair in pairs(space, value)]]
    if isinstance(space, gp.ChoiceDistribution):
        if not any(map(has_genes, arms(space))):
            return None
        arm = arm_of(space, value)
        return [arm, structure(arms(space)[arm], value)]
    if type(space) in (dict, list, tuple, Pair):
        return [structure(*pair) for pair in pairs(space, value)]
    return None


def row_of_columns(space, columns, row):
    """Value of one row, put together from what a vectorized loss receives."""
    if isinstance(space, gp.ListDistribution) and space.min_size < space.max_size:
        size = columns.size[row]
        for item in columns.items[size:]:
            assert is_masked(space.element, item, row)
        return [row_of_columns(space.element, item, row) for item in columns.items[:size]]
    if isinstance(space, gp.ListDistribution):
        return [row_of_columns(space.element, item, row) for item in columns]
    if isinstance(space, gp.SubsetDistribution) and isinstance(columns, np.ndarray):
        return [item for item, held in zip(space.items, columns[row], strict=True) if held]
    if isinstance(space, gp.ChoiceDistribution) and carries(arms(space)):
        options = arms(space)
        if len(options) == 1:
            return row_of_columns(options[0], columns, row)
        taken = columns.taken[row]
        for arm, option in enumerate(options):
            assert arm == taken or is_masked(option, columns.options[arm], row)
        return row_of_columns(options[taken], columns.options[taken], row)
    if isinstance(space, dict):
        return {key: row_of_columns(part, columns[key], row) for key, part in space.items()}
    if isinstance(space, list | tuple):
        assert type(columns) is type(space)
        parts = [row_of_columns(*pair, row) for pair in zip(space, columns, strict=True)]
        return Pair(*parts) if isinstance(space, Pair) else type(space)(parts)
    if not isinstance(columns, np.ndarray):  # a constant
        return columns
    assert columns[row] is not np.ma.masked
    return (
        columns[row].tolist()
        if isinstance(columns[row], np.ndarray | np.generic)
        else columns[row]
    )


def is_masked(space, columns, row):
    """Whether all arrays of a part that a row does not use are masked there."""
    if isinstance(columns, np.ndarray):
        return bool(np.all(np.ma.getmaskarray(columns)[row]))
    if isinstance(columns, dict):
        return all(is_masked(space, part, row) for part in columns.values())
    if isinstance(columns, list | tuple):
        return all(is_masked(space, part, row) for part in columns)
    return True
