"""Evolution strategies and Nevergrad. The form is that of adapters.py."""

import numpy as np
from spaces import decoder

SIGMA = 1 / 6  # of the range of each gene, as Optuna calls cmaes


def solve_pycma(loss, space, *, budget, size, seed):
    """Run pycma: `fmin2` with BIPOP restarts, from random points."""
    import cma

    coordinates, decode = decoder(space)
    integers = [i for i, c in enumerate(coordinates) if c.type == "integer"]
    low, high = np.array([c.bounds for c in coordinates], dtype=float).T
    low[integers] -= 0.499
    high[integers] += 0.499
    rng = np.random.default_rng(seed)
    options = {
        "bounds": [low, high],
        "CMA_stds": high - low,
        "integer_variables": integers,
        "seed": seed + 1,  # 0 stands for the time
        "verbose": -9,
    }
    cma.fmin2(
        lambda codes: loss(decode(codes)),
        lambda: rng.uniform(low, high),
        1 / 4,
        options,
        restarts=9,
        bipop=True,
    )


def solve_cmaes(loss, space, *, budget, size, seed):
    """Run CMAwM of cmaes from the middle of the space until it stops."""
    from cmaes import CMAwM

    coordinates, decode = decoder(space)
    low, high = np.array([c.bounds for c in coordinates], dtype=float).T
    reals = np.array([c.type == "real" for c in coordinates])
    d = len(coordinates)
    optimizer = CMAwM(
        mean=np.full(d, 0.5),
        sigma=SIGMA,
        bounds=np.tile([0.0, 1.0], (d, 1)),
        steps=np.where(reals, 0.0, 1 / (high - low)),
        seed=seed,
    )
    while not optimizer.should_stop():
        told = []
        for _ in range(optimizer.population_size):
            codes, inner = optimizer.ask()
            told.append((inner, loss(decode(low + codes * (high - low)))))
        optimizer.tell(told)


def solve_catcma(loss, space, *, budget, size, seed):
    """Run CatCMAwM of cmaes, reals and integers in their own ranges, until it stops."""
    from cmaes import CatCMAwM

    coordinates, decode = decoder(space)
    places = {
        kind: [i for i, c in enumerate(coordinates) if c.type == kind]
        for kind in ("real", "integer", "category")
    }
    bounds = {kind: [coordinates[i].bounds for i in at] for kind, at in places.items()}
    optimizer = CatCMAwM(
        x_space=bounds["real"] or None,
        z_space=[list(range(low, high + 1)) for low, high in bounds["integer"]] or None,
        c_space=[high + 1 for _, high in bounds["category"]] or None,
        seed=seed,
    )
    while not optimizer.should_stop():
        told = []
        for _ in range(optimizer.population_size):
            solution = optimizer.ask()
            told.append((solution, loss(decode(_joined(solution, places)))))
        optimizer.tell(told)


def _joined(solution, places):
    """Put the three parts of a solution in the order of the coordinates."""
    codes = {}
    if solution.x is not None:
        codes |= zip(places["real"], solution.x, strict=True)
    if solution.z is not None:
        codes |= zip(places["integer"], solution.z, strict=True)
    if solution.c is not None:
        codes |= zip(places["category"], solution.c.argmax(axis=1), strict=True)
    return [codes[i] for i in sorted(codes)]


def nevergrad_space(coordinates):
    """Translate the flat encoding to a parametrization of Nevergrad."""
    import nevergrad as ng

    def parameter(c):
        """Translate one coordinate."""
        low, high = c.bounds
        if c.type == "category":
            return ng.p.Choice(list(range(high + 1)))
        number = ng.p.Scalar(lower=low, upper=high)
        return number if c.type == "real" else number.set_integer_casting()

    return ng.p.Tuple(*map(parameter, coordinates))


def solve_nevergrad(loss, space, *, budget, size, seed, optimizer):
    """Run an optimizer of Nevergrad's registry, told the budget."""
    import nevergrad as ng

    coordinates, decode = decoder(space)
    parametrization = nevergrad_space(coordinates)
    parametrization.random_state.seed(seed)
    ng.optimizers.registry[optimizer](parametrization, budget=budget).minimize(
        lambda codes: loss(decode(codes))
    )
