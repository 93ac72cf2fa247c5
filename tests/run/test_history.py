"""The record of a run: columns, parameters, failures, export, pickling, memory."""

import copy
import itertools
import pickle
import tracemalloc

import numpy as np
import pytest

from geneticpy import (
    ChoiceDistribution,
    EvaluationWarning,
    ListDistribution,
    UniformDistribution,
    optimize,
)
from geneticpy.evolution.models.threads import one_thread
from geneticpy.run.history import History

SPACE = {
    "x": UniformDistribution(0, 1),
    "layers": ListDistribution({"units": UniformDistribution(1, 9, q=1)}, 0, 2),
    "kind": ChoiceDistribution(["a", "b"]),
}


class Rows:
    """A decoder that shows which row it was given."""

    def decode(self, genes):
        return [f"row {row[0]:g}" for row in genes]


def history_of(n, d=1):
    """Return a history of `n` rows, the genes of which count from 0."""
    history = History(Rows(), d)
    add(history, n)
    return history


def add(history, n, errors=None):
    start, d = len(history), history.genes.shape[1]
    history.append(
        errors or {},
        id=np.arange(start, start + n) + 100,
        generation=start // 5,
        genes=np.arange(start, start + n)[:, None].repeat(d, axis=1),
        loss=np.arange(start, start + n) * 0.5,
        species=np.full(n, 2**64 - 1 - start // 4, np.uint64),
        parents=np.full((n, 2), -1),
        seconds=np.full(n, 0.25),
    )


@pytest.fixture(scope="module")
def result():
    return optimize(lambda params: params["x"], SPACE, size=20, generation_count=6, seed=0)


def reason_of(i):
    """Return why evaluation `i` of the failing run fails; None if it does not."""
    return (
        "ValueError: no, please" if i % 3 == 1 else "the loss returned nan" if i % 5 == 2 else None
    )


@pytest.fixture(scope="module")
def failing():
    calls = itertools.count()

    def fn(params):
        i = next(calls)
        if reason_of(i) == "ValueError: no, please":
            raise ValueError("no,\n  please")
        return params["x"] if reason_of(i) is None else float("nan")

    with pytest.warns(EvaluationWarning) as told:
        result = optimize(fn, SPACE, size=20, generation_count=6, seed=0)
    assert len(told) == 1
    assert f"{len(result.failures)} of 80 evaluations failed" in str(told[0].message)
    assert told[0].filename == __file__
    return result


# Columns

COLUMNS = {
    "id": ((), np.int64),
    "generation": ((), np.int32),
    "genes": ((5,), np.float64),  # x, size, two units, kind
    "loss": ((), np.float64),
    "parents": ((2,), np.int64),
    "seconds": ((), np.float64),
    "species": ((), np.int64),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_have_a_row_for_each_evaluation(result, name):
    shape, kind = COLUMNS[name]
    column = getattr(result.history, name)
    assert len(result.history) == result.evaluations == 80
    assert column.shape == (80, *shape)
    assert column.dtype == kind


def test_columns_mean_what_they_say(result):
    history = result.history
    assert history.id.tolist() == list(range(80))
    assert history.generation.tolist() == [0] * 20 + np.arange(1, 7).repeat(10).tolist()
    assert history.loss.tolist() == [history.params(i)["x"] for i in range(80)]
    assert history.loss.min() == result.loss
    assert (history.seconds >= 0).all()
    assert history.seconds.sum() < result.total_time
    assert history.error == [None] * 80


def test_parents_are_earlier_evaluations(result):
    parents = result.history.parents
    assert (parents < result.history.id[:, None]).all()
    assert (parents >= -1).all()
    assert (parents[:5] == -1).all()  # the first batch
    assert (parents[20:, 0] >= 0).any()


def test_species_are_structures_numbered_in_order_of_appearance(result):
    label = {}
    for i in range(80):
        label.setdefault(len(result.history.params(i)["layers"]), len(label))
    expected = [label[len(result.history.params(i)["layers"])] for i in range(80)]
    assert result.history.species.tolist() == expected
    assert max(expected) == 2


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "species"])
def test_columns_are_read_only(result, name):
    column = getattr(result.history, name)
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 0
    with pytest.raises(AttributeError):
        setattr(result.history, name, column)


