"""Surrogates of real tuning: two scenarios of YAHPO Gym, evaluated by onnxruntime.

The folder with the models is named by the environment variable YAHPO_DATA; it has a folder for
each scenario with model.onnx, encoding.json and config_space.json.

References
----------
.. [1] Pfisterer et al., "YAHPO Gym: an efficient multi-objective multi-fidelity benchmark for
   hyperparameter optimization", AutoML 2022.
.. [2] Zimmer, Lindauer & Hutter, "Auto-PyTorch Tabular", IEEE TPAMI 43, 2021 (lcbench).
"""

import json
import os
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from spaces import Category, Integer, Real


@dataclass(frozen=True)
class Scenario:
    """How a model is called.

    Attributes
    ----------
    categories, numbers : tuple of str
        The columns of x_cat and x_cont, in order.
    fixed : dict
        Fidelities.
    task : str
        The category that names the data set.
    tasks : tuple of str
    target : int
        Column of the output.
    unit : float
        Accuracy that counts as 1.
    space : dict
    """

    categories: tuple
    numbers: tuple
    fixed: dict
    task: str
    tasks: tuple
    target: int
    unit: float
    space: dict


SCENARIOS = {
    "lcbench": Scenario(
        categories=("OpenML_task_id",),
        numbers=(
            "epoch",
            "batch_size",
            "learning_rate",
            "momentum",
            "weight_decay",
            "num_layers",
            "max_units",
            "max_dropout",
        ),
        fixed={"epoch": 52},
        task="OpenML_task_id",
        tasks=("167168", "189873", "189906", "3945", "7593", "34539", "126026", "189354"),
        target=1,  # val_accuracy
        unit=100.0,
        space={
            "batch_size": Integer(16, 512, log=True),
            "learning_rate": Real(1e-4, 1e-1, log=True),
            "momentum": Real(0.1, 0.99),
            "weight_decay": Real(1e-5, 1e-1),
            "num_layers": Integer(1, 5),
            "max_units": Integer(64, 1024, log=True),
            "max_dropout": Real(0.0, 1.0),
        },
    ),
    "rbv2_rpart": Scenario(
        categories=("task_id", "num.impute.selected.cpo"),
        numbers=("cp", "maxdepth", "minbucket", "minsplit", "trainsize", "repl"),
        fixed={"trainsize": 1.0, "repl": 10},
        task="task_id",
        tasks=("14", "40499", "1040", "12", "16", "37"),
        target=0,  # acc
        unit=1.0,
        space={
            "cp": Real(0.0009118819655545162, 1.0, log=True),
            "maxdepth": Integer(1, 30),
            "minbucket": Integer(1, 100),
            "minsplit": Integer(1, 100),
            "num.impute.selected.cpo": Category(("impute.mean", "impute.median", "impute.hist")),
        },
    ),
}


def folder():
    """Return the folder of the scenarios, or None."""
    named = os.environ.get("YAHPO_DATA")
    return Path(named) if named else None


def obstacle():
    """Return the reason why the suite cannot run here, or None."""
    if folder() is None:
        return "YAHPO_DATA is not set"
    absent = [name for name in SCENARIOS if not (folder() / name / "model.onnx").exists()]
    return f"YAHPO_DATA has no {', '.join(absent)}" if absent else None


@cache
def _session(name):
    """Open a model with one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = str(folder() / name / "model.onnx")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@cache
def _encoding(name):
    """Read the numbers of the categories."""
    return json.loads((folder() / name / "encoding.json").read_text())


def losses(name, task, columns):
    """Evaluate many points at once.

    Parameters
    ----------
    name : str
        Of the scenario.
    task : str
        Data set.
    columns : sequence of dict
        Parameters of each point.

    Returns
    -------
    (n,) array
        One minus the accuracy.
    """
    scenario, encoding = SCENARIOS[name], _encoding(name)
    rows = [params | scenario.fixed | {scenario.task: task} for params in columns]
    categories = [[encoding[key][row[key]] for key in scenario.categories] for row in rows]
    numbers = [[row[key] for key in scenario.numbers] for row in rows]
    inputs = {"x_cat": np.array(categories, np.int32), "x_cont": np.array(numbers, np.float32)}
    (output,) = _session(name).run(None, inputs)
    return 1.0 - output[:, scenario.target] / scenario.unit


def _recipe(name, task):
    """Make the loss of a data set."""
    return lambda params: float(losses(name, task, [params])[0])


def yahpo_recipes():
    """Rows (name, space, recipe)."""
    for name, scenario in SCENARIOS.items():
        for task in scenario.tasks:
            label = f"{name.removeprefix('rbv2_')}-{task}"
            yield label, scenario.space, partial(_recipe, name, task)
