"""A run that goes on from its journal is the run that was not interrupted."""

import asyncio
import contextlib
import inspect
import sqlite3
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from journal_cases import (
    BITS,
    LINE,
    NUMBERS,
    OBJECTS,
    ROOM,
    SMALL,
    Interrupted,
    columns,
    in_pieces,
    random_pieces,
    scattered,
)

from geneticpy import (
    ArgumentError,
    ChoiceDistribution,
    DistributionBase,
    EvaluationError,
    EvaluationWarning,
    JournalError,
    LossError,
    SpaceError,
    UniformDistribution,
    optimize,
)
from geneticpy.run.journal_file import BLOCK, checksum
from geneticpy.run.recorded import read

pytestmark = pytest.mark.filterwarnings("ignore::geneticpy.EvaluationWarning")


def never(params):
    pytest.fail(f"{params} was evaluated before")


def noisy(params, rng):
    return scattered(params) + rng.normal()


class Numbers:
    """A strategy of the user's own."""

    def begin(self, rng, genome, budget):
        self.rng, self.d = rng, genome.d

    def propose(self, n):
        return self.rng.random((n, self.d))

    def update(self, rows):
        pass


CASES = {
    "screened": (LINE, {}),
    "numeric": (NUMBERS, {"strategy": "numeric", "size": 40}),
    "discrete": (BITS, {"strategy": "discrete", "size": 40}),
    "handover": (NUMBERS, {"size": 100, "generation_count": 8}),
    "lists": (ROOM, {"surrogate": False, "size": 40}),
    "objects": (OBJECTS, {"surrogate": False}),
    "own strategy": (LINE, {"strategy": Numbers()}),
    "batches": (ROOM, {"surrogate": False, "batch": 7}),
    "tournaments": (LINE, {"surrogate": False, "use_tournament_selection": True}),
    "adaptive": (LINE, {"surrogate": False, "mutate_chance": 0.2, "adaptive_mutation": True}),
    "initial": (LINE, {"initial": [{"x": 0.25}, {"x": 4}], "surrogate": False}),
    "constraint": (LINE, {"constraint": lambda params: params["x"] > 0, "surrogate": False}),
    "noise": (LINE, {"cache": False, "fn": noisy}),
    "maximize": (LINE, {"maximize_fn": True, "surrogate": False}),
    "two workers": (LINE, {"workers": "threads:2", "surrogate": False, "batch": 4}),
    "seedless": (LINE, {"seed": None, "surrogate": False}),
    "small space": ({"x": ChoiceDistribution(range(30))}, {"surrogate": False}),
    "patience": (LINE, {"patience": 2, "surrogate": False, "generation_count": 40}),
    "target": (LINE, {"target": 0.03, "surrogate": False, "generation_count": 40}),
    "capped": (LINE, {"max_evaluations": 23, "surrogate": False}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_run_in_pieces_is_the_whole_run(case, tmp_path):
    space, given = CASES[case]
    settings = SMALL | given
    fn = settings.pop("fn", scattered)
    pieces = random_pieces(5, 12 if case != "handover" else 100, 4)
    pieced = in_pieces(fn, space, tmp_path / "a.db", pieces, **settings)
    if settings["seed"] is None:
        whole = optimize(fn, space, journal=tmp_path / "a.db", **settings)
    else:
        whole = optimize(fn, space, **settings)
    assert columns(pieced) == columns(whole)
    recorded = read(tmp_path / "a.db").runs
    assert [run.kind for run in recorded] == ["fresh"]
    assert sorted(row.id for row in recorded[0].rows) == sorted(whole.history.id)
    assert recorded[0].ended == whole.message


def spread(columns):
    return np.sin(17 * columns["x"])


async def awaited(params):
    await asyncio.sleep(0)
    return scattered(params)


@pytest.mark.parametrize(
    ("fn", "given"),
    [
        (spread, {"vectorized": True}),
        (awaited, {}),
        (scattered, {"workers": 2, "batch": 5}),
        (scattered, {"executor": map}),
    ],
    ids=["vectorized", "coroutine", "processes", "map"],
)
def test_every_kind_of_evaluation_goes_on(fn, given, tmp_path):
    settings = SMALL | {"surrogate": False} | given
    whole = optimize(fn, LINE, **settings)
    stop = {"callback": lambda progress: progress.generation == 2}
    first = optimize(fn, LINE, journal=tmp_path / "a.db", **settings, **stop)
    assert first.evaluations == 20
    second = optimize(fn, LINE, journal=tmp_path / "a.db", **settings)
    assert columns(second) == columns(whole)


@pytest.mark.parametrize("bits", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_the_seed_need_not_be_given_again(bits, tmp_path):
    def seed():
        return np.random.Generator(getattr(np.random, bits)(17))

    settings = {"size": 10, "generation_count": 3, "surrogate": False}
    whole = optimize(scattered, LINE, seed=seed(), **settings)
    optimize(Interrupted(scattered, 8), LINE, seed=seed(), journal=tmp_path / "a.db", **settings)
    optimize(Interrupted(scattered, 3), LINE, journal=tmp_path / "a.db", **settings)
    last = optimize(scattered, LINE, seed=seed(), journal=tmp_path / "a.db", **settings)
    assert columns(last) == columns(whole)


def test_a_finished_run_evaluates_nothing(tmp_path):
    whole = optimize(scattered, ROOM, journal=tmp_path / "a.db", **SMALL)
    again = optimize(never, ROOM, journal=tmp_path / "a.db", **SMALL)
    assert columns(again) == columns(whole)


def test_a_larger_budget_extends_a_run(tmp_path):
    optimize(scattered, LINE, journal=tmp_path / "a.db", **SMALL)
    larger = SMALL | {"generation_count": 9}
    longer = in_pieces(scattered, LINE, tmp_path / "a.db", [3, 5], **larger)
    assert longer.message == "generation_count reached: 9 generations, 55 evaluations"
    assert longer.history.generation.tolist() == sorted(longer.history.generation)

    optimize(scattered, LINE, journal=tmp_path / "b.db", **SMALL)
    at_once = optimize(scattered, LINE, journal=tmp_path / "b.db", **larger)
    assert columns(at_once) == columns(longer)
    recorded = read(tmp_path / "a.db").runs[0]
    assert (recorded.settings["generation_count"], recorded.budget["generation_count"]) == (4, 9)


def test_a_cap_may_be_lifted_but_not_lowered(tmp_path):
    settings = SMALL | {"surrogate": False, "journal": tmp_path / "a.db"}
    optimize(scattered, LINE, max_evaluations=20, **settings)
    assert optimize(scattered, LINE, **settings).evaluations == 30
    with pytest.raises(JournalError, match=r"got max_evaluations=20 \(it has None\)"):
        optimize(scattered, LINE, max_evaluations=20, **settings)
    fewer = settings | {"generation_count": 2}
    with pytest.raises(JournalError, match=r"got generation_count=2 \(it has 4\)"):
        optimize(scattered, LINE, **fewer)


@pytest.mark.parametrize("space", [LINE, ROOM])
def test_a_cap_within_a_portion_may_be_lifted_again_and_again(space, tmp_path):
    made = []
    for cap in (12, 18, 19, 33):  # portions of 5, but for the last
        result = in_pieces(
            scattered, space, tmp_path / "a.db", [3], max_evaluations=cap, seed=0, size=30
        )
        genes = result.history.genes
        assert len(genes) == cap
        if made:
            np.testing.assert_array_equal(genes[: len(made[-1])], made[-1])
        made.append(genes)
    assert len(read(tmp_path / "a.db").runs) == 1


OTHER = {
    "size": 12,
    "retain_percentage": 0.25,
    "constraint": lambda params: True,
    "initial": [{"x": 1}],
    "cache": False,
    "percentage_to_randomly_spawn": 0.5,
    "mutate_chance": 0.3,
    "adaptive_mutation": True,
    "tournament_size": 4,
    "use_tournament_selection": True,
    "selector": lambda rng, loss, n: np.zeros(n, int),
    "crossover": lambda rng, one, two, genome: one,
    "mutation": lambda rng, genes, active, genome: genes,
    "replacer": lambda rng, loss, birth, n: np.arange(n),
    "surrogate": False,
    "strategy": "mixed",
    "batch": 3,
    "maximize_fn": True,
    "vectorized": True,
    "steady_state": True,
    "seed": 4,
}
FREE = {
    "fn": scattered,
    "param_space": LINE,
    "generation_count": 5,
    "max_evaluations": 1000,
    "target": -1e9,
    "verbose": False,
    "patience": 1000,
    "on_error": "raise",
    "time_limit": 1000,
    "callback": lambda progress: None,
    "terminator": lambda progress: None,
    "workers": "threads:2",
    "executor": map,
    "evaluation_timeout": None,
    "retries": 3,
    "devices": None,
    "resume": "exact",
}


def test_every_argument_is_free_or_fixed():
    known = set(OTHER) | set(FREE) | {"journal", "unknown"}
    assert set(inspect.signature(optimize).parameters) == known


@pytest.mark.parametrize("name", OTHER)
def test_another_argument_is_refused_by_name(name, tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db"}
    if name == "tournament_size":
        settings["use_tournament_selection"] = True
    optimize(Interrupted(scattered, 6), LINE, **settings)
    before = (tmp_path / "a.db").read_bytes()
    needed = {"workers": "threads:1"} if name == "steady_state" else {}
    shown = "tournament_size" if name == "use_tournament_selection" else name
    with pytest.raises(JournalError, match=rf"begun with, got .*\b{shown}=.* \(it has ") as caught:
        optimize(never, LINE, **(settings | {name: OTHER[name]} | needed))
    assert caught.value.result is None
    assert (tmp_path / "a.db").read_bytes() == before


def test_another_loss_with_random_numbers_is_refused(tmp_path):
    optimize(scattered, LINE, journal=tmp_path / "a.db", **SMALL)
    with pytest.raises(JournalError, match=r"got rng=True \(it has False\)"):
        optimize(noisy, LINE, journal=tmp_path / "a.db", **SMALL)


@pytest.mark.parametrize("name", [name for name in FREE if name not in ("fn", "param_space")])
def test_other_arguments_are_free(name, tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False}
    fine = SMALL | {"surrogate": False}
    optimize(Interrupted(lambda params: abs(params["x"]), 6), LINE, **settings)
    goes_on = optimize(lambda params: abs(params["x"]), LINE, **(settings | {name: FREE[name]}))
    whole = optimize(lambda params: abs(params["x"]), LINE, **fine)
    length = len(whole.history)
    assert np.array_equal(goes_on.history.genes[:length], whole.history.genes)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"x": UniformDistribution(-5, 6)}, r"space\['x'\]\['high'\]: 5 became 6"),
        ({"x": UniformDistribution(-5, 5, q=1)}, r"space\['x'\]\['q'\], which is new"),
        ({"y": UniformDistribution(-5, 5)}, r"space\['x'\], which is gone"),
        ({"x": UniformDistribution(-5, 5), "c": 3}, r"space\['c'\], which is new"),
        ([UniformDistribution(-5, 5)], r"space: .* became \["),
        ({"x": ChoiceDistribution([1, 2])}, r"space\['x'\]: .* became .*Choice"),
    ],
)
def test_another_space_is_refused_with_the_place(change, where, tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db"}
    optimize(Interrupted(scattered, 6), LINE, **settings)
    with pytest.raises(JournalError, match=rf"a\.db'.*the space it was begun in, got {where}"):
        optimize(scattered, change, **settings)


def test_a_distribution_of_ones_own_that_pulls_other_values_is_refused(tmp_path):
    class Own(DistributionBase):
        value = 0.0

        def pull_value(self):
            Own.value += 1
            return Own.value

    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False}
    optimize(Interrupted(scattered, 6), {"x": Own()}, **settings)
    with pytest.raises(JournalError, match="got distributions that pull other values"):
        optimize(scattered, {"x": Own()}, **settings)


