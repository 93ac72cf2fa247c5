"""The file: when it is written, by whom, and what it does not take."""

import asyncio
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_cases import LINE, OBJECTS, ROOM, SMALL, columns, scattered

from geneticpy import JournalError, UniformDistribution, jsonable, optimize
from geneticpy.run import journal as writing
from geneticpy.run.recorded import read

pytestmark = pytest.mark.filterwarnings("ignore::geneticpy.EvaluationWarning")
QUICK = SMALL | {"surrogate": False}
HUGE = {"x": UniformDistribution(0, 10**30, q=10**20), "tiny": UniformDistribution(1e-7, 1e-5)}
PLACE = st.integers(0, 10**6)
DETERMINISTIC = settings(derandomize=True, deadline=None, max_examples=60, database=None)


@pytest.fixture(params=["orjson", "json"])
def codec(request, monkeypatch):
    """Use one library for JSON or the other."""
    if request.param == "json":
        monkeypatch.setattr(jsonable, "_orjson", lambda: None)
    else:
        pytest.importorskip("orjson")
    return request.param


def test_every_evaluation_is_there_with_everything_known_of_it(tmp_path, codec):
    result = optimize(scattered, ROOM, journal=tmp_path / "a.db", **QUICK)
    rows = list(read(tmp_path / "a.db").runs[0].rows)
    history = result.history
    assert [row.id for row in rows] == history.id.tolist()
    assert [row.generation for row in rows] == history.generation.tolist()
    assert np.array_equal([row.loss for row in rows], history.loss, equal_nan=True)
    assert [row.seconds for row in rows] == history.seconds.tolist()
    assert [row.error for row in rows] == history.error
    assert [row.params for row in rows] == json.loads(
        json.dumps([history.params(i) for i in range(30)])
    )
    assert all(row.worker.endswith(f":{os.getpid()}") for row in rows)


def test_the_view_is_readable_by_any_program(tmp_path, codec):
    result = optimize(scattered, ROOM, journal=tmp_path / "a.db", **QUICK)
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        (best,) = connection.execute(
            "SELECT json_extract(params, '$.rate') FROM evaluations "
            "WHERE loss IS NOT NULL ORDER BY loss LIMIT 1"
        ).fetchone()
        failed = connection.execute(
            "SELECT count(*) FROM evaluations WHERE error IS NOT NULL"
        ).fetchone()[0]
        d = result.history.genes.shape[1]
        sizes = connection.execute("SELECT evaluations, length(genes) FROM blocks").fetchall()
    assert best == result.best_params["rate"]
    assert failed == len(result.failures)
    assert all(length == 8 * d * n for n, length in sizes)


@pytest.mark.parametrize("loss", [float("inf"), float("-inf"), 1e308, 5e-324, -0.0])
def test_losses_come_back_as_they_were(loss, tmp_path, codec):
    optimize(lambda params: loss, LINE, journal=tmp_path / "a.db", **QUICK)
    rows = list(read(tmp_path / "a.db").runs[0].rows)
    assert {np.float64(row.loss).tobytes() for row in rows} == {np.float64(loss).tobytes()}


def test_objects_are_written_by_name_and_odd_errors_are_text(tmp_path, codec):
    def fails(params):
        if params["kind"] is None:
            raise ValueError("lone surrogate \ud800")
        return 1.0

    result = optimize(fails, OBJECTS, journal=tmp_path / "a.db", **QUICK)
    rows = list(read(tmp_path / "a.db").runs[0].rows)
    assert {row.error for row in rows} == {None, "ValueError: lone surrogate \\ud800"}
    names = {row.params["kind"] for row in rows}
    assert names == {"builtins:int", None, "inf", "(3+4j)", str(2**70)}
    assert result.evaluations == len(rows) == 30
    assert {row.params["7"] for row in rows} == {result.history.params(i)[7] for i in range(30)}


@pytest.mark.parametrize("space", [ROOM, OBJECTS, HUGE], ids=["room", "objects", "huge"])
def test_two_libraries_write_what_the_other_reads(space, tmp_path, monkeypatch):
    pytest.importorskip("orjson")
    whole = optimize(scattered, space, **QUICK)
    stop = {"callback": lambda progress: progress.generation == 1}
    optimize(scattered, space, journal=tmp_path / "a.db", **QUICK, **stop)
    with monkeypatch.context() as patch:
        patch.setattr(jsonable, "_orjson", lambda: None)
        stop = {"callback": lambda progress: progress.generation == 2}
        optimize(scattered, space, journal=tmp_path / "a.db", **QUICK, **stop)
    last = optimize(scattered, space, journal=tmp_path / "a.db", **QUICK)
    assert columns(last) == columns(whole)


