"""Measure what evaluation on several workers costs, gains and survives at scale.

python benchmarks/parallel.py --output benchmarks/RESULTS.md     # about 3 minutes
python benchmarks/parallel.py --quick                            # under a minute
"""

import argparse
import importlib.metadata
import multiprocessing
import os
import tempfile
import time
import warnings
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from statistics import median

import report
from parallel_simulation import GENES, ROUNDS, SPREAD, simulate

import geneticpy
from geneticpy.evaluation.call import Call
from geneticpy.evaluation.crew import hire
from geneticpy.evaluation.loss import Limits, Outcomes
from geneticpy.evaluation.pool import Job

SPACE = {f"x{i}": geneticpy.UniformDistribution(0, 1) for i in range(5)}
LOSS_SECONDS = 0.05  # of processor time, or asleep
SHORTEST, LONGEST = 0.002, 0.2  # seconds of the uneven loss


def compute(params):
    """Use the processor for LOSS_SECONDS."""
    ends = time.thread_time() + LOSS_SECONDS
    while time.thread_time() < ends:
        pass
    return params["x0"]


def sleep(params):
    time.sleep(LOSS_SECONDS)
    return params["x0"]


def cheap(params):
    return params["x0"]


def uneven(path, scale, params):
    """Take `scale` times 2 to 200 milliseconds, whatever the optimizer prefers, and note when."""
    began = time.monotonic()
    time.sleep(scale * SHORTEST * (LONGEST / SHORTEST) ** params["x1"])
    with open(path, "a") as file:
        file.write(f"{began} {time.monotonic()}\n")
    return params["x0"]


class Immediate:
    """An executor that computes when it is asked: what is left is the cost of the coordinator."""

    num_workers = 1000

    def submit(self, fn, *args):
        future = Future()
        future.set_result(fn(*args))
        return future


def timed(fn, evaluations, **options):
    """Optimize; return the seconds after the first portion, which starts the workers."""
    stamps = []
    geneticpy.optimize(
        fn,
        SPACE,
        size=20,
        generation_count=10**6,
        retain_percentage=0.0,
        seed=0,
        surrogate=False,
        max_evaluations=20 + evaluations,
        callback=lambda progress: stamps.append(time.perf_counter()),
        **options,
    )
    return stamps[-1] - stamps[0]


def speed_up(options):
    """Compare two workers with none, and with two processes that have nothing to coordinate."""
    evaluations = 40 if options.quick else 80
    repeats = 1 if options.quick else 3
    rows = []
    for name, fn in (("uses the processor", compute), ("sleeps", sleep)):
        cases = {"two bare processes": lambda fn=fn: bare(fn, evaluations)}
        for workers, batch in ((2, 20), (2, 5), ("threads:2", 20)):
            case = f"workers={workers!r}, batch={batch}"
            cases[case] = partial(timed, fn, evaluations, workers=workers, batch=batch)
        ratios = {case: [] for case in cases}
        for _ in range(repeats):
            for case, measure in cases.items():  # next to each other: the machine may be busy
                ratios[case].append(timed(fn, evaluations, batch=20) / measure())
        rows += [[name, case, f"{median(ratios[case]):.2f}"] for case in cases]
    header = ["50 ms loss that", "", "speed-up"]
    return (
        f"### Speed-up over one thread, {evaluations} evaluations, median of {repeats}\n\n"
        "Batches of 5 on 2 workers take 3 rounds, so that 1.67 is the most they can reach.\n\n"
        + report.table(header, rows)
    )


