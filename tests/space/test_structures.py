"""Containers, choices with parameters, lists, orders and subsets, and spaces that cannot be."""

import pickle
import re
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

import geneticpy as gp
from geneticpy.space.encoding import Encoding
from geneticpy.space.parsing import MAX_DEPTH, MAX_GENES

UNIT = gp.UniformDistribution(0, 1)
DIGIT = gp.UniformDistribution(0, 9, q=1)
ABC = gp.ChoiceDistribution(["a", "b", "c"])


class Point(NamedTuple):
    x: object
    y: object


def draw(space, n=200, seed=0):
    encoding = Encoding(space)
    return encoding.decode(encoding.genome.sample(np.random.default_rng(seed), n))


def points_of(space):
    """All points of a finite space."""
    encoding = Encoding(space)
    return encoding.decode(encoding.genome.enumerate())


# Shapes


@pytest.mark.parametrize(
    ("space", "kind"),
    [
        ({"x": DIGIT}, dict),
        ([DIGIT, DIGIT], list),
        ((DIGIT,), tuple),
        ((DIGIT, UNIT), tuple),
        (Point(DIGIT, 3), Point),
        ({}, dict),
        ([], list),
        ((), tuple),
        (DIGIT, int),
        (UNIT, float),
        (stats.norm(), float),
        (gp.ListDistribution(UNIT, 0, 3), list),
        (gp.PermutationDistribution([1, 2]), list),
        (gp.SubsetDistribution([1, 2]), list),
        ("constant", str),
    ],
)
def test_any_container_or_bare_leaf_can_be_the_whole_space(space, kind):
    points = draw(space, 5)
    assert len(points) == 5
    assert {type(point) for point in points} == {kind}
    encoding = Encoding(space)
    assert encoding.decode(encoding.encode(points)) == points


def test_keys_of_any_kind_keep_their_order():
    space = {"z": UNIT, 1: UNIT, (2, "x"): 5, None: UNIT, 2.5: "c", True + 1: 0, b"k": UNIT}
    assert list(draw(space, 1)[0]) == list(space)


@pytest.mark.parametrize(
    "key", ["a b", "it's", 'say "x"', "new\nline", "\\", "{}", "", "λ", "lambda"]
)
def test_keys_may_be_any_text(key):
    assert draw({key: 1, "x": {key: DIGIT}}, 1)[0].keys() == {key, "x"}


def test_constants_reach_the_loss_as_they_are():
    constants = [None, 1, 2.5, "x", True, len, int, np.arange(3), object(), {1, 2}, b"y", range(3)]
    (point,) = draw({"constants": constants, "x": UNIT}, 1)
    assert all(one is two for one, two in zip(point["constants"], constants, strict=True))


def test_containers_of_constants_are_fresh_in_every_point():
    one, two = draw({"fixed": [1, {"k": 2}], "x": UNIT}, 2)
    one["fixed"][1]["k"] = 99
    assert two["fixed"] == [1, {"k": 2}]


def test_containers_of_other_classes_are_constants_unless_searched():
    class Shape(tuple):
        __slots__ = ()

    constant = {"ordered": OrderedDict(b=1, a=2), "shape": Shape((2, 3)), "point": Point(1, 2)}
    (point,) = draw(constant, 1)
    assert all(point[key] is constant[key] for key in constant)
    assert draw(OrderedDict(b=DIGIT, a=2), 1)[0].keys() == {"b", "a"}
    assert type(draw(Shape((DIGIT, 3)), 1)[0]) is tuple


def test_one_distribution_in_two_places_is_two_genes():
    points = draw({"x": UNIT, "y": UNIT}, 10)
    assert all(point["x"] != point["y"] for point in points)