# When


def test_a_slow_evaluation_is_written_when_it_ends(tmp_path):
    path, seen = tmp_path / "a.db", []

    def slow(params):
        if seen:  # the file begins with the run
            seen.append(sum(1 for _ in read(path).runs[0].rows))
        else:
            seen.append(0)
        time.sleep(1.1 * writing.LONGEST_PAUSE)
        return params["x"]

    optimize(slow, LINE, journal=path, max_evaluations=4, batch=4, **QUICK)
    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize("workers", ["threads:2", 2])
def test_a_worker_that_is_done_does_not_wait_for_the_others(workers, tmp_path):
    path = tmp_path / "a.db"

    def waits_for_the_others(params, rng):
        deadline = time.monotonic() + 60
        while params["i"] == 0 and time.monotonic() < deadline:
            if sum(1 for _ in read(path).runs[0].rows) == 3:
                break
            time.sleep(0.05)
        return params["i"] if time.monotonic() < deadline else float("nan")

    space = {"i": UniformDistribution(0, 3, q=1)}
    result = optimize(
        waits_for_the_others,
        space,
        size=4,
        generation_count=0,
        batch=4,
        workers=workers,
        journal=path,
        seed=1,
    )
    assert sorted(result.history.loss) == [0, 1, 2, 3]


def test_cheap_evaluations_are_written_together(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "WORTH", 1e9)
    monkeypatch.setattr(writing, "LONGEST_PAUSE", 1e9)
    path = tmp_path / "a.db"
    optimize(scattered, LINE, journal=path, size=3000, generation_count=0, surrogate=False)
    blocks = [len(block.rows) for block in read(path).runs[0]]
    assert sum(blocks) == 3000
    assert len(blocks) <= 5
    assert max(blocks) == writing.LARGEST_BLOCK


def test_readers_and_the_writer_do_not_wait_for_each_other(tmp_path):
    path, readers = tmp_path / "a.db", []

    def look(progress):
        readers.append(sqlite3.connect(path, timeout=0))
        readers[-1].execute("BEGIN")
        readers[-1].execute("SELECT count(*) FROM evaluations").fetchone()

    result = optimize(scattered, LINE, journal=path, callback=look, **QUICK)
    assert len(readers) == 5
    for reader in readers:
        reader.close()
    assert read(path).runs[0].evaluations == result.evaluations == 30


# Who


def test_a_second_writer_gets_a_clear_error(tmp_path):
    path = tmp_path / "a.db"

    def second(progress):
        with pytest.raises(JournalError, match=r"a\.db': must be written by one run at a time"):
            optimize(scattered, LINE, journal=path, **QUICK)

    assert optimize(scattered, LINE, journal=path, callback=second, **QUICK).evaluations == 30
    assert optimize(scattered, LINE, journal=path, **QUICK).evaluations == 30


def test_a_second_writer_in_another_process_gets_a_clear_error(tmp_path):
    path = tmp_path / "a.db"
    program = """
        import sys, geneticpy
        try:
            space = {"x": geneticpy.UniformDistribution(0, 1)}
            geneticpy.optimize(len, space, journal=sys.argv[1])
        except geneticpy.JournalError as error:
            print(error)
    """

    def second(progress):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        printed.append(done.stdout)

    printed = []
    optimize(scattered, LINE, journal=path, callback=second, size=10, generation_count=0)
    assert "must be written by one run at a time" in printed[0]


def test_the_lock_is_gone_after_any_end(tmp_path):
    path = tmp_path / "a.db"
    with pytest.raises(JournalError):
        optimize(scattered, LINE, journal=path, seed=3, size=10, generation_count=0) and optimize(
            scattered, LINE, journal=path, seed=4, size=10, generation_count=0
        )

    def breaks(progress):
        raise RuntimeError("the callback")

    with pytest.raises(RuntimeError, match="the callback"):
        optimize(scattered, LINE, journal=path, resume="warm", callback=breaks, **QUICK)
    assert optimize(scattered, LINE, journal=path, **QUICK).evaluations == 40


# What it does not take


