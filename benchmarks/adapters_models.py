"""Solvers that model the loss: Optuna, Hyperopt, SMAC3. The form is that of adapters.py."""

import math
import tempfile

import numpy as np
from spaces import Category, Integer, ListOf, Real, Variant


def suggest(trial, space, path=""):
    """Define the space by running it: the way Optuna handles conditions and lengths."""
    match space:
        case dict():
            return {name: suggest(trial, part, f"{path}.{name}") for name, part in space.items()}
        case Real():
            return trial.suggest_float(path, space.low, space.high, log=space.log)
        case Integer():
            return trial.suggest_int(path, space.low, space.high, log=space.log)
        case Category():
            return trial.suggest_categorical(path, space.options)
        case Variant():
            kind = trial.suggest_categorical(f"{path}.kind", list(space.arms))
            return {"kind": kind, **suggest(trial, space.arms[kind], f"{path}.{kind}")}
        case ListOf():
            size = trial.suggest_int(f"{path}.length", space.min_size, space.max_size)
            return [suggest(trial, space.element, f"{path}[{i}]") for i in range(size)]
    raise TypeError(f"suggest: not a description of a space, got {space!r}.")


def solve_optuna(loss, space, *, budget, size, seed, sampler, **settings):
    """Run a sampler of Optuna on the conditional space."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    study = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed, **settings))
    study.optimize(lambda trial: loss(suggest(trial, space)), n_trials=budget)


def hyperopt_space(space, path="root"):
    """Translate to the expressions of Hyperopt; a list is a choice among its lengths."""
    from hyperopt import hp
    from hyperopt.pyll import scope

    match space:
        case dict():
            return {name: hyperopt_space(part, f"{path}.{name}") for name, part in space.items()}
        case Real(log=True):
            return hp.loguniform(path, math.log(space.low), math.log(space.high))
        case Real():
            return hp.uniform(path, space.low, space.high)
        case Integer(log=True):
            low, high = math.log(space.low), math.log(space.high)
            return scope.int(hp.qloguniform(path, low, high, 1))
        case Integer():
            return hp.uniformint(path, space.low, space.high)
        case Category():
            return hp.choice(path, list(space.options))
        case Variant():
            arms = space.arms.items()
            parts = [{"kind": k, **hyperopt_space(arm, f"{path}.{k}")} for k, arm in arms]
            return hp.choice(f"{path}.kind", parts)
        case ListOf():
            items = [hyperopt_space(space.element, f"{path}[{i}]") for i in range(space.max_size)]
            sizes = range(space.min_size, space.max_size + 1)
            return hp.choice(f"{path}.length", [items[:n] for n in sizes])
    raise TypeError(f"hyperopt_space: not a description of a space, got {space!r}.")


def plain(params):
    """Turn the tuples that Hyperopt passes for lists into lists."""
    if isinstance(params, dict):
        return {name: plain(part) for name, part in params.items()}
    return [plain(part) for part in params] if isinstance(params, (list, tuple)) else params


def solve_hyperopt(loss, space, *, budget, size, seed):
    """Hyperopt: `tpe.suggest` on nested choices."""
    from hyperopt import fmin, tpe

    fmin(
        lambda params: loss(plain(params)),
        hyperopt_space(space),
        algo=tpe.suggest,
        max_evals=budget + 1,
        rstate=np.random.default_rng(seed),
        show_progressbar=False,
        verbose=False,
    )


class Configuration:
    """A configuration of SMAC, read by `suggest` as if it were a trial of Optuna."""

    def __init__(self, values):
        self._values = values

    def suggest_float(self, name, low, high, log):
        """Return the value of a float."""
        return float(self._values[name])

    def suggest_int(self, name, low, high, log=False):
        """Return the value of an integer."""
        return int(self._values[name])

    def suggest_categorical(self, name, options):
        """Return the option of a choice, which is stored by its index."""
        return options[int(self._values[name])]


def configuration_space(space, seed):
    """Translate to a ConfigSpace with conditions, with the names that `suggest` uses."""
    from ConfigSpace import ConfigurationSpace

    configurations = ConfigurationSpace(seed=seed)
    _configure(configurations, space, "", lambda child: None)
    return configurations


def _configure(into, space, path, guard):
    """Add a part of a space; `guard` makes the condition of what is in it, or None."""
    import ConfigSpace as c

    def add(parameter):
        """Add a hyperparameter and its condition."""
        into.add(parameter)
        condition = guard(parameter)
        if condition is not None:
            into.add(condition)
        return parameter

    match space:
        case dict():
            for name, part in space.items():
                _configure(into, part, f"{path}.{name}", guard)
        case Real():
            add(c.UniformFloatHyperparameter(path, space.low, space.high, log=space.log))
        case Integer():
            add(c.UniformIntegerHyperparameter(path, space.low, space.high, log=space.log))
        case Category():
            add(c.CategoricalHyperparameter(path, list(range(len(space.options)))))
        case Variant():
            kind = add(c.CategoricalHyperparameter(f"{path}.kind", list(range(len(space.arms)))))
            for k, (name, arm) in enumerate(space.arms.items()):
                _configure(into, arm, f"{path}.{name}", _equals(kind, k))
        case ListOf():
            sizes = f"{path}.length", space.min_size, space.max_size
            length = add(c.UniformIntegerHyperparameter(*sizes))
            for i in range(space.max_size):
                inner = guard if i < space.min_size else _greater(length, i)
                _configure(into, space.element, f"{path}[{i}]", inner)


def _equals(parent, value):
    """Return a maker of conditions: active where `parent` has this value."""
    from ConfigSpace import EqualsCondition

    return lambda child: EqualsCondition(child, parent, value)


def _greater(parent, value):
    """Return a maker of conditions: active where `parent` is above this value."""
    from ConfigSpace import GreaterThanCondition

    return lambda child: GreaterThanCondition(child, parent, value)


def solve_smac(loss, space, *, budget, size, seed):
    """SMAC3: its facade for hyperparameter optimization, told that the loss has no noise."""
    from smac import HyperparameterOptimizationFacade, Scenario

    def target(config, seed=0):
        """Evaluate a configuration."""
        return loss(suggest(Configuration(dict(config)), space))

    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            configuration_space(space, seed),
            deterministic=True,
            n_trials=budget,
            seed=seed,
            output_directory=folder,
        )
        HyperparameterOptimizationFacade(
            scenario, target, logging_level=False, overwrite=True
        ).optimize()