def test_options_without_parameters_are_the_users_objects():
    options = [[1, 2], {"k": [3]}, Point(1, 2), np.arange(3)]
    assert {id(value) for value in draw(gp.ChoiceDistribution(options))} == set(map(id, options))
    # beside an option with parameters, and alone
    mixed = gp.ChoiceDistribution([*options, {"x": UNIT}])
    seen = {id(value) for value in draw(mixed) if not (isinstance(value, dict) and "x" in value)}
    assert seen == set(map(id, options))
    assert draw(gp.ChoiceDistribution([options[0]]), 1)[0] is options[0]


def test_choices_carry_parameters_several_levels_deep():
    inner = gp.ChoiceDistribution([{"p": DIGIT}, "plain"])
    middle = gp.ChoiceDistribution([[inner, 7], {"q": inner}])
    space = {"outer": gp.ChoiceDistribution([middle, UNIT, None])}
    seen = set()
    for point in draw(space, 300):
        match point["outer"]:
            case [{"p": int()}, 7] | ["plain", 7]:
                seen.add("list")
            case {"q": {"p": int()}} | {"q": "plain"}:
                seen.add("dict")
            case float() | None:
                seen.add("end")
            case other:
                pytest.fail(f"outside the space: {other!r}")
    assert seen == {"list", "dict", "end"}


def test_lists_nest_in_lists_and_choices_in_both():
    item = gp.ChoiceDistribution([gp.ListDistribution(DIGIT, 1, 2), "leaf"])
    points = draw(gp.ListDistribution(gp.ListDistribution(item, 0, 2), 1, 2), 400)
    lengths = {tuple(map(len, point)) for point in points}
    assert lengths == {(0,), (1,), (2,), *((i, j) for i in range(3) for j in range(3))}
    leaves = [leaf for point in points for row in point for leaf in row]
    assert {len(leaf) for leaf in leaves if leaf != "leaf"} == {1, 2}


def test_a_choice_between_lists():
    space = gp.ChoiceDistribution(
        [gp.ListDistribution(DIGIT, 2, 3), gp.ListDistribution(UNIT, 0, 1)]
    )
    kinds = {(len(point), *{type(item) for item in point}) for point in draw(space)}
    assert kinds == {(2, int), (3, int), (0,), (1, float)}


def test_orders_and_subsets_inside_lists():
    element = {
        "order": gp.PermutationDistribution(["x", "y", "z"]),
        "some": gp.SubsetDistribution([1, 2], 1),
    }
    points = draw(gp.ListDistribution(element, 1, 3), 300)
    items = [item for point in points for item in point]
    assert len({tuple(item["order"]) for item in items}) == 6
    assert {tuple(item["some"]) for item in items} == {(1,), (2,), (1, 2)}


def test_items_of_a_list_vary_independently():
    points = draw(gp.ListDistribution(UNIT, 3, 3), 2000)
    correlation = np.corrcoef(np.array(points).T)[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)  # 5 sigma


@pytest.mark.parametrize(
    ("space", "points"),
    [
        (gp.ListDistribution(ABC, 1, 1), [["a"], ["b"], ["c"]]),
        (gp.ListDistribution(ABC, 0, 0), [[]]),
        (gp.ListDistribution("x", 0, 2), [[], ["x"], ["x", "x"]]),
        (gp.ListDistribution(None, 2, 2), [[None, None]]),
        (gp.SubsetDistribution([1, 2], max_size=0), [[]]),
        (gp.SubsetDistribution([1, 2], min_size=2), [[1, 2]]),
        (gp.SubsetDistribution([1, 2], 1, 1), [[1], [2]]),
        (gp.SubsetDistribution(["x"]), [[], ["x"]]),
        (gp.PermutationDistribution(["x"]), [["x"]]),
        (gp.PermutationDistribution([1, 2]), [[1, 2], [2, 1]]),
        (gp.ChoiceDistribution(["x"]), ["x"]),
        (gp.ChoiceDistribution([{"y": ABC}]), [{"y": "a"}, {"y": "b"}, {"y": "c"}]),
        (gp.ChoiceDistribution(["x", {"y": ABC}], [1, 0]), ["x"]),
        (gp.ChoiceDistribution(["x", {"y": ABC}], [0, 1]), [{"y": "a"}, {"y": "b"}, {"y": "c"}]),
        (gp.ChoiceDistribution([gp.ListDistribution(1, 0, 1), ()]), [[], [1], ()]),
        (gp.UniformDistribution(0.5, 1.5, q=1), [1]),
        (stats.randint(3, 4), [3]),
    ],
)
def test_small_spaces_hold_exactly_these_points(space, points):
    found = points_of(space)
    assert sorted(map(repr, found)) == sorted(map(repr, points))
    encoding = Encoding(space)
    assert encoding.decode(encoding.encode(points)) == points