def test_places_where_there_can_be_no_file(tmp_path):
    with pytest.raises(JournalError, match="must be in a folder that is writable, got Operation"):
        optimize(scattered, LINE, journal=tmp_path / "none" / "a.db", **QUICK)
    (tmp_path / "folder").mkdir()
    for folder in (tmp_path / "folder", f"{tmp_path / 'folder'}/"):
        with pytest.raises(JournalError, match=r"folder/?': must be a file, got a folder"):
            optimize(scattered, LINE, journal=folder, **QUICK)
    with pytest.raises(JournalError, match="must be readable, got FileNotFoundError"):
        read(tmp_path / "missing.db")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]  # no lock is left


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"not a database, but some text", "must be a journal of geneticpy, got b'not a data"),
        (b"SQLite format 3\0", "must be"),
        (b"SQLite format 3\0" + bytes(5000), "must be"),
        (b"\0" * 100, "must be a journal of geneticpy"),
    ],
)
def test_other_files_are_refused_and_left_alone(content, rule, tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(content)
    for use in (read, lambda path: optimize(scattered, LINE, journal=path, **QUICK)):
        with pytest.raises(JournalError, match=rf"^journal '.*a\.db': {rule}"):
            use(path)
        assert path.read_bytes() == content


def test_another_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "a.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE runs (run)")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"got another database .application_id 0"):
        optimize(scattered, LINE, journal=path, **QUICK)
    assert path.read_bytes() == before


def test_a_later_format_is_refused(tmp_path):
    path = tmp_path / "a.db"
    optimize(scattered, LINE, journal=path, **QUICK)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(JournalError, match="must have format 1, got 2, of another geneticpy"):
        read(path)


def test_an_empty_file_becomes_a_journal(tmp_path):
    (tmp_path / "a.db").touch()
    assert optimize(scattered, LINE, journal=tmp_path / "a.db", **QUICK).evaluations == 30
    assert read(str(tmp_path / "a.db")).runs[0].evaluations == 30


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """Return the path and the bytes of a journal."""
    path = tmp_path_factory.mktemp("journal") / "a.db"
    optimize(scattered, ROOM, journal=path, **(QUICK | {"size": 40}))
    return path, path.read_bytes()


def refusal(use, path):
    """Return why a journal is refused; None if it is not."""
    try:
        use(path)
    except JournalError as error:
        return str(error)
    return None


def look(path):
    assert sum(1 for run in read(path).runs for _ in run.rows) == 120


def go_on(path):
    assert optimize(scattered, ROOM, journal=path, **(QUICK | {"size": 40})).evaluations == 120


def check(path):
    """Read a journal, and go on with it; returns whether it was refused."""
    before = path.read_bytes()
    refusals = [refusal(use, path) for use in (look, go_on)]
    assert all(text is None or str(path) in text for text in refusals)
    assert refusals[1] is None or path.read_bytes() == before
    return refusals[1] is not None


@DETERMINISTIC
@given(length=PLACE)
def test_a_truncated_journal_is_refused_and_left_alone(journal, length):
    path, whole = journal
    path.write_bytes(whole[: length % (len(whole) - 1) + 1])
    assert check(path)


@settings(DETERMINISTIC, max_examples=200)
@given(flips=st.lists(st.tuples(PLACE, st.integers(0, 7)), min_size=1, max_size=4))
def test_flipped_bits_are_refused_or_harmless(journal, flips):
    path, whole = journal
    changed = bytearray(whole)
    for place, bit in flips:
        changed[place % len(whole)] ^= 1 << bit
    path.write_bytes(changed)
    check(path)


@DETERMINISTIC
@given(content=st.binary(max_size=3000), keep=st.booleans())
def test_any_bytes_are_refused_or_a_start(tmp_path_factory, content, keep):
    path = tmp_path_factory.mktemp("bytes") / "a.db"
    path.write_bytes(b"SQLite format 3\0" * keep + content)
    assert "must " in refusal(read, path)
    assert path.read_bytes() == b"SQLite format 3\0" * keep + content


