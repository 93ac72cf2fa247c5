"""Real engines, where they are installed: Dask, Ray, MPI, loky."""

import importlib.util
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from geneticpy import ArgumentError, UniformDistribution, optimize

LINE = {"x": UniformDistribution(0, 1)}


def needs(*modules):
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(script, program, *arguments, **options):
    """Run a script, so that engines do not disturb each other; return its lines.

    It is a file, as processes that are started by spawn run the main file.
    """
    done = attempt(script, program, *arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def attempt(script, program, *arguments, command=(sys.executable,), **options):
    script.write_text(textwrap.dedent(NAMED) + textwrap.dedent(program))
    return subprocess.run(
        [*command, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        **options,
    )


NAMED = """
    def processes_are_named(executor):  # in the reports: host:number
        import os
        import geneticpy
        from geneticpy.evaluation.crew import hire
        from geneticpy.evaluation.loss import Limits, Outcomes, make_loss

        points = geneticpy.Optimizer({"x": geneticpy.UniformDistribution(0, 1)}, size=4).ask(4)
        outcomes = Outcomes(4)
        loss = make_loss(lambda params: os.getpid(), crew=hire(executor=executor).loss)
        loss.evaluate(points, outcomes, Limits())
        numbers = [int(outcomes.workers[at].split()[0].split(":")[1]) for at in range(4)]
        return numbers == outcomes.loss.tolist() and os.getpid() not in numbers
"""

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
            print(sorted(steady.history.id) == list(range(50)), processes_are_named(client))
            print(client.submit(int, "5").result())  # it was not closed

        for threads in (1, 8):
            with Client(
                processes=False, n_workers=1, threads_per_worker=threads, dashboard_address=None
            ) as client:
                there = geneticpy.optimize(loss, space, **given, executor=client)
                print(here.history.genes.tobytes() == there.history.genes.tobytes())
                print(here.history.loss.tobytes() == there.history.loss.tobytes())

    if __name__ == "__main__":
        main()
"""


@needs("distributed")
def test_dask_with_two_processes_one_of_which_is_killed(tmp_path):
    lines = run(tmp_path / "script.py", DASK, str(tmp_path / "killed"))
    assert lines[:2] == ["True", "True"]
    assert lines[2:4] == ["True 50 0", "True"]
    assert lines[4:7] == ["[(0.95, 'KilledWorker')]", "True True", "5"]
    assert lines[7:] == ["True"] * 4  # 1 and 8 threads


RAY = """
    import os, sys, warnings, zlib
    import ray
    import geneticpy, geneticpy.evaluation

    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    ray.init(address="local", num_cpus=2, include_dashboard=False, **quiet)
    space = {"x": geneticpy.UniformDistribution(0, 1)}
    given = {"size": 20, "generation_count": 2, "seed": 4, "batch": 5}

    def loss(params, rng):
        return zlib.crc32(repr(params).encode()) / 2**32 + rng.random()

    executor = geneticpy.evaluation.ray_executor()
    here = geneticpy.optimize(loss, space, **given)
    there = geneticpy.optimize(loss, space, **given, executor=executor)
    tell(here.history.genes.tobytes() == there.history.genes.tobytes())
    tell(here.history.loss.tobytes() == there.history.loss.tobytes())

    def deadly(params):
        if params["x"] > 0.9:
            os._exit(1)
        return params["x"]

    known = [{"x": x} for x in (0.95, 0.1, 0.2, 0.3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dead = geneticpy.optimize(
            deadly, space, size=4, generation_count=0, initial=known, executor=executor)
    reasons = [(f.params["x"], f.reason.split(":")[0]) for f in dead.failures]
    tell(reasons, dead.evaluations)

    trace = sys.argv[1]
    def killed(params):  # the first to come here ends its worker, once
        if params["x"] > 0.5 and not os.path.exists(trace):
            open(trace, "w").close()
            os.kill(os.getpid(), 9)
        return params["x"]

    once = geneticpy.optimize(killed, space, **given, executor=executor)
    same = geneticpy.optimize(lambda params: params["x"], space, **given)
    tell(os.path.exists(trace), len(once.failures))
    tell(once.history.genes.tobytes() == same.history.genes.tobytes())

    steady = geneticpy.optimize(
        lambda params: params["x"], space, size=10, generation_count=2, executor=executor,
        steady_state=True)
    tell(executor.num_workers, sorted(steady.history.id) == list(range(20)))
    tell(processes_are_named(executor), ray.get(ray.put(5)))  # it was not shut down
"""


TELL = """
    def tell(*what):  # not to standard output, where Ray's threads write between two writes
        with open(__file__ + ".told", "a") as file:
            print(*what, file=file)
"""


def run_ray(program, folder):
    environment = os.environ | {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    script = folder / "script.py"
    text = textwrap.dedent(TELL) + textwrap.dedent(program)
    run(script, text, str(folder / "trace"), cwd=folder, env=environment)
    return Path(f"{script}.told").read_text().splitlines()


@needs("ray")
def test_ray_with_two_cpus_and_workers_that_are_killed(tmp_path):
    lines = run_ray(RAY, tmp_path)
    assert lines[:2] == ["True", "True"]
    assert lines[2] == "[(0.95, 'WorkerCrashedError')] 4"
    assert lines[3:5] == ["True 0", "True"]
    assert lines[5:] == ["2 True", "True 5"]


RAY_NODES = """
    import os, sys, threading, time, warnings
    import ray
    from ray.cluster_utils import Cluster
    import geneticpy, geneticpy.evaluation

    space = {"x": geneticpy.UniformDistribution(0, 1)}
    given = {"size": 12, "generation_count": 1, "seed": 4, "batch": 4}
    head = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)

    def optimize_while_a_node_leaves(trace, **options):
        node = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        number = node.node_id

        def loss(params):  # the other node takes over what this one is at when it leaves
            if ray.get_runtime_context().get_node_id() == number:
                open(trace, "w").close()
                time.sleep(1000)
            while not os.path.exists(trace):
                time.sleep(0.05)
            return params["x"]

        def leave():
            while not os.path.exists(trace):
                time.sleep(0.05)
            cluster.remove_node(node, allow_graceful=False)

        leaving = threading.Thread(target=leave)
        leaving.start()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            executor = geneticpy.evaluation.ray_executor()
            result = geneticpy.optimize(loss, space, **given, executor=executor, **options)
        leaving.join()
        return result

    ray.init(address=cluster.address, logging_level="ERROR", log_to_driver=False)
    retried = optimize_while_a_node_leaves(sys.argv[1])
    same = geneticpy.optimize(lambda params: params["x"], space, **given)
    tell(retried.evaluations, len(retried.failures))
    tell(retried.history.genes.tobytes() == same.history.genes.tobytes())
    failed = optimize_while_a_node_leaves(sys.argv[1] + "2", retries=0)
    tell(failed.evaluations, {f.reason.split(":")[0] for f in failed.failures})
    tell(1 <= len(failed.failures) <= 2)
    ray.shutdown()
    cluster.shutdown()
"""


@needs("ray")
def test_a_ray_node_that_leaves_costs_what_it_was_at(tmp_path):
    lines = run_ray(RAY_NODES, tmp_path)
    assert lines[:2] == ["18 0", "True"]
    assert lines[2:] in (["18 {'NodeDiedError'}", "True"], ["18 {'WorkerCrashedError'}", "True"])


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
            print(processes_are_named(executor), executor.submit(int, "5").result())
"""

DYING_RANK = """
    import os, sys
    from mpi4py.futures import MPIPoolExecutor
    import geneticpy

    def loss(params):
        calls = os.listdir(folder)
        if len(calls) == 20 and "died" not in calls:
            open(folder + "/died", "w").close()
            os._exit(3)
        open(folder + f"/{params['x']}", "w").close()
        return params["x"]

    folder = sys.argv[-1]
    if __name__ == "__main__":
        space = {"x": geneticpy.UniformDistribution(0, 1)}
        given = {"size": 20, "generation_count": 3, "seed": 4, "batch": 5}
        with MPIPoolExecutor() as executor:
            result = geneticpy.optimize(
                loss, space, **given, executor=executor, journal=folder + ".db")
        same = geneticpy.optimize(lambda params: params["x"], space, **given)
        print("came to an end", result.history.genes.tobytes() == same.history.genes.tobytes())
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


def mpi_command():
    """Return how to start two ranks, and their environment."""
    launcher, reason = mpi_launcher()
    if launcher is None:
        pytest.skip(reason)
    environment = os.environ | {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "true",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    command = [launcher, "-n", "2", sys.executable, "-m", "mpi4py.futures"]
    return {"command": command, "env": environment}


def test_mpi_with_two_ranks(tmp_path):
    lines = run(tmp_path / "script.py", MPI, **mpi_command())
    assert lines == ["True", "True", "True", "True 5"]


def test_mpi_ends_the_job_with_a_rank_that_dies_and_a_journal_goes_on(tmp_path):
    (tmp_path / "calls").mkdir()
    given = tmp_path / "script.py", DYING_RANK, str(tmp_path / "calls")
    done = attempt(*given, **mpi_command())
    assert done.returncode != 0  # that of the rank, with Open MPI
    assert "came to an end" not in done.stdout
    assert run(*given, **mpi_command()) == ["came to an end True"]


LOKY = """
    import importlib, os, sys
    import geneticpy

    get_reusable_executor = importlib.import_module(sys.argv[1]).get_reusable_executor
    space = {"x": geneticpy.UniformDistribution(0, 1)}
    given = {"size": 20, "generation_count": 3, "seed": 4, "batch": 5}

    def loss(params, rng):
        return params["x"] + rng.random()

    def deadly(params):
        log = os.path.join(sys.argv[2], str(params["x"]))
        if len(os.listdir(sys.argv[2])) >= 8:
            os.kill(os.getpid(), 9)
        open(log, "w").close()
        return params["x"]

    executor = get_reusable_executor(max_workers=2)
    here = geneticpy.optimize(loss, space, **given)
    there = geneticpy.optimize(loss, space, **given, executor=executor)
    print(here.history.genes.tobytes() == there.history.genes.tobytes())
    print(here.history.loss.tobytes() == there.history.loss.tobytes())
    print(processes_are_named(executor))
    try:
        geneticpy.optimize(deadly, space, **given, executor=executor)
    except geneticpy.EvaluationError as error:
        told = {str(x) for x in error.result.history.loss}
        print(str(error).split("(")[0], "->", type(error.__cause__).__name__)
        print(len(told) >= 5, told <= set(os.listdir(sys.argv[2])))
    executor = get_reusable_executor(max_workers=2)  # a broken one is replaced
    steady = geneticpy.optimize(
        lambda params: params["x"], space, size=10, generation_count=2, executor=executor,
        steady_state=True)
    print(sorted(steady.history.id) == list(range(20)), executor.submit(int, "5").result())
"""


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("loky", marks=needs("loky")),
        pytest.param("joblib.externals.loky", marks=needs("joblib")),
    ],
)
def test_loky_and_one_of_its_workers_that_is_killed(module, tmp_path):
    (tmp_path / "calls").mkdir()
    lines = run(tmp_path / "script.py", LOKY, module, str(tmp_path / "calls"))
    assert lines[:3] == ["True", "True", "True"]
    told = "executor: must go on working, got TerminatedWorkerError -> TerminatedWorkerError"
    assert lines[3:] == [told, "True True", "True 5"]


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
