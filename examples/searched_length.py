"""A list of searched length: how many line segments, and which, to fit a curve with.

Every knot of a piecewise linear curve is one item of a list, so the number of knots is searched
along with their places. A knot costs 0.01, so that a knot stays only where it pays.
"""

import math
from itertools import pairwise

import geneticpy

POINTS = [i / 60 for i in range(61)]
CURVE = [math.sin(5 * x) + (x > 0.7) for x in POINTS]
KNOT_PRICE = 0.01

space = {
    "knots": geneticpy.ListDistribution(
        {"x": geneticpy.UniformDistribution(0, 1), "y": geneticpy.UniformDistribution(-2, 2)},
        min_size=2,
        max_size=12,
    )
}


def interpolate(knots, x):
    """Return the height at ``x`` of the polyline through the sorted ``knots``."""
    left, right = knots[0], knots[-1]
    if x <= left["x"]:
        return left["y"]
    if x >= right["x"]:
        return right["y"]
    for left, right in pairwise(knots):
        if left["x"] <= x < right["x"]:
            break
    share = (x - left["x"]) / (right["x"] - left["x"])
    return left["y"] + share * (right["y"] - left["y"])


def loss_function(params):
    """Return the mean absolute error of the polyline plus the price of its knots."""
    knots = sorted(params["knots"], key=lambda knot: knot["x"])
    errors = [abs(interpolate(knots, x) - y) for x, y in zip(POINTS, CURVE, strict=True)]
    return sum(errors) / len(errors) + KNOT_PRICE * len(knots)


def main(generation_count=200):
    """Search and print the knots of the best curve."""
    result = geneticpy.optimize(
        loss_function, space, size=100, generation_count=generation_count, seed=0
    )
    print(f"loss {result.loss:.4f} with {len(result.best_params['knots'])} knots")
    for knot in sorted(result.best_params["knots"], key=lambda knot: knot["x"]):
        print(f"  x = {knot['x']:.3f}   y = {knot['y']:+.3f}")


if __name__ == "__main__":
    main()
