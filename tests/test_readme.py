"""The pages and the examples run as they stand."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "docs/journal.md",
    "docs/operators.md",
    "docs/parallel.md",
    "docs/search_cv.md",
]
LINKED = [*PAGES, "docs/command_line.md"]
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    """Return the Python of a page, block by block, each moved to the lines it has there."""
    text = (ROOT / page).read_text()
    for found in PYTHON_BLOCK.finditer(text):
        yield "\n" * text.count("\n", 0, found.start(1)) + found[1]


@pytest.mark.parametrize("page", PAGES)
def test_snippets_run_one_after_the_other(page, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "snippets"}
    for block in blocks(page):
        exec(compile(block, page, "exec"), names)
    assert names.keys() > {"geneticpy", "result"}


def test_first_use_finds_the_least_of_the_toy(capsys):
    names = {}
    exec(compile(next(blocks("README.md")), "README.md", "exec"), names)
    assert names["best_params"]["type"] == "multiply"
    assert names["best_params"]["x"] == 10
    assert names["loss"] == 10 * names["best_params"]["y"]
    assert names["loss"] < -30  # the least of 50,200 Gaussian draws is below -3 almost surely
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("page", LINKED)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize(
    ("example", "options", "told"),
    [
        ("searched_length", {"generation_count": 20}, "knots"),
        ("ask_tell", {"rounds": 10}, "best loss"),
        ("search_cv", {"n_iter": 6}, "best pipeline"),
    ],
)
def test_examples_run(example, options, told, capsys):
    runpy.run_path(str(ROOT / "examples" / f"{example}.py"))["main"](**options)
    assert told in capsys.readouterr().out


def test_quickstart_is_the_first_use(capsys):
    runpy.run_path(str(ROOT / "examples" / "quickstart.py"), run_name="__main__")
    assert "best loss" in capsys.readouterr().out