def test_columns_grow_with_their_rows_in_place():
    history = History(Rows(), 1)
    for n in (1, 1023, 1, 4000, 7):
        add(history, n)
    assert len(history) == 5032
    assert history.genes[:, 0].tolist() == list(range(5032))
    assert history.loss.tolist() == [i * 0.5 for i in range(5032)]
    assert history.id.tolist() == list(range(100, 5132))


def test_a_column_taken_before_keeps_its_rows():
    history = history_of(1000)
    before = history.loss
    add(history, 5000)
    assert before.tolist() == [i * 0.5 for i in range(1000)]


def test_rows_that_do_not_fit_change_nothing():
    history = history_of(3)
    with pytest.raises(ValueError, match="broadcast"):
        history.append(
            {0: "broken"},
            id=np.arange(2),
            generation=0,
            genes=np.zeros((2, 9)),
            loss=np.zeros(2),
            species=np.zeros(2, np.uint64),
            parents=np.zeros((2, 2)),
            seconds=np.zeros(2),
        )
    assert len(history) == 3
    assert history.failed_rows == []


def test_repr_counts_rows_and_failures(failing):
    assert repr(failing.history) == "<History of 80 evaluations, 38 failed>"


# Parameters of a row


def test_params_count_from_both_ends():
    history = history_of(4)
    assert [history.params(i) for i in range(4)] == ["row 0", "row 1", "row 2", "row 3"]
    assert [history.params(i) for i in (-1, -4)] == ["row 3", "row 0"]
    assert history.params(np.int64(2)) == "row 2"


@pytest.mark.parametrize("i", [4, -5, 10**9])
def test_params_of_a_row_that_is_not_there(i):
    with pytest.raises(IndexError, match=rf"history: row must be within 4 rows, got {i}"):
        history_of(4).params(i)


def test_params_are_made_anew_each_time(result):
    result.history.params(3)["layers"].append("changed")
    assert "changed" not in result.history.params(3)["layers"]


def test_best_row_is_the_first_of_the_smallest_that_did_not_fail():
    history = History(Rows(), 1)
    assert history.best(1.0) is None
    for loss in ([np.nan, np.inf], [3.0, 1.0, 5.0], [1.0, 5.0]):
        add(history, len(loss))
        history._columns["loss"][len(history) - len(loss) : len(history)] = loss
    assert history.best(1.0) == 3
    assert history.best(-1.0) == 1  # inf; the one before it failed


# Failures


def test_failures_are_counted_and_explained(failing):
    history, failures = failing.history, failing.failures
    failed = np.flatnonzero(np.isnan(history.loss)).tolist()
    assert failing.evaluations == 80
    assert 0 < len(failures) == len(failed) < 80
    assert [failure.id for failure in failures] == failed
    for failure in failures:
        assert failure.params == history.params(failure.id)
        assert failure.reason == reason_of(failure.id)
    assert history.error == [reason_of(i) for i in range(80)]


def test_failures_are_a_sequence(failing):
    failures = failing.failures
    everything = list(failures)
    assert failures[0] == everything[0]
    assert failures[-1] == everything[-1]
    assert failures[1:3] == everything[1:3]
    assert everything[2] in failures
    with pytest.raises(IndexError):
        failures[len(failures)]


def test_failures_print_grouped_by_reason_the_most_frequent_first(failing):
    failures = failing.failures
    groups = {}
    for failure in failures:
        groups.setdefault(failure.reason, []).append(failure)
    lines = str(failures).splitlines()
    assert lines[0] == f"{len(failures)} of 80 evaluations failed"
    assert lines[1:] == [
        f"  {len(group)} x {reason} (first: id {group[0].id}, {group[0].params!r})"
        for reason, group in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]
    assert lines[1].startswith("  27 x ValueError: no, please (first: id 1, {'x': ")
    assert lines[2].startswith("  11 x the loss returned nan (first: id 2, {'x': ")


def test_no_failures_print_as_such(result):
    assert str(result.failures) == "0 of 80 evaluations failed"
    assert list(result.failures) == []


