"""With its structure given, a problem of searched length keeps its optimum and nothing else."""

import numpy as np
import pytest
from adapters import nested
from problems import SUITES
from structure import SUITE, given, regrets, table

from geneticpy import Optimizer

PROBLEMS = SUITES[SUITE].problems


def structure(params):
    """Leave nothing of parameters but lengths and kinds."""
    match params:
        case dict():
            return {k: v if k == "kind" else structure(v) for k, v in params.items()}
        case list():
            return [structure(item) for item in params]
    return None


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_draw_has_the_structure_of_the_best(name):
    problem = PROBLEMS[name]
    best = problem.exact(3).best
    candidates = Optimizer(given(problem.space, best), seed=0).ask(20)
    assert all(structure(params) == structure(best) for params in candidates.params)
    losses = [problem.exact(3).loss(params) for params in candidates.params]
    assert min(losses) >= problem.optimum_of(3)
    free = Optimizer(nested(problem.space), seed=0).ask(20).params
    assert any(structure(params) != structure(best) for params in free)


def test_the_table_has_means_over_problems_and_seeds():
    values = {"lengths-chain": np.zeros((2, 4)), "lengths-chain-noisy": np.ones((2, 4))}
    lines = table(values, [50, 100]).splitlines()
    assert lines[0].count("|") == 6
    assert lines[2].startswith("| **all** | 0.500 [0.500, 0.500] |")
    assert [line.split(" | ")[1][:5] for line in lines[3:]] == ["0.000", "1.000"] * 2


def test_regrets_fall_with_the_budget():
    values = regrets(PROBLEMS["lengths-branches"], 100, [10, 30])
    assert values.shape == (2, 2)
    assert (values[:, 1] <= values[:, 0]).all()
