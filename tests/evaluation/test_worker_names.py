"""Every report from elsewhere says where it was made."""

import os
import pickle
import platform
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from geneticpy.evaluation.call import Call, attempt, here
from geneticpy.evaluation.crew import hire
from geneticpy.evaluation.loss import Limits, Outcomes, make_loss

HERE = f"{platform.node()}:{os.getpid()}"


class Points:
    def __init__(self, params):
        self.params, self.ids = params, np.arange(len(params))

    def __len__(self):
        return len(self.params)


def outcomes_of(fn, params, **given):
    """Evaluate `params`; return what came of them."""
    crew = hire(**given)
    loss = make_loss(fn, crew=None if crew is None else crew.loss)
    outcomes = Outcomes(len(params))
    try:
        loss.evaluate(Points(params), outcomes, Limits())
    finally:
        loss.close()
    return outcomes


def pid_or_error(params):
    import os

    if params == 2:
        raise KeyError("two")
    return float("nan") if params == 3 else os.getpid()


def test_processes_are_named_by_host_and_number():
    outcomes = outcomes_of(pid_or_error, list(range(8)), workers=2)
    for at, name in outcomes.workers.items():
        assert name == f"{platform.node()}:{outcomes.loss[at]:.0f}" or at in (2, 3)
    assert len(outcomes.workers) == 8
    assert 1 <= len(set(outcomes.workers.values())) <= 2
    assert HERE not in outcomes.workers.values()


def test_threads_are_named_too():
    barrier = threading.Barrier(3, timeout=30)
    outcomes = outcomes_of(lambda params: barrier.wait(), [0, 1, 2], workers="threads:3")
    assert sorted(outcomes.workers.values()) == [f"{HERE} geneticpy-{at}" for at in range(3)]


def test_executors_and_maps_are_named_by_those_who_evaluate():
    with ThreadPoolExecutor(1, thread_name_prefix="of the user") as threads:
        for executor in (threads, threads.map):
            outcomes = outcomes_of(pid_or_error, [0, 2], executor=executor)
            assert set(outcomes.workers.values()) == {f"{HERE} of the user_0"}
    with ProcessPoolExecutor(1) as processes:
        outcomes = outcomes_of(pid_or_error, [0], executor=processes)
        assert outcomes.workers == {0: f"{platform.node()}:{outcomes.loss[0]:.0f}"}


def test_evaluations_in_this_thread_are_made_nowhere_else():
    assert outcomes_of(pid_or_error, [0, 1, 2]).workers == {}


@pytest.mark.parametrize("how", ["dies", "hangs"])
def test_evaluations_that_cost_their_worker_name_it(how, tmp_path):
    trace = tmp_path / "pid"

    def fn(params):
        import time

        trace.write_text(str(os.getpid()))
        return os._exit(3) if how == "dies" else time.sleep(100)

    outcomes = outcomes_of(fn, [0], workers=1, retries=0, evaluation_timeout=1.5)
    assert outcomes.workers == {0: f"{platform.node()}:{trace.read_text()}"}
    assert type(outcomes.errors[0]) is (ChildProcessError if how == "dies" else TimeoutError)


@pytest.mark.parametrize("value", [1.0, float("nan"), KeyError("k"), "text"])
def test_reports_keep_the_name_on_their_way(value):
    def fn(params):
        if isinstance(value, Exception):
            raise value
        return value

    report = attempt(Call(fn), {}, 0)
    assert pickle.loads(pickle.dumps(report)).worker == report.worker == here() == HERE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_has_a_name_of_its_own():
    here()  # known before
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, here().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 1000).decode() == f"{platform.node()}:{child}"
    os.close(read)
    os.close(write)