def test_duplicate_items_are_kept():
    assert sorted(draw(gp.PermutationDistribution(["x", "x", "y"]), 1)[0]) == ["x", "x", "y"]
    encoding = Encoding(gp.PermutationDistribution(["x", "x", "y"]))
    assert encoding.decode(encoding.encode([["x", "y", "x"]])) == [["x", "y", "x"]]


@pytest.mark.parametrize(
    "part",
    [
        gp.ListDistribution({"x": UNIT}, 1, 3),
        gp.ListDistribution(None, 0, 2),
        gp.PermutationDistribution(["a", (1, 2)]),
        gp.SubsetDistribution([1, 2, 3], min_size=1, max_size=2),
        gp.SubsetDistribution(range(3)),
        gp.ChoiceDistribution([{"x": UNIT}, [DIGIT]], ordered=True),
    ],
    ids=repr,
)
def test_repr_of_a_structure_is_its_constructor_call(part):
    again = eval(repr(part), vars(gp))
    assert again == part
    assert hash(again) == hash(part)
    assert again != gp.ListDistribution(None, 0, 9)


def test_sizes_may_be_numpy_integers():
    block = gp.ListDistribution(UNIT, np.int64(1), np.int32(3))
    assert (
        repr(block)
        == "ListDistribution(UniformDistribution(low=0, high=1), min_size=1, max_size=3)"
    )


# Spaces that cannot be


def test_the_path_leads_to_the_leaf():
    broken = stats.norm(0, -1)
    space = {"net": [{"layers": gp.ListDistribution({"units": broken}, 1, 2)}]}
    path = r"space\['net'\]\[0\]\['layers'\]\.element\['units'\]"
    with pytest.raises(gp.SpaceError, match=rf"^{path}: must .*got.*finite"):
        Encoding(space)
    with pytest.raises(gp.SpaceError, match=r"^space\['x'\]\.option\[1\]\[0\]: must"):
        Encoding({"x": gp.ChoiceDistribution(["a", [broken]])})


@pytest.mark.parametrize(
    "kind",
    [gp.UniformDistribution, gp.ListDistribution, gp.SubsetDistribution, gp.DistributionBase],
)
def test_a_class_is_not_a_distribution(kind):
    with pytest.raises(gp.SpaceError, match=r"space\['x'\]: must be an instance.*got <class"):
        Encoding({"x": kind})


@pytest.mark.parametrize(
    "part", [gp.PermutationDistribution([1, UNIT]), gp.SubsetDistribution([{"x": UNIT}])]
)
def test_items_of_orders_and_subsets_are_constants(part):
    with pytest.raises(gp.SpaceError, match=r"^space\[0\]: items must not hold .*got.*Uniform"):
        Encoding([part])


def self_holding_list():
    space = [UNIT]
    space.append(space)
    return space


def self_holding_dict():
    space = {"x": UNIT}
    space["again"] = {"deeper": space}
    return space


def self_holding_choice():
    choice = gp.ChoiceDistribution(["a", [UNIT]])
    choice.options[1].append(choice)
    return choice


def self_holding_element():
    block = gp.ListDistribution({"x": UNIT}, 0, 2)
    block.element["child"] = block
    return block


