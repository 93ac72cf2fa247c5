"""Spaces in TOML: what the words mean, what errors name, and that nothing gets past them."""

import datetime

import pytest
import scipy.stats
from full_space import FULL
from hypothesis import given, settings
from hypothesis import strategies as st

import geneticpy
from geneticpy import cli
from geneticpy.cli.space_file import load
from geneticpy.errors import SpaceError


def test_full_example_is_the_same_space_in_python():
    found = load(FULL, "space.toml")
    momentum = found.pop("momentum")
    assert momentum.dist.name == "beta"
    assert momentum.ppf(0.3) == scipy.stats.beta(2, 5).ppf(0.3)
    layer = {
        "units": geneticpy.LogUniformDistribution(4, 1024, q=1),
        "activation": geneticpy.ChoiceDistribution(["relu", "tanh", "elu"]),
    }
    assert found == {
        "learning_rate": geneticpy.LogUniformDistribution(1e-5, 1e-1),
        "dropout": geneticpy.UniformDistribution(0, 0.5, q=0.1),
        "noise": geneticpy.GaussianDistribution(0, 1, low=-2, high=2),
        "decay": geneticpy.LogNormalDistribution(-5, 1),
        "delay": geneticpy.ExponentialDistribution(1.5, high=10),
        "pooling": geneticpy.ChoiceDistribution(["max", "mean"], probabilities=[0.7, 0.3]),
        "width": geneticpy.ChoiceDistribution([16, 64, 256], ordered=True),
        "max_depth": geneticpy.ChoiceDistribution(
            [None, geneticpy.UniformDistribution(1, 30, q=1)]
        ),
        "augmentations": geneticpy.SubsetDistribution(["flip", "crop", "blur"], min_size=1),
        "order": geneticpy.PermutationDistribution(["a", "b", "c"]),
        "betas": [0.9, geneticpy.UniformDistribution(0.99, 0.9999)],
        "batch_size": 128,
        "started": datetime.date(2026, 11, 21),
        "layers": geneticpy.ListDistribution(layer, min_size=1, max_size=8),
        "optimizer": geneticpy.ChoiceDistribution(
            [
                {"name": "sgd", "momentum": geneticpy.UniformDistribution(0, 0.99)},
                {"name": "adam", "beta": geneticpy.UniformDistribution(0.8, 0.999)},
            ]
        ),
        "data": {"list": "train.txt", "choice": geneticpy.ChoiceDistribution([1, 2])},
    }


