"""The problems of the quality benchmark, as a table of suites; to add one, add a row to `SUITES`.

A problem is a space, described neutrally (see spaces.py), and a recipe that makes an instance
(see problem.py).
"""

from problem import NumberedProblem, Problem, ReferencedProblem
from problems_coco import coco_recipes, precisions
from problems_continuous import continuous_recipes
from problems_depth import depth_recipes
from problems_lengths import length_recipes
from problems_lists import list_recipes
from problems_mixed import mixed_recipes
from problems_pbo import pbo_recipes, quality_levels
from problems_routes import map_recipes, route_recipes
from problems_tuning import tuning_recipes
from problems_yahpo import obstacle, yahpo_recipes
from suites import Suite

NOISE = 0.1  # of the noisy forms: share of the distance from the optimum to the median
SMALL = (50, 100, 250, 1_000)


def _problems(recipes, kind=Problem):
    """Turn (name, space, recipe) rows into problems by name."""
    return {name: kind(name, space, recipe) for name, space, recipe in recipes}


def _noisy(problems):
    """Return the noisy form of every problem, by its name."""
    forms = [Problem(f"{p.name}-noisy", p.space, p.recipe, noise=NOISE) for p in problems.values()]
    return {form.name: form for form in forms}


def _coco(name):
    """Return a suite of COCO, judged by its targets."""
    problems = _problems(coco_recipes(name), NumberedProblem)
    return Suite(problems, ("100d", "1000d"), ("cocoex",), precisions)


def _tuning(recipes, modules, obstacle=lambda: None):
    """Return a suite of losses without a known optimum."""
    problems = _problems(recipes, ReferencedProblem)
    return Suite(problems, (20, *SMALL), modules, group="real tuning", obstacle=obstacle)


def _routes():
    """Return the suite of round trips."""
    maps = {
        name: ReferencedProblem(name, space, recipe, solve=solve)
        for name, space, recipe, solve in map_recipes()
    }
    return Suite(_problems(route_recipes()) | maps, (*SMALL, 10_000))


def _classic(recipes):
    """Return a suite of the first group, whose tables have three budgets and fewer peers."""
    return Suite(_problems(recipes), group="functions and models", every_peer=False)


LISTS = _classic(list_recipes())
LENGTHS = LISTS.problems | _problems(length_recipes())
PBO = _problems(pbo_recipes(), NumberedProblem)

SUITES = {
    "continuous-5": _classic(continuous_recipes(5)),
    "continuous-20": _classic(continuous_recipes(20)),
    "mixed": _classic(mixed_recipes()),
    "lists": LISTS,
    "lengths": Suite(LENGTHS | _noisy(LENGTHS), SMALL),
    "yahpo": _tuning(yahpo_recipes(), ("onnxruntime",), obstacle),
    "tuning": _tuning(tuning_recipes(), ("sklearn",)),
    "depth": _tuning(depth_recipes(), ("sklearn",)),
    "bbob": _coco("bbob"),
    "mixint": _coco("bbob-mixint"),
    "pbo": Suite(PBO, (2_000, "100d"), ("ioh",), quality_levels),
    "routes": _routes(),
}

PROBLEMS = {name: p for suite in SUITES.values() for name, p in suite.problems.items()}