@pytest.mark.parametrize(
    "build", [self_holding_list, self_holding_dict, self_holding_choice, self_holding_element]
)
def test_a_space_must_not_contain_itself(build):
    with pytest.raises(gp.SpaceError, match=r"space.*: a space must not contain itself, got"):
        Encoding(build())


def test_an_option_may_hold_itself_if_it_is_a_constant():
    loop = [1]
    loop.append(loop)
    assert draw(gp.ChoiceDistribution([loop]), 1)[0] is loop


def nested(depth, wrap):
    space = UNIT
    for _ in range(depth):
        space = wrap(space)
    return space


WRAPPERS = [
    lambda part: {"x": part},
    lambda part: [part],
    lambda part: gp.ChoiceDistribution([[part], *range(20)]),
    lambda part: gp.ListDistribution(part, 0, 1),
]


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_deep_nesting_works_up_to_a_limit(wrap):
    levels = MAX_DEPTH if not isinstance(wrap(1), gp.ChoiceDistribution) else MAX_DEPTH // 2
    assert len(draw(nested(levels, wrap), 3)) == 3
    with pytest.raises(gp.SpaceError, match=f"may be {MAX_DEPTH} levels deep, got more"):
        Encoding(nested(MAX_DEPTH + 1, wrap))


def test_too_many_genes_are_refused():
    with pytest.raises(gp.SpaceError, match=rf"element.*at most {MAX_GENES} genes.*got more"):
        Encoding({"x": gp.ListDistribution(gp.ListDistribution(UNIT, 0, 400), 0, 400)})


# Encoding points: the way back


SPACE = {
    "layers": gp.ListDistribution({"units": DIGIT, "act": ABC}, 1, 3),
    "opt": gp.ChoiceDistribution(
        [{"name": "sgd", "momentum": UNIT}, {"name": "adam", "beta": UNIT}, None]
    ),
    "order": gp.PermutationDistribution([1, 2, 3]),
    "some": gp.SubsetDistribution(["p", "q", "r"], 1, 2),
    "pair": (UNIT, "fixed"),
    "batch": 128,
}
GOOD = {
    "layers": [{"units": 3, "act": "b"}, {"units": 0, "act": "a"}],
    "opt": {"name": "adam", "beta": 0.25},
    "order": [3, 1, 2],
    "some": ["p", "r"],
    "pair": (0.5, "fixed"),
    "batch": 128,
}


def test_a_good_point_is_stored_as_it_is():
    encoding = Encoding(SPACE)
    assert encoding.decode(encoding.encode([GOOD, GOOD | {"opt": None}]))[0] == GOOD