def test_reasons_are_cut():
    losses = iter([1.0])

    def fn(params):
        for loss in losses:
            return loss
        raise ValueError("long " * 1000)

    with pytest.warns(EvaluationWarning):
        result = optimize(fn, SPACE, size=5, generation_count=0)
    assert [len(failure.reason) for failure in result.failures] == [300] * 4


# Export


def test_to_dict_has_a_list_for_each_column(failing):
    columns, history = failing.history.to_dict(), failing.history
    assert list(columns) == [
        "id",
        "generation",
        "params",
        "loss",
        "species",
        "parents",
        "seconds",
        "error",
    ]
    assert all(type(column) is list and len(column) == 80 for column in columns.values())
    assert columns["params"] == [history.params(i) for i in range(80)]
    assert columns["error"] == history.error
    assert columns["parents"] == history.parents.tolist()
    np.testing.assert_equal(columns["loss"], history.loss)


def test_to_pandas_has_a_row_for_each_evaluation_and_dotted_names(failing):
    pytest.importorskip("pandas")
    frame, history = failing.history.to_pandas(), failing.history
    assert list(frame.columns) == [
        "id",
        "generation",
        "loss",
        "species",
        "seconds",
        "error",
        "parent_1",
        "parent_2",
        *[name for name in frame.columns if name.startswith("params.")],
    ]
    assert {"params.x", "params.kind", "params.layers.0.units", "params.layers.1.units"} < set(
        frame.columns
    )
    assert len(frame) == 80
    np.testing.assert_equal(frame["loss"].to_numpy(), history.loss)
    assert frame[["parent_1", "parent_2"]].to_numpy().tolist() == history.parents.tolist()
    assert frame["params.x"].tolist() == [history.params(i)["x"] for i in range(80)]
    for i in range(80):
        layers = history.params(i)["layers"]
        units = frame["params.layers.1.units"][i]
        assert (units != units) if len(layers) < 2 else units == layers[1]["units"]


def test_to_pandas_of_a_bare_distribution_and_of_nothing():
    pytest.importorskip("pandas")
    frame = optimize(abs, UniformDistribution(-2, 2, q=1)).history.to_pandas()
    assert sorted(frame["params"]) == [-2, -1, 0, 1, 2]
    assert len(History(Rows(), 1).to_pandas()) == 0


# Pickling


@pytest.mark.parametrize("copied", [lambda r: pickle.loads(pickle.dumps(r)), copy.deepcopy])
def test_a_result_is_pickled_with_everything(failing, copied):
    again = copied(failing)
    assert tuple(again) == tuple(failing)
    assert (again.message, again.generations) == (failing.message, failing.generations)
    assert again.history.genes.tobytes() == failing.history.genes.tobytes()
    assert str(again.failures) == str(failing.failures)
    assert again.history.params(-1) == failing.history.params(-1)


def test_reserved_rows_are_not_pickled():
    sizes = [len(pickle.dumps(history_of(n, d=10))) for n in (10, 1000)]
    assert sizes[0] < 10_000
    assert sizes[1] - sizes[0] < 990 * 140


def test_an_unpickled_history_can_grow():
    history = pickle.loads(pickle.dumps(history_of(3)))
    add(history, 2)
    assert [history.params(i) for i in (0, 4)] == ["row 0", "row 4"]


# Memory


def test_a_million_evaluations_of_ten_genes_fit():
    # 132 bytes a row; half more is reserved, and the genes are held twice while they grow
    tracemalloc.start()
    history = History(Rows(), 10)
    block = 50_000
    for _ in range(20):
        add(history, block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(history) == 1_000_000
    assert peak < 300e6


def test_a_result_keeps_its_columns_and_nothing_else():
    # 60 bytes a row, and half more reserved; the optimizer knows some 100 more of each point
    space = {"x": UniformDistribution(0, 1)}
    with one_thread():
        pass  # loads the modules that it needs
    tracemalloc.start()
    result = optimize(
        lambda columns: columns["x"], space, size=2000, generation_count=48, vectorized=True
    )
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert result.evaluations == 50_000
    assert 50_000 * 60 < kept < 50_000 * 100