def test_a_log_that_was_torn_costs_its_end_only(tmp_path):
    """The copies of a killed run: what was last written may be missing, nothing else."""
    path = tmp_path / "a.db"
    copies = []

    def copy(progress):
        folder = tmp_path / f"{progress.generation}"
        folder.mkdir()
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", folder / f"a.db{end}")
        copies.append(folder / "a.db")

    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(writing, "LONGEST_PAUSE", 0.0)
        whole = optimize(scattered, ROOM, journal=path, callback=copy, **QUICK)
    for torn in copies:
        log = torn.with_name("a.db-wal")
        log.write_bytes(log.read_bytes()[: -(len(log.read_bytes()) // 3)])
        assert columns(optimize(scattered, ROOM, journal=torn, **QUICK)) == columns(whole)


HALF = """
    import os, sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN")
    connection.execute("UPDATE blocks SET rows = zeroblob(100000), genes = zeroblob(100000)")
    os._exit(0)
"""


def test_a_change_that_was_cut_in_two_is_undone(tmp_path):
    """A journal that has ended is one file; a kill while it becomes so leaves it in two."""
    path = tmp_path / "a.db"
    whole = optimize(scattered, ROOM, journal=path, **QUICK)
    code = textwrap.dedent(HALF)
    for use in (look_at_30, lambda path: optimize(scattered, ROOM, journal=path, **QUICK)):
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        assert path.with_name("a.db-journal").stat().st_size > 0
        use(path)
    assert columns(optimize(scattered, ROOM, journal=path, **QUICK)) == columns(whole)


def look_at_30(path):
    assert sum(1 for _ in read(path).runs[0].rows) == 30


# When the disk does not work


FULL = """
    import resource, signal, sys
    import geneticpy

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    space = {f"x{i}": geneticpy.UniformDistribution(0, 1) for i in range(20)}
    try:
        geneticpy.optimize(
            lambda params: params["x0"], space, size=20_000, generation_count=2, surrogate=False,
            batch=100, journal=sys.argv[1], seed=1,
        )
    except geneticpy.JournalError as error:
        print(error)
        print(error.result.message)
        print(error.result.loss == min(error.result.history.loss), error.result.evaluations)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of file sizes there")
def test_a_full_disk_ends_the_run_with_its_result(tmp_path):
    path = tmp_path / "a.db"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(FULL), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    error, message, (same, evaluations) = *done.stdout.splitlines()[:2], done.stdout.split()[-2:]
    assert error.startswith(f"journal {str(path)!r}: must be writable, got OperationalError(")
    assert message.startswith(("stopped by JournalError(", "generation_count reached"))
    assert same == "True"
    assert int(evaluations) > 0
    assert read(path).runs[0].evaluations <= int(evaluations)


@pytest.mark.parametrize("workers", [None, "threads:2"])
def test_a_lost_disk_ends_the_run_wherever_it_is(workers, tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    monkeypatch.setattr(writing, "LONGEST_PAUSE", 0.0)
    blocks, threads = writing.Journal._blocks, threading.active_count()

    def lost(journal, rows):
        if rows.ids.max() >= 12:
            raise OSError("the network drive is gone")
        return blocks(journal, rows)

    monkeypatch.setattr(writing.Journal, "_blocks", lost)
    with pytest.raises(
        JournalError, match=r"must be writable, got OSError.'the network"
    ) as caught:
        optimize(scattered, LINE, journal=path, workers=workers, batch=4, **QUICK)
    result = caught.value.result
    assert 13 <= result.evaluations <= 16
    assert threading.active_count() <= threads
    rows = list(read(path).runs[0].rows)
    assert [row.id for row in rows] == list(range(len(rows)))
    assert np.array_equal(
        [row.loss for row in rows], result.history.loss[: len(rows)], equal_nan=True
    )


async def awaited(params):
    return params["x"]


def test_a_lost_disk_ends_a_run_of_coroutines(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "LONGEST_PAUSE", 0.0)

    def lost(journal, rows):
        raise OSError("the network drive is gone")

    monkeypatch.setattr(writing.Journal, "_text", lost)
    with pytest.raises(JournalError, match=r"must be writable, got OSError") as caught:
        optimize(awaited, LINE, journal=tmp_path / "a.db", **QUICK)
    assert caught.value.result.evaluations >= 1


def test_a_coroutine_that_is_done_does_not_wait_for_the_others(tmp_path):
    path = tmp_path / "a.db"

    async def waits_for_the_others(params):
        deadline = time.monotonic() + 60
        while params["i"] == 0 and sum(1 for _ in read(path).runs[0].rows) < 3:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        return params["i"]

    space = {"i": UniformDistribution(0, 3, q=1)}
    result = optimize(waits_for_the_others, space, size=4, generation_count=0, journal=path)
    assert sorted(result.history.loss) == [0, 1, 2, 3]
