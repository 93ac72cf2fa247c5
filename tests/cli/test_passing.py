"""How parameters reach a program: unchanged, through no shell, or not at all with a reason."""

import datetime
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geneticpy import (
    ChoiceDistribution,
    ListDistribution,
    SubsetDistribution,
    UniformDistribution,
)
from geneticpy.cli.command import split
from geneticpy.cli.passing import Passing, as_text
from geneticpy.errors import ArgumentError

ECHO = "import json, sys; print(json.dumps(sys.argv[1:]))"
NUMBER = UniformDistribution(0, 1)
HOSTILE = [
    "two words",
    "; rm -rf /",
    "$(touch owned)",
    "`touch owned`",
    "'\"",
    "line\nbreak",
    "--help",
    "-rf",
    "*",
    "~",
    "$HOME",
    "{other}",
    "{{other}}",
    "",
    "back\\slash",
    "ünïcode",
    "%PATH% & dir",
]


def words_of(command, params, **options):
    """Words that a command is run with."""
    with Passing(tuple(split(command)), **options).passed(params) as (words, _):
        return words


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_arrive_as_they_are(value, tmp_path):
    passing = Passing((sys.executable, "-S", "-c", ECHO, "{x}", "--x={x}"), env_prefix="HP_")
    with passing.passed({"x": value, "other": "no"}) as (words, environment):
        done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert json.loads(done.stdout) == [value, f"--x={value}"]
    assert environment["HP_X"] == value
    assert os.listdir(tmp_path) == []


@settings(deadline=None)
@given(st.text())
def test_any_text_fills_exactly_its_place(value):
    assert words_of("run a{x}b '{x} {y}'", {"x": value, "y": 1}) == [
        "run",
        f"a{value}b",
        f"{value} 1",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (1e-05, "1e-05"),
        (0.3, "0.3"),
        (float("inf"), "inf"),
        (datetime.date(2026, 11, 21), "2026-11-21"),
    ],
)
def test_text_of_values(value, text):
    assert as_text(value) == text


def test_placeholders_reach_into_tables_and_arrays():
    params = {"model": {"depth": 3}, "betas": [0.9, 0.99]}
    assert words_of("run {model.depth} {betas.1}", params) == ["run", "3", "0.99"]


def test_other_braces_stay():
    command = 'awk \'{print $1} {} { x } {{x}} ${x}\' "{\\"x\\": {x}}"'
    expected = ["awk", "{print $1} {} { x } {x} $7", '{"x": 7}']
    assert words_of(command, {"x": 7}) == expected


def test_file_holds_all_parameters_until_the_program_has_ended():
    params = {"layers": [{"units": 8}], "when": datetime.date(2026, 11, 21), "none": None}
    passing = Passing(("run", "{params_file}"), params_file=True)
    with passing.passed(params) as (words, environment):
        assert environment["GENETICPY_PARAMS_FILE"] == words[1]
        with open(words[1], encoding="utf-8") as file:
            assert json.load(file) == params | {"when": "2026-11-21"}
    assert not os.path.exists(words[1])
    assert not os.path.exists(os.path.dirname(words[1]))


def test_variables_have_the_names_of_parameters():
    passing = Passing(("run",), env_prefix="HP_")
    with passing.passed({"lr": 0.1, "model": {"drop-out": 0.5}, "sizes": []}) as (_, environment):
        found = {name: value for name, value in environment.items() if name.startswith("HP_")}
    assert found == {"HP_LR": "0.1", "HP_MODEL_DROP_OUT": "0.5"}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("", "must name a program, got ''"),
        ("run 'x", "No closing quotation, got"),
        ("run x | tail -1", "no shell runs it, so that '|' has no meaning"),
        ("run x 2>&1", "'2>&1' has no meaning"),
        ("run x >log", "'>log' has no meaning"),
        ("run x; run y", "'x;' has no meaning"),
    ],
)
def test_command_that_is_none(command, told):
    with pytest.raises(ArgumentError, match="command: ") as error:
        split(command)
    assert told in str(error.value)


@pytest.mark.skipif(sys.platform == "win32", reason="quotes as a POSIX shell")
def test_split_follows_the_quotes_of_a_shell():
    assert split(r"""a "b c" 'd "e' f\ g '' # h""") == ["a", "b c", 'd "e', "f g", "", "#", "h"]


