"""docs/command_line.md, done from top to bottom as a new user would; and the help texts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from full_space import FULL

from geneticpy import cli
from geneticpy.cli.space_file import WORDS, load

PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(sys.platform == "win32", reason="runs sh")
def test_page_works_in_its_order(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in (("geneticpy", "-m geneticpy"), ("python", "-S")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        program.chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    done = []
    for kind, text in BLOCK.findall(PAGE.read_text()):
        if kind == "sh":
            run = subprocess.run(
                ["sh", "-ec", text], cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            assert run.returncode == 0, f"{text}\n{run.stderr}"
            done.append(run.stdout)
        elif kind != "text":
            name = re.match(r"# (\S+)\n", text)[1]
            (tmp_path / name).write_text(text)
    assert [lines.partition(" ")[0] for lines in done] == ["loss"] * 5
    assert (tmp_path / "run.csv").read_text().count("\n") == 1 + 8 + 5 * 4


def test_example_of_the_page_is_the_tested_one():
    (text,) = (text for _, text in BLOCK.findall(PAGE.read_text()) if "# full.toml" in text)
    shown = re.sub(r" *#.*", "", text)
    assert load(shown, "").keys() == load(FULL, "").keys() - {"started"}
    plain = [line for line in FULL.splitlines() if line and "started" not in line]
    assert [line for line in shown.splitlines() if line] == plain


def test_page_has_every_word():
    table = PAGE.read_text().partition("| key | value |")[2]
    assert [word for word in WORDS if f"`{word}`" not in table] == []


@pytest.mark.parametrize("command", [None, "tune", "show", "resume", "export", "demo"])
def test_help_has_examples_and_exit_codes(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([*filter(None, [command]), "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "exit codes:" in text or command == "demo"
    assert len(max(text.splitlines(), key=len)) < 100


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    assert [
        name for name in ("tune", "show", "resume", "export", "demo") if name not in text
    ] == []
