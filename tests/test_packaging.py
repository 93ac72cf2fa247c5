"""What the installed package promises: its files, its imports, its names, its messages."""

import ast
import configparser
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import geneticpy

PACKAGE = Path(geneticpy.__file__).parent
ROOT = Path(__file__).parents[1]
SOURCES = sorted(PACKAGE.rglob("*.py"))
TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in SOURCES}

RANDOM_WITHOUT_STATE = {"Generator", "default_rng", "SeedSequence", "BitGenerator", "PCG64"}
BARE_RAISES = {"KeyboardInterrupt", "StopIteration", "NotImplementedError"}

every_module = pytest.mark.parametrize("name", TREES)


def test_import_loads_numpy_and_nothing_else(tmp_path):
    code = (
        "import sys, numpy.random; before = set(sys.modules); import geneticpy;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) - sys.stdlib_module_names <= {"geneticpy", "numpy"}


def test_every_public_name_exists():
    missing = [name for name in geneticpy.__all__ if not hasattr(geneticpy, name)]
    assert missing == []
    assert len(set(geneticpy.__all__)) == len(geneticpy.__all__)
    assert set(geneticpy.__all__) <= set(dir(geneticpy))


def test_every_public_name_has_a_docstring():
    public = [(name, getattr(geneticpy, name)) for name in geneticpy.__all__]
    for name, thing in list(public):
        members = vars(thing).items() if inspect.isclass(thing) else ()
        public += [
            (f"{name}.{member}", getattr(thing, member))
            for member, value in members
            if not member.startswith("_") and (callable(value) or isinstance(value, property))
        ]
    assert [name for name, thing in public if not inspect.getdoc(thing)] == []


def test_type_marker_is_shipped():
    assert (PACKAGE / "py.typed").is_file()


def test_version_is_that_of_the_installation():
    assert geneticpy.__version__ == importlib.metadata.version("geneticpy")


def test_setup_lists_every_package_of_the_tree():
    listed = setup()["options"]["packages"].split()
    found = {path.parent.relative_to(ROOT) for path in (ROOT / "geneticpy").rglob("*.py")}
    assert sorted(listed) == sorted([*(".".join(p.parts) for p in found), "geneticpy.examples"])


def test_dependencies_have_no_upper_bound():
    config = setup()
    needed = [config["options"]["install_requires"]]
    needed += [text for extra, text in config["options.extras_require"].items() if extra != "dev"]
    versions = re.sub(r";.*", "", "\n".join(needed))  # without the Pythons that need them
    assert not re.findall(r"[<~]|==", versions)


@every_module
def test_imports_are_declared(name):
    config = setup()
    declared = config["options"]["install_requires"]
    declared += "".join(config["options.extras_require"].values())
    known = set(re.findall(r"^([a-z][\w.-]*)", declared.replace("scikit-learn", "sklearn"), re.M))
    own = {"geneticpy", "tomllib"}  # tomllib is of the standard library since Python 3.11
    assert imported(TREES[name]) - sys.stdlib_module_names - known - own == set()


@every_module
def test_no_global_random_state(name):
    found = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) in {"np.random", "numpy.random"}
        and node.attr not in RANDOM_WITHOUT_STATE
    ]
    assert found == []
    assert "random" not in imported(TREES[name])


@every_module
def test_errors_show_the_value(name):
    silent = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and is_silent(node.exc)
    ]
    assert silent == []


def is_silent(error):
    """Return whether the call that makes an error has a message without any value in it."""
    if ast.unparse(error.func) in BARE_RAISES:
        return False
    return all(isinstance(part, ast.Constant) and "got " not in part.value for part in error.args)


def imported(tree):
    """Return the top-level names that a module imports, in its functions too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "geneticpy").split(".")[0])
    return names


def setup():
    """Return setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config
