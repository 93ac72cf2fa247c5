"""Ctrl-C: whatever has been evaluated is kept, wherever it comes."""

import asyncio
import math
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from geneticpy import ArgumentError, EvaluationWarning, UniformDistribution, optimize
from geneticpy.evolution.optimizer import Optimizer
from geneticpy.loop import Run
from geneticpy.run.history import History
from geneticpy.run.interrupts import Interrupts
from geneticpy.run.journal import Journal
from geneticpy.run.progress import Bar
from geneticpy.run.recorded import read

LINE = {"x": UniformDistribution(0, 1)}


def interrupting(at, fn=lambda params: params["x"]):
    """Return a loss that is interrupted in its call number `at`, and the list of its losses."""
    losses = []

    def loss(params):
        if len(losses) == at:
            raise KeyboardInterrupt
        losses.append(fn(params))
        return losses[-1]

    return loss, losses


@pytest.mark.parametrize("at", [0, 1, 7, 10, 13])
def test_interrupt_in_the_middle_of_a_batch_keeps_what_was_finished(at):
    fn, losses = interrupting(at)
    result = optimize(fn, LINE, size=10, batch=10, seed=0)
    assert result.message == f"interrupted after {at} evaluations"
    assert result.history.loss.tolist() == losses
    assert len(losses) == at


def test_interrupt_returns_the_best_so_far():
    fn, losses = interrupting(17, lambda params: -params["x"])
    best_params, loss, _ = optimize(fn, LINE, size=10, maximize_fn=True, seed=0)
    assert loss == max(losses) == -best_params["x"]


def test_interrupt_before_the_first_result_returns_none_and_nan():
    best_params, loss, _ = optimize(interrupting(0)[0], LINE, seed=0)
    assert best_params is None
    assert np.isnan(loss)


def test_interrupt_still_tells_of_failures():
    losses = iter([1.0, math.nan, math.nan, 2.0] * 3)
    fn, _ = interrupting(9, lambda params: next(losses))
    with pytest.warns(EvaluationWarning, match="4 of 9 evaluations failed"):
        optimize(fn, LINE, size=10, seed=0)


def test_interrupted_run_is_the_beginning_of_the_whole_one():
    whole = optimize(lambda params: params["x"], LINE, size=10, seed=0)
    part = optimize(interrupting(33)[0], LINE, size=10, seed=0)
    assert part.history.genes.tobytes() == whole.history.genes[:33].tobytes()


@pytest.mark.parametrize(
    ("owner", "method", "before"),
    [(History, "append", True), (History, "append", False), (Optimizer, "tell", True)],
)
def test_interrupt_while_recording_loses_nothing(monkeypatch, owner, method, before):
    original = getattr(owner, method)
    calls = []

    def interrupted(self, *args, **options):
        calls.append(1)
        if len(calls) == 3 and before:
            raise KeyboardInterrupt
        original(self, *args, **options)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(owner, method, interrupted)
    losses = []

    def fn(params):
        losses.append(params["x"])
        return params["x"]

    result = optimize(fn, LINE, size=15, batch=5, seed=0)
    assert result.history.loss.tolist() == losses
    assert len(losses) == 15
    assert result.loss == min(losses)
    assert result.history.id.tolist() == list(range(15))


@pytest.mark.parametrize("method", ["ask", "callback"])
def test_interrupt_outside_the_loss_returns_the_result(monkeypatch, method):
    def interrupt(*_):
        raise KeyboardInterrupt

    hooks = {"callback": interrupt} if method == "callback" else {}
    if method == "ask":
        calls = iter([Optimizer.ask] * 2 + [interrupt])
        monkeypatch.setattr(Optimizer, "ask", lambda self, n: next(calls)(self, n))
    result = optimize(lambda params: params["x"], LINE, size=10, batch=5, seed=0, **hooks)
    assert result.message == "interrupted after 10 evaluations"


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("owner", "method"), [(Journal, "end"), (Journal, "close"), (Run, "result"), (Bar, "close")]
)
def test_interrupt_at_the_end_returns_the_result(
    ctrl_c, monkeypatch, tmp_path, owner, method, before
):
    original = getattr(owner, method)

    def interrupted(self, *args):
        if before:
            ctrl_c()
        returned = original(self, *args)
        if not before:
            ctrl_c()
        return returned

    monkeypatch.setattr(owner, method, interrupted)
    path = tmp_path / "a.db"
    result = optimize(lambda params: params["x"], LINE, size=10, generation_count=1, journal=path)
    assert result.message == "generation_count reached: 1 generations, 15 evaluations"
    assert read(path).runs[0].ended == result.message
    assert read(path).runs[0].evaluations == 15


@pytest.mark.parametrize("batch", [1, 5])
def test_interrupt_that_the_loss_swallows_ends_the_run(ctrl_c, batch):
    losses = []

    def fn(params):
        losses.append(params["x"])
        if len(losses) == 7:
            try:
                ctrl_c()
            except:  # noqa: E722
                return params["x"]
        return params["x"]

    result = optimize(fn, LINE, size=10, batch=batch, seed=0)
    assert result.message == "interrupted after 7 evaluations"
    assert len(losses) == 7
    assert result.history.loss.tolist() == losses


