"""With its structure given, a problem of searched length keeps its optimum and nothing else."""

import numpy as np
import pytest
from adapters import nested
from problems import SUITES
from solvers import OURS
from structure import SUITE, given, reduced, regrets, restored, table

from geneticpy import Optimizer

PROBLEMS = SUITES[SUITE].problems


def numbered(params):
    """Name the items of lists by their places."""
    match params:
        case dict():
            return {name: numbered(part) for name, part in params.items()}
        case list():
            return {str(at): numbered(item) for at, item in enumerate(params)}
    return params


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
    instance = problem.instance(3)
    rest, shortened = reduced(problem, instance)
    candidates = Optimizer(nested(rest.space), seed=0).ask(20)
    whole = [restored(problem.space, params) for params in candidates.params]
    assert all(structure(params) == structure(instance.best) for params in whole)
    losses = [problem.exact(3).loss(params) for params in whole]
    assert min(losses) >= problem.optimum_of(3)
    truth = shortened.truth or shortened.loss
    assert [truth(params) for params in candidates.params] == losses
    free = Optimizer(nested(problem.space), seed=0).ask(20).params
    assert any(structure(params) != structure(instance.best) for params in free)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_best_parameters_are_in_the_reduced_space(name):
    problem = PROBLEMS[name]
    best = problem.exact(3).best
    space = nested(given(problem.space, best))
    assert restored(problem.space, numbered(best)) == best
    Optimizer(space, initial=[numbered(best)], seed=0).ask(1)


def test_the_table_has_means_over_problems_and_seeds():
    values = {"lengths-chain": np.zeros((2, 6)), "lengths-chain-noisy": np.ones((2, 6))}
    lines = table(values, [50, 100]).splitlines()
    assert lines[0].count("|") == 8
    assert lines[2].startswith("| **all** | 0.500 [0.500, 0.500] |")
    assert [line.split(" | ")[1][:5] for line in lines[3:]] == ["0.000", "1.000"] * 2


def test_regrets_fall_with_the_budget(monkeypatch):
    runs = [(OURS, "searched"), (OURS, "given"), ("random", "given")]
    monkeypatch.setattr("structure.RUNS", runs)
    values = regrets(PROBLEMS["lengths-branches"], 100, [10, 30])
    assert values.shape == (3, 2)
    assert (values[:, 1] <= values[:, 0]).all()


def test_solvers_meet_the_same_noise(monkeypatch):
    monkeypatch.setattr("structure.RUNS", [("random", "given")] * 2)
    one, two = regrets(PROBLEMS["lengths-branches-noisy"], 100, [5, 20])
    assert one.tolist() == two.tolist()
