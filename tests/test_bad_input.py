"""Wrong arguments: one clear error with name, rule and value, before the first evaluation."""

import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial

import numpy as np
import pytest

import geneticpy
from geneticpy import (
    ArgumentError,
    GeneticPyError,
    ListDistribution,
    Optimizer,
    Population,
    SpaceError,
    UniformDistribution,
    optimize,
)

LINE = {"x": UniformDistribution(0, 1)}
WHOLE = "must be an integer of at least {}, got {}"
SHARE = "must be a number of at least 0 and at most 1, got {}"
FLAG = "must be True or False, got {}"
CALLABLE = "must be callable, got {}"

WRONG = [
    *(("size", value, WHOLE.format(1, "{}")) for value in (0, -1, 1.0, "10", None, True, [10])),
    *(("size", value, WHOLE.format(1, "{}")) for value in (float("nan"), np.array([10, 20]))),
    *(("generation_count", value, WHOLE.format(0, "{}")) for value in (-1, 2.5, "3", None, False)),
    *(("max_evaluations", value, WHOLE.format(1, "{}")) for value in (0, 1e6, "9", True)),
    *(("patience", value, WHOLE.format(1, "{}")) for value in (0, -3, 1.5, "2")),
    *(("tournament_size", value, WHOLE.format(1, "{}")) for value in (0, 2.0, None, "3")),
    ("surrogate", "never", "must be 'auto', True or False, got {}"),
    ("surrogate", 0.5, "must be 'auto', True or False, got {}"),
    (
        "strategy",
        "random",
        r"must be one of \('screened', 'numeric', 'discrete', 'mixed'\) or an object, got {}",
    ),
    ("strategy", 3, r"must have a method begin\(\), got {}"),
    *(("batch", value, WHOLE.format(1, "{}")) for value in (0, 1.5, "all")),
    *(("percentage_to_randomly_spawn", value, SHARE) for value in (-0.1, 1.1, "0.1", True, 1j)),
    *(("mutate_chance", value, SHARE) for value in (-0.1, 25, "often", float("nan"), [0.1])),
    *(
        ("retain_percentage", value, "must be a number of at least 0 and below 1, got {}")
        for value in (1, 1.0, 50, -0.5, None, "half", True)
    ),
    *(
        ("target", value, "must be a number, got {}")
        for value in ("low", float("nan"), [1.0], 1j, np.complex64(1), Decimal(1), 10**400)
    ),
    *(
        ("time_limit", value, "must be a number of at least 0, got {}")
        for value in (-1, "60", float("nan"), True, (60,), 10**400)
    ),
    *(
        (name, value, FLAG)
        for name in (
            "maximize_fn",
            "vectorized",
            "cache",
            "use_tournament_selection",
            "adaptive_mutation",
        )
        for value in ("False", None, 2, 0.0, [])
    ),
    *(("on_error", value, r"must be one of \['skip', 'raise'\], got {}") for value in ("stop", 1)),
    *(("on_error", value, r"must be one of .*, got {}") for value in (None, np.zeros(2), [])),
    *(
        (name, value, CALLABLE)
        for name in (
            "callback",
            "terminator",
            "constraint",
            "selector",
            "crossover",
            "mutation",
            "replacer",
        )
        for value in (3, "name", {})
    ),
    *(
        ("seed", value, "must be None, a non-negative integer, .*, got {}")
        for value in ("text", 1.5, -1, object())
    ),
    *(("initial", value, "must be a list of parameters, got {}") for value in ({"x": 0.5}, 0.5)),
    *(("initial", value, "must be a list of parameters, got {}") for value in ("x", {1.0})),
    *(("workers", value, "must be -1 or at least 1, got {}") for value in (0,)),
    *(("workers", value, WHOLE.format(-1, "{}")) for value in (-2, 1.5, True, [2])),
    *(
        ("workers", value, "must be a number, got {}; give it as executor")
        for value in (map, ThreadPoolExecutor, ThreadPoolExecutor(1))
    ),
    *(
        ("workers", value, "must be a number of processes or 'threads:N', got {}")
        for value in ("2", "all", "threads:", "threads:many", "processes:2", "threads:--2")
    ),
    ("executor", 4, r"must have submit\(fn, \*args\), or be a function like map, got {}"),
    ("executor", dict, r"must have submit\(fn, \*args\), or be a function like map, got {}"),
    ("executor", ThreadPoolExecutor, "must be an instance of its class, got {}"),
    *(("retries", value, WHOLE.format(0, "{}")) for value in (-1, 0.5, None, True)),
    *(
        ("evaluation_timeout", value, "must be a number of at least 0, got {}")
        for value in (-1, "60", float("nan"), True)
    ),
    ("evaluation_timeout", 0, "must be above 0, got {}"),
    ("evaluation_timeout", 1, "must come with workers=N, .*, got {} with no workers"),
    ("devices", [0], "must come with workers=N, .*, got {} with no workers"),
    ("steady_state", True, "must come with workers, or .*, got {} with no workers"),
    *(("steady_state", value, FLAG) for value in ("yes", None, 2)),
    *(("journal", value, "must be a path, got {}") for value in (3, True, ["a.db"], "", "a\0b")),
    *(
        ("resume", value, r"must be one of \['exact', 'warm'\], got {}")
        for value in (True, "cold")
    ),
    ("resume", "warm", "must come with a journal, got {} without one"),
]