@pytest.mark.parametrize("times", [1, 2])
def test_interrupt_waits_until_everything_is_ready(ctrl_c, monkeypatch, times):
    def fn(params):
        raise AssertionError("evaluated")

    original = Optimizer.__init__
    ready = []

    def interrupted(self, *args, **options):
        for _ in range(times):
            ctrl_c()
        original(self, *args, **options)
        ready.append(self)

    monkeypatch.setattr(Optimizer, "__init__", interrupted)
    if times == 1:
        result = optimize(fn, LINE, size=10, seed=0)
        assert result.message == "interrupted after 0 evaluations"
    else:
        with pytest.raises(KeyboardInterrupt):
            optimize(fn, LINE, size=10, seed=0)
    assert len(ready) == 2 - times


def test_interrupt_that_waits_for_arguments_that_are_wrong_comes(ctrl_c, monkeypatch):
    def interrupted(self, *args, **options):
        ctrl_c()
        raise ArgumentError("wrong")

    monkeypatch.setattr(Optimizer, "__init__", interrupted)
    with pytest.raises(KeyboardInterrupt) as raised:
        optimize(lambda params: 0.0, LINE, seed=0)
    assert isinstance(raised.value.__context__, ArgumentError)


def test_interrupt_of_a_run_inside_a_loss_ends_both(ctrl_c):
    inner = []

    def nested(params):
        inner.append(params["x"])
        if len(inner) == 12:
            ctrl_c()
        return params["x"]

    def fn(params):
        return optimize(nested, LINE, size=5, generation_count=1, batch=1, seed=0).loss

    result = optimize(fn, LINE, size=10, batch=1, seed=0)
    assert len(inner) == 12
    assert result.message == f"interrupted after {result.evaluations} evaluations"


def test_interrupt_waits_until_the_history_is_whole(ctrl_c, monkeypatch):
    original = History._reserve
    reserved = []

    def interrupted(self, rows):
        reserved.append(rows)
        if len(reserved) == 2:
            ctrl_c()
        original(self, rows)

    monkeypatch.setattr(History, "_reserve", interrupted)
    losses = []

    def fn(params):
        losses.append(params["x"])
        return params["x"]

    result = optimize(fn, LINE, size=1500, generation_count=2, seed=0)
    assert len(reserved) == 2
    assert result.message == f"interrupted after {len(losses)} evaluations"
    assert result.history.loss.tolist() == losses


def test_rows_are_reserved_again_if_an_exception_came_between_two_columns():
    history = History(None, 1)
    rows = {
        "id": np.arange(3),
        "generation": 0,
        "genes": np.zeros((3, 1)),
        "loss": np.ones(3),
        "species": np.zeros(3, np.uint64),
        "parents": np.zeros((3, 2), np.int64),
        "seconds": np.zeros(3),
    }
    whole = dict(history._columns)
    history._reserve(64)
    history._columns |= {name: whole[name] for name in ("loss", "seconds")}
    history.append({}, **rows)
    assert len(history) == 3
    assert history.loss.tolist() == [1, 1, 1]


def test_what_is_put_off_comes_afterwards(ctrl_c):
    interrupts, done = Interrupts(), []

    def recorded():
        interrupts.let_come()
        with interrupts.put_off():
            ctrl_c()
            done.append(1)
        done.append(2)

    with interrupts, pytest.raises(KeyboardInterrupt):
        recorded()
    assert done == [1]
    with pytest.raises(KeyboardInterrupt):
        interrupts.raise_again()


def test_handlers_that_raise_nothing_end_nothing():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *given: heard.append(given))
    try:
        with Interrupts() as interrupts:
            interrupts.let_come()
            signal.raise_signal(signal.SIGINT)
            interrupts.raise_again()
    finally:
        signal.signal(signal.SIGINT, before)
    assert [number for number, _ in heard] == [signal.SIGINT]


@pytest.mark.parametrize("at", ["entering", "leaving", "leaving an error"])
def test_interrupt_while_handlers_are_exchanged_leaves_none_behind(ctrl_c, monkeypatch, at):
    original = signal.signal
    calls = []

    def exchange(number, handler):
        calls.append(handler)
        if at != "entering" and len(calls) == 2:
            ctrl_c()
        before = original(number, handler)
        if at == "entering" and len(calls) == 1:
            ctrl_c()
        return before

    def enter():
        with monkeypatch.context() as patch:
            patch.setattr(signal, "signal", exchange)
            with Interrupts() as interrupts:
                interrupts.let_come()
                if at == "leaving an error":
                    raise ValueError

    if at == "leaving":
        enter()
    else:
        with pytest.raises(KeyboardInterrupt):
            enter()
    assert len(calls) == 2


def test_a_handler_set_meanwhile_stays(ctrl_c):
    def other(*_):
        pass

    with Interrupts():
        signal.signal(signal.SIGINT, other)
    assert signal.signal(signal.SIGINT, signal.default_int_handler) is other


