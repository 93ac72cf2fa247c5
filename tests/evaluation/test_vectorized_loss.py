"""Vectorized losses: what they receive, what they may return, and that nothing else differs."""

import math

import numpy as np
import pytest

from geneticpy import (
    ChoiceDistribution,
    EvaluationError,
    EvaluationWarning,
    GaussianDistribution,
    ListDistribution,
    LossError,
    PermutationDistribution,
    SubsetDistribution,
    UniformDistribution,
    optimize,
)

FLAT = {
    "x": UniformDistribution(-5, 5),
    "n": UniformDistribution(0, 9, q=1),
    "kind": ChoiceDistribution(["a", "b", None]),
    "fixed": 7,
}


def run(fn, space=FLAT, **options):
    return optimize(fn, space, **({"size": 20, "generation_count": 4, "seed": 0} | options))


# Flat spaces


def test_a_flat_space_gives_a_dict_of_arrays():
    seen = []

    def fn(columns):
        seen.append(columns)
        return columns["x"] ** 2

    result = run(fn, vectorized=True)
    assert [len(columns["x"]) for columns in seen] == [20, 10, 10, 10, 10]
    for columns in seen:
        assert list(columns) == ["x", "n", "kind", "fixed"]
        assert columns["fixed"] == 7
        assert columns["x"].dtype == float
        assert columns["n"].dtype.kind == "i"
        assert set(columns["kind"].tolist()) <= {"a", "b", None}
    params = [result.history.params(i) for i in range(60)]
    for name in ("x", "n", "kind"):
        joined = np.concatenate([columns[name] for columns in seen])
        assert joined.tolist() == [point[name] for point in params]


def test_a_vectorized_loss_changes_nothing_but_the_speed():
    def plain(params):
        return abs(params["n"] - 4) + (params["kind"] == "a") + (params["x"] > 0)

    def vectorized(columns):
        return np.abs(columns["n"] - 4) + (columns["kind"] == "a") + (columns["x"] > 0)

    one, two = run(plain, batch=20), run(vectorized, vectorized=True)
    assert one.history.genes.tobytes() == two.history.genes.tobytes()
    assert one.history.loss.tolist() == two.history.loss.tolist()
    assert one.best_params == two.best_params


def test_batch_says_how_many_rows_a_call_gets():
    sizes = []
    run(lambda columns: sizes.append(len(columns["x"])) or columns["x"], vectorized=True, batch=8)
    assert sizes == [8, 8, 4] + [8, 2] * 4


def test_a_loss_that_changes_its_columns_changes_nothing_else():
    def fn(columns):
        loss = columns["x"] ** 2
        for name in ("x", "n", "kind"):
            columns[name][:] = columns[name][0]
        return loss

    result = run(fn, vectorized=True)
    assert result.history.loss.tolist() == [
        pytest.approx(result.history.params(i)["x"] ** 2) for i in range(60)
    ]


# Nested spaces

NESTED = {
    "layers": ListDistribution(
        {"units": UniformDistribution(1, 9, q=1), "kind": ChoiceDistribution(["a", "b"])}, 0, 3
    ),
    "model": ChoiceDistribution(
        ["none", {"k": UniformDistribution(1, 5, q=1)}, [UniformDistribution(0, 3, q=1), 2]]
    ),
    "order": PermutationDistribution([3, 1, 2]),
    "parts": SubsetDistribution([1, 2, 4], min_size=1),
    "noise": GaussianDistribution(0, 1),
}


def nested_plain(params):
    """Return a loss of integers, so that sums are exact in any order."""
    total = 10 * abs(len(params["layers"]) - 2)
    for layer in params["layers"]:
        total += abs(layer["units"] - 5) + (layer["kind"] == "b")
    model = params["model"]
    if isinstance(model, dict):
        total += model["k"]
    elif isinstance(model, list):
        total += model[0] * model[1] - 2
    else:
        total += 20
    return total + params["order"][0] + sum(params["parts"]) + (params["noise"] > 0)


def nested_columns(columns):
    layers, model = columns["layers"], columns["model"]
    assert layers._fields == ("size", "items")
    assert model._fields == ("taken", "options")
    total = 10 * np.abs(layers.size - 2)
    for layer in layers.items:
        cost = np.ma.abs(layer["units"] - 5) + (layer["kind"] == "b")
        total = total + np.ma.filled(cost, 0)
    none, with_k, with_list = model.options
    assert (none, with_list[1]) == ("none", 2)
    total = total + np.select(
        [model.taken == 0, model.taken == 1],
        [20, np.ma.filled(with_k["k"], 0)],
        np.ma.filled(with_list[0], 0) * 2 - 2,
    )
    parts = columns["parts"] @ np.array([1, 2, 4])
    return total + columns["order"][:, 0] + parts + (columns["noise"] > 0)


@pytest.mark.parametrize("seed", range(3))
def test_nested_columns_give_the_run_of_the_plain_loss(seed):
    options = {"space": NESTED, "size": 30, "generation_count": 15, "seed": seed}
    options["surrogate"] = False
    one = run(nested_plain, batch=30, **options)
    two = run(nested_columns, vectorized=True, **options)
    assert one.history.loss.tolist() == two.history.loss.tolist()
    assert one.history.genes.tobytes() == two.history.genes.tobytes()
    assert one.best_params == two.best_params


def test_columns_are_masked_where_a_row_does_not_use_them():
    seen = []

    def fn(columns):
        seen.append(columns)
        return np.zeros(len(columns["noise"]))

    result = run(fn, NESTED, size=200, generation_count=0, vectorized=True)
    layers, model = seen[0]["layers"], seen[0]["model"]
    for i in range(200):
        params = result.history.params(i)
        assert layers.size[i] == len(params["layers"])
        for at, layer in enumerate(layers.items):
            masked = at >= len(params["layers"])
            assert np.ma.getmaskarray(layer["units"])[i] == masked
            assert masked or layer["units"][i] == params["layers"][at]["units"]
        assert np.ma.getmaskarray(model.options[1]["k"])[i] != isinstance(params["model"], dict)


