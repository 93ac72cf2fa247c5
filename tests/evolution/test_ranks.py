"""Rank correlation against closed forms and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geneticpy.evolution.models.ranks import kendall_tau


def test_kendall_tau_of_known_lists():
    assert kendall_tau(np.arange(5.0), np.arange(5.0) ** 3) == 1
    assert kendall_tau(np.arange(5.0), -np.arange(5.0)) == -1
    # 5 of 6 pairs agree
    np.testing.assert_allclose(kendall_tau(np.arange(4), np.array([0, 1, 3, 2])), 4 / 6)
    assert kendall_tau(np.ones(4), np.arange(4.0)) == 0
    assert kendall_tau(np.array([0.0, 1.0, np.inf]), np.arange(3.0)) == 1


@settings(deadline=None, derandomize=True)
@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
def test_kendall_tau_counts_ties_as_scipy_does(pairs):
    stats = pytest.importorskip("scipy.stats")
    one, two = np.array(pairs, float).T
    if len(set(one)) > 1 and len(set(two)) > 1:
        expected = stats.kendalltau(one, two).statistic
        np.testing.assert_allclose(kendall_tau(one, two), expected, atol=1e-12)
