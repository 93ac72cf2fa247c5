"""Worker processes: any function, any fault, nothing left behind."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from geneticpy import (
    ArgumentError,
    ChoiceDistribution,
    EvaluationError,
    EvaluationWarning,
    LossError,
    UniformDistribution,
    optimize,
)
from geneticpy.evaluation import processes
from geneticpy.evaluation.call import Call, Report
from geneticpy.evaluation.pool import Job
from geneticpy.evaluation.processes import ProcessPool, Worker

LINE = {"x": UniformDistribution(0, 1)}
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def alive(pid):
    """Return whether a process exists and is no zombie of somebody else."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


# Any function, under any start method, without a guard

PROGRAM = """
    import functools, multiprocessing, sys
    import geneticpy

    multiprocessing.set_start_method(sys.argv[1])
    print("main script")
    factor = 2.0

    class Option:
        weight = 3.0

    def function(params):
        return factor * params["x"]

    class Loss:
        def method(self, params):
            return factor * params["x"]

        def __call__(self, params):
            return factor * params["x"]

    def closure():
        local = factor
        return lambda params: local * params["x"]

    def scaled(scale, params):
        return scale * params["x"]

    kinds = [function, lambda params: factor * params["x"], closure(), Loss().method, Loss(),
             functools.partial(scaled, factor)]

    def every(params):
        losses = {fn(params) for fn in kinds}
        return len(losses) + params["option"].weight

    space = {"x": geneticpy.UniformDistribution(0, 1),
             "option": geneticpy.ChoiceDistribution([Option(), Option()])}
    result = geneticpy.optimize(every, space, size=3, generation_count=0, workers=2)
    print(result.evaluations, result.loss)
"""


@pytest.mark.parametrize(
    "method", ["spawn", *([] if sys.platform == "win32" else ["fork", "forkserver"])]
)
def test_functions_of_a_main_script_without_a_guard_work(method, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(PROGRAM))
    done = run([str(script), method], tmp_path)
    assert done == ["main script", "3 4.0"]  # printed once: no worker runs the script again


def test_functions_typed_at_a_prompt_work(tmp_path):
    assert run(["-", "spawn"], tmp_path, input=textwrap.dedent(PROGRAM))[-1] == "3 4.0"


