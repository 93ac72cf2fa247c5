"""Which interpreter runs which library, and in what surroundings.

All peers live in the interpreter that runs the command, except GeneticPy 2.0.0: it has the name
of this package, so it gets a virtual environment of its own.
"""

import importlib.metadata
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
GENETICPY2 = "geneticpy==2.0.0"
READY = "ready with losses"
LOSSES = ("coco-experiment", "ioh", "onnxruntime", "scikit-learn")  # what suites evaluate with
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
for variable in ONE_THREAD:  # before numpy: losses that a command computes are those of a child
    os.environ.setdefault(variable, "1")


class MissingInterpreterError(Exception):
    """No interpreter with GeneticPy 2.0.0; the text says why."""


def add_interpreter_option(parser):
    """Add --geneticpy2-python to a command."""
    parser.add_argument(
        "--geneticpy2-python",
        metavar="PATH",
        default=os.environ.get("GENETICPY2_PYTHON"),
        help="interpreter with GeneticPy 2.0.0; default: GENETICPY2_PYTHON, or else a virtual "
        "environment built in benchmarks/.cache (needs pip and a package index); 'none' leaves "
        "the row out",
    )


def geneticpy2_python(given=None):
    """Return the path of an interpreter that has GeneticPy 2.0.0; build one if none is given.

    Raises
    ------
    MissingInterpreterError
        If it was declined, does not exist, or cannot be built.
    """
    if given == "none":
        raise MissingInterpreterError("left out by --geneticpy2-python none")
    if given:
        if not Path(given).exists():
            raise MissingInterpreterError(f"GENETICPY2_PYTHON: no such file, got {given!r}")
        return given
    folder = CACHE / "geneticpy2"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / READY).exists():
        _build(folder, python)
    return str(python)


def _build(folder, python):
    """Make the virtual environment of GeneticPy 2.0.0."""
    command = [str(python), "-m", "pip", "install", "--quiet", GENETICPY2]
    try:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        text = (getattr(error, "stderr", None) or str(error)).strip()
        reason = text.splitlines()[-1] if text else "no reason given"
        raise MissingInterpreterError(f"{GENETICPY2} did not install: {reason}") from error
    for package in LOSSES:  # without one of them the cells of its suite fail, and say why
        subprocess.run([*command[:-1], package], check=False, capture_output=True)
    (folder / READY).touch()


def interpreter(kind, geneticpy2=None):
    """Return the interpreter of a solver: "main" or "geneticpy2"."""
    return geneticpy2_python(geneticpy2) if kind == "geneticpy2" else sys.executable


def surroundings(kind):
    """Environment variables of a child process: one thread, and the right geneticpy.

    The checkout comes first on the path of everybody but GeneticPy 2.0.0, so that the rows of
    this package measure the code next to the benchmark, installed or not.
    """
    variables = dict(os.environ)
    variables.update(dict.fromkeys(ONE_THREAD, "1"), PYTHONHASHSEED="0")
    path = variables.pop("PYTHONPATH", "")
    if kind == "main":
        checkout = str(HERE.parent)
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [checkout, path]))
    return variables


def version(package):
    """Return the installed version of a distribution, or of the checkout for this package."""
    if package == "geneticpy":
        import geneticpy

        given = getattr(geneticpy, "__version__", None)
        return given or importlib.metadata.version(package)
    return importlib.metadata.version(package) if package else ""


def machine():
    """One line that says what the numbers were measured on; no host name."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )
