"""The components that ablation.py takes away exist, and taking them away changes the run."""

import importlib

import numpy as np
import pytest
from ablation import STRATEGIES, interval, left_over, patch, place, run
from problems import SUITES

VARIANTS = [
    pytest.param(strategy, variant, id=f"{name}-{title}")
    for name, strategy in STRATEGIES.items()
    for title, variant in strategy.variants.items()
]


@pytest.mark.parametrize(("strategy", "variant"), VARIANTS)
def test_every_name_that_is_changed_exists(strategy, variant):
    for path in variant.changes:
        owner, name = place(path)
        assert hasattr(owner, name)
    assert all(suite in SUITES for suite in strategy.suites)


def test_a_name_that_does_not_exist_is_refused():
    with pytest.raises(AttributeError, match="does not exist any more"):
        patch({"strategies.mixed:NO_SUCH_NAME": 1})


def test_a_variant_runs_another_way(monkeypatch):
    problem = SUITES["continuous-5"].problems["sphere-5"]
    whole = run(problem, 100, 40, {})
    variant = STRATEGIES["screened"].variants["start of 16 rows"]
    module = importlib.import_module("geneticpy.evolution.strategies.screened")
    monkeypatch.setattr(module, "FEWEST_AT_START", variant.changes[next(iter(variant.changes))])
    assert run(problem, 100, 40, {}) != whole
    assert 0 <= left_over("continuous-5", problem, 100, whole, 40) < 1


def test_the_interval_of_a_constant_difference_is_that_constant():
    np.testing.assert_allclose(interval(np.full((3, 4), 0.25), np.random.default_rng(0)), 0.25)
