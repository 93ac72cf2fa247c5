"""When a run has nothing more to gain."""

import numpy as np
import pytest

from geneticpy.evolution.strategies.convergence import Progress


def generations(losses, d=5, size=10):
    """Number of generations after which a run of them stops; their count if it does not."""
    progress = Progress(d, size)
    for number, loss in enumerate(losses):
        if progress.stopped:
            return number
        progress.add(np.asarray(loss, float))
    return len(losses)


def test_falling_losses_go_on():
    assert generations([100 * 0.9**g + np.arange(10) for g in range(1000)]) > 500
    assert generations([-float(g) + np.arange(10) for g in range(1000)]) == 1000


@pytest.mark.parametrize("value", [0.0, 3.0, -1e308, 1e-300, np.inf])
def test_equal_losses_stop_after_the_window(value):
    # 10 + 30 * 5 / 10 generations
    assert generations([np.full(10, value)] * 1000) == 25


def test_a_range_within_rounding_errors_is_flat():
    assert generations([5 + 1e-13 * np.arange(10)] * 1000) == 25
    assert (
        generations([5 + 1e-9 * np.random.default_rng(0).random(10) - g for g in range(99)]) == 99
    )


def test_some_failures_are_not_flat():
    assert generations([[-float(g), 1, np.inf] for g in range(100)]) == 100


def test_losses_at_random_stagnate():
    rng = np.random.default_rng(0)
    assert 100 < generations([rng.random(10) for _ in range(2000)]) < 1000


@pytest.mark.filterwarnings("error")
def test_extreme_losses_do_not_overflow():
    assert generations([[-1.7e308, 1.7e308]] * 200, size=2) > 50
