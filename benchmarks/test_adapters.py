"""Checks of the translations: every space reaches every library, and its points come back."""

import contextlib
import json

import adapters
import adapters_models as models
import numpy as np
import pytest
from problems import PROBLEMS
from solvers import NO_ORDER, SOLVERS
from spaces import Category, Integer, ListOf, Order, Real, Variant, decoder, draw, kinds_of

SPACES = list({json.dumps(str(p.space)): p.space for p in PROBLEMS.values()}.values())
WITHOUT_ORDER = [space for space in SPACES if kinds_of(space) <= NO_ORDER]


def belongs(params, space):
    """Whether plain parameters are a point of a space."""
    match space:
        case dict():
            return params.keys() == space.keys() and all(
                belongs(params[name], part) for name, part in space.items()
            )
        case Real() | Integer():
            kind = float if isinstance(space, Real) else int
            inside = space.low * (1 - 1e-12) <= params <= space.high * (1 + 1e-12)
            return isinstance(params, kind) and (inside or space.low <= params <= space.high)
        case Category():
            return params in space.options
        case Variant():
            rest = {name: value for name, value in params.items() if name != "kind"}
            return belongs(rest, space.arms[params["kind"]])
        case ListOf():
            fits = space.min_size <= len(params) <= space.max_size
            return fits and all(belongs(item, space.element) for item in params)
        case Order():
            return sorted(params) == list(range(space.size))
    return False


@pytest.mark.parametrize("space", SPACES)
def test_draws_and_flat_codes_are_points_of_the_space(space):
    rng = np.random.default_rng(0)
    coordinates, decode = decoder(space)
    for _ in range(20):
        assert belongs(draw(space, rng), space)
        codes = [rng.uniform(*coordinate.bounds) for coordinate in coordinates]
        assert belongs(decode(codes), space)


@pytest.mark.parametrize("space", SPACES)
def test_this_package_gets_the_space_as_it_is(space):
    seen = []
    adapters.solve_geneticpy(
        lambda params: seen.append(params) or len(seen), space, budget=12, size=10, seed=0
    )
    assert len(seen) == 12
    assert all(belongs(params, space) for params in seen)


@pytest.mark.parametrize("space", WITHOUT_ORDER)
def test_optuna_gets_the_conditional_space(space):
    optuna = pytest.importorskip("optuna")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(10):
        assert belongs(models.suggest(study.ask(), space), space)


@pytest.mark.parametrize("space", WITHOUT_ORDER)
def test_hyperopt_gets_the_conditional_space(space):
    pytest.importorskip("hyperopt")
    from hyperopt.pyll.stochastic import sample

    expression = models.hyperopt_space(space)
    rng = np.random.default_rng(0)
    for _ in range(3):
        assert belongs(python_numbers(models.plain(sample(expression, rng=rng))), space)


def python_numbers(params):
    """Turn the numpy numbers of `sample` into those that `fmin` passes on."""
    if isinstance(params, dict):
        return {name: python_numbers(part) for name, part in params.items()}
    if isinstance(params, list):
        return [python_numbers(part) for part in params]
    return params.item() if isinstance(params, np.generic) else params


@pytest.mark.parametrize("space", WITHOUT_ORDER)
def test_smac_gets_the_conditional_space(space):
    pytest.importorskip("ConfigSpace")
    configurations = models.configuration_space(space, seed=0)
    for configuration in configurations.sample_configuration(10):
        values = models.Configuration(dict(configuration))
        assert belongs(models.suggest(values, space), space)


@pytest.mark.parametrize("space", SPACES)
def test_nevergrad_gets_the_flat_space(space):
    pytest.importorskip("nevergrad")
    import adapters_strategies as strategies

    coordinates, decode = decoder(space)
    parametrization = strategies.nevergrad_space(coordinates)
    for _ in range(3):
        assert belongs(decode(parametrization.sample().value), space)


def test_solvers_that_are_not_told_their_budget_make_the_same_run_longer():
    from budget import BudgetSpentError, CountedLoss
    from solvers import run

    problem = PROBLEMS["lengths-profile"]
    for name in ("random", "Optuna TPE"):
        if name != "random":
            pytest.importorskip("optuna")
        assert not SOLVERS[name].told
        traces = []
        for budget in (15, 30):
            loss = CountedLoss(problem.instance(0).loss, budget)
            with contextlib.suppress(BudgetSpentError):
                run(name, problem, loss, budget=budget, seed=0)
            traces.append([point for point in loss.trace if point[0] <= 15])
        assert traces[0] == traces[1]