def test_names_at_the_top_are_parameters_whatever_they_are():
    found = load("choice = {choice = [1, 2]}\nlist = 3", "space.toml")
    assert found == {"choice": geneticpy.ChoiceDistribution([1, 2]), "list": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = ", "Invalid value (at end of document)"),
        ("a = 1\nb = = 1", "line 2"),
        ("", "must search something, got constants only: {}"),
        ("x = 1", "must search something, got constants only: {'x': 1}"),
        ("x = {uniform = [3, 1]}", "x: UniformDistribution(low=3, high=1): low must be below"),
        ("x = {uniform = 1}", "x.uniform: must be [low, high], got 1"),
        ("x = {gaussian = [1]}", "x.gaussian: must be [mean, standard_deviation], got [1]"),
        ("x = {uniform = [0, '1']}", "x: UniformDistribution(low=0, high='1'): high must be"),
        ("x = {uniform = [0, 1], step = 1}", "x.step: beside uniform there may be q, got 'step'"),
        ("x = {unifrom = [0, 1]}", "x.unifrom: must be a word of spaces, got 'unifrom'. Did you"),
        ("x = {loguniform = [1, 2]}", "Did you mean log_uniform?"),
        ("x = {uniform = [0, 1], choice = []}", "x: must have one of these keys only, got"),
        ("x = {choice = []}", "x: ChoiceDistribution: choice_list must be a list of at least"),
        ("x = {choice = [1, 2], ordered = 'no'}", "x.ordered: must be true or false, got 'no'"),
        ("x = {choice = [1, 2], probabilities = [1]}", "x: ChoiceDistribution: probabilities"),
        ("x = {list = {uniform = [0, 1]}, min_size = 1}", "x: list must have max_size beside it"),
        ("x = {list = 1, min_size = 2, max_size = 1}", "x: ListDistribution: sizes must be"),
        ("x = {list = 1, min_size = 0, max_size = 1000000000}", "may have at most 100000 items"),
        ("x = {permutation = [{uniform = [0, 1]}]}", "['x']: items must not hold distributions"),
        ("x = {subset = [1, 2], max_size = 3}", "x: SubsetDistribution: max_size must not"),
        ("x = {scipy = 'os'}", "x.scipy: must name a distribution of scipy.stats, got 'os'"),
        ("x = {scipy = 'beta'}", "x: scipy.stats.beta must accept its arguments, got {}"),
        ("x = {scipy = 'beta', a = -1, b = 1}", "quantiles must be finite numbers"),
        ("x = {none = 1}", "x.none: must be true, got 1"),
        ("x = {table = 1}", "x.table: must be a table, got 1"),
        ("x = {table = {}, y = 1}", "x.y: beside table there may be nothing, got 'y'"),
        ("[a]\n[a.'b c']\nx = [0, {uniform = [3, 1]}]", 'a."b c".x[1]: UniformDistribution('),
        ("[[o.choice]]\nm = {list = {uniform = [0]}}", "o.choice[0].m: list must have min_size"),
        ("x = " + "[" * 5000, "must be nested less deeply"),
        ("x" + ".a" * 1500 + " = 1", "must be nested less deeply"),
        ("x = " + "[" * 60 + "{uniform = [0, 1]}" + "]" * 60, "may be 50 levels deep"),
        ("x = " + "9" * 5000, "must be TOML"),
    ],
)
def test_errors_name_the_file_and_the_line_or_the_key(text, told):
    with pytest.raises(SpaceError) as error:
        load(text, "space.toml")
    assert str(error.value).startswith("space.toml: ")
    assert told in str(error.value)


@pytest.mark.parametrize("data", [b"x = \xff", b"\x00", b"\xef\xbb\xbfx = "])
def test_unreadable_bytes_exit_with_2(data, tmp_path, capsys):
    assert exit_code_of(data, tmp_path) == 2
    assert "space.toml" in capsys.readouterr().err


def test_byte_order_mark_is_no_part_of_the_text(tmp_path, capsys):
    exit_code_of(b"\xef\xbb\xbfx = {uniform = [0, 1]}", tmp_path)
    assert "no-such-program" in capsys.readouterr().err  # the space was fine


def exit_code_of(data, folder):
    """Exit code of ``tune`` with a space file of some bytes; no program is ever run."""
    path = folder / "space.toml"
    path.write_bytes(data)
    return cli.main(["tune", "no-such-program", "--space", str(path)])


def replaced(text, start, length, new):
    return text[:start] + new + text[start + length :]


EDITS = st.sampled_from(["", "{", "}", "[", "]", "=", ",", '"', "\n", "-", "0", "1e999", "nan"])
mutated = st.builds(
    replaced,
    st.just(FULL),
    st.integers(0, len(FULL)),
    st.integers(0, 12),
    EDITS | st.sampled_from(["true", "1979-05-27", "list", "choice", "uniform"]) | st.text(),
)
shuffled = st.permutations(FULL.splitlines()).map("\n".join)


@settings(max_examples=150, deadline=None)
@given(mutated | shuffled)
def test_mutated_space_is_read_or_refused_by_name(text):
    try:
        space = load(text, "space.toml")
    except SpaceError as error:
        assert str(error).startswith("space.toml: ")  # noqa: PT017 - it may be read, too
    else:
        assert geneticpy.Optimizer(space, size=2, seed=0).ask(1).params


@settings(max_examples=60, deadline=None)
@given(st.binary() | mutated.map(lambda text: text.encode(errors="replace")))
def test_any_bytes_end_with_exit_code_2_and_one_error(tmp_path_factory, data):
    import contextlib
    import io

    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        assert exit_code_of(data, tmp_path_factory.mktemp("fuzz")) == 2
    assert told.getvalue().startswith("geneticpy: error: ")
    assert "Traceback" not in told.getvalue()
