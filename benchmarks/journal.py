"""Measure what a journal costs, and how long a large one takes to open, read and continue.

python benchmarks/journal.py --output benchmarks/RESULTS.md     # about five minutes
python benchmarks/journal.py --quick                            # some seconds
"""

import argparse
import contextlib
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import report

import geneticpy
from geneticpy import jsonable
from geneticpy.run.recorded import read

LOSS_SECONDS = 20e-6
SPACES = {
    "2 numbers": {f"x{i}": geneticpy.UniformDistribution(0, 1) for i in range(2)},
    "10 numbers": {f"x{i}": geneticpy.UniformDistribution(0, 1) for i in range(10)},
    "lists of 1 to 6 layers": {
        "rate": geneticpy.LogUniformDistribution(1e-5, 1e-1),
        "layers": geneticpy.ListDistribution(
            {
                "units": geneticpy.LogUniformDistribution(4, 1024, q=1),
                "activation": geneticpy.ChoiceDistribution(["relu", "tanh", "elu"]),
            },
            min_size=1,
            max_size=6,
        ),
    },
}
LARGE = {f"x{i}": geneticpy.UniformDistribution(0, 1) for i in range(5)}


def short(params):
    """Use the processor for LOSS_SECONDS."""
    ends = time.thread_time() + LOSS_SECONDS
    while time.thread_time() < ends:
        pass
    return next(iter(params.values()))


def cheap(params):
    return params["x0"]


def seconds_of(clock, fn, space, evaluations, **settings):
    size = 200
    generations = max(0, 2 * (evaluations - size) // size)
    before = clock()
    geneticpy.optimize(
        fn, space, size=size, generation_count=generations, surrogate=False, seed=0, **settings
    )
    return clock() - before


@contextlib.contextmanager
def library_for_json(name):
    """Write JSON with a library."""
    before = jsonable._orjson
    if name == "json":
        jsonable._orjson = lambda: None
    try:
        yield
    finally:
        jsonable._orjson = before


def overhead(options, folder):
    """Compare runs of a loss of 20 microseconds with and without a journal."""
    rows = []
    for name, space in SPACES.items():
        for library in ("orjson", "json"):
            with library_for_json(library):
                rows.append([name, library, *cost(space, options, folder / f"{name}-{library}")])
    header = ["space", "JSON by", "us of CPU without", "with", "more", "bytes in the file"]
    title = f"### Runs of {options.evaluations:,} evaluations of {1e6 * LOSS_SECONDS:.0f} us"
    return f"{title}, median of {options.repeats}\n\n{report.table(header, rows)}"


def cost(space, options, path):
    plain, kept = [], []
    for repeat in range(options.repeats):
        journal = path.with_suffix(f".{repeat}")
        plain.append(seconds_of(time.process_time, short, space, options.evaluations))
        kept.append(
            seconds_of(time.process_time, short, space, options.evaluations, journal=journal)
        )
    us = 1e6 / options.evaluations
    more = median(two / one for one, two in zip(plain, kept, strict=True)) - 1
    size = journal.stat().st_size / options.evaluations
    times = [f"{median(seconds) * us:.1f}" for seconds in (plain, kept)]
    return [*times, f"{100 * more:+.1f}%", f"{size:.0f}"]


def large(options, folder):
    """Open, read and continue a large journal."""
    path, n = folder / "large", options.large
    rows = [["the run without a journal", seconds_of(time.perf_counter, cheap, LARGE, n)]]
    rows.append(["the run with it", seconds_of(time.perf_counter, cheap, LARGE, n, journal=path)])
    began = time.perf_counter()
    run = read(path).runs[-1]
    rows.append(["open and check it", time.perf_counter() - began])
    losses = [row.loss for row in run.rows]
    rows.append(["open it and read every evaluation", time.perf_counter() - began])
    assert len(losses) == n
    resumed = seconds_of(time.perf_counter, cheap, LARGE, n + 1000, journal=path)
    rows.append(["open it, repeat the run and make 1,000 evaluations more", resumed])
    title = f"### {n:,} evaluations of 5 genes, {path.stat().st_size / 1e6:.0f} MB"
    shown = [[name, f"{seconds:.1f}"] for name, seconds in rows]
    return f"{title}\n\n{report.table(['', 'seconds'], shown)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=50_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", help="replace the section of this file")
    options = parser.parse_args()
    if options.quick:
        options.evaluations, options.large, options.repeats = 2_000, 5_000, 1
    versions = {"geneticpy": geneticpy.__version__, "orjson": version("orjson")}
    parts = ["## The journal", report.provenance(versions)]
    with tempfile.TemporaryDirectory() as folder:
        for table in (overhead, large):
            parts.append(table(options, Path(folder)))
            print(parts[-1], end="\n\n", flush=True)
    if options.output:
        report.write_section(options.output, "journal", "\n\n".join(parts))


if __name__ == "__main__":
    main()
