"""The commands about journals: show, resume, export, and tune --journal."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

import geneticpy
from geneticpy import cli
from geneticpy.run.recorded import read

SPACE = """
x = {uniform = [-5, 5]}
note = {choice = ["a, b", "line\\nbreak", "\\"quoted\\""]}
[layers]
min_size = 1
max_size = 3
list = {n = {uniform = [1, 9], q = 1}}
"""
PROGRAM = """
import json, os, sys, time
from pathlib import Path
params = json.load(open(sys.argv[1]))
with open("calls", "a") as calls:
    calls.write("x")
while Path("stop").exists() and os.path.getsize("calls") > 8:
    time.sleep(0.01)
if params["x"] > 2:
    sys.exit(f"x is {params['x']}, which is too large")
print(params["x"] ** 2 + sum(layer["n"] for layer in params["layers"]))
"""
TUNE = ("tune", "--space", "space.toml", "--size", "8", "--generations", "3", "--seed", "1", "-q")
PROGRAM_WORDS = ("--params-file", "--", sys.executable, "-S", "program.py", "{params_file}")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Directory with a program and a space, to run in."""
    (tmp_path / "space.toml").write_text(SPACE)
    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.fixture
def run_here(folder, capsys):
    """Journal of a run of 20 evaluations in this directory."""
    assert cli.main([*TUNE, "--journal", "run.db", *PROGRAM_WORDS]) == 0
    capsys.readouterr()
    return folder / "run.db"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Bytes of such a journal."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "space.toml").write_text(SPACE)
    (folder / "program.py").write_text(PROGRAM)
    words = [*TUNE, "--journal", "run.db", *PROGRAM_WORDS]
    subprocess.run([sys.executable, "-m", "geneticpy", *words], cwd=folder, check=True)
    return (folder / "run.db").read_bytes()


@pytest.fixture
def journal(folder, recorded):
    """Journal of such a run, to be read."""
    (folder / "run.db").write_bytes(recorded)
    return folder / "run.db"


def evaluations(path):
    """Everything of a journal that does not depend on the clock."""
    rows = [row for run in read(path).runs for row in run.rows]
    kept = [(row.id, row.generation, repr(row.loss), row.params, row.error) for row in rows]
    return sorted(kept, key=lambda row: row[0])


def calls(folder):
    return os.path.getsize(folder / "calls")