def test_a_subset_may_be_given_in_any_order():
    encoding = Encoding(SPACE)
    (point,) = encoding.decode(encoding.encode([GOOD | {"some": ("r", "p")}]))
    assert point["some"] == ["p", "r"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": []}, r"\['layers'\]: must be a list of 1 to 3 items, got \[\]"),
        (
            {"layers": [GOOD["layers"][0]] * 4},
            r"\['layers'\]: must be a list of 1 to 3 items, got",
        ),
        ({"layers": 5}, r"\['layers'\]: must be a list of 1 to 3 items, got 5"),
        (
            {"layers": [{"units": 3, "act": "b"}, {"units": 10, "act": "b"}]},
            r"\['layers'\]\[1\]\['units'\]: must lie between 0 and 9, got 10",
        ),
        (
            {"layers": [{"units": 3, "act": "z"}]},
            r"\['layers'\]\[0\]\['act'\]: must be one of \['a', 'b', 'c'\], got 'z'",
        ),
        (
            {"layers": [{"units": 3}]},
            r"\['layers'\]\[0\]: must be a dict of keys \['units', 'act'\], got \['units'\]",
        ),
        (
            {"opt": {"name": "adam", "momentum": 0.5}},
            r"\['opt'\]: must fit one of the options, got",
        ),
        (
            {"opt": {"name": "sgd", "momentum": 2}},
            r"\['opt'\]: must fit .*\['opt'\]\['momentum'\]: must lie between 0 and 1, got 2",
        ),
        ({"order": [1, 2]}, r"\['order'\]: must order all of \[1, 2, 3\], got \[1, 2\]"),
        ({"order": [1, 2, 2]}, r"\['order'\]: must hold each of \[1, 2, 3\] at most once, got"),
        ({"order": 7}, r"\['order'\]: must be a list of items, got 7"),
        ({"some": []}, r"\['some'\]: must hold 1 to 2 items, got \[\]"),
        ({"some": ["p", "q", "r"]}, r"\['some'\]: must hold 1 to 2 items, got"),
        ({"some": ["z"]}, r"\['some'\]: must hold each of .* got \['z'\]"),
        ({"pair": [0.5, "fixed"]}, r"\['pair'\]: must be a tuple of 2 items, got"),
        ({"pair": (0.5,)}, r"\['pair'\]: must be a tuple of 2 items, got \(0.5,\)"),
        ({"pair": (0.5, "other")}, r"\['pair'\]\[1\]: must be the constant 'fixed', got 'other'"),
        ({"batch": 64}, r"\['batch'\]: must be the constant 128, got 64"),
        ({"new": 1}, r": must be a dict of keys \['layers'.*got \['layers'.*'new'\]"),
    ],
)
def test_a_point_that_does_not_fit_is_named_by_path_rule_and_value(change, message):
    with pytest.raises(gp.SpaceError, match=r"^initial\[1\]" + message) as caught:
        Encoding(SPACE).encode([GOOD, GOOD | change], "initial")
    assert isinstance(caught.value, ValueError)


def test_the_point_itself_must_have_the_shape():
    with pytest.raises(gp.SpaceError, match=r"^params\[0\]: must be a dict of keys .*got 3"):
        Encoding({"x": UNIT}).encode([3])


@pytest.mark.parametrize(
    ("value", "option"),
    [
        ({"name": "a", "x": 0.5}, 0),
        ({"name": "b", "x": 0.5}, 1),
        ({"name": "b", "y": [0.5, 0.5]}, 2),
        (7, 3),
        (0.5, 4),
        ([], 5),
        ([0.5], 5),
        (None, 6),
        ("text", 7),
        (True, 8),
    ],
)
def test_a_value_finds_its_option(value, option):
    options = [
        {"name": "a", "x": UNIT},
        {"name": "b", "x": UNIT},
        {"name": "b", "y": gp.ListDistribution(UNIT, 1, 2)},
        gp.UniformDistribution(2, 9, q=1),
        UNIT,
        gp.ListDistribution(UNIT, 0, 1),
        None,
        "text",
        True,
    ]
    encoding = Encoding(gp.ChoiceDistribution(options))
    genes = encoding.encode([value])
    assert int(genes[0, 0] * len(options)) == option
    assert encoding.decode(genes) == [value]


def test_an_option_that_nearly_fits_leaves_no_trace():
    # The first option writes its first gene before it refuses the second.
    options = [{"x": DIGIT, "y": gp.UniformDistribution(0, 1)}, {"x": DIGIT, "y": DIGIT}]
    encoding = Encoding(gp.ChoiceDistribution(options))
    genes = encoding.encode([{"x": 9, "y": 7}])
    assert genes[0, 1] == encoding.genome.snap(np.full((1, encoding.genome.d), 0.5))[0, 1]


@pytest.mark.parametrize(
    "options",
    [
        [UNIT, gp.UniformDistribution(0.5, 2), gp.UniformDistribution(1, 3, q=1), 2],
        [gp.ListDistribution(UNIT, 0, 2), [UNIT, 0.5], gp.SubsetDistribution([0.5, 0.25])],
        [{"x": ABC}, {"x": gp.ChoiceDistribution(["c", "d"])}, {"x": "d"}],
    ],
)
def test_a_value_that_fits_several_options_stays_the_same(options):
    encoding = Encoding({"choice": gp.ChoiceDistribution(options)})
    points = encoding.decode(encoding.genome.sample(np.random.default_rng(0), 200))
    again = encoding.decode(encoding.encode(points))
    flat, flat_again = (repr_of_floats(batch) for batch in (points, again))
    assert flat == flat_again


