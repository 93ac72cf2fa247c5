"""Spaces as readable JSON, and parameters back from theirs."""

import json
from functools import partial

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from random_spaces import spaces

from geneticpy import (
    ChoiceDistribution,
    DistributionBase,
    ListDistribution,
    PermutationDistribution,
    SubsetDistribution,
    UniformDistribution,
)
from geneticpy.jsonable import as_plain, dumps, is_plain, loads, name_of
from geneticpy.space.described import describe, difference, holds_plain, revive
from geneticpy.space.encoding import Encoding


class Own(DistributionBase):
    def __init__(self, values):
        self.values = values

    def pull_value(self):
        return self.values[0]


OBJECTS = {
    "function": ChoiceDistribution([len, max, {"pair": (1, 2.5)}]),
    "mixed": ChoiceDistribution([1, 1.0, True, "1", None, (1,), float("nan")]),
    "items": PermutationDistribution([(1, 2), frozenset([3]), "text"]),
    "some": SubsetDistribution([int, str, 2**80], min_size=0, max_size=3),
    "list": ListDistribution({"f": ChoiceDistribution([sum, all])}, 0, 3),
    "arms": ChoiceDistribution([{"k": 1 + 2j, "x": UniformDistribution(0, 1)}, (object, "b")]),
    "pair": (UniformDistribution(0, 1), b"bytes"),
    (1, 2): UniformDistribution(0, 9, q=1),
}


def test_a_space_reads_like_its_source():
    space = {
        "x": UniformDistribution(0, 1, q=0.5),
        "law": scipy.stats.norm(3, scale=2),
        "own": Own([1, 2]),
        "list": [ListDistribution(ChoiceDistribution([len, "b"]), 1, 2), None],
    }
    assert describe(space) == {
        "x": {"$UniformDistribution": {"low": 0, "high": 1, "q": 0.5}},
        "law": {"$scipy.stats.norm": {"args": [3], "kwds": {"scale": 2}}},
        "own": {f"${__name__}:Own": {"values": [1, 2]}},
        "list": [
            {
                "$ListDistribution": {
                    "element": {
                        "$ChoiceDistribution": {
                            "choice_list": ["builtins:len", "b"],
                            "probabilities": "uniform",
                            "ordered": True,
                        }
                    },
                    "min_size": 1,
                    "max_size": 2,
                }
            },
            None,
        ],
    }


@given(space=spaces())
def test_every_space_can_be_written_and_equals_itself(space):
    described = json.loads(dumps(describe(space)))
    assert difference(described, describe(space)) == ""


@pytest.mark.parametrize(
    ("one", "two", "where"),
    [
        ({"a": 1}, {"a": 2}, "space['a']: 1 became 2"),
        ({"a": 1}, {"a": 1.0}, "space['a']: 1 became 1.0"),
        ({"a": 1}, {"a": True}, "space['a']: 1 became True"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "space['a'][1]: 2 became 3"),
        ({"a": [1]}, {"a": [1, 2]}, "space['a']: [1] became [1, 2]"),
        ({"a": 1}, {"b": 1}, "space['a'], which is gone"),
        ({}, {"b": 1}, "space['b'], which is new"),
        ({"$U": {"low": 0}}, {"$U": {"low": 1}}, "space['low']: 0 became 1"),
        (
            {"$U": {"low": 0}},
            {"$G": {"low": 0}},
            "space: {'$U': {'low': 0}} became {'$G': {'low': 0}}",
        ),
        ([], {}, "space: [] became {}"),
        ("a" * 300, "b", f"space: '{'a' * 99}... became 'b'"),
        ({"a": [{"b": 0}]}, {"a": [{"b": 0}]}, ""),
    ],
)
def test_the_first_difference_is_named(one, two, where):
    assert difference(one, two) == where


def plain_params(encoding, n):
    genes = encoding.genome.sample(np.random.default_rng(0), n)
    return [(params, loads(dumps(as_plain(params)))) for params in encoding.decode(genes)]


def test_parameters_come_back_from_their_names():
    encoding = Encoding(OBJECTS)
    for params, plain in plain_params(encoding, 200):
        revived = revive(encoding.tree, plain, encoding.genome.d)
        assert repr(revived) == repr(params)
        encoding.encode([revived])


@given(space=spaces())
def test_parameters_of_any_space_come_back(space):
    encoding = Encoding(space)
    for params, plain in plain_params(encoding, 5):
        revived = revive(encoding.tree, plain, encoding.genome.d)
        assert np.array_equal(encoding.encode([revived]), encoding.encode([params]))


@given(space=spaces())
def test_plain_spaces_need_no_names(space):
    encoding = Encoding(space)
    if holds_plain(encoding.tree):
        for params, plain in plain_params(encoding, 5):
            assert json.loads(json.dumps(params)) == plain


@pytest.mark.parametrize(
    "value", [3, "text", None, [], {}, {"x": 1}, [1, 2, 3, 4], {"function": len}, 1.5]
)
def test_what_does_not_fit_stays_as_it_is(value):
    encoding = Encoding(OBJECTS)
    assert revive(encoding.tree, value, encoding.genome.d) == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float64(1.5), 1.5),
        (np.int8(3), 3),
        (np.arange(3), [0, 1, 2]),
        (float("nan"), "nan"),
        (-float("inf"), "-inf"),
        (2**63, str(2**63)),
        ({1: (2, {3})}, {"1": [2, "{3}"]}),
        ("lone \ud800", "lone \\ud800"),
        (object(), "builtins:object"),
        (Own, f"{__name__}:Own"),
        (Own([]), f"{__name__}:Own"),
        (
            test_what_does_not_fit_stays_as_it_is,
            f"{__name__}:test_what_does_not_fit_stays_as_it_is",
        ),
    ],
    ids=repr,
)
def test_anything_becomes_plain(value, plain):
    assert as_plain(value) == plain
    assert is_plain(as_plain(value))
    assert not is_plain(value)
    assert loads(dumps(plain)) == plain


def test_names_do_not_tell_addresses():
    assert "0x" not in name_of(object()) + name_of(Own([])) + name_of(lambda: 0)
    part = name_of(partial(len, object()))
    assert part == "functools.partial(<built-in function len>, <object object>)"


def test_long_names_are_cut():
    assert len(name_of(list(range(10_000)))) == 1000
