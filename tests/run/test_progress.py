"""The progress bar: its total, its end, and its silence."""

import re
from typing import ClassVar

import pytest
import tqdm.auto

from geneticpy import EvaluationWarning, UniformDistribution, optimize

LINE = {"x": UniformDistribution(0, 1)}


class Spy(tqdm.auto.tqdm):
    """A bar that remembers the totals it was given and the text it ends with."""

    made: ClassVar[list] = []

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.first_total, self.last_text = self.total, None
        Spy.made.append(self)

    def close(self):
        if not self.disable:
            self.last_text = str(self)
        super().close()


@pytest.fixture
def bars(monkeypatch):
    monkeypatch.setattr(Spy, "made", [])
    monkeypatch.setattr(tqdm.auto, "tqdm", Spy)
    return Spy.made


def failing_after(n):
    calls = []

    def fn(params):
        calls.append(1)
        if len(calls) > n:
            raise KeyboardInterrupt
        return params["x"]

    return fn


@pytest.mark.parametrize(
    ("options", "total", "end"),
    [
        ({}, 600, 600),
        ({"size": 7, "generation_count": 3}, 17, 17),
        ({"max_evaluations": 33}, 33, 33),
        ({"generation_count": 0, "size": 1}, 1, 1),
        ({"target": 10}, 600, 1),
        ({"patience": 1, "mutate_chance": 0}, 600, None),
        ({"fn": failing_after(42)}, 600, 42),
        ({"param_space": {"x": UniformDistribution(0, 10, q=1)}}, 11, 11),
        ({"param_space": {"x": UniformDistribution(0, 10, q=1)}, "cache": False}, 600, 600),
    ],
)
def test_total_is_the_planned_number_and_the_end_is_full(bars, options, total, end):
    given = {"fn": lambda params: params["x"], "param_space": LINE, "seed": 0} | options
    given["surrogate"] = False
    result = optimize(**given, verbose=True)
    (bar,) = bars
    assert bar.first_total == total
    assert bar.n == bar.total == result.evaluations
    assert end in (None, result.evaluations)
    assert f"| {bar.n}/{bar.n} [" in bar.last_text
    assert f"loss={result.loss:.6g}" in bar.last_text


def test_the_bar_ends_full_when_the_run_raises(bars):
    def fn(params):
        return params["x"] if len(bars) and bars[0].n < 20 else None

    with pytest.raises(ValueError, match="must return a number, got None"):
        optimize(fn, LINE, seed=0, verbose=True)
    assert bars[0].n == bars[0].total == 20


def test_the_bar_shows_the_loss_in_the_users_sign(bars):
    optimize(lambda params: 7 + 0 * params["x"], LINE, size=5, maximize_fn=True, verbose=True)
    assert "loss=7" in bars[0].last_text


def test_the_bar_before_the_first_success(bars):
    losses = iter([float("nan")] * 5 + [1.0] * 100)
    with pytest.warns(EvaluationWarning):
        optimize(lambda params: next(losses), LINE, size=10, generation_count=0, verbose=True)
    assert bars[0].n == 10


def test_verbose_writes_a_bar_to_stderr_and_nothing_to_stdout(capfd):
    optimize(lambda params: params["x"], LINE, size=20, seed=0, verbose=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert re.search(r"100%\|.*\| 120/120 \[.*loss=", err.split("\r")[-1])


def test_quiet_is_quiet(capfd, bars):
    for verbose in (False, 0):
        optimize(lambda params: params["x"], LINE, size=20, seed=0, verbose=verbose)
    assert capfd.readouterr() == ("", "")
    assert bars == []
