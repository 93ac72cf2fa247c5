"""The command ``tune`` from end to end: streams, exit codes, signals."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from geneticpy import cli

posix = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

SPACE = """
x = {uniform = [-5, 5]}
n = {uniform = [1, 9], q = 1}
kind = {choice = ["a b", "c'd"]}
"""
PROGRAM = """
import sys
x, n, kind = sys.argv[1:]
print("loss", float(x) ** 2 + abs(int(n) - 3) + (kind != "c'd"))
"""
MODULE = """
import asyncio
from geneticpy import UniformDistribution
space = {"x": UniformDistribution(-5, 5)}

class Losses:
    def square(params):
        return params["x"] ** 2

def noisy(params, rng):
    return params["x"] ** 2 + rng.random()

async def waiting(params):
    await asyncio.sleep(0)
    return params["x"] ** 2

def slow(params):
    while params["x"] > 0:
        pass
    return params["x"]

number = 3
"""
BUDGET = ("--size", "6", "--generations", "2", "--seed", "0")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Directory with a program, a module and a space, to run in."""
    (tmp_path / "space.toml").write_text(SPACE)
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "tuned.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("tuned", None)


def command(*words):
    """Words after ``tune`` that run some words with the space file."""
    return ("--space", "space.toml", *BUDGET, "--", sys.executable, "-S", *words)


ALL = ("{x}", "{n}", "{kind}")


def test_program_is_tuned_and_the_best_point_printed(folder, capsys):
    assert cli.main(["tune", *command("program.py", *ALL)]) == 0
    streams = capsys.readouterr()
    names = [line.split()[0] for line in streams.out.splitlines()]
    assert names == ["loss", "x", "n", "kind"]
    assert "geneticpy: generation_count reached: 2 generations, 12 evaluations" in streams.err


def test_command_in_one_string_is_the_same_run(folder, capsys):
    cli.main(["tune", *command("program.py", *ALL), "--json"])
    assert cli.main(["tune", "--json", *command("program.py", *ALL)]) == 0
    one = json.loads(capsys.readouterr().out.splitlines()[-1])
    python = sys.executable.replace("\\", "\\\\")
    words = f"'{python}' -S program.py {{x}} {{n}} {{kind}}"
    cli.main(["tune", words, "--space", "space.toml", *BUDGET, "--json", "--workers", "2"])
    two = json.loads(capsys.readouterr().out)
    assert one.pop("seconds") > 0
    assert two.pop("seconds") > 0
    assert one == two
    assert one["params"].keys() == {"x", "n", "kind"}
    assert one["evaluations"] == 12
    assert one["failed"] == 0


def test_quiet_prints_the_point_alone(folder, capsys):
    assert cli.main(["tune", "-q", *command("program.py", *ALL)]) == 0
    assert capsys.readouterr().err == ""


def test_verbose_tells_each_generation(folder, capsys):
    assert cli.main(["tune", "-v", *command("program.py", *ALL)]) == 0
    assert "generation 1: 9 evaluations, loss " in capsys.readouterr().err


def test_nested_space_comes_as_a_file(folder, capsys):
    (folder / "space.toml").write_text(
        "[layers]\nmin_size = 1\nmax_size = 3\nlist = {n = {uniform = [1, 9], q = 1}}"
    )
    code = (
        "import json, sys; layers = json.load(open(sys.argv[1]))['layers'];"
        "print(sum(layer['n'] for layer in layers))"
    )
    words = command("-c", code, "{params_file}")
    assert cli.main(["tune", "--params-file", "--maximize", "--generations", "20", *words]) == 0
    assert "layers.0.n  " in capsys.readouterr().out


def test_environment_carries_parameters(folder, capsys):
    code = "import os; print(float(os.environ['HP_X']) ** 2, len(os.environ['HP_KIND']))"
    assert cli.main(["tune", "--env-prefix", "HP_", *command("-c", code)]) == 0
    assert capsys.readouterr().out.startswith("loss  3")


@pytest.mark.parametrize("function", ["Losses.square", "noisy", "waiting"])
def test_functions_are_tuned(folder, capsys, function):
    words = ["tune", f"tuned:{function}", "--space", "tuned:space", *BUDGET]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.startswith("loss  ")


def test_function_in_processes_may_take_too_long(folder, capsys):
    words = ["tune", "tuned:slow", "--space", "tuned:space", *BUDGET, "--evaluation-timeout", "1"]
    assert cli.main([*words, "--max-evaluations", "2", "--workers", "2"]) == 0
    told = capsys.readouterr().err
    assert "1 of 2 evaluations failed" in told
    assert "TimeoutError: evaluation_timeout of 1 seconds" in told


def test_failures_are_grouped_by_reason(folder, capsys):
    code = "import sys; print(1 / (sys.argv[3] == 'a b'))"
    assert cli.main(["tune", *command("-c", code, *ALL)]) == 0
    told = capsys.readouterr().err
    assert "of 12 evaluations failed:" in told
    assert "ZeroDivisionError: division by zero" in told


