"""Real engines, where they are installed: Dask, Ray, MPI."""

import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from geneticpy import ArgumentError, UniformDistribution, optimize

LINE = {"x": UniformDistribution(0, 1)}


def needs(*modules):
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(program, *arguments, command=(sys.executable,), **options):
    """Run a program of its own, so that engines do not disturb each other; return its lines."""
    done = subprocess.run(
        [*command, "-", *arguments],
        input=textwrap.dedent(program),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


DASK = """
    import os, sys, time, zlib
    import geneticpy

    def loss(params, rng):
        return zlib.crc32(repr(params).encode()) / 2**32 + rng.random()

    def killing(params):  # the first to come here ends its worker, once
        if params["x"] > 0.5 and not os.path.exists(sys_argv[1]):
            open(sys_argv[1], "w").close()
            os.kill(os.getpid(), 9)
        return params["x"]

    def deadly(params):
        if params["x"] > 0.9:
            os.kill(os.getpid(), 9)
        return params["x"]

    def main():
        global sys_argv
        sys_argv = sys.argv
        import dask, warnings
        from dask.distributed import Client, LocalCluster

        dask.config.set({"distributed.scheduler.allowed-failures": 1})
        space = {"x": geneticpy.UniformDistribution(0, 1)}
        given = {"size": 20, "generation_count": 3, "seed": 4, "batch": 5}
        cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        with cluster, Client(cluster) as client:
            here = geneticpy.optimize(loss, space, **given)
            there = geneticpy.optimize(loss, space, **given, executor=client)
            print(here.history.genes.tobytes() == there.history.genes.tobytes())
            print(here.history.loss.tobytes() == there.history.loss.tobytes())

            killed = geneticpy.optimize(killing, space, **given, executor=client)
            same = geneticpy.optimize(lambda params: params["x"], space, **given)
            print(os.path.exists(sys.argv[1]), killed.evaluations, len(killed.failures))
            print(killed.history.genes.tobytes() == same.history.genes.tobytes())

            known = [{"x": x} for x in (0.95, 0.1, 0.2, 0.3)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dead = geneticpy.optimize(
                    deadly, space, size=4, generation_count=0, initial=known, executor=client)
            print([(f.params["x"], f.reason.split(":")[0]) for f in dead.failures])

            steady = geneticpy.optimize(
                lambda params: params["x"], space, size=20, generation_count=3, executor=client,
                steady_state=True)
            print(sorted(steady.history.id) == list(range(50)))
            print(client.submit(int, "5").result())  # it was not closed

    if __name__ == "__main__":
        main()
"""


@needs("distributed")
def test_dask_with_two_processes_one_of_which_is_killed(tmp_path):
    script = tmp_path / "script.py"  # its workers are started by spawn, which runs the main file
    script.write_text(textwrap.dedent(DASK))
    lines = run_script(script, str(tmp_path / "killed"))
    assert lines[:2] == ["True", "True"]
    assert lines[2:4] == ["True 50 0", "True"]
    assert lines[4:] == ["[(0.95, 'KilledWorker')]", "True", "5"]


def run_script(script, *arguments):
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


RAY = """
    import os, sys, warnings, zlib
    import ray
    import geneticpy, geneticpy.evaluation

    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    space = {"x": geneticpy.UniformDistribution(0, 1)}
    given = {"size": 20, "generation_count": 2, "seed": 4, "batch": 5}

    def loss(params, rng):
        return zlib.crc32(repr(params).encode()) / 2**32 + rng.random()

    executor = geneticpy.evaluation.ray_executor()
    here = geneticpy.optimize(loss, space, **given)
    there = geneticpy.optimize(loss, space, **given, executor=executor)
    print(here.history.genes.tobytes() == there.history.genes.tobytes())
    print(here.history.loss.tobytes() == there.history.loss.tobytes())

    def deadly(params):
        if params["x"] > 0.9:
            os._exit(1)
        return params["x"]

    known = [{"x": x} for x in (0.95, 0.1, 0.2, 0.3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dead = geneticpy.optimize(
            deadly, space, size=4, generation_count=0, initial=known, executor=executor)
    print([(f.params["x"], f.reason.split(":")[0]) for f in dead.failures], dead.evaluations)
    steady = geneticpy.optimize(
        lambda params: params["x"], space, size=10, generation_count=2, executor=executor,
        steady_state=True)
    print(executor.num_workers, sorted(steady.history.id) == list(range(20)))
    print(ray.get(ray.put(5)))  # it was not shut down
"""


@needs("ray")
def test_ray_with_two_cpus(tmp_path):
    environment = os.environ | {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    lines = [line for line in run(RAY, cwd=tmp_path, env=environment) if "raylet" not in line]
    assert lines[:2] == ["True", "True"]
    assert lines[2] == "[(0.95, 'WorkerCrashedError')] 4"
    assert lines[3:] == ["2 True", "5"]


MPI = """
    import zlib
    from mpi4py.futures import MPIPoolExecutor
    import geneticpy

    def loss(params, rng):
        return zlib.crc32(repr(params).encode()) / 2**32 + rng.random()

    if __name__ == "__main__":
        space = {"x": geneticpy.UniformDistribution(0, 1)}
        given = {"size": 20, "generation_count": 3, "seed": 4, "batch": 5}
        with MPIPoolExecutor() as executor:
            here = geneticpy.optimize(loss, space, **given)
            there = geneticpy.optimize(loss, space, **given, executor=executor)
            print(here.history.genes.tobytes() == there.history.genes.tobytes())
            print(here.history.loss.tobytes() == there.history.loss.tobytes())
            steady = geneticpy.optimize(
                lambda params: params["x"], space, size=10, generation_count=2,
                executor=executor, steady_state=True)
            print(sorted(steady.history.id) == list(range(20)))
            print(executor.submit(int, "5").result())
"""


def mpi_launcher():
    """Return where mpiexec is, or why MPI cannot be used."""
    beside = os.path.join(os.path.dirname(sys.executable), "mpiexec")
    found = beside if os.path.exists(beside) else shutil.which("mpiexec")
    if found is None:
        return None, "no mpiexec"
    code = "from mpi4py import MPI"
    tried = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    return (found, "") if tried.returncode == 0 else (None, "mpi4py does not load")


def test_mpi_with_two_ranks(tmp_path):
    launcher, reason = mpi_launcher()
    if launcher is None:
        pytest.skip(reason)
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(MPI))
    environment = os.environ | {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "true",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    command = [launcher, "-n", "2", sys.executable, "-m", "mpi4py.futures", str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["True", "True", "True", "5"]


def test_ray_missing_says_how_to_install_it(monkeypatch):
    from geneticpy.evaluation import ray_executor

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"geneticpy\[ray\]"):
        ray_executor()


class Client:
    """What a client of dask.distributed looks like."""

    def get_executor(self, **options):
        raise AssertionError("never called")

    def nthreads(self):
        return {}


def test_a_cluster_without_workers_is_refused():
    with pytest.raises(ArgumentError, match="executor: must have workers"):
        optimize(lambda params: np.nan, LINE, executor=Client())