LAYERS = ListDistribution({"units": NUMBER}, 1, 3)
OPTIMIZER = ChoiceDistribution([{"name": "sgd", "momentum": NUMBER}, {"name": "adam"}])


@pytest.mark.parametrize(
    ("words", "space", "options", "told"),
    [
        ("no-such-program {x}", {"x": NUMBER}, {}, "a program to run, got 'no-such-program'"),
        ("echo {y}", {"x": NUMBER}, {}, "placeholders must be of x, got {y}"),
        ("echo {m}", {"m": {"x": NUMBER}}, {}, "placeholders must be of m.x, got {m}"),
        ("echo 1", {"x": NUMBER}, {}, "got no {x} in 'echo 1', no --env-prefix"),
        ("echo {params_file}", {"x": NUMBER}, {}, "must come with --params-file"),
        ("echo {layers}", {"layers": LAYERS}, {}, "one value, got {layers} in layers = List"),
        ("echo {o.momentum}", {"o": OPTIMIZER}, {}, "one value, got {o.momentum} in o = Choice"),
        ("echo {s}", {"s": SubsetDistribution([1, 2])}, {}, "got {s} in s = Subset"),
        ("echo {c}", {"c": ChoiceDistribution([None, 1])}, {}, "got {c} in c = Choice"),
        ("echo {c}", {"c": ChoiceDistribution(["a\0b", "c"])}, {}, "got {c} in c = Choice"),
        ("echo 1", {"layers": LAYERS}, {"env_prefix": "HP_"}, "got layers = ListDistribution"),
        ("echo 1", {"x": NUMBER}, {"env_prefix": ""}, "--env-prefix: must be the beginning"),
        ("echo 1", {"x": NUMBER}, {"env_prefix": "A=B"}, "got 'A=B'"),
        ("echo 1", {"a-b": NUMBER, "a_b": 1}, {"env_prefix": "P_"}, "got P_A_B for a-b and a_b"),
        ("echo 1", {"params_file": NUMBER}, {"params_file": True}, "no parameter must be named"),
        ("echo 1", ChoiceDistribution([1, 2]), {}, "every parameter must reach the program"),
        ("sh -c 'echo {x}'", {"x": NUMBER}, {}, "must not become part of a script of sh, got"),
        ("nice /bin/bash -o pipefail -ec 'echo {x}'", {"x": NUMBER}, {}, "script of /bin/bash"),
        ("sh -c -e 'echo {x}'", {"x": NUMBER}, {}, "script of sh"),
        ("echo cmd.exe /c echo {x}", {"x": NUMBER}, {}, "must not reach cmd.exe, which reads"),
    ],
)
def test_what_cannot_reach_a_program_is_an_error(words, space, options, told):
    with pytest.raises(ArgumentError) as error:
        Passing(tuple(split(words)), **options).check(space)
    assert told in str(error.value)


def test_batch_file_gets_no_values_as_arguments(tmp_path):
    batch = tmp_path / "train.bat"
    batch.write_text("")
    batch.chmod(0o755)
    with pytest.raises(ArgumentError, match="must not reach cmd"):
        Passing((str(batch), "{x}")).check({"x": NUMBER})
    Passing((str(batch),), env_prefix="HP_").check({"x": NUMBER})


@pytest.mark.parametrize(
    ("words", "space", "options"),
    [
        ("echo {x} {s}", {"x": NUMBER, "s": ChoiceDistribution(["a", True, 2]), "c": [1]}, {}),
        ("echo {x}", {"x": ChoiceDistribution([0, NUMBER])}, {}),
        ("echo", {"m": {"x": [NUMBER]}}, {"env_prefix": "HP_"}),
        ("echo", {"layers": LAYERS}, {"params_file": True}),
        ("echo {x}", {"x": NUMBER, "layers": LAYERS}, {"params_file": True}),
        ("sh -c 'echo \"$1\"' sh {x}", {"x": NUMBER}, {}),
        ("bash -e script.sh {x}", {"x": NUMBER}, {}),
        ("sh script.sh -c {x}", {"x": NUMBER}, {}),
        ("sh {x}", {"x": NUMBER}, {}),
    ],
)
def test_what_reaches_a_program_passes(words, space, options):
    Passing(tuple(split(words)), **options).check(space)
