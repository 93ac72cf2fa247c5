"""The digest by which stored cells of this package count."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from cells import _sources

import geneticpy


@pytest.fixture
def copy(tmp_path):
    """Copy the sources of this package, as something with a `__file__`."""
    shutil.copytree(Path(geneticpy.__file__).parent, tmp_path / "geneticpy")
    return SimpleNamespace(__file__=str(tmp_path / "geneticpy" / "__init__.py"))


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("genome.py", True),
        ("space/number.py", True),
        ("evolution/strategies/screened.py", True),
        ("run/history.py", False),
        ("evaluation/pool.py", False),
    ],
)
def test_only_what_chooses_points_counts(copy, path, counts):
    before = _sources(copy)
    source = Path(copy.__file__).parent / path
    source.write_text(source.read_text() + "\n")
    assert (_sources(copy) != before) == counts