def test_run_whose_first_generation_fails_shows_the_output(folder, capsys):
    assert cli.main(["tune", *command("-c", "print('no\\nidea'); 1 / 0", *ALL)]) == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "error: all 6 evaluations of the first generation failed" in streams.err
    assert "\nended with exit code 1\nTraceback" in streams.err
    assert "geneticpy/" not in streams.err


@posix
def test_run_without_any_loss_exits_with_1(folder, capsys):
    words = command("-c", "import time; time.sleep(1000)", *ALL)
    assert cli.main(["tune", "--time-limit", "0.1", *words]) == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "an evaluation must give a loss, got none: time_limit reached" in streams.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no-such-program {x}", "--space", "space.toml"], "got 'no-such-program'"),
        (["echo {y}", "--space", "space.toml"], "placeholders must be of x, n, kind, got {y}"),
        (["echo {x}", "--space", "space.toml"], "no {n} in 'echo {x}'"),
        (["echo {x}", "--space", "no.toml"], "--space: must be a TOML file in UTF-8"),
        (["echo {x}", "--space", "tuned:no"], "--space: tuned must have no, got"),
        (["echo {x}", "--space", "."], "--space: must be a TOML file"),
        (["echo {x}", "--space", "tuned:number"], "placeholders must be of nothing, got {x}"),
        (["tuned:no", "--space", "tuned:space"], "loss: tuned must have no, got"),
        (["tuned:number", "--space", "tuned:space"], "loss: must be a function, got tuned:number"),
        (["nowhere:f", "--space", "tuned:space"], "No module named 'nowhere'"),
        (
            ["tuned:noisy", "--space", "tuned:space", "--env-prefix", "A", "--params-file"],
            "loss: must be a command for --env-prefix, --params-file, got tuned:noisy.",
        ),
        (["tuned:noisy", "--space", "tuned:space", "--journal", ""], "--journal: must be a path"),
        (["tuned:noisy", "--space", "tuned:space", "--size", "0"], "--size: must be an integer"),
        (["tuned:noisy", "--space", "tuned:space", "--generations", "-1"], "--generations: must"),
        (["tuned:noisy", "--space", "tuned:space", "--strategy", "best"], "--strategy: must be"),
        (["tuned:noisy", "--space", "tuned:space", "--workers", "0"], "--workers: must be -1 or"),
        (["tuned:noisy", "--space", "tuned:space", "--seed", "-1"], "--seed: must be"),
    ],
)
def test_wrong_input_exits_with_2_before_the_first_evaluation(folder, capsys, words, told):
    assert cli.main(["tune", *words]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("geneticpy: error: ")
    assert told in streams.err
    assert "Traceback" not in streams.err


def test_module_that_fails_is_named_with_its_line(folder, capsys):
    (folder / "broken.py").write_text("a = 1\nb = a / 0\n")
    assert cli.main(["tune", "broken:f", "--space", "tuned:space"]) == 2
    told = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in told
    assert "broken.py, line 2" in told


@pytest.mark.parametrize("words", [[], ["echo"], ["--space", "space.toml"], ["echo", "--no"]])
def test_wrong_usage_exits_with_2(words, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["tune", *words])
    assert stop.value.code == 2
    assert capsys.readouterr().out == ""


SLEEPER = """
import os, sys, time
x, n, kind = sys.argv[1:]
if len(os.listdir("pids")) > 3:
    open(f"pids/{os.getpid()}", "w").close()
    time.sleep(1000)
open(f"pids/{os.getpid()}", "w").close()
print(x)
"""


def start(*words):
    """Start ``tune`` as the shell does: with the signals that it heeds."""

    def heed_ctrl_c():  # where the tests run in the background, children would ignore it
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    line = [sys.executable, "-m", "geneticpy", "tune", *words]
    return subprocess.Popen(line, preexec_fn=heed_ctrl_c, **pipes)


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_kills_programs_and_leaves_the_result(folder, number, code):
    (folder / "program.py").write_text(SLEEPER)
    pids = folder / "pids"
    pids.mkdir()
    with start("--workers", "2", "--batch", "2", *command("program.py", *ALL)) as running:
        while len(os.listdir(pids)) < 6 and running.poll() is None:  # the last two sleep
            time.sleep(0.01)
        running.send_signal(number)
        out, told = running.communicate(timeout=60)
    assert running.returncode == code, told
    assert out.startswith("loss  -")
    assert "interrupted after 4 evaluations" in told
    assert "Traceback" not in told
    for pid in os.listdir(pids):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


@posix
def test_reader_that_leaves_early_is_no_error(folder):
    with start(*command("program.py", *ALL)) as running:
        running.stdout.close()
        told = running.stderr.read()
    assert running.returncode == 141
    assert "Error" not in told


def test_closed_pipe_of_help_is_no_error(folder):
    script = f"{sys.executable} -m geneticpy tune --help | true"
    done = subprocess.run(script, shell=True, capture_output=True, text=True)
    assert done.stderr == ""
