"""Spaces of every kind for the contract tests of operators and strategies."""

from geneticpy import (
    ChoiceDistribution,
    ListDistribution,
    LogUniformDistribution,
    PermutationDistribution,
    SubsetDistribution,
    UniformDistribution,
)

LAYER = {"units": LogUniformDistribution(4, 64, q=1), "rate": UniformDistribution(0, 1)}

SPACES = {
    "one number": {"x": UniformDistribution(0, 1)},
    "numbers": {f"x{i}": UniformDistribution(-5, 5) for i in range(10)},
    "integers": {f"n{i}": UniformDistribution(0, 20, q=1) for i in range(5)},
    "uneven integers": {f"n{i}": LogUniformDistribution(1, 900, q=1) for i in range(3)},
    "fine grid": {"n": LogUniformDistribution(1, 1e6, q=1), "x": UniformDistribution(0, 1)},
    "bits": {f"b{i}": ChoiceDistribution([False, True]) for i in range(16)},
    "choices": {f"c{i}": ChoiceDistribution(["a", "b", "c", "d"]) for i in range(4)},
    "weighted": {
        "c": ChoiceDistribution([1, 2, 3], [0.7, 0.2, 0.1]),
        "x": UniformDistribution(0, 1),
    },
    "arms": ChoiceDistribution(
        [{"a": UniformDistribution(0, 1)}, {"b": ChoiceDistribution([1, 2])}, 3]
    ),
    "list": ListDistribution(LAYER, min_size=0, max_size=6),
    "lists in lists": ListDistribution(
        ListDistribution(UniformDistribution(0, 9, q=1), 0, 3), 1, 3
    ),
    "order": PermutationDistribution(range(9)),
    "order of two": {"order": PermutationDistribution(["ab", "c"])},
    "subset": SubsetDistribution(range(12), min_size=2, max_size=5),
    "everything": {
        "layers": ListDistribution(
            {
                "kind": ChoiceDistribution([{"k": "dense", **LAYER}, "none"]),
                "order": PermutationDistribution("xyz"[i] for i in range(3)),
            },
            min_size=1,
            max_size=3,
        ),
        "features": SubsetDistribution(range(6), min_size=1),
        "rate": LogUniformDistribution(1e-4, 1),
        "constant": 3,
    },
}
