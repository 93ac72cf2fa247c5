"""What a plain loss may return and raise, and what becomes of it."""

import gc
import math
import re
import threading
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from geneticpy import (
    ArgumentError,
    EvaluationError,
    EvaluationWarning,
    LossError,
    UniformDistribution,
    optimize,
)
from geneticpy.evaluation.values import as_loss

LINE = {"x": UniformDistribution(0, 1)}


class TensorLike:
    """One number that only `float` can get out, as a torch tensor with a gradient."""

    def __init__(self, value, count=1):
        self.value, self.count = value, count

    def __float__(self):
        if self.count != 1:
            raise RuntimeError(f"a Tensor with {self.count} elements cannot be a scalar")
        return float(self.value)

    def __array__(self, *args, **options):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad.")

    def __repr__(self):
        return f"TensorLike({self.value})"

    dtype = "torch.float32"
    shape = ()


# Numbers of all kinds


@pytest.mark.parametrize(
    ("value", "loss"),
    [
        (3, 3.0),
        (True, 1.0),
        (np.float64(0.25), 0.25),
        (np.float32(0.5), 0.5),
        (np.float16(2), 2.0),
        (np.longdouble(1.5), 1.5),
        (np.int8(-3), -3.0),
        (np.uint64(2**63), 2.0**63),
        (np.bool_(True), 1.0),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        (np.array(1.5), 1.5),
        (np.array([1.5]), 1.5),
        (np.array([[2]]), 2.0),
        (np.array([Fraction(1, 2)]), 0.5),
        (np.ma.masked_array([1.5], [False]), 1.5),
        (TensorLike(0.5), 0.5),
        (-math.inf, -math.inf),
        (np.inf, math.inf),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        (Decimal("1e400"), math.inf),
    ],
    ids=repr,
)
def test_numbers_of_all_kinds_are_losses(value, loss):
    result = optimize(lambda params: value, LINE, size=3, generation_count=0)
    assert result.loss == loss
    assert type(result.loss) is float
    assert len(result.failures) == 0


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        np.float32("nan"),
        np.array([np.nan]),
        Decimal("nan"),
        np.ma.masked,
        np.ma.masked_array([1.5], [True]),
        TensorLike(math.nan),
    ],
    ids=repr,
)
def test_nan_of_all_kinds_is_a_failure(value):
    losses = iter([1.0, value])
    with pytest.warns(EvaluationWarning, match="1 of 2 evaluations failed"):
        result = optimize(lambda params: next(losses), LINE, size=2, generation_count=0)
    assert [failure.reason for failure in result.failures] == ["the loss returned nan"]
    assert result.loss == 1.0


@pytest.mark.parametrize(
    "value",
    [
        None,
        "0.5",
        b"0.5",
        bytearray(b"0.5"),
        np.str_("0.5"),
        np.array("0.5"),
        1j,
        np.complex128(1),
        np.complex64(1),
        np.array([1j]),
        [0.5],
        (0.5, 1),
        {"loss": 0.5},
        np.array([1.0, 2.0]),
        np.array([]),
        np.array(None),
        object,
        TensorLike(1, count=2),
    ],
    ids=repr,
)
@pytest.mark.parametrize("on_error", ["skip", "raise"])
def test_anything_else_is_an_error_that_names_value_and_parameters(value, on_error):
    values = iter([1.0, 2.0, value])
    shown = re.escape(repr(value))
    with pytest.raises(
        LossError, match=rf"^fn: must return a number, got {shown} for params \{{'x': 0\."
    ) as caught:
        optimize(lambda params: next(values), LINE, on_error=on_error)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, TypeError)
    assert caught.value.result.history.loss.tolist() == [1.0, 2.0]


def test_as_loss_is_quiet_and_exact():
    assert as_loss(0.1 + 0.2, None) == 0.1 + 0.2
    assert type(as_loss(np.float64(1), None)) is float