def run(arguments, folder, **options):
    """Run Python; return what it printed, line by line."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_function_travels_once_to_each_worker(tmp_path):
    class Heavy:
        def __init__(self):
            self.data = np.ones(3_000_000)  # 24 MB: sent each time, this would take 1 GB

        def __reduce__(self):
            return arrive, (self.data, str(tmp_path / "arrivals"))

        def __call__(self, params):
            return params["x"] + self.data[0]

    def arrive(data, path):
        with open(path, "a") as file:
            file.write(".")
        ends = time.monotonic() + 60
        while os.path.getsize(path) < 2 and time.monotonic() < ends:
            time.sleep(0.01)  # for the other worker, that it gets some of the evaluations
        return lambda params: params["x"] + data[0]

    result = optimize(Heavy(), LINE, size=40, generation_count=0, seed=0, workers=2)
    assert result.evaluations == 40
    assert (tmp_path / "arrivals").read_text() == ".."


# Faults


def fate(params):
    """Kill the worker (10 % of the points), hang, raise or return NaN (5 % each)."""
    import ctypes
    import math
    import os
    import signal
    import time

    n = params["n"]
    if n % 20 == 0:
        os._exit(7)
    if n % 40 == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if n % 40 == 21:
        ctypes.string_at(0)  # a segmentation fault
    if n % 20 == 2:
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
        ctypes.PyDLL(None).sleep(1000)  # C code that keeps the interpreter lock
        time.sleep(1000)
    if n % 20 == 3:
        raise KeyError("of the loss")
    return math.nan if n % 20 == 4 else abs(n - 83.0)


@POSIX
@pytest.mark.parametrize("mode", [{"batch": 50}, {"steady_state": True}])
def test_every_fault_costs_its_own_evaluation_only(mode):
    space = {"n": ChoiceDistribution(list(range(200)))}
    with pytest.warns(EvaluationWarning, match="50 of 200 evaluations failed"):
        result = optimize(
            fate_by_value(),
            space,
            size=200,
            generation_count=0,
            workers=2,
            evaluation_timeout=0.3,
            surrogate=False,
            seed=0,
            **mode,
        )
    history = result.history
    assert sorted(history.id) == list(range(200))
    assert sorted(history.params(row)["n"] for row in range(200)) == list(range(200))
    assert (result.best_params["n"], result.loss) == (85, 2.0)  # 80 to 84 fail
    reasons = {failure.params["n"]: failure.reason for failure in result.failures}
    expected = {n: reason for n in range(200) if (reason := expected_reason(n))}
    assert reasons == expected


def expected_reason(n):
    died = "ChildProcessError: the worker died {}, 2 times"
    if n % 20 == 0:
        return died.format("with exit code 7")
    if n % 20 == 1:
        return died.format("by SIGKILL" if n % 40 == 1 else "by SIGSEGV")
    return {
        2: "TimeoutError: evaluation_timeout of 0.3 seconds",
        3: "KeyError: 'of the loss'",
        4: "the loss returned nan",
    }.get(n % 20)


def fate_by_value():
    """Return `fate` so that it is pickled by value: workers need not import this module."""
    return lambda params, code=fate.__code__: type(lambda: 0)(code, {"abs": abs})(params)


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (2, 3)])
def test_retries_are_counted(retries, tries, tmp_path):
    log = str(tmp_path / "log")

    def fn(params):
        if params["n"] == 3:
            with open(log, "a") as file:
                file.write(".")
            os._exit(1)
        return params["n"]

    space = {"n": ChoiceDistribution([1, 2, 3, 4])}
    with pytest.warns(EvaluationWarning, match="1 of 4"):
        optimize(fn, space, size=4, generation_count=0, workers=1, retries=retries)
    assert len((tmp_path / "log").read_text()) == tries


def test_a_worker_that_dies_once_costs_nothing(tmp_path):
    trace = tmp_path / "trace"

    def fn(params):
        if params["n"] == 3 and not os.path.exists(trace):
            open(trace, "w").close()
            os._exit(1)
        return params["n"]

    space = {"n": ChoiceDistribution([1, 2, 3, 4])}
    result = optimize(fn, space, size=4, generation_count=0, workers=2)
    assert sorted(result.history.loss) == [1, 2, 3, 4]
    assert trace.exists()


def test_on_error_raise_also_ends_the_run_at_a_dead_worker():
    with pytest.raises(ChildProcessError, match="with exit code 5"):
        optimize(lambda params: os._exit(5), LINE, workers=1, retries=0, on_error="raise")


def test_a_whole_generation_that_fails_raises_with_the_traceback_of_the_worker():
    def broken(params):
        raise KeyError("always")

    with pytest.raises(EvaluationError, match=r"(?s)all 10 .*in broken\n.*KeyError: 'always'"):
        optimize(broken, LINE, size=10, workers=2)


@pytest.mark.parametrize("value", [None, "text", 1j])
def test_no_number_is_an_error_that_names_the_parameters(value):
    with pytest.raises(LossError, match=r"must return a number, got .* for params \{'x': 0\."):
        optimize(lambda params: value, LINE, workers=2)


class Awkward(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")  # cannot be unpickled: two arguments, not one


class Locked(Exception):
    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Awkward(1, 2), "Awkward: 1 and 2"),
        (lambda: Locked("shut"), "Locked: shut"),
        (lambda: ValueError("x" * 500), f"ValueError: {'x' * 288}"),
    ],
)
def test_exceptions_that_do_not_travel_keep_their_name_and_text(make, reason):
    def fn(params):
        if params["x"] > 0.5:
            raise make()
        return params["x"]

    with pytest.warns(EvaluationWarning):
        result = optimize(fn, LINE, size=10, generation_count=0, seed=0, workers=1)
    assert {failure.reason for failure in result.failures} == {reason}


def test_the_users_own_exception_arrives_with_its_class_and_where_it_was_raised():
    class Own(Exception):
        pass

    def fn(params):
        raise Own("mine")

    with pytest.raises(Own, match="mine") as caught:
        optimize(fn, LINE, workers=2, on_error="raise")
    assert "in fn\n" in str(caught.value.__cause__)


def test_system_exit_in_a_loss_ends_the_run_as_it_does_without_workers():
    def fn(params):
        sys.exit("enough")

    with pytest.raises(SystemExit, match="enough") as caught:
        optimize(fn, LINE, workers=2)
    assert caught.value.result.evaluations == 0


def test_a_function_that_cannot_be_pickled_is_refused():
    lock = threading.Lock()

    def fn(params):
        return lock and params["x"]

    with pytest.raises(ArgumentError, match=r"^fn: must be picklable .*got <function .*lock"):
        optimize(fn, LINE, workers=2)


def test_a_function_that_cannot_be_read_in_a_worker_says_so(tmp_path, monkeypatch):
    (tmp_path / "gone_module.py").write_text("def fn(params):\n    return 0.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    from gone_module import fn

    (tmp_path / "gone_module.py").unlink()
    with pytest.raises(EvaluationError, match=r"(?s)readable in a worker.*No module.*gone_module"):
        optimize(fn, LINE, workers=2)


def test_workers_that_die_before_they_begin_end_the_run():
    class Poison:
        def __reduce__(self):
            return os._exit, (9,)

        def __call__(self, params):
            return 0.0

    with pytest.raises(EvaluationError, match=r"3 that died before .* with exit code 9"):
        optimize(Poison(), LINE, workers=1)


# What waits behind a slow evaluation


def wait_for_all_others(log, others):
    """Return a loss of which one call waits until so many others have ended, a minute at most."""

    def fn(params):
        if params["n"] == 5:
            ends = time.monotonic() + 60
            while len(log.read_text().split()) < others:
                if time.monotonic() > ends:
                    raise TimeoutError("they did not end")
                time.sleep(0.01)
        with open(log, "a") as file:
            file.write(f"{params['n']}\n")
        return params["n"]

    log.write_text("")
    return fn


@pytest.mark.parametrize("given", [{"batch": 100}, {"steady_state": True}])
def test_jobs_behind_a_slow_evaluation_go_to_idle_workers(given, tmp_path):
    log = tmp_path / "log"
    space = {"n": ChoiceDistribution(list(range(100)))}
    known = [{"n": n} for n in range(40, 60)]  # short ones: then whole chunks are handed out
    fn = wait_for_all_others(log, 99)
    given |= {"size": 100, "generation_count": 0, "initial": known, "workers": 2}
    result = optimize(fn, space, **given, seed=0)
    assert len(result.failures) == 0
    assert log.read_text().split()[-1] == "5"
    assert sorted(map(int, log.read_text().split())) == list(range(100))  # each once


def test_jobs_that_a_busy_worker_would_have_to_read_first_are_not_sent_ahead(tmp_path):
    # 1 MB does not fit into a pipe: sending it would block until the sleeping worker reads
    def fn(params):
        if params["n"].value == 0:
            time.sleep(1000)
        return params["n"].value

    class Large:
        def __init__(self, value):
            self.value, self.data = value, os.urandom(1_000_000)

    space = {"n": ChoiceDistribution([Large(value) for value in range(12)])}
    with pytest.warns(EvaluationWarning, match="1 of 12"):
        result = optimize(
            fn, space, size=12, generation_count=0, workers=2, steady_state=True,
            evaluation_timeout=2,
        )  # fmt: skip
    assert [failure.params["n"].value for failure in result.failures] == [0]


def test_a_busy_worker_that_was_deprived_gets_nothing_until_it_reports(monkeypatch):
    # or what waits to be read would grow with each job that comes and is taken back
    taken = []
    take_back = Worker.take_back

    def watched(worker):
        jobs = take_back(worker)
        taken.extend([worker.jobs[0].id] if jobs else [])
        return jobs

    monkeypatch.setattr(Worker, "take_back", watched)
    pool = ProcessPool(Call(lambda params: time.sleep(params) or params), 2, ahead=True)
    ended, keys = set(), itertools.count(1)
    try:
        pool.submit([Job(0, 2.0, 0)])
        while 0 not in ended:
            some = set(itertools.islice(keys, 3))
            pool.submit([Job(key, 0.001, key) for key in some])
            while not some <= ended:
                ended.update(key for key, _ in pool.wait(1))
        assert taken.count(0) == 1
    finally:
        pool.close()


def test_a_report_that_comes_when_the_job_was_taken_back_is_ignored():
    pool = ProcessPool(Call(lambda params: params), 1)
    try:
        pool.submit([Job(0, 1.5, 7)])
        ended = []
        while not ended:
            ended = pool.wait(1)
        (worker,) = pool._workers.values()
        pool._take(worker, (7, Report(2.5, 0.1)))
        assert [(key, report.loss) for key, report in ended] == [(0, 1.5)]
        assert pool.wait(0) == []
    finally:
        pool.close()


# Time


def test_time_limit_drops_what_is_under_way_and_keeps_what_had_ended():
    def fn(params):
        time.sleep(60 if params["x"] > 0.8 else 0)
        return params["x"]

    known = [{"x": x} for x in (0.9, 0.1, 0.2, 0.3)]
    result = optimize(fn, LINE, size=4, batch=4, initial=known, workers=2, time_limit=4)
    assert result.message == "time_limit reached: 4 seconds"
    assert result.history.loss.tolist() == [0.1, 0.2, 0.3]
    assert result.total_time < 30


def test_target_drops_the_others():
    def fn(params):
        time.sleep(60 if params["x"] > 0.5 else 0)
        return params["x"]

    result = optimize(fn, LINE, size=10, workers=4, target=0.5, seed=0)
    assert result.message.startswith("target reached")
    assert result.total_time < 30


@POSIX
def test_processes_that_a_loss_has_started_end_with_it(tmp_path):
    pids = tmp_path / "pids"

    def fn(params):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
        with open(pids, "a") as file:
            file.write(f"{child.pid}\n")
        child.wait()

    with pytest.raises(EvaluationError, match="evaluation_timeout of 1 s"):
        optimize(fn, LINE, size=2, workers=2, evaluation_timeout=1)
    ends = time.monotonic() + 20
    started = pids.read_text().split()
    assert len(started) == 2
    while any(map(alive, started)) and time.monotonic() < ends:
        time.sleep(0.05)  # their new parent reaps them
    assert not any(map(alive, started))


@POSIX
def test_a_worker_whose_children_outlive_it_is_seen_to_have_died(tmp_path):
    pids = tmp_path / "pids"

    def fn(params):
        if params["n"] == 2:
            child = os.fork()  # it inherits the connection
            if not child:
                time.sleep(100)
            with open(pids, "a") as file:
                file.write(f"{child}\n")
            os._exit(1)
        time.sleep(0.02)
        return params["n"]

    space = {"n": ChoiceDistribution(list(range(20)))}
    with pytest.warns(EvaluationWarning, match="1 of 20"):
        result = optimize(fn, space, size=20, generation_count=0, workers=2, retries=0)
    assert [failure.params["n"] for failure in result.failures] == [2]
    ends = time.monotonic() + 20
    while any(map(alive, pids.read_text().split())) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not any(map(alive, pids.read_text().split()))


# Surroundings


def test_workers_have_the_path_arguments_and_folder_of_the_parent(tmp_path, monkeypatch):
    (tmp_path / "side_module.py").write_text("import sys\nvalue = len(sys.argv)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["program", "one", "two"])
    monkeypatch.setattr(sys, "path", ["", *sys.path])

    def fn(params):
        import side_module

        return side_module.value

    assert optimize(fn, LINE, size=2, generation_count=0, workers=1).loss == 3


def test_each_worker_sees_its_own_accelerator_before_anything_is_imported(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")

    class Loss:
        def __reduce__(self):
            return see, ()

        def __call__(self, params):
            return None

    def see():
        device = float(os.environ["CUDA_VISIBLE_DEVICES"])
        return lambda params: time.sleep(0.05) or device

    result = optimize(Loss(), LINE, size=12, generation_count=0, workers=2, devices=[5, 7])
    assert set(result.history.loss) == {5.0, 7.0}


def test_fewer_accelerators_are_shared():
    def fn(params):
        time.sleep(0.05)
        return float(os.environ["CUDA_VISIBLE_DEVICES"])

    given = {"size": 9, "generation_count": 0, "batch": 9}
    result = optimize(fn, LINE, **given, workers=3, devices=("4",))
    assert set(result.history.loss) == {4.0}


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        ([0, 1, 2], r"must not be more than the workers, 2, got \[0, 1, 2\]"),
        ([], "must be a list"),
        ("0,1", "must be a list"),
    ],
)
def test_impossible_devices_are_refused(devices, told):
    with pytest.raises(ArgumentError, match=f"^devices: {told}"):
        optimize(abs, LINE, workers=2, devices=devices)


@pytest.mark.parametrize("given", [None, "5"])
def test_linear_algebra_gets_its_share_of_the_cores(given, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OMP_NUM_THREADS", given)

    def fn(params):
        return float(os.environ["OMP_NUM_THREADS"])

    share = max(1, len(os.sched_getaffinity(0)) // 2) if sys.platform == "linux" else None
    loss = optimize(fn, LINE, size=2, generation_count=0, workers=2).loss
    assert loss == (float(given) if given else share or loss)


def test_linear_algebra_uses_as_many_threads_as_its_share(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    for name in processes.THREADS:
        monkeypatch.delenv(name, raising=False)

    def fn(params):
        np.ones((2, 2)) @ np.ones((2, 2))
        libraries = threadpoolctl.threadpool_info()
        return max(library["num_threads"] for library in libraries)

    workers = processes.cores()
    result = optimize(fn, LINE, size=workers, generation_count=0, workers=workers)
    assert set(result.history.loss) == {1.0}


def test_all_cores_are_used_for_minus_one():
    result = optimize(lambda params: params["x"], LINE, size=5, workers=-1, generation_count=0)
    assert result.evaluations == 5


@pytest.mark.parametrize("given", [{"workers": 2}, {"workers": "threads:2"}, {"executor": map}])
@pytest.mark.parametrize("kind", ["vectorized", "coroutine"])
def test_functions_of_other_kinds_are_refused(given, kind):
    async def coroutine(params):
        return 0.0

    fn = coroutine if kind == "coroutine" else abs
    with pytest.raises(ArgumentError, match=f"^fn: must be a plain function .*a {kind}"):
        optimize(fn, LINE, vectorized=kind == "vectorized", **given)


def test_workers_and_executor_exclude_each_other():
    with pytest.raises(ArgumentError, match=r"^workers: must not be given together with executor"):
        optimize(abs, LINE, workers=2, executor=map)


@pytest.mark.parametrize("given", [{"workers": "threads:2"}, {"executor": map}])
@pytest.mark.parametrize(("name", "value"), [("evaluation_timeout", 1.0), ("devices", [0])])
def test_what_only_processes_can_do_is_refused_elsewhere(given, name, value):
    (shown,) = given
    with pytest.raises(ArgumentError, match=f"^{name}: must come with workers=N, .* with {shown}"):
        optimize(abs, LINE, **given, **{name: value})


# Nothing is left behind


@POSIX
@pytest.mark.parametrize("end", ["well", "error", "interrupt", "callback"])
def test_no_process_is_left_behind(end):
    pids = set()

    def fn(params):
        return float(os.getpid())

    def callback(progress):
        pids.update(progress.history.loss.tolist())
        if end == "interrupt":
            raise KeyboardInterrupt
        if end == "error":
            raise OSError("of the callback")
        return end == "callback"

    given = {"size": 6, "generation_count": 1, "workers": 2, "callback": callback}
    if end == "error":
        with pytest.raises(OSError, match="of the callback"):
            optimize(fn, LINE, **given)
    else:
        optimize(fn, LINE, **given)
    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids
    assert not any(map(alive, pids))


ORPHANS = """
    import os, time
    import geneticpy

    def fn(params):
        print(os.getpid(), flush=True)
        time.sleep(100)

    space = {"x": geneticpy.UniformDistribution(0, 1)}
    geneticpy.optimize(fn, space, workers=2)
"""


@POSIX
def test_workers_end_when_their_parent_is_killed(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ORPHANS)], stdout=subprocess.PIPE, text=True
    )
    pids = [int(parent.stdout.readline()) for _ in range(2)]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    ends = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_what_a_loss_prints_is_printed(tmp_path):
    program = """
        import geneticpy
        space = {"x": geneticpy.UniformDistribution(0, 1)}
        fn = lambda params: print("evaluated") or 0.0
        geneticpy.optimize(fn, space, size=3, generation_count=0, workers=1)
    """
    assert run(["-c", textwrap.dedent(program)], tmp_path) == ["evaluated"] * 3