def bare(fn, evaluations):
    """Seconds that two processes take for half of the evaluations each."""
    context = multiprocessing.get_context("fork")
    halves = [context.Process(target=repeat, args=(fn, evaluations // 2)) for _ in range(2)]
    began = time.perf_counter()
    for half in halves:
        half.start()
    for half in halves:
        half.join()
    return time.perf_counter() - began


def repeat(fn, times):
    os.setsid()  # as our workers: on a busy machine, each session may get a share of its own
    for _ in range(times):
        fn({"x0": 0.5})


def overhead(options):
    """Measure seconds an evaluation of a loss that costs nothing, without the optimizer."""
    evaluations = 1_000 if options.quick else 5_000
    rows = []
    for name, given in (
        ("2 processes", {"workers": 2}),
        ("1 process", {"workers": 1}),
        ("2 threads", {"workers": "threads:2"}),
        ("executor that computes at once", {"executor": Immediate()}),
    ):
        for batch in (5, 100):
            seconds = pool_seconds(hire(**given), evaluations, batch)
            rows.append([name, batch, f"{seconds * 1e6:.0f}"])
    text = report.table(["", "batch", "us per evaluation"], rows)
    return "### Overhead of a loss that costs nothing\n\n" + text


class Points:
    """What a loss evaluates."""

    def __init__(self, n):
        optimizer = geneticpy.Optimizer(SPACE, size=n, surrogate=False, seed=0)
        candidates = optimizer.ask(n)
        self.params, self.ids, self.columns = candidates.params, candidates.ids, None

    def __len__(self):
        return len(self.params)


def pool_seconds(crew, evaluations, batch):
    """Seconds an evaluation takes from handing out a batch to the last report."""
    loss, points = crew.loss(Call(cheap)), Points(batch)
    try:
        for _ in range(5):  # starts the workers
            loss.evaluate(points, Outcomes(batch), Limits())
        rounds = max(1, evaluations // batch)
        began = time.perf_counter()
        for _ in range(rounds):
            loss.evaluate(points, Outcomes(batch), Limits())
        return (time.perf_counter() - began) / (rounds * batch)
    finally:
        loss.close()


def starting(options):
    """Measure how long a run with one evaluation takes."""
    rows = []
    for workers in (1, 2, "threads:2"):
        times = []
        for _ in range(2 if options.quick else 5):
            began = time.perf_counter()
            geneticpy.optimize(cheap, SPACE, size=2, generation_count=0, workers=workers)
            times.append(time.perf_counter() - began)
        rows.append([f"workers={workers!r}", f"{min(times):.2f}"])
    return "### Start and end of workers\n\n" + report.table(["", "seconds (least)"], rows)


def idle(options):
    """Measure idle time under losses whose durations differ 100-fold."""
    evaluations = 100 if options.quick else 300
    cases = [
        (1, count, workers, surrogate, steady)
        for workers, count in ((2, 2), ("threads:8", 8))
        for surrogate in (False, True)
        for steady in (False, True)
    ]
    if not options.quick:
        cases += [(10, 2, 2, True, False), (10, 2, 2, True, True)]
    rows = []
    for scale, count, workers, surrogate, steady in cases:
        given = {"steady_state": True} if steady else {"batch": 2 * count}
        share = idle_share(evaluations, scale, count, workers, surrogate, given)
        mode = "steady state" if steady else f"batches of {2 * count}"
        model = "a model screens" if surrogate else "no model"
        losses = f"{2 * scale} to {200 * scale} ms"
        rows.append([f"workers={workers!r}", losses, model, mode, f"{share:.1%}"])
    text = report.table(["", "losses of", "", "mode", "idle"], rows)
    return f"### Idle time of workers, {evaluations} evaluations\n\n{text}"


def idle_share(evaluations, scale, count, workers, surrogate, given):
    """Share of the workers' time without an evaluation, without the first 40 and the last 40."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "times"
        geneticpy.optimize(
            partial(uneven, path, scale), SPACE, size=40, generation_count=10**6,
            retain_percentage=0.0, seed=0, max_evaluations=evaluations, workers=workers,
            surrogate=surrogate, **given,
        )  # fmt: skip
        spans = sorted(tuple(map(float, line.split())) for line in path.open())
    begin, end = spans[40][0], spans[-40][0]
    busy = sum(max(0, min(end, ended) - max(begin, began)) for began, ended in spans)
    return 1 - busy / (count * (end - begin))


def at_scale(options):
    """Simulate clusters, with the cost of handing out as measured."""
    handling = handling_cost(500 if options.quick else 5_000)
    rows = []
    for slots in (100, 1_000) if options.quick else (1_000, 10_000):
        for seconds in (0.1, 1.0, 10.0, 100.0):
            for steady in (False, True):
                share, rate = simulate(slots, seconds, handling, steady)
                mode = "steady state" if steady else "generations"
                rows.append([f"{slots:,}", f"{seconds:g} s", mode, f"{share:.1%}", f"{rate:,.0f}"])
    limits = []
    for slots in (100, 1_000) if options.quick else (1_000, 10_000):
        for steady in (False, True):
            _, rate = simulate(slots, 1e-6, handling, steady)
            mode = "steady state" if steady else "generations"
            limits.append([f"{slots:,}", mode, f"{rate:,.0f}", f"{1e6 / rate:.0f}"])
    return (
        "### Simulated clusters\n\n"
        f"Real coordinator ({GENES} genes, no model), simulated workers; durations spread "
        f"{SPREAD}-fold, {ROUNDS} evaluations a worker. Handing out a job and reading its report "
        f"costs the coordinator {handling * 1e6:.0f} us, as measured with an executor that "
        "computes at once; a scheduler like that of Dask adds its own limit.\n\n"
        + report.table(["workers", "mean loss", "mode", "busy", "evaluations/s"], rows)
        + "\n\nThe limit of the coordinator: losses that take no time.\n\n"
        + report.table(
            ["workers", "mode", "evaluations/s", "us of the coordinator for each"], limits
        )
    )


def handling_cost(evaluations):
    """Seconds that the coordinator takes to hand out a job and to read its report, each alone."""
    pool = hire(executor=Immediate()).loss(Call(cheap)).pool
    params = Points(1).params[0]
    began = time.perf_counter()
    for id in range(evaluations):
        pool.submit([Job(id, params, id)])
        pool.wait(0)
    return (time.perf_counter() - began) / evaluations


def alternatives(options):
    """Compare with the pools of other libraries, one task at a time and in chunks of theirs."""
    tasks = 200 if options.quick else 1_000
    rows = [["own processes", f"{pool_seconds(hire(2), tasks, tasks) * 1e6:.0f}"]]
    for name, measure in (("pebble", pebble_seconds), ("loky", loky_seconds)):
        try:
            rows.append([f"{name} {importlib.metadata.version(name)}", measure(tasks)])
        except ImportError:
            rows.append([name, "not installed"])
    return "### Pools, 2 workers, trivial tasks\n\n" + report.table(["", "us per task"], rows)


def pebble_seconds(tasks):
    import pebble

    with pebble.ProcessPool(max_workers=2) as pool:
        return us_per_task(lambda n: pool.schedule(abs, args=[n]), tasks)


def loky_seconds(tasks):
    from loky import get_reusable_executor

    pool = get_reusable_executor(2)
    try:
        return us_per_task(lambda n: pool.submit(abs, n), tasks)
    finally:
        pool.shutdown(kill_workers=True)


def us_per_task(submit, tasks):
    [future.result() for future in [submit(n) for n in range(10)]]
    began = time.perf_counter()
    for future in [submit(n) for n in range(tasks)]:
        future.result()
    return f"{(time.perf_counter() - began) / tasks * 1e6:.0f}"


TABLES = (speed_up, overhead, starting, idle, alternatives, at_scale)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", help="replace the section of this file")
    parser.add_argument("--tables", nargs="*", help="names of some of the tables")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = [table for table in TABLES if not options.tables or table.__name__ in options.tables]
    versions = {"geneticpy": geneticpy.__version__}
    parts = ["## Evaluation on several workers", report.provenance(versions)]
    for table in chosen:
        parts.append(table(options))
        print(parts[-1], flush=True)
        print()
    if options.output:
        report.write_section(options.output, "parallel", "\n\n".join(parts))


if __name__ == "__main__":
    main()