def test_a_lambda_that_returns_a_coroutine_is_told_to_be_async(recwarn):
    async def coroutine(params):
        return 1.0

    with pytest.raises(LossError, match=r"must .* be defined with async def .*got <coroutine"):
        optimize(lambda params: coroutine(params), LINE)
    gc.collect()
    assert [str(warning.message) for warning in recwarn] == []  # never awaited, but closed


# Exceptions


def test_an_exception_costs_its_own_evaluation_only():
    def fn(params):
        if params["x"] > 0.5:
            raise KeyError("too far")
        return params["x"]

    with pytest.warns(EvaluationWarning) as told:
        result = optimize(fn, LINE, size=20, seed=0)
    assert len(told) == 1
    failed = result.failures
    assert str(told[0].message) == (
        f"{len(failed)} of 120 evaluations failed and were skipped; result.failures lists them."
    )
    assert told[0].filename == __file__
    assert result.evaluations == 120
    assert {failure.reason for failure in failed} == {"KeyError: 'too far'"}
    assert all(failure.params["x"] > 0.5 for failure in failed)
    assert result.loss < 0.05


class OwnError(Exception):
    pass


def raising_at(at, error):
    calls = []

    def fn(params):
        calls.append(params)
        if len(calls) == at:
            raise error
        return params["x"]

    return fn


def test_on_error_raise_ends_the_run_with_the_users_own_exception():
    error = OwnError("mine")
    with pytest.raises(OwnError) as caught:
        optimize(raising_at(14, error), LINE, size=10, on_error="raise", seed=0)
    assert caught.value is error
    assert caught.traceback[-1].name == "fn"
    result = error.result
    assert result.evaluations == 14
    assert result.loss == np.nanmin(result.history.loss)
    assert [failure.reason for failure in result.failures] == ["OwnError: mine"]
    assert result.message == "stopped by OwnError('mine')"


def test_on_error_raise_does_not_mind_nan():
    losses = iter([math.nan, 1.0, 2.0])
    with pytest.warns(EvaluationWarning):
        result = optimize(
            lambda params: next(losses), LINE, size=3, generation_count=0, on_error="raise"
        )
    assert result.loss == 1.0


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit])
def test_what_is_no_exception_ends_the_run_and_keeps_the_result(kind):
    with pytest.raises(kind) as caught:
        optimize(raising_at(8, kind("bye")), LINE, size=10, seed=0)
    assert caught.value.result.evaluations == 7


@pytest.mark.parametrize("kind", [StopIteration, MemoryError, RecursionError, AssertionError])
def test_exceptions_with_a_meaning_of_their_own_are_failures_too(kind):
    with pytest.warns(EvaluationWarning, match="1 of 60"):
        result = optimize(raising_at(8, kind("odd")), LINE, size=10, seed=0)
    assert [failure.reason for failure in result.failures] == [f"{kind.__name__}: odd"]


class Mute(Exception):
    def __init__(self, held):
        super().__init__(held)

    def __str__(self):
        raise ZeroDivisionError


@pytest.mark.parametrize("held", [int, threading.Lock])  # a lock cannot be pickled
@pytest.mark.parametrize("workers", [None, 1])
def test_an_exception_without_text_is_a_failure_like_any_other(held, workers):
    def fn(params):
        if params["x"] > 0.5:
            raise Mute(held())
        return params["x"]

    with pytest.warns(EvaluationWarning):
        result = optimize(fn, LINE, size=10, generation_count=0, workers=workers, seed=0)
    reasons = {failure.reason for failure in result.failures}
    assert reasons == {"Mute: its text raised ZeroDivisionError"}


class Frozen(Exception):
    __slots__ = ()

    def __setattr__(self, name, value):
        raise TypeError("takes no attributes")


def test_an_exception_that_takes_no_attributes_comes_through():
    error = Frozen("mine")
    with pytest.raises(Frozen) as caught:
        optimize(raising_at(3, error), LINE, on_error="raise")
    assert caught.value is error