# What comes back


@pytest.mark.parametrize(
    "convert",
    [
        list,
        tuple,
        lambda losses: losses.astype(np.float32),
        lambda losses: losses.astype(int),
        lambda losses: losses > 0,
        lambda losses: losses.astype(object),
        lambda losses: np.ma.masked_array(losses),
    ],
)
def test_any_sequence_of_numbers_will_do(convert):
    result = run(lambda columns: convert(columns["x"]), vectorized=True)
    expected = [float(loss) for loss in convert(result.history.loss)]
    assert result.evaluations == 60
    assert type(result.loss) is float
    assert result.loss in expected


def test_pandas_columns_will_do():
    pandas = pytest.importorskip("pandas")
    result = run(lambda columns: pandas.Series(columns["x"]), vectorized=True)
    assert result.loss == result.best_params["x"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda x: x[:-1], r"array of shape \(20,\), got shape \(19,\)"),
        (lambda x: x[:, None], r"array of shape \(20,\), got shape \(20, 1\)"),
        (lambda x: x.sum(), r"array of shape \(20,\), got shape \(\)"),
        (lambda x: [], r"array of shape \(20,\), got shape \(0,\)"),
        (lambda x: None, "array of 20 numbers, got None"),
        (lambda x: [None] * 20, r"array of 20 numbers, got \[None"),
        (lambda x: [1.0] * 19 + [None], r"array of 20 numbers, got \[1.0"),
        (lambda x: ["1.5"] * 20, r"array of 20 numbers, got \['1.5'"),
        (lambda x: "text", "array of 20 numbers, got 'text'"),
        (lambda x: x + 1j, "array of 20 numbers, got array"),
        (lambda x: [[1.0], [1.0, 2.0]], r"array of 20 numbers, got \[\[1.0"),
        (lambda x: {"loss": x}, "array of 20 numbers, got {'loss'"),
    ],
)
def test_anything_else_is_an_error_before_anything_is_recorded(make, told):
    with pytest.raises(LossError, match=f"^fn: must return an {told}") as caught:
        run(lambda columns: make(columns["x"]), vectorized=True)
    assert caught.value.result.evaluations == 0


def test_a_coroutine_from_a_vectorized_lambda_is_an_error_without_a_warning():
    async def coroutine(columns):
        return columns["x"]

    with pytest.raises(LossError, match="got <coroutine"):
        run(lambda columns: coroutine(columns), vectorized=True)


@pytest.mark.parametrize("masked", [False, True])
def test_nan_and_masked_entries_are_failures_of_their_rows(masked):
    def fn(columns):
        bad = columns["x"] > 0
        if masked:
            return np.ma.masked_array(np.arange(len(bad)), bad)  # integers hold no NaN
        return np.where(bad, np.nan, columns["x"])

    with pytest.warns(EvaluationWarning) as told:
        result = run(fn, vectorized=True)
    assert len(told) == 1
    positive = [i for i in range(60) if result.history.params(i)["x"] > 0]
    assert np.flatnonzero(np.isnan(result.history.loss)).tolist() == positive
    assert [failure.id for failure in result.failures] == positive
    assert {failure.reason for failure in result.failures} == {"the loss returned nan"}


def test_an_exception_costs_its_batch():
    def fn(columns):
        calls.append(len(columns["x"]))
        if len(calls) == 2:
            raise KeyError("second")
        return columns["x"]

    calls = []
    with pytest.warns(EvaluationWarning, match="10 of 60 evaluations failed"):
        result = run(fn, vectorized=True)
    assert [failure.id for failure in result.failures] == list(range(20, 30))
    assert {failure.reason for failure in result.failures} == {"KeyError: 'second'"}


def test_on_error_raise_keeps_the_batches_before():
    def fn(columns):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return columns["x"]

    calls, error = [], KeyError("second")
    with pytest.raises(KeyError) as caught:
        run(fn, vectorized=True, on_error="raise")
    assert caught.value is error
    assert error.result.evaluations == 30
    assert len(error.result.failures) == 10
    assert error.result.loss == np.nanmin(error.result.history.loss)


def test_all_of_the_first_generation_failing_raises():
    with pytest.raises(EvaluationError, match=r"(?s)all 20 .*KeyError: 'nope'"):
        run(lambda columns: columns["nope"], vectorized=True)


def test_target_ends_after_the_batch_that_reached_it():
    result = run(lambda columns: columns["x"], vectorized=True, target=4.5)
    assert result.evaluations == 20
    assert result.loss == result.history.loss.min() < 4.5


def test_maximizing():
    up = run(lambda columns: -(columns["x"] ** 2), vectorized=True, maximize_fn=True)
    down = run(lambda columns: columns["x"] ** 2, vectorized=True)
    assert up.loss == -down.loss
    assert up.history.genes.tobytes() == down.history.genes.tobytes()


def test_constants_only_and_bare_distributions():
    assert run(lambda columns: [1.0], {"a": 1}, vectorized=True).evaluations == 1
    assert run(lambda columns: [1.0], {}, vectorized=True).evaluations == 1
    result = run(lambda x: x**2, UniformDistribution(-1, 1), vectorized=True)
    assert math.isclose(result.loss, result.best_params**2)


def test_durations_share_the_time_of_the_batch():
    result = run(lambda columns: columns["x"], vectorized=True)
    seconds = result.history.seconds
    assert len(set(seconds[:20])) == 1
    assert (seconds > 0).all()
    assert seconds.sum() < result.total_time