def test_rules_that_stop_a_run_wait_for_the_end_of_the_journal(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False}
    whole = optimize(lambda params: abs(params["x"]), LINE, **settings)
    seen = []

    def tell(progress):
        seen.append((progress.generation, progress.replayed))
        return True

    again = optimize(
        never,
        LINE,
        target=5.0,
        patience=1,
        time_limit=0,
        callback=tell,
        **settings,
    )
    assert np.array_equal(again.history.genes, whole.history.genes)
    assert seen == [(0, True), (1, True), (2, True), (3, True), (4, True)]
    assert again.message == "target reached: loss " + repr(again.loss)


def test_a_target_in_the_middle_of_a_batch_stays_reached(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False, "batch": 10}
    first = optimize(lambda params: abs(params["x"]), LINE, target=3.0, **settings)
    again = optimize(never, LINE, target=3.0, **settings)
    assert columns(again) == columns(first)
    lower = optimize(lambda params: abs(params["x"]), LINE, target=1.0, **settings)
    plain = {name: value for name, value in settings.items() if name != "journal"}
    assert columns(lower) == columns(
        optimize(lambda params: abs(params["x"]), LINE, target=1.0, **plain)
    )


def test_an_error_that_ends_the_run_is_in_the_journal(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False}

    def fragile(params):
        if params["x"] > 4:
            raise ZeroDivisionError("too large")
        return params["x"]

    with pytest.raises(ZeroDivisionError):
        optimize(fragile, LINE, on_error="raise", **settings)
    run = read(tmp_path / "a.db").runs[0]
    assert run.ended == "stopped by ZeroDivisionError('too large')"
    assert [row.error for row in run.rows][-1] == "ZeroDivisionError: too large"
    again = optimize(fragile, LINE, **settings)
    assert again.history.error[run.evaluations - 1] == "ZeroDivisionError: too large"
    assert again.evaluations == 30


