"""The command line: what it prints where, and its exit codes."""

import signal
import subprocess
import sys

import pytest

import geneticpy
from geneticpy import cli, demo


def run(*words, **options):
    """Run ``python -m geneticpy`` with ``words``."""
    return subprocess.run(
        [sys.executable, "-m", "geneticpy", *words], capture_output=True, text=True, **options
    )


def test_help_shows_commands_and_examples(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "demo" in text
    assert "examples:" in text


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"geneticpy {geneticpy.__version__}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "COMMAND"),
        (["dmeo"], "dmeo"),
        (["demo", "--fast"], "--fast"),
        (["demo", "--seed", "one"], "one"),
    ],
)
def test_wrong_usage_exits_with_2_and_names_the_word(capsys, words, told):
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    assert stop.value.code == 2
    streams = capsys.readouterr()
    assert told in streams.err
    assert streams.out == ""


def test_interrupt_exits_with_130(monkeypatch, capsys):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupt)
    assert cli.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_ends_the_demo(tmp_path):
    words = [sys.executable, "-m", "geneticpy", "demo"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}

    def heed_ctrl_c():  # where the tests run in the background, children would ignore it
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    with subprocess.Popen(words, cwd=tmp_path, preexec_fn=heed_ctrl_c, **pipes) as running:
        running.stdout.readline()  # the toy has begun
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in told
    assert "Traceback" not in told


def test_module_and_exit_code_reach_the_shell(tmp_path):
    assert run("--version", cwd=tmp_path).stdout == f"geneticpy {geneticpy.__version__}\n"
    assert run("dmeo", cwd=tmp_path).returncode == 2


def test_quick_demo_prints_results_to_stdout_and_progress_to_stderr(tmp_path):
    pytest.importorskip("sklearn")
    done = run("demo", "--quick", cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "best loss" in done.stdout
    assert "random search" in done.stdout
    assert "100%" in done.stderr
    assert "%|" not in done.stdout


def test_demo_is_repeatable(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    points = []
    for _ in range(2):
        demo.run(quick=True, seed=3)
        printed = capsys.readouterr().out
        points.append([line for line in printed.splitlines() if line.startswith("parameters")])
    assert points[0] == points[1] != []


def test_demo_without_sklearn_says_how_to_install_it(monkeypatch, capsys):
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    demo.run(quick=True)
    assert "pip install scikit-learn" in capsys.readouterr().out


@pytest.mark.slow
def test_demo_in_full(tmp_path):
    pytest.importorskip("sklearn")
    done = run("demo", cwd=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "geneticpy, median (range) of 3" in done.stdout
