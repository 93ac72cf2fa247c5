"""What ``geneticpy demo`` shows: the toy of the README, then a real tuning run."""

from __future__ import annotations

import runpy
from importlib.util import find_spec
from pathlib import Path

import geneticpy


def run(*, quick: bool = False, seed: int = 0) -> None:
    """Run the toy, and the tuning run where scikit-learn is installed.

    Parameters
    ----------
    quick : bool, default False
        Fewer evaluations: a few seconds in place of one to two minutes.
    seed : int, default 0
        Seed of both runs.
    """
    print("1. A toy: a choice, a stepped range and a Gaussian")
    run_toy(generation_count=20 if quick else 500, seed=seed)
    print("\n2. A real job: three kinds of classifier, each with its own parameters")
    if find_spec("sklearn") is None:
        print("needs scikit-learn, which is not installed. To see it: pip install scikit-learn")
        return
    runpy.run_path(str(tuning_script()))["main"](quick=quick, seed=seed)


def run_toy(*, generation_count: int, seed: int) -> None:
    """Minimize the README's toy with a progress bar and print the best point."""
    space = {
        "type": geneticpy.ChoiceDistribution(choice_list=["add", "multiply"]),
        "x": geneticpy.UniformDistribution(low=5, high=10, q=1),
        "y": geneticpy.GaussianDistribution(mean=0, standard_deviation=1),
    }
    result = geneticpy.optimize(
        toy_loss, space, size=200, generation_count=generation_count, verbose=True, seed=seed
    )
    if result.message.startswith("interrupted"):
        raise KeyboardInterrupt  # optimize returned what it had; the demo ends here
    print(f"best loss    {result.loss:.6g}")
    print(f"parameters   {result.best_params}")
    print(f"evaluations  {result.evaluations} in {result.total_time:.2f} s")
    print(f"stopped      {result.message}")


def toy_loss(params: dict) -> float:
    """Return x + y or x * y, as the parameter ``type`` says."""
    if params["type"] == "add":
        return params["x"] + params["y"]
    return params["x"] * params["y"]


def tuning_script() -> Path:
    """Return the path of tune_classifier.py, which an installation has inside the package.

    A checkout, and so an editable installation, has its folder beside the package instead.
    """
    package = Path(__file__).parent
    folders = (package / "examples", package.parent / "examples")
    scripts = [folder / "tune_classifier.py" for folder in folders]
    return next((script for script in scripts if script.exists()), scripts[0])
