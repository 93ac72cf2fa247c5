"""Runs that are killed, at any moment and again and again, end as if nothing had happened."""

import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geneticpy.run.recorded import read

KILLS = 50

PROGRAM = """
    import sys, time
    import geneticpy as g

    kind, journal = sys.argv[1], sys.argv[2] or None
    flat = {"x": g.UniformDistribution(-5, 5), "n": g.UniformDistribution(0, 9, q=1)}
    f = g.ChoiceDistribution(["a", "b", "c"])
    layer = {"units": g.LogUniformDistribution(4, 1024, q=1), "f": f}
    lists = flat | {"layers": g.ListDistribution(layer, min_size=0, max_size=4)}
    space = lists if kind == "lists" else flat

    def loss(params):
        time.sleep(0.001)
        if params["n"] == 7:
            raise ValueError("seven")
        depth = sum(len(str(layer)) for layer in params.get("layers", ()))
        return params["x"] ** 2 + params["n"] + abs(depth - 60)

    def tell(progress):
        if not progress.replayed:
            print("ready", flush=True)

    result = g.optimize(
        loss, space, size=40, generation_count=20, seed=5, surrogate=False, journal=journal,
        workers=2 if kind == "workers" else None, batch=4, callback=tell,
    )
    h = result.history
    for name in ("id", "generation", "genes", "loss", "species", "parents"):
        print(name, getattr(h, name).tobytes().hex())
    print("error", h.error)
    print("best", result.best_params, result.loss, result.generations, result.message)
"""


def run(kind, journal, tmp_path):
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(PROGRAM), kind, str(journal)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    output, errors = process.communicate(timeout=120)
    assert errors == ""
    assert process.returncode == 0
    return [line for line in output.splitlines() if line != "ready"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_at_50_moments_the_history_is_that_of_an_undisturbed_run(tmp_path):
    kinds = ["flat", "workers", "lists"]
    with ThreadPoolExecutor(len(kinds)) as pool:  # they wait most of the time
        for seen in pool.map(lambda kind: kill_and_go_on(kind, tmp_path / kind), kinds):
            assert len(set(seen)) > KILLS / 4  # they were not all before the first evaluation


def kill_and_go_on(kind, tmp_path):
    """Compare killed runs of a kind with one that was not; returns where they were killed."""
    tmp_path.mkdir()
    undisturbed = finished(run(kind, "", tmp_path))
    rng = np.random.default_rng(11)
    journal, kills, runs, seen = tmp_path / "0.db", 0, 0, []
    while kills < KILLS:
        process = run(kind, journal, tmp_path)
        if rng.random() < 0.8:
            process.stdout.readline()  # "ready": it has made evaluations of its own
            time.sleep(rng.uniform(0, 0.1))
        else:
            time.sleep(rng.uniform(0, 1))
        process.kill()
        process.communicate(timeout=60)
        if process.returncode:
            assert process.returncode == -signal.SIGKILL
            kills += 1
            seen.append(read(journal).runs[-1].evaluations if journal.exists() else 0)
        else:  # it came to its end before: on to another run
            assert finished(run(kind, journal, tmp_path)) == undisturbed
            runs += 1
            journal = tmp_path / f"{runs}.db"
    assert finished(run(kind, journal, tmp_path)) == undisturbed
    return seen