@pytest.mark.parametrize("kind", [signal.SIG_IGN, signal.SIG_DFL])
def test_signals_without_a_function_are_left_alone(kind):
    before = signal.signal(signal.SIGINT, kind)
    try:
        with Interrupts():
            assert signal.getsignal(signal.SIGINT) == kind
    finally:
        signal.signal(signal.SIGINT, before)


def test_runs_in_another_thread_leave_signals_alone(ctrl_c):
    handlers = []

    def fn(params):
        handlers.append(signal.getsignal(signal.SIGINT))
        return params["x"]

    thread = threading.Thread(target=optimize, args=(fn, LINE), kwargs={"max_evaluations": 5})
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler] * 5


def test_interrupt_after_a_transaction_began_leaves_the_journal_writable(monkeypatch, tmp_path):
    original = Journal._blocks
    calls = []

    class Connection:
        def __init__(self, inner):
            self.inner = inner

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def execute(self, *args):
            returned = self.inner.execute(*args)
            if args[0] == "BEGIN IMMEDIATE" and len(calls) == 3:
                calls.append("raised")
                raise KeyboardInterrupt
            return returned

    def counting(self, rows):
        calls.append(len(rows.ids))
        if len(calls) == 1:
            self._connection = Connection(self._connection)
        return original(self, rows)

    monkeypatch.setattr(Journal, "_blocks", counting)
    monkeypatch.setattr("geneticpy.run.journal.LONGEST_PAUSE", 0.0)
    path = tmp_path / "a.db"
    result = optimize(lambda params: params["x"], LINE, size=10, batch=5, seed=0, journal=path)
    assert "raised" in calls
    assert result.message.startswith("interrupted after")
    assert read(path).runs[0].evaluations == result.evaluations > 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.run leaves Ctrl-C alone there")
def test_interrupt_ends_a_run_that_asyncio_run_waits_for(ctrl_c):
    losses, results = [], []

    def fn(params):
        losses.append(params["x"])
        if len(losses) == 7:
            ctrl_c()
        return params["x"]

    async def main():
        results.append(optimize(fn, LINE, size=10, seed=0))
        await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert results[0].message == "interrupted after 6 evaluations"
    assert len(losses) == 7


@pytest.mark.parametrize("at", [1, 3])
def test_interrupt_before_the_journal_takes_note_writes_no_row_twice(monkeypatch, tmp_path, at):
    original = Journal.recorded
    calls = []

    def interrupted(self):
        calls.append(self)
        if len(calls) == at:
            raise KeyboardInterrupt
        original(self)

    monkeypatch.setattr(Journal, "recorded", interrupted)
    path = tmp_path / "a.db"
    result = optimize(lambda params: params["x"], LINE, size=10, batch=5, seed=0, journal=path)
    assert result.message == f"interrupted after {5 * at} evaluations"
    assert read(path).runs[0].evaluations == 5 * at
    again = optimize(lambda params: params["x"], LINE, size=10, batch=5, seed=0, journal=path)
    assert again.history.id.tolist() == list(range(len(again.history)))


PROGRAM = """
    import asyncio, os, signal, sys, threading, time
    import geneticpy

    signal.signal(signal.SIGINT, signal.default_int_handler)  # the shell may have turned it off
    kind, space = sys.argv[1], {"x": geneticpy.UniformDistribution(0, 1)}
    begun, finished = [], []

    def interrupt_soon():
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()

    def plain(params):
        if len(finished) == 7:
            interrupt_soon()
            time.sleep(60)
        finished.append(params["x"])
        return params["x"]

    async def coroutine(params):
        begun.append(params)
        if len(begun) == 8:
            interrupt_soon()
        await asyncio.sleep(60 if len(begun) >= 8 else 0)
        finished.append(params["x"])
        return params["x"]

    def busy(params):  # interrupted anywhere, most likely outside the loss
        if len(finished) == 100:
            interrupt_soon()
        finished.append(params["x"])
        return params["x"]

    fn = {"plain": plain, "coroutine": coroutine, "busy": busy}[kind]
    result = geneticpy.optimize(fn, space, size=10, generation_count=10**7, seed=0)
    lost = len(finished) - result.evaluations
    print(result.message)
    print(result.evaluations, lost, result.loss == min(result.history.loss))
    print(result.history.loss.tolist() == finished[:result.evaluations])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to oneself there")
@pytest.mark.parametrize("kind", ["plain", "coroutine", "busy"])
def test_a_real_signal_ends_the_run_with_its_result(kind, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(PROGRAM), kind],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stderr == ""
    message, counts, same = done.stdout.splitlines()
    evaluations, lost, best_is_least = counts.split()
    assert message == f"interrupted after {evaluations} evaluations"
    assert best_is_least == same == "True"
    if kind == "busy":  # the signal may come between the end of the loss and its record
        assert int(lost) in (0, 1)
        assert int(evaluations) >= 100
    else:
        assert (int(evaluations), int(lost)) == (7, 0)
