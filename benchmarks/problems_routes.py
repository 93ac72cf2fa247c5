"""Routes: the shortest round trip through 20 to 50 cities, a search over permutations.

Cities on a circle have a known best tour. Those at random in the unit square or in clusters are
solved by iterated local search (`shortest`) from several starts; references.py stores the length.
"""

from functools import partial

import numpy as np
from spaces import Order

STARTS, KICKS = 4, 600  # of the local search that computes the stored lengths


def _distances(cities):
    """Return all distances: (n, n) array."""
    return np.linalg.norm(cities[:, None] - cities[None], axis=2)


def _length(distances):
    """Make the loss: the length of the round trip divided by the number of cities."""

    def loss(params):
        """Length of the round trip for each city."""
        tour = np.asarray(params["tour"])
        return float(distances[tour, np.roll(tour, -1)].mean())

    return loss


def circle(rng, *, n):
    """Cities at random angles of a circle, in random order; best is the order of angles."""
    angles = rng.uniform(0, 2 * np.pi, n)
    around = np.argsort(angles)
    best = {"tour": around.tolist()}
    loss = _length(_distances(np.column_stack([np.cos(angles), np.sin(angles)])))
    shortest_length = loss(best)
    return (lambda params: max(0.0, loss(params) - shortest_length)), best


def uniform_cities(n):
    """Place cities at random in the unit square: (n, 2) array."""
    return np.random.default_rng([n, 1]).random((n, 2))


def clustered_cities(n):
    """Place cities around 5 centres: (n, 2) array."""
    rng = np.random.default_rng([n, 2])
    return rng.random((5, 2))[np.arange(n) % 5] + 0.05 * rng.standard_normal((n, 2))


def _two_opt(tour, distances):
    """Reverse stretches while that shortens the tour, the best one first."""
    while True:
        after = np.roll(tour, -1)
        here = distances[tour, after]
        change = distances[tour[:, None], tour[None]] + distances[after[:, None], after[None]]
        change = np.triu(change - here[:, None] - here[None], 2)
        i, j = np.unravel_index(change.argmin(), change.shape)
        if change[i, j] > -1e-12:
            return tour
        tour = np.concatenate([tour[: i + 1], tour[i + 1 : j + 1][::-1], tour[j + 1 :]])


def _or_opt(tour, distances):
    """Move the first stretch of 1 to 3 cities that is better elsewhere; None if there is none."""
    n = len(tour)
    for size in (1, 2, 3):
        for start in range(n):
            turned = np.roll(tour, -start)
            stretch, rest = turned[:size], turned[size:]
            first, last = stretch[0], stretch[-1]
            freed = distances[rest[-1], first] + distances[last, rest[0]]
            freed -= distances[rest[-1], rest[0]]
            gaps = distances[rest[:-1], rest[1:]]
            forward = distances[rest[:-1], first] + distances[last, rest[1:]] - gaps
            backward = distances[rest[:-1], last] + distances[first, rest[1:]] - gaps
            cheapest = min((forward.min(), 1), (backward.min(), -1))
            if cheapest[0] < freed - 1e-12:
                at = int((forward if cheapest[1] == 1 else backward).argmin()) + 1
                return np.concatenate([rest[:at], stretch[:: cheapest[1]], rest[at:]])
    return None


def _settle(tour, distances):
    """Apply both moves until neither helps."""
    while True:
        tour = _two_opt(tour, distances)
        moved = _or_opt(tour, distances)
        if moved is None:
            return tour
        tour = moved


def _kick(tour, rng):
    """Cut the tour into four parts and swap the middle ones (double bridge)."""
    a, b, c = np.sort(rng.choice(np.arange(1, len(tour)), 3, replace=False))
    return np.concatenate([tour[:a], tour[b:c], tour[a:b], tour[c:]])


def shortest(cities):
    """Solve by iterated local search from several starts.

    Parameters
    ----------
    cities : (n, 2) array

    Returns
    -------
    list of float
        The loss reached from each start; the optimum is taken as known when they agree.
    """
    distances, lengths = _distances(cities), []
    loss = _length(distances)
    for start in range(STARTS):
        rng = np.random.default_rng(start)
        tour = _settle(rng.permutation(len(cities)), distances)
        for _ in range(KICKS):
            other = _settle(_kick(tour, rng), distances)
            if loss({"tour": other}) <= loss({"tour": tour}):
                tour = other
        lengths.append(loss({"tour": tour}))
    return lengths


def route_recipes():
    """Rows (name, space, recipe) of the cities on circles."""
    for n in (20, 40):
        yield f"routes-circle-{n}", {"tour": Order(n)}, partial(circle, n=n)


# name: cities
MAPS = {f"routes-uniform-{n}": uniform_cities(n) for n in (20, 30, 40, 50)}
MAPS |= {f"routes-clustered-{n}": clustered_cities(n) for n in (30, 50)}


def map_recipes():
    """Rows (name, space, recipe, solve) of the cities without a known best tour."""
    for name, cities in MAPS.items():
        loss = partial(_length, _distances(cities))
        yield name, {"tour": Order(len(cities))}, loss, partial(shortest, cities)