def test_a_loss_that_returns_no_number_may_be_mended(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False}
    returned = iter([3, 4, 5, None])
    with pytest.raises(LossError):
        optimize(lambda params: next(returned) and abs(params["x"]), LINE, **settings)
    assert read(tmp_path / "a.db").runs[0].evaluations == 3
    mended = optimize(lambda params: abs(params["x"]), LINE, **settings)
    plain = SMALL | {"surrogate": False}
    assert columns(mended) == columns(optimize(lambda params: abs(params["x"]), LINE, **plain))


def test_a_first_generation_that_failed_fails_again(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db"}
    with pytest.raises(EvaluationError, match="ZeroDivisionError"):
        optimize(lambda params: 1 / 0, LINE, **settings)
    with pytest.raises(
        EvaluationError, match=r"(?s)all 10 .*ZeroDivisionError: division"
    ) as caught:
        optimize(never, LINE, **settings)
    assert caught.value.result.evaluations == 10
    warm = optimize(lambda params: params["x"], LINE, resume="warm", **settings)
    assert warm.evaluations == 40


# A new run that knows the old ones


def test_a_warm_start_knows_the_points_that_fit(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False}
    first = optimize(lambda params: abs(params["x"]), LINE, **settings)
    half = {"x": UniformDistribution(0, 5)}
    fit = [params for params in map(first.history.params, range(30)) if params["x"] >= 0]
    assert 0 < len(fit) < 30
    called = []

    def counted(params):
        called.append(params)
        return abs(params["x"])

    warm = optimize(counted, half, resume="warm", **(settings | {"seed": 8}))
    assert len(called) == 30
    assert warm.message == "generation_count reached: 4 generations, 30 evaluations"
    assert warm.history.generation.tolist()[: len(fit)] == [-1] * len(fit)
    known = [warm.history.params(row)["x"] for row in range(len(fit))]
    assert known == pytest.approx([params["x"] for params in fit])
    assert not {params["x"] for params in called} & set(known)
    assert warm.loss <= min(params["x"] for params in fit) + 1e-12
    assert [run.kind for run in read(tmp_path / "a.db").runs] == ["fresh", "warm"]
    assert columns(optimize(never, half, **(settings | {"seed": 8}))) == columns(warm)


def test_a_warm_start_in_pieces_is_the_whole(tmp_path):
    settings = SMALL | {"surrogate": False}
    for name in ("a.db", "b.db"):
        optimize(scattered, ROOM, journal=tmp_path / name, **settings)
    whole = optimize(scattered, ROOM, journal=tmp_path / "a.db", resume="warm", **settings)
    optimize(Interrupted(scattered, 4), ROOM, journal=tmp_path / "b.db", resume="warm", **settings)
    pieced = in_pieces(scattered, ROOM, tmp_path / "b.db", [0, 7], **settings)
    assert columns(pieced) == columns(whole)


def test_a_warm_start_revives_objects_and_respects_the_constraint(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db", "surrogate": False}
    first = optimize(scattered, OBJECTS, **settings)
    warm = optimize(scattered, OBJECTS, resume="warm", **settings)
    for row in range(30):
        assert repr(warm.history.params(row)) == repr(first.history.params(row))

    def small(params):
        return params[7] < 0.5

    third = optimize(scattered, OBJECTS, resume="warm", constraint=small, **settings)
    known = [third.history.params(row) for row in np.flatnonzero(third.history.generation < 0)]
    assert len(known) == sum(warm.history.params(row)[7] < 0.5 for row in range(60))
    assert all(map(small, known))


def test_a_warm_start_without_a_journal_is_a_start(tmp_path):
    fresh = optimize(scattered, LINE, journal=tmp_path / "a.db", resume="warm", **SMALL)
    assert columns(fresh) == columns(optimize(scattered, LINE, **SMALL))


def test_a_warm_start_in_the_other_direction_is_refused(tmp_path):
    settings = SMALL | {"journal": tmp_path / "a.db"}
    optimize(scattered, LINE, **settings)
    with pytest.raises(
        JournalError, match="values that are to be larger, got a run with maximize"
    ):
        optimize(scattered, LINE, maximize_fn=True, resume="warm", **settings)


# The steady state


@pytest.mark.parametrize("workers", ["threads:3", 2])
def test_a_steady_state_goes_on_with_what_was_under_way(workers, tmp_path):
    settings = {
        "size": 20,
        "generation_count": 4,
        "steady_state": True,
        "surrogate": False,
        "workers": workers,
        "journal": tmp_path / "a.db",
    }

    def stop(progress):
        return progress.evaluations > 25 and not progress.replayed

    first = optimize(scattered, ROOM, callback=stop, seed=2, **settings)
    made = first.evaluations
    assert 25 < made < 60
    second = optimize(scattered, ROOM, seed=2, **settings)
    for name in ("id", "generation", "genes", "loss"):
        one, two = getattr(first.history, name), getattr(second.history, name)[:made]
        assert np.array_equal(one, two, equal_nan=name == "loss"), name
    assert sorted(second.history.id) == list(range(60))
    third = optimize(never, ROOM, **settings)
    assert columns(third) == columns(second)
    longer = optimize(scattered, ROOM, **(settings | {"generation_count": 6}))
    assert np.array_equal(longer.history.genes[:60], second.history.genes)
    assert sorted(longer.history.id) == list(range(80))


# What cannot be repeated


def tampered(path):
    """Give the eighth evaluation other genes, with a right checksum."""
    names = ", ".join(BLOCK)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        first = 0
        for *values, genes, asks in connection.execute(
            f"SELECT {names} FROM blocks ORDER BY block"
        ).fetchall():
            number, n = values[0], values[2]
            if first <= 7 < first + n:
                changed = np.frombuffer(genes, "<f8").copy()
                changed[7 - first] = 0.125
                row = [*values, changed.tobytes(), asks]
                connection.execute(
                    "UPDATE blocks SET genes = ?, crc = ? WHERE block = ?",
                    [row[4], checksum(*row), number],
                )
            first += n


def test_a_run_that_does_not_repeat_itself_goes_on_from_its_points(tmp_path):
    path = tmp_path / "a.db"
    settings = SMALL | {"journal": path, "surrogate": False}
    first = optimize(Interrupted(scattered, 18), LINE, **settings)
    tampered(path)
    with pytest.warns(match="cannot be repeated .evaluation 7 was of another point") as caught:
        second = optimize(Interrupted(scattered, 6), LINE, **settings)
    assert caught[0].filename == __file__
    assert second.evaluations == 22
    assert second.history.generation.tolist() == [0] * 10 + [1] * 5 + [2] * 5 + [3] * 2
    assert second.history.genes[7] == 0.125
    loss = first.history.loss
    assert np.array_equal(second.history.loss[:17], loss, equal_nan=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", EvaluationWarning)
        third = optimize(scattered, LINE, **settings)
        assert third.evaluations == 30
        assert third.message == "generation_count reached: 4 generations, 30 evaluations"
        assert np.array_equal(third.history.genes[:22], second.history.genes)
        again = optimize(never, LINE, **settings)
    assert columns(again) == columns(third)
    assert [run.kind for run in read(path).runs] == ["fresh", "continued"]


def test_a_steady_state_that_does_not_repeat_itself_goes_on(tmp_path):
    path = tmp_path / "a.db"
    settings = SMALL | {
        "journal": path,
        "surrogate": False,
        "steady_state": True,
        "workers": "threads:2",
    }
    optimize(scattered, LINE, callback=lambda p: p.generation == 2, **settings)
    tampered(path)
    with pytest.warns(match="cannot be repeated"):
        second = optimize(scattered, LINE, **settings)
    assert second.evaluations == 30
    assert columns(optimize(never, LINE, **settings)) == columns(second)


def test_another_executor_may_go_on(tmp_path):
    settings = SMALL | {"surrogate": False, "batch": 4}
    whole = optimize(scattered, ROOM, **settings)
    journal = tmp_path / "a.db"
    optimize(Interrupted(scattered, 9), ROOM, journal=journal, **settings)
    with ThreadPoolExecutor(2) as executor:
        stop = {"callback": lambda progress: progress.generation == 2}
        optimize(scattered, ROOM, journal=journal, executor=executor, **settings, **stop)
    last = optimize(scattered, ROOM, journal=journal, workers=2, **settings)
    assert columns(last) == columns(whole)


@pytest.mark.parametrize("journal", [3, True, ["a.db"]])
def test_a_journal_is_a_path(journal):
    with pytest.raises(ArgumentError, match="journal: must be a path, got"):
        optimize(scattered, LINE, journal=journal)


def test_a_wrong_space_leaves_no_journal(tmp_path):
    with pytest.raises(SpaceError):
        optimize(scattered, {"x": UniformDistribution}, journal=tmp_path / "a.db")
    assert not (tmp_path / "a.db").exists()
