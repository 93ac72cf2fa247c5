"""What a run returns, in all the forms in which it can be read."""

import math

import pytest

from geneticpy import UniformDistribution, optimize
from geneticpy.run.history import History
from geneticpy.run.result import OptimizeResult


@pytest.fixture(scope="module")
def result():
    return optimize(lambda params: params["x"], {"x": UniformDistribution(0, 1)}, 20, seed=0)


PARAMS_NAMES = ["best_params", "top_params"]
LOSS_NAMES = ["loss", "best_score", "top_score"]


def test_unpacks_to_exactly_three(result):
    best_params, loss, total_time = result
    assert best_params == {"x": loss}
    assert total_time == result.total_time
    assert len(result) == len(list(result)) == 3


@pytest.mark.parametrize("position", [0, 1, 2, -1, -2, -3])
def test_positions(result, position):
    assert result[position] is list(result)[position]


@pytest.mark.parametrize("cut", [slice(2), slice(None), slice(None, None, -1), slice(5, 9)])
def test_slices_are_those_of_a_tuple(result, cut):
    assert result[cut] == tuple(result)[cut]


@pytest.mark.parametrize(
    ("name", "position"),
    [*((n, 0) for n in PARAMS_NAMES), *((n, 1) for n in LOSS_NAMES), ("total_time", 2)],
)
def test_names_of_every_version_are_attributes_and_keys(result, name, position):
    assert getattr(result, name) is result[position]
    assert result[name] is result[position]
    assert name in result
    assert result.get(name) is result[position]


def test_reads_as_the_dict_of_geneticpy_1(result):
    assert dict(result) == {
        "top_params": result.best_params,
        "top_score": result.loss,
        "total_time": result.total_time,
    }
    assert {**result} == dict(result)
    assert list(result.keys()) == ["top_params", "top_score", "total_time"]
    assert list(result.values()) == list(result)
    assert list(result.items()) == list(zip(result.keys(), result.values(), strict=True))


def test_keys_that_are_not_there(result):
    with pytest.raises(KeyError, match=r"must be one of .*'loss'.*, got 'lost'"):
        result["lost"]
    assert "lost" not in result
    assert result.get("lost") is None
    assert result.get("lost", 3) == 3
    assert 1 not in result


def test_positions_that_are_not_there(result):
    with pytest.raises(IndexError):
        result[3]


def test_everything_known_of_the_run(result):
    assert result.evaluations == len(result.history) == 120
    assert result.generations == 10
    assert result.message == "generation_count reached: 10 generations, 120 evaluations"
    assert len(result.failures) == 0


def test_repr_shows_what_matters(result):
    text = repr(result)
    assert text.startswith(f"OptimizeResult(best_params={result.best_params!r}, loss=")
    assert "evaluations=120, generations=10, message='generation_count reached" in text


def test_a_result_without_success():
    history = History(None, 0)
    result = OptimizeResult(None, math.nan, 0.5, generations=0, message="why", history=history)
    best_params, loss, _ = result
    assert best_params is None
    assert math.isnan(loss)
    assert result.evaluations == 0
    assert str(result.failures) == "0 of 0 evaluations failed"