def repr_of_floats(points):
    """Text with numbers to 9 digits, integers and floats alike."""
    return [
        re.sub(r"\d+(\.\d+)?(e-\d+)?", lambda m: f"{float(m[0]):.9f}", repr(p)) for p in points
    ]


def test_genes_that_a_point_does_not_use_are_in_the_middle():
    encoding = Encoding(gp.ListDistribution(UNIT, 0, 3))
    assert encoding.encode([[0.25]])[0, 1:].tolist() == [0.25, 0.5, 0.5]


def test_constant_arrays_are_compared_by_value():
    encoding = Encoding({"a": np.arange(3), "x": UNIT})
    assert encoding.encode([{"a": np.arange(3), "x": 0.5}]).tolist() == [[0.5]]
    with pytest.raises(gp.SpaceError, match=r"\['a'\]: must be the constant"):
        encoding.encode([{"a": np.arange(4), "x": 0.5}])


# Columns


def test_columns_of_a_flat_space_are_arrays_of_plain_types():
    space = {"x": UNIT, "i": DIGIT, "c": gp.ChoiceDistribution([0.5, 1.5]), "s": ABC, "k": 3}
    encoding = Encoding(space)
    columns = encoding.columns(encoding.genome.sample(np.random.default_rng(0), 4))
    assert {key: column.dtype.kind for key, column in columns.items() if key != "k"} == {
        "x": "f", "i": "i", "c": "f", "s": "O"}  # fmt: skip
    assert columns["k"] == 3
    assert all(type(columns[key]) is np.ndarray and columns[key].shape == (4,) for key in "xics")


def test_columns_keep_namedtuples():
    encoding = Encoding(Point(UNIT, 2))
    columns = encoding.columns(np.array([[0.25], [0.5]]))
    assert type(columns) is Point
    assert columns.x.tolist() == [0.25, 0.5]


def test_columns_of_lists_and_choices_mask_what_is_not_used():
    space = [gp.ListDistribution(UNIT, 0, 2), gp.ChoiceDistribution([{"p": DIGIT}, "none"])]
    encoding = Encoding(space)
    genes = encoding.encode([[[], {"p": 3}], [[0.25], "none"], [[0.25, 0.75], {"p": 4}]])
    (size, items), (taken, options) = encoding.columns(genes)
    assert size.tolist() == [0, 1, 2]
    assert [item.tolist() for item in items] == [[None, 0.25, 0.25], [None, None, 0.75]]
    assert taken.tolist() == [0, 1, 0]
    assert options[0]["p"].tolist() == [3, None, 4]
    assert options[1] == "none"


def test_columns_are_masked_by_the_space_and_not_by_the_rows():
    encoding = Encoding(gp.ListDistribution(UNIT, 0, 2))
    columns = encoding.columns(encoding.encode([[0.1, 0.2]]))
    assert all(isinstance(item, np.ma.MaskedArray) for item in columns.items)


def test_columns_of_orders_and_subsets():
    space = [gp.PermutationDistribution([7, 8, 9]), gp.SubsetDistribution(["a", "b", "c"])]
    encoding = Encoding(space)
    order, some = encoding.columns(encoding.encode([[[9, 7, 8], ["a", "c"]]]))
    assert order.tolist() == [[9, 7, 8]]
    assert some.tolist() == [[True, False, True]]


def test_an_encoding_of_nested_data_can_be_pickled():
    encoding = pickle.loads(pickle.dumps(Encoding(SPACE)))
    assert encoding.decode(encoding.encode([GOOD])) == [GOOD]