def shown(*words, capsys):
    """What ``show --json`` prints."""
    assert cli.main(["show", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_show_tells_state_best_point_and_failures(journal, capsys):
    assert cli.main(["show", "run.db"]) == 0
    streams = capsys.readouterr()
    assert streams.err == ""
    told = dict(line.split("  ", 1) for line in streams.out.splitlines() if "  " in line)
    assert told["state"].strip() == "generation_count reached: 3 generations, 20 evaluations"
    assert told["evaluations"].startswith("20, ")
    assert told["generations"] == "3 of 3"
    best = min(row.loss for row in read(journal).runs[0].rows if row.error is None)
    assert told["loss"].strip() == repr(best)
    assert "layers.0.n" in told
    assert "which is too large (first: id " in streams.out


def test_show_json_has_everything(journal, capsys):
    found = shown("run.db", capsys=capsys)
    failed = [row for row in read(journal).runs[0].rows if row.error is not None]
    assert found["evaluations"] == 20
    assert found["failed"] == len(failed) == found["failures"][0]["count"] > 1
    assert len(found["failures"]) == 1  # the reasons differ in numbers only
    assert found["failures"][0]["first"] == failed[0].id
    assert found["best"]["params"].keys() == {"x", "note", "layers"}
    assert found["settings"]["generation_count"] == 3
    assert found["space"]["x"] == {"$UniformDistribution": {"low": -5, "high": 5}}
    assert found["ended"] == found["state"]
    assert [run["kind"] for run in found["runs"]] == ["fresh"]


def test_show_of_a_maximizing_run_tells_the_largest(folder, capsys):
    space = {"x": geneticpy.UniformDistribution(0, 1)}
    result = geneticpy.optimize(
        lambda params: params["x"], space, 8, 2, maximize_fn=True, seed=0, journal="run.db"
    )
    assert shown("run.db", capsys=capsys)["best"]["loss"] == result.loss


def test_same_command_continues_the_run(run_here, folder, capsys):
    before = calls(folder)
    more = [*TUNE, "--generations", "5", "--journal", "run.db", *PROGRAM_WORDS]
    assert cli.main(more) == 0
    assert calls(folder) == before + 8
    assert cli.main([*TUNE, "--size", "9", "--journal", "run.db", *PROGRAM_WORDS]) == 2
    assert "size=9 (it has 8)" in capsys.readouterr().err


def test_resume_extends_a_run_from_anywhere(run_here, folder, tmp_path_factory, capsys):
    before = calls(folder)
    (folder / "space.toml").unlink()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert cli.main(["resume", str(run_here), "--generations", "5"]) == 0
    streams = capsys.readouterr()
    assert streams.out.startswith("loss")
    assert "generation_count reached: 5 generations, 28 evaluations" in streams.err
    assert calls(folder) == before + 8
    assert cli.main(["resume", str(run_here)]) == 0  # the budget that it was given last
    assert calls(folder) == before + 8


def test_resume_needs_the_program_and_says_where_it_was(run_here, folder, capsys):
    moved = folder.with_name("moved")
    os.chdir(folder.parent)
    shutil.move(folder, moved)
    words = ["resume", str(moved / "run.db"), "--generations", "4"]
    assert cli.main(words) == 2
    assert f"--directory: must be where the run was begun, got {str(folder)!r}" in (
        capsys.readouterr().err
    )
    assert cli.main([*words, "--directory", str(moved)]) == 0


def test_resume_of_a_function_imports_it_again(folder, capsys):
    (folder / "resumed.py").write_text(
        "from geneticpy import UniformDistribution\n"
        "space = {'x': UniformDistribution(-5, 5)}\n"
        "def loss(params): return abs(params['x'])\n"
    )
    words = ["tune", "resumed:loss", "--space", "resumed:space", "--size", "4", "--seed", "0"]
    assert cli.main([*words, "--generations", "1", "--journal", "run.db"]) == 0
    sys.modules.pop("resumed")
    assert cli.main(["resume", "run.db", "--generations", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["evaluations"] == 10
    assert shown("run.db", capsys=capsys)["loss_of"] == "resumed:loss"


def test_resume_of_a_script_says_what_to_do(folder, capsys):
    space = {"x": geneticpy.UniformDistribution(0, 1)}
    geneticpy.optimize(lambda params: params["x"], space, 4, 1, journal="run.db")
    assert cli.main(["resume", "run.db"]) == 2
    told = capsys.readouterr().err
    assert "must come from geneticpy tune to be resumed by a command" in told
    assert "Run again the script that wrote it" in told


def test_warm_start_after_a_change_of_the_space(run_here, folder, capsys):
    (folder / "space.toml").write_text(SPACE.replace("[-5, 5]", "[-5, 1]"))
    words = [*TUNE, "--journal", "run.db"]
    assert cli.main([*words, *PROGRAM_WORDS]) == 2
    assert "space['x']['high']" in capsys.readouterr().err
    assert cli.main([*words, "--warm", *PROGRAM_WORDS]) == 0
    capsys.readouterr()
    assert [run["kind"] for run in shown("run.db", capsys=capsys)["runs"]] == ["fresh", "warm"]
    cli.main(["show", "run.db"])
    assert "before, 1    20 evaluations, " in capsys.readouterr().out


def test_warm_needs_a_journal(folder, capsys):
    assert cli.main([*TUNE, "--warm", *PROGRAM_WORDS]) == 2
    assert "--warm: must come with --journal" in capsys.readouterr().err


def start(*words):
    """Start a command that runs on its own."""
    return subprocess.Popen([sys.executable, "-m", "geneticpy", *words])


def wait_for(condition, process):
    while not condition() and process.poll() is None:
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_killed_run_is_shown_while_it_goes_on_and_continued_to_the_same_end(folder, capsys):
    assert cli.main([*TUNE, "--journal", "undisturbed.db", *PROGRAM_WORDS]) == 0
    (folder / "calls").unlink()
    (folder / "stop").touch()
    with start(*TUNE, "--journal", "run.db", "--workers", "2", *PROGRAM_WORDS) as running:
        wait_for(lambda: (folder / "calls").exists() and calls(folder) >= 10, running)
        capsys.readouterr()
        wait_for(lambda: read("run.db").runs[0].evaluations == 8, running)
        found = shown("run.db", capsys=capsys)
        assert found["state"] == f"at work, process {running.pid}"
        assert found["ended"] is None
        assert cli.main(["export", "run.db", "--csv"]) == 0
        assert len(list(csv.DictReader(capsys.readouterr().out.splitlines()))) >= 8
        assert cli.main(["resume", "run.db"]) == 2
        assert "must be written by one run at a time" in capsys.readouterr().err
        running.send_signal(signal.SIGKILL)
    (folder / "stop").unlink()
    assert shown("run.db", capsys=capsys)["state"].startswith("killed")
    assert cli.main(["resume", "run.db", "--workers", "1"]) == 0
    assert evaluations("run.db") == evaluations("undisturbed.db")


def test_csv_has_a_row_an_evaluation_and_a_column_a_parameter(journal, capsys):
    assert cli.main(["export", "run.db", "--csv"]) == 0
    text = capsys.readouterr().out
    table = list(csv.DictReader(text.splitlines(keepends=True)))
    rows = list(read(journal).runs[0].rows)
    assert list(table[0])[:7] == ["run", "id", "generation", "loss", "seconds", "error", "worker"]
    assert set(list(table[0])[7:]) == {"params.x", "params.note"} | {
        f"params.layers.{i}.n" for i in range(max(len(row.params["layers"]) for row in rows))
    }
    for cells, row in zip(table, rows, strict=True):
        assert int(cells["id"]) == row.id
        assert cells["loss"] == ("" if row.error else repr(row.loss))
        assert cells["error"] == (row.error or "")
        assert float(cells["params.x"]) == row.params["x"]
        assert cells["params.note"] == row.params["note"]
        sizes = [cells.get(f"params.layers.{i}.n") for i in range(3)]
        assert [int(n) for n in sizes if n] == [layer["n"] for layer in row.params["layers"]]


def test_columns_of_a_list_stand_side_by_side(journal, capsys):
    assert cli.main(["export", "run.db", "--csv"]) == 0
    header = capsys.readouterr().out.partition("\n")[0].split(",")
    assert header[7:10] == ["params.x", "params.note", "params.layers.0.n"]
    assert header[10:] == ["params.layers.1.n", "params.layers.2.n"]


def test_export_goes_to_a_file(journal, folder, capsys):
    assert cli.main(["export", "run.db", "--csv"]) == 0
    assert cli.main(["export", "run.db", "--csv", "run.csv"]) == 0
    assert (folder / "run.csv").read_bytes().decode() == capsys.readouterr().out


def test_json_lines_keep_nested_parameters(journal, capsys):
    assert cli.main(["export", "run.db", "--json-lines"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = list(read(journal).runs[0].rows)
    assert [line["params"] for line in lines] == [row.params for row in rows]
    assert [line["loss"] is None for line in lines] == [row.error is not None for row in rows]


def test_export_to_nowhere_is_an_error(journal, capsys):
    assert cli.main(["export", "run.db", "--csv", "no/such/folder.csv"]) == 2
    assert "FILE: must be writable, got 'no/such/folder.csv'" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="head closes its end of the pipe otherwise")
def test_reader_that_leaves_early_is_no_error(journal):
    words = [sys.executable, "-m", "geneticpy", "export", "run.db", "--csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        told = running.stderr.read()
    assert running.returncode == 141
    assert told == b""


COMMANDS = (["show"], ["export", "--csv"], ["resume", "--quiet"])


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize("content", [None, b"", b"SQLite format 3\0", b"a,b\n1,2\n"])
def test_what_is_no_journal_is_an_error_and_stays_as_it_is(folder, capsys, words, content):
    if content is not None:
        (folder / "run.db").write_bytes(content)
    assert cli.main([words[0], "run.db", *words[1:]]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("geneticpy: error: journal ")
    assert "run.db'" in streams.err
    left = (folder / "run.db").read_bytes() if (folder / "run.db").exists() else None
    assert left == content


def test_damaged_journal_is_refused_or_read_and_never_changed(journal, recorded, capsys):
    whole = recorded
    choose = random.Random(0)
    refused = 0
    for cut in [True, False] * 20:
        damaged = bytearray(whole[: choose.randrange(len(whole))] if cut else whole)
        for _ in range(3):
            damaged[choose.randrange(len(damaged))] ^= 1 << choose.randrange(8)
        journal.write_bytes(damaged)
        for words in COMMANDS:
            code = cli.main([words[0], "run.db", *words[1:]])
            assert code in (0, 2)
            refused += code == 2
            assert "Traceback" not in capsys.readouterr().err
            assert journal.read_bytes() == damaged or (code == 0 and words[0] == "resume")
    assert refused >= 60  # all that are cut off