@pytest.mark.parametrize(
    ("name", "value", "rule"), WRONG, ids=[f"{name}={value!r:.20}" for name, value, _ in WRONG]
)
def test_wrong_arguments_name_rule_and_value(name, value, rule):
    calls = []
    shown = re.escape(repr(value))
    with pytest.raises(ArgumentError, match=f"^{name}: {rule.format(shown)}") as caught:
        optimize(calls.append, LINE, **{name: value})
    assert calls == []
    assert caught.value.result is None
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, TypeError)


RIGHT = {
    "size": np.int64(5),
    "generation_count": np.uint8(2),
    "percentage_to_randomly_spawn": 0,
    "mutate_chance": np.float32(1),
    "retain_percentage": 0,
    "maximize_fn": np.True_,
    "target": np.float32(7),
    "seed": np.int64(3),
    "patience": np.int32(4),
    "use_tournament_selection": 1,
    "tournament_size": np.int64(2),
    "adaptive_mutation": 0,
    "max_evaluations": np.int64(12),
    "time_limit": np.float64(60),
    "initial": (),
    "cache": np.False_,
    "batch": np.int16(3),
    "verbose": 0,
}


@pytest.mark.parametrize("name", RIGHT)
def test_numpy_scalars_and_zeros_are_fine(name):
    given = {"size": 5, "generation_count": 2, name: RIGHT[name]}
    assert optimize(lambda params: params["x"], LINE, **given).evaluations > 0


OPERATORS = {
    "callback": "progress",
    "terminator": "progress",
    "constraint": "params",
    "selector": "rng, loss, n",
    "crossover": "rng, one, two, genome",
    "mutation": "rng, genes, active, genome",
    "replacer": "rng, loss, birth, n",
}


@pytest.mark.parametrize(("name", "arguments"), OPERATORS.items())
def test_functions_that_cannot_be_called_as_they_will_be_are_refused(name, arguments):
    async def later(*anything):
        return True

    calls = []
    call = re.escape(f"{name}({arguments})")
    with pytest.raises(ArgumentError, match=rf"^{name}: must allow the call {call}, got \(\)"):
        optimize(calls.append, LINE, **{name: lambda: True})
    with pytest.raises(ArgumentError, match=f"^{name}: must not be a coroutine function, got"):
        optimize(calls.append, LINE, **{name: partial(later, 1)})
    assert calls == []


def test_every_argument_is_in_one_of_the_tables():
    named = {name for name, *_ in WRONG} | set(RIGHT) | {"fn", "param_space", "unknown"}
    assert set(inspect.signature(optimize).parameters) == named


# Names that do not exist


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("generation_cuont", "generation_count"),
        ("generations", "generation_count"),
        ("max_evaluation", "max_evaluations"),
        ("maximise_fn", "maximize_fn"),
        ("timelimit", "time_limit"),
        ("constraints", "constraint"),
        ("vectorised", "vectorized"),
        ("selecter", "selector"),
        ("random_seed", "seed"),
        ("population_size", "size"),
        ("percentage", "retain_percentage"),
    ],
)
def test_unknown_keywords_name_the_closest_one(name, close):
    with pytest.raises(TypeError) as caught:
        optimize(lambda params: 0.0, LINE, **{name: 1})
    assert isinstance(caught.value, ArgumentError)
    assert str(caught.value) == (
        f"optimize() got an unexpected keyword argument {name!r}. Did you mean {close}?"
    )


def test_unknown_keywords_that_are_close_to_nothing():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'zzz'\.$"):
        optimize(lambda params: 0.0, LINE, zzz=1)


def test_missing_arguments_are_pythons_own_error():
    with pytest.raises(TypeError, match="param_space"):
        optimize(lambda params: 0.0)


# Spaces


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ({"x": UniformDistribution}, r"space\['x'\]: must be an instance .*UniformDistribution"),
        (
            {"layers": ListDistribution({"units": UniformDistribution}, 1, 2)},
            r"space\['layers'\].element\['units'\]: must be an instance",
        ),
    ],
)
def test_a_space_that_is_none_is_refused_with_its_path(space, told):
    calls = []
    with pytest.raises(SpaceError, match=f"^{told}"):
        optimize(calls.append, space)
    assert calls == []


def test_a_space_must_not_contain_itself():
    space = {"x": UniformDistribution(0, 1)}
    space["again"] = [space]
    with pytest.raises(SpaceError, match=r"must not contain itself"):
        optimize(lambda params: 0.0, space)


# The same for the other doors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 0),
        ("generation_count", -1),
        ("mutate_chance", 2),
        ("batch", 0),
        ("seed", "a"),
        ("cache", "no"),
        ("adaptive_mutation", None),
    ],
)
def test_optimizer_checks_alike(name, value):
    with pytest.raises(ArgumentError, match=f"^{name}: .*got {value!r}"):
        Optimizer(LINE, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fn", None),
        ("size", 0),
        ("retain_percentage", 1),
        ("maximize_fn", "no"),
        ("target", "low"),
        ("use_tournament_selection", "no"),
        ("tournament_size", 0),
    ],
)
def test_population_checks_alike(name, value):
    given = {"fn": abs, "params": LINE, "size": 5} | {name: value}
    with pytest.raises(ArgumentError, match=f"^{name}: must be .*got {value!r}"):
        Population(**given)


def test_every_error_of_the_package_has_one_base():
    errors = [getattr(geneticpy, name) for name in geneticpy.__all__ if name.endswith("Error")]
    assert len(errors) == 6
    assert all(issubclass(error, GeneticPyError) for error in errors)