def test_a_loss_error_of_an_inner_run_is_a_failure_of_the_outer():
    def outer(params):
        inner = (lambda p: None) if params["x"] > 0.5 else (lambda p: p["x"])
        return optimize(inner, LINE, size=2, generation_count=0, seed=0).loss

    with pytest.warns(EvaluationWarning):
        result = optimize(outer, LINE, size=10, generation_count=0, seed=0)
    assert len(result.failures) == (result.history.genes > 0.5).sum() > 0
    assert result.failures[0].reason.startswith("LossError: fn: must return a number, got None")


# The first generation


def test_all_of_the_first_generation_failing_raises_with_the_first_traceback():
    calls = []

    def fn(params):
        calls.append(params)
        return helper(params, len(calls))

    def helper(params, number):
        raise OwnError(f"number {number}")

    with pytest.raises(EvaluationError) as caught:
        optimize(fn, LINE, size=10, generation_count=5, seed=0)
    text = str(caught.value)
    assert text.startswith("all 10 evaluations of the first generation failed; the first of them:")
    assert re.search(r"Traceback.*in fn\n.*in helper\n.*OwnError: number 1\n$", text, re.DOTALL)
    assert str(caught.value.__cause__) == "number 1"
    result = caught.value.result
    assert len(calls) == result.evaluations == len(result.failures) == 10
    assert result.best_params is None
    assert math.isnan(result.loss)


def test_all_of_the_first_generation_nan_raises_too():
    with pytest.raises(EvaluationError, match=r"(?s)all 10 .*the loss returned nan") as caught:
        optimize(lambda params: math.nan, LINE, size=10)
    assert caught.value.result.evaluations == 10


def test_one_success_in_the_first_generation_is_enough():
    losses = iter([math.nan] * 9 + [4.0] + [math.nan] * 10**6)
    with pytest.warns(EvaluationWarning, match="59 of 60"):
        result = optimize(lambda params: next(losses), LINE, size=10, seed=0)
    assert result.loss == 4.0
    assert result.generations == 10


def test_failures_that_are_all_there_is_before_the_time_is_up_raise():
    with pytest.raises(EvaluationError, match="all 1 evaluations"):
        optimize(lambda params: 1 / 0, LINE, time_limit=0)


# Warnings turned into errors


def test_warnings_as_errors_do_not_lose_the_result():
    losses = iter([math.nan, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(EvaluationWarning) as caught:
            optimize(lambda params: next(losses), LINE, size=2, generation_count=0)
    assert caught.value.result.loss == 1.0
    assert caught.value.result.message.startswith("generation_count reached")


def test_a_warning_of_the_loss_as_error_is_its_failure():
    def fn(params):
        if params["x"] > 0.5:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.warn("watch out", RuntimeWarning, stacklevel=1)
        return params["x"]

    with pytest.warns(EvaluationWarning):
        result = optimize(fn, LINE, size=10, generation_count=0, seed=0)
    assert {failure.reason for failure in result.failures} == {"RuntimeWarning: watch out"}


# The signature


@pytest.mark.parametrize(
    "fn",
    [
        lambda: 0.0,
        lambda a, b, c: 0.0,
        lambda *, params: 0.0,
        None,
        3,
        "fn",
        LINE,
    ],
)
def test_a_function_that_cannot_be_called_with_params_is_refused_before_it_is(fn):
    with pytest.raises(ArgumentError, match=r"^fn: must be .*got"):
        optimize(fn, LINE)


@pytest.mark.parametrize(
    "fn",
    [
        lambda params, scale=2: params["x"] * scale,
        lambda *args: args[0]["x"],
        lambda *args, **options: args[0]["x"],
        type("Callable", (), {"__call__": lambda self, params: params["x"]})(),
        type("Bound", (), {"loss": lambda self, params: params["x"]})().loss,
    ],
)
def test_callables_of_all_kinds(fn):
    assert 0 <= optimize(fn, LINE, size=5).loss <= 1


def test_builtins_without_signature():
    space = [UniformDistribution(0, 1), UniformDistribution(2, 3)]
    assert 0 <= optimize(min, space, size=5).loss <= 1
