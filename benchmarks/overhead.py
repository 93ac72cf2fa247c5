"""Measure CPU time per evaluation outside the loss, and memory, of optimizers with a cheap loss.

    python benchmarks/overhead.py --output benchmarks/RESULTS.md
    python benchmarks/overhead.py --quick           # under a minute
    python benchmarks/overhead.py --cases geneticpy "scipy DE" --genes 10

Every measurement runs in a fresh process with one thread for linear algebra. Repeats go round:
each case once, then each again, so that a busy minute of the machine does not hit one row only.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import environments
import report
from overhead_calls import evaluations
from overhead_cases import CASES

IMPORT = (
    "import time; c, w = time.process_time(), time.perf_counter(); import {module}; "
    "print(time.process_time() - c, time.perf_counter() - w)"
)
SLOWEST = "nevergrad TwoPointsDE"  # not in --quick
WINDOWS = (50, 5_000)  # generations whose cost is compared
HALF_WIDTH = 40  # generations on both sides of each, of which the median is taken
OURS = ("geneticpy", "geneticpy, vectorized")  # cases of the long runs


class MeasurementError(Exception):
    """A measurement that did not happen; the text says why."""


def ask(kind, options, request):
    """Run one request in a fresh process and return its answer."""
    try:
        python = environments.interpreter(kind, options.geneticpy2_python)
    except environments.MissingInterpreterError as error:
        raise MeasurementError(str(error)) from error
    done = subprocess.run(
        [python, "-W", "ignore", "overhead_cases.py"],
        cwd=environments.HERE,
        env=environments.surroundings(kind),
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise MeasurementError(lines[-1] if lines else f"process ended with {done.returncode}")
    return json.loads(done.stdout)


def measure_all(options):
    """Measure every case, gene count and repeat.

    Returns
    -------
    found : dict of (case, genes) to list of answers
    failed : dict of case to reason
    """
    found, failed = {}, {}
    for repeat in range(options.repeats):
        for name in options.cases:
            for genes in options.genes:
                if name in failed:
                    continue
                request = {"task": "measure", "name": name, "genes": genes}
                request |= {"size": options.size, "generations": options.generations}
                try:
                    answer = ask(CASES[name].interpreter, options, request)
                except MeasurementError as error:
                    failed[name] = str(error)
                    continue
                found.setdefault((name, genes), []).append(answer)
        print(f"repeat {repeat + 1} of {options.repeats} done", file=sys.stderr)
    return found, failed


def spread(answers, key, digits=1):
    """Format the median and, with repeats, the range of a quantity."""
    values = [answer[key] for answer in answers]
    middle = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def comparison(found, options):
    """Write the table of all libraries, in the order of the cases."""
    header = ["CPU us per evaluation", *(f"{genes} genes" for genes in options.genes)]
    header += ["evaluations", "peak MB", "grown MB"]
    rows = []
    for name in options.cases:
        blocks = [found.get((name, genes)) for genes in options.genes]
        if not all(blocks):
            continue
        memory = blocks[options.genes.index(options.memory_genes)]
        rows.append(
            [
                name,
                *(spread(block, "cpu_us") for block in blocks),
                f"{memory[0]['evaluations']:,}",
                spread(memory, "peak_mb", digits=0),
                spread(memory, "grown_mb", digits=1),
            ]
        )
    return report.table(header, rows)


def long_runs(options):
    """Measure ours where others stop: 1,000 genes and 1,000,000 evaluations."""
    rows = []
    for name in OURS:
        for genes, size, generations in ((1_000, 200, 250), (10, 2_000, 998)):
            request = {"task": "measure", "name": name, "genes": genes}
            request |= {"size": size, "generations": generations}
            answer = ask("main", options, request)
            rows.append(
                [
                    f"{name}, {genes:,} genes, size={size}",
                    f"{answer['evaluations']:,}",
                    f"{answer['cpu_us']:.1f}",
                    f"{answer['peak_mb']:.0f}",
                ]
            )
    return report.table(["run", "evaluations", "CPU us per evaluation", "peak MB"], rows)


def flatness(options):
    """Measure the cost of a generation early and late in a run of ours."""
    rows = []
    for noise in (False, True):
        for vectorized in (False, True):
            request = {"task": "generations", "noise": noise, "vectorized": vectorized}
            request |= {"size": options.size, "generations": WINDOWS[-1] + HALF_WIDTH + 1}
            request |= {"windows": WINDOWS, "half_width": HALF_WIDTH}
            costs = [ask("main", options, request) for _ in range(options.repeats)]
            early, late = (statistics.median(column) for column in zip(*costs, strict=True))
            name = OURS[1] if vectorized else OURS[0]
            loss = "random losses" if noise else "sphere, converged to the last bit"
            rows.append([f"{name}, {loss}", f"{early:.2f}", f"{late:.2f}", f"{late / early:.2f}"])
    header = ["CPU us per evaluation, loss included", *(f"generation {at:,}" for at in WINDOWS)]
    return report.table([*header, "ratio"], rows)


def import_times(repeats):
    """Measure the import of this package, and of numpy alone, in fresh interpreters."""
    rows = []
    for module in ("geneticpy", "numpy"):
        times = []
        for _ in range(repeats):
            command = [sys.executable, "-c", IMPORT.format(module=module)]
            surroundings = environments.surroundings("main")
            done = subprocess.run(
                command, env=surroundings, capture_output=True, text=True, check=True
            )
            times.append([float(value) for value in done.stdout.split()])
        cpu, wall = (f"{statistics.median(column):.3f}" for column in zip(*times, strict=True))
        rows.append([f"import {module}", cpu, wall])
    return report.table(["", "CPU s", "wall s"], rows)


def own_sections(options):
    """Write the sections that are about this package only; a failure is a sentence."""
    sections = []
    parts = [
        ("Flat in the number of generations (10 genes)", lambda: flatness(options)),
        ("Large runs", lambda: long_runs(options)),
        ("Import (numpy is what it needs)", lambda: import_times(options.import_repeats)),
    ]
    for title, part in parts:
        try:
            sections.append(f"### {title}\n\n{part()}")
        except (MeasurementError, subprocess.CalledProcessError) as error:
            sections.append(f"### {title}\n\nNot measured: {error}")
    return sections


def document(found, failed, options):
    """Write everything as Markdown."""
    versions = {}
    for (name, _), answers in found.items():
        other = CASES[name].interpreter != "main"
        versions["GeneticPy" if other else CASES[name].package] = answers[0]["version"]
    count = evaluations(options.size, options.generations)
    head = [
        "## Overhead",
        report.provenance(versions),
        f"Sphere in [0, 1], population {options.size} x {options.generations} generations "
        f"counted as GeneticPy does (half of each generation is new: {count:,} evaluations); "
        "other libraries make as many generations of the same population as give about that "
        "number, and every cost is per evaluation really made. CPU time of the whole call minus "
        "the loss's own, which is measured on the library's own arguments. Median of "
        f"{options.repeats} fresh processes [smallest, largest]. Evaluations and memory at "
        f"{options.memory_genes} genes; grown: beyond the memory before the run, with the "
        "library imported.",
        comparison(found, options),
        *(f"Left out: {name} ({reason})." for name, reason in failed.items()),
    ]
    return "\n\n".join(head + ([] if options.no_own else own_sections(options)))


def arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--genes", type=int, nargs="+", default=[2, 10, 100])
    parser.add_argument("--size", type=int, default=200, help="population (default 200)")
    parser.add_argument("--generations", type=int, default=500, help="default 500")
    parser.add_argument("--repeats", type=int, default=3, help="fresh processes (default 3)")
    parser.add_argument("--no-own", action="store_true", help="only the comparison")
    parser.add_argument("--quick", action="store_true", help="10 genes, 250 generations, once")
    parser.add_argument("--output", type=Path, help="Markdown file whose section is replaced")
    environments.add_interpreter_option(parser)
    options = parser.parse_args()
    options.import_repeats = 7
    if options.quick:
        options.genes, options.generations, options.repeats = [10], 250, 1
        options.no_own = True
        options.cases = [name for name in options.cases if name != SLOWEST]
    options.memory_genes = 10 if 10 in options.genes else options.genes[0]
    return options


def main():
    """Run the command."""
    options = arguments()
    found, failed = measure_all(options)
    text = document(found, failed, options)
    report.publish(text, options.output, "overhead")


if __name__ == "__main__":
    main()
