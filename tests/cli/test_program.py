"""A loss that runs a program: what is its loss, and every way not to have one."""

import contextlib
import math
import os
import sys
import threading
import time

import pytest

from geneticpy.cli import execution
from geneticpy.cli.passing import Passing
from geneticpy.cli.printed import compiled, last_match, last_number
from geneticpy.cli.program import Program, ProgramError
from geneticpy.errors import ArgumentError
from geneticpy.evaluation.values import LONGEST_REASON, reason_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="runs sh, sends signals")


def python(code, **options):
    """Loss that runs a line of Python."""
    return Program(Passing((sys.executable, "-S", "-c", code)), **options)


def shell(script, **options):
    """Loss that runs a script."""
    return Program(Passing(("sh", "-c", script, "sh", "{folder}")), **options)


def failure(loss, params=None):
    with pytest.raises(ProgramError) as error:
        loss({} if params is None else params)
    return error.value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", 0.5),
        ("1\n2\n3\n", 3.0),
        ("loss=1e-3", 1e-3),
        ("loss: -.5;", -0.5),
        ("+7.", 7.0),
        ("5E+2", 500.0),
        ("loss inf", math.inf),
        ("-Infinity", -math.inf),
        ("0.25 (epoch10, 12.3s, v1.2.3)", 0.25),
        ("accuracy 97.5%", 97.5),
        ("[0.1, 0.2]", 0.2),
        ("The loss is 0.5.", 0.5),
        ("\x1b[31m0.5\x1b[0m", 0.5),
        ('{"loss": 0.5}', 0.5),
        ("0.5 information", 0.5),
        ("", None),
        ("no numbers in h2o", None),
        ("infinite", None),
    ],
)
def test_last_number(text, number):
    assert last_number(text) == number


def test_last_number_may_be_nan():
    assert math.isnan(last_number("1 loss nan"))


def test_pattern_finds_the_last_match_of_its_group():
    pattern = compiled(r"^val=(\S+)$")
    assert last_match(pattern, "val=1\nval=2e-1\ntrain=3") == 0.2
    assert last_match(pattern, "val 1") is None


@pytest.mark.parametrize(("pattern", "told"), [("(", "regular expression"), ("x", "one group")])
def test_pattern_that_is_none(pattern, told):
    with pytest.raises(ArgumentError, match=told):
        python("", loss_pattern=pattern)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": -1}, {"retries": -1}])
def test_limits_are_checked(options):
    with pytest.raises(ArgumentError, match="got"):
        python("", **options)


def test_loss_is_the_last_number_on_standard_output():
    assert python("import sys; print('a', 1, 0.5); print(7, file=sys.stderr)")({}) == 0.5


def test_pattern_is_looked_for_in_standard_error_too():
    code = "import sys; print(1); print('INFO loss=0.5', file=sys.stderr)"
    assert python(code, loss_pattern=r"loss=(\S+)")({}) == 0.5


def test_standard_input_is_empty():
    assert python("import sys; print(len(sys.stdin.read()))")({}) == 0.0


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise SystemExit(3)", "ended with exit code 3"),
        ("print(1); raise SystemExit(1)", "ended with exit code 1: 1"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("print('hello')", "no loss in the output: hello"),
        ("", "no loss in the output"),
    ],
)
def test_program_without_a_loss_fails_with_the_reason(code, told):
    assert told in str(failure(python(code)))


def test_pattern_whose_group_holds_no_number_fails():
    loss = python("print('loss=low')", loss_pattern="loss=(.*)")
    assert "no loss, could not convert string to float: 'low'" in str(failure(loss))


def test_reason_keeps_the_end_of_a_long_output_whole():
    error = failure(python("print('x' * 5000); print('y' * 100); raise SystemExit('the end')"))
    reason = reason_of(error)
    assert len(reason) <= LONGEST_REASON
    assert reason == "ProgramError: ended with exit code 1: the end"
    error = failure(python("print('x ' * 5000, 'the end')\nraise SystemExit(1)"))
    assert reason_of(error).endswith("the end")
    assert len(reason_of(error)) <= LONGEST_REASON


def test_huge_output_neither_blocks_nor_hides_the_loss():
    code = "import sys\nfor _ in range(300): sys.stdout.write('x' * 2**16)\nprint(); print(0.5)"
    loss = python(code)
    assert loss({}) == 0.5
    assert "x" * 100 not in str(failure(python(code + "; raise SystemExit(1)")))


def test_output_that_is_no_text_is_read():
    assert python(r"import sys; sys.stdout.buffer.write(b'\xff\xfe 0.5\n')")({}) == 0.5


def test_program_that_cannot_be_started_fails(tmp_path):
    script = tmp_path / "script"
    script.write_text("not a script")
    assert "cannot be started" in str(failure(Program(Passing((str(script),)))))


@posix
@pytest.mark.parametrize("retries", [0, 2])
def test_killed_program_is_run_again(retries, tmp_path):
    loss = shell('echo >> "$1/runs"; kill -9 $$', retries=retries)
    assert "ended by SIGKILL" in str(failure(loss, {"folder": str(tmp_path)}))
    assert (tmp_path / "runs").read_text() == "\n" * (retries + 1)


@posix
def test_program_that_survives_its_second_run_has_a_loss(tmp_path):
    loss = shell('[ -e "$1/died" ] && echo 0.5 && exit; echo > "$1/died"; kill -9 $$')
    assert loss({"folder": str(tmp_path)}) == 0.5


STUBBORN = """
trap '' TERM
(trap '' TERM; echo $(exec sh -c 'echo $PPID') > "$1/grandchild"; while :; do sleep 0.1; done) &
echo $$ > "$1/child"
echo begun
while :; do sleep 0.1; done
"""


def is_alive(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as status:  # a zombie waits for init only
            return status.read().split()[2] != "Z"
    return False


PIDS = ("child", "grandchild")


def pids(folder):
    return [int((folder / name).read_text()) for name in PIDS]


def pids_when_there(folder):
    while not all((folder / name).exists() and (folder / name).read_text() for name in PIDS):
        time.sleep(0.01)
    return pids(folder)


def until_dead(found):
    while any(map(is_alive, found)):
        time.sleep(0.01)


@posix
def test_time_limit_kills_what_ignores_being_told(tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "GRACE", 0.1)
    error = failure(shell(STUBBORN, timeout=2), {"folder": str(tmp_path)})
    assert str(error) == "time limit of 2 s exceeded: begun"
    until_dead(pids(tmp_path))


@posix
def test_program_may_clean_up_when_its_time_is_up(tmp_path):
    script = "trap 'echo > \"$1/clean\"; exit' TERM; while :; do sleep 0.01; done"
    failure(shell(script, timeout=1), {"folder": str(tmp_path)})
    assert (tmp_path / "clean").exists()


@posix
def test_stop_ends_programs_under_way_and_starts_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "GRACE", 0.1)
    loss = shell(STUBBORN)
    failures = []

    def evaluate():
        failures.append(failure(loss, {"folder": str(tmp_path)}))

    evaluation = threading.Thread(target=evaluate)
    evaluation.start()
    found = pids_when_there(tmp_path)
    loss.stop()
    evaluation.join()
    assert str(failures[0]) == "stopped: begun"
    until_dead(found)
    assert str(failure(loss, {"folder": str(tmp_path)})) == "stopped"


@posix
def test_what_a_program_leaves_behind_is_killed(tmp_path):
    script = 'sleep 1000 & echo $! > "$1/child"; cp "$1/child" "$1/grandchild"; echo 0.5'
    assert shell(script)({"folder": str(tmp_path)}) == 0.5
    until_dead(pids(tmp_path))
