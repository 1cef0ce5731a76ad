"""Spaces and the sets drawn from them: lazily, each once, the same for the same seed."""

import itertools
import math
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.compiler.sets import SetTable
from fastbt.errors import SettingsError
from fastbt.sweep.constraints import Constraint
from fastbt.sweep.sampling import SAMPLINGS, Drawn, Grid, Shuffled, source_of
from fastbt.sweep.space import Dimension, Space

EXAMPLE = Space.of({"a": (1, 4), "b": (0.1, 0.3, 0.1), "c": ["x", "y"], "d": 7})
PAIRS = Space.of({"fast": (1, 40), "slow": (1, 40), "kind": ["sma", "ema"]})
BELOW = [Constraint("fast < slow")]


def keys(sets):
    return [tuple(each.items()) for each in sets]


@st.composite
def spaces(draw):
    space = {}
    for name in "abc"[: draw(st.integers(1, 3))]:
        kind = draw(st.sampled_from(["int", "float", "options", "one"]))
        low = draw(st.integers(-5, 5))
        space[name] = {
            "int": (low, low + draw(st.integers(0, 6)), draw(st.integers(1, 3))),
            "float": (low / 2, low / 2 + draw(st.integers(0, 4)) * 0.5, 0.5),
            "options": draw(st.lists(st.sampled_from(["x", "y", 1, 2.5, None, True]), min_size=1, unique_by=repr)),
            "one": low,
        }[kind]
    return Space.of(space)


# --- grids ----------------------------------------------------------------------------------------------------------


@given(spaces())
def test_grid__is_the_product_of_its_dimensions(space):
    values = [[each.value(i) for i in range(each.size)] for each in space.dimensions]
    names = [each.name for each in space.dimensions]
    expected = [dict(zip(names, each, strict=True)) for each in itertools.product(*values)]
    grid = Grid(space)
    assert grid.size == len(grid) == space.size == len(expected)
    assert repr(list(grid)) == repr(expected)


@given(spaces(), st.data())
def test_grid__gives_any_part_alone(space, data):
    grid = Grid(space)
    first = data.draw(st.integers(0, len(grid)))
    last = data.draw(st.integers(first, len(grid)))
    assert keys(grid.table(first, last)) == keys(grid)[first:last]
    if len(grid):
        assert grid[len(grid) - 1] == grid[-1] == list(grid)[-1]


def test_grid__with_constraints_is_what_is_left_of_the_product():
    grid = Grid(PAIRS, [*BELOW, Constraint("slow % 2 == 0"), Constraint("kind == 'ema' or fast > 3")])
    expected = [
        each
        for each in Grid(PAIRS)
        if each["fast"] < each["slow"] and each["slow"] % 2 == 0 and (each["kind"] == "ema" or each["fast"] > 3)
    ]
    assert grid.size == len(expected)
    assert sorted(keys(grid)) == sorted(keys(expected))


def test_grid__of_a_billion_sets_takes_neither_time_nor_memory():
    space = Space.of({name: (1, 1000) for name in ("fast", "slow", "x")})
    tracemalloc.start()
    began = time.perf_counter()
    grid = Grid(space, BELOW)
    some = grid.table(len(grid) - 5, len(grid))
    drawn = source_of(space, n=1000, constraints=BELOW).table(0, 1000)
    seconds, peak = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert grid.size == 999 * 1000 // 2 * 1000
    assert some[4] == {"fast": 999, "slow": 1000, "x": 1000}
    assert len(set(keys(drawn))) == 1000
    assert seconds < 60 and peak < 200e6


def test_grid__counts_beyond_64_bits():
    grid = Grid(Space.of({name: (0, 9_999) for name in "abcdefg"}))
    assert grid.size == 10_000**7
    number = 12_0034_0056_0078_0000_0000_0009
    assert grid.table(number, number + 2) == [
        {"a": 12, "b": 34, "c": 56, "d": 78, "e": 0, "f": 0, "g": last} for last in (9, 10)
    ]


def test_grid__says_why_there_is_none():
    with pytest.raises(SettingsError, match="'b' is a float without a step.*ask for n random sets"):
        Grid(Space.of({"a": (1, 3), "b": (0.1, 0.2)}))
    with pytest.raises(SettingsError, match="no set of the grid satisfies 'fast > slow \\+ 100'"):
        Grid(PAIRS, [Constraint("fast > slow + 100")])
    with pytest.raises(SettingsError, match="ties 100,000,000 combinations of a, b, more than the 4,000,000"):
        Grid(Space.of({"a": (1, 10_000), "b": (1, 10_000)}), [Constraint("a < b")])
    for n in (None, 5):
        with pytest.raises(SettingsError, match="'slow < 3': nothing that it reads varies: slow=5"):
            source_of(Space.of({"a": (1, 3)}), n=n, constraints=[Constraint("slow < 3")], fixed={"a": 1, "slow": 5})


def test_sets__have_all_names_in_the_order_of_the_strategy():
    fixed = {"z": 0, "slow": 50, "fast": 1}
    for source in (
        Grid(Space.of({"fast": (1, 3)}), [Constraint("fast < slow")], fixed),
        source_of(Space.of({"fast": (0.5, 1.5)}), n=3, constraints=[Constraint("fast < slow")], fixed=fixed),
    ):
        assert all(list(each) == ["z", "slow", "fast"] and each["slow"] == 50 for each in source)


# --- drawn sets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize(
    "space", [EXAMPLE, PAIRS, Space.of({"x": (0.0, 1.0), "n": (1, 5)})], ids=["small", "pairs", "x"]
)
def test_source__draws_different_sets_of_the_space_again_and_in_parts(sampling, space):
    source = source_of(space, n=15, seed=3, sampling=sampling)
    sets = list(source)
    assert len(sets) == len(source) == len(set(keys(sets))) == 15
    for each in sets:
        for dimension in space.dimensions:
            value = each[dimension.name]
            if dimension.size is None:
                assert type(value) is float and dimension.low <= value <= dimension.high
            else:
                assert repr(value) in [repr(dimension.value(i)) for i in range(dimension.size)]
    again = source_of(space, n=15, seed=3, sampling=sampling)
    parts = [again.table(10, 15), again.table(3, 10), again.table(0, 3)]
    assert keys(SetTable.concat(parts[::-1])) == keys(sets)
    assert keys(source_of(space, n=15, seed=4, sampling=sampling)) != keys(sets)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("constraint", [None, "x + y < 0.3", "x * 4 < n"])
def test_source__of_many_sets_is_the_same_in_any_parts(sampling, constraint):
    space = Space.of({"x": (0.0, 1.0), "y": (0.0, 1.0), "n": (1, 9)})
    constraints = [Constraint(constraint)] if constraint else []
    source = source_of(space, n=20_000, seed=1, sampling=sampling, constraints=constraints)
    whole = source.table(0, 20_000)
    assert len(whole) == 20_000
    assert all(each.holds(whole).all() for each in constraints)
    other = source_of(space, n=20_000, seed=1, sampling=sampling, constraints=constraints)
    bounds = [0, 1, 4096, 8192, 8193, 19_999, 20_000]
    for first, last in list(zip(bounds, bounds[1:], strict=False))[::-1]:
        part = other.table(first, last)
        for name in whole.columns:
            assert part.columns[name].tolist() == whole.columns[name].tolist()[first:last]


@given(spaces(), st.integers(0, 2**32))
def test_shuffled__is_a_permutation_of_the_grid(space, seed):
    grid = Grid(space)
    assert sorted(map(repr, Shuffled(grid, 10**9, seed))) == sorted(map(repr, grid))


def test_shuffled__is_uniform():
    grid = Grid(Space.of({"a": (0, 9), "b": (0, 9), "c": (0, 9)}))
    counts = np.zeros((3, 10))
    pairs = np.zeros((10, 10))
    for seed in range(200):
        for each in Shuffled(grid, 50, seed):
            for i, name in enumerate("abc"):
                counts[i, each[name]] += 1
            pairs[each["a"], each["c"]] += 1
    # 10,000 draws: chi-square with 9 and with 99 degrees of freedom, at 1 in 10,000.
    assert (((counts - 1000) ** 2 / 1000).sum(axis=1) < 33.7).all()
    assert ((pairs - 100) ** 2 / 100).sum() < 160


def test_source__gives_the_whole_grid_if_more_is_asked_for():
    for sampling in SAMPLINGS:
        source = source_of(PAIRS, n=10**6, sampling=sampling, constraints=BELOW)
        assert len(source) == 40 * 39 // 2 * 2
        assert len(set(keys(source))) == len(source)


def test_source__keeps_the_first_sets_when_more_are_asked_for():
    for space in (PAIRS, Space.of({"x": (0.0, 1.0)})):
        for sampling in SAMPLINGS:
            few, many = (source_of(space, n=n, seed=5, sampling=sampling, constraints=()) for n in (50, 500))
            assert keys(many)[:50] == keys(few)


def test_quasi_random__covers_more_evenly_than_random():
    space = Space.of({"x": (0.0, 1.0), "y": (0.0, 1.0)})

    def cells(sampling):
        table = source_of(space, n=256, sampling=sampling, seed=2).table(0, 256)
        x, y = (np.floor(table.columns[name].numbers() * 16) for name in "xy")
        return len(set(zip(x.tolist(), y.tolist(), strict=True)))

    assert cells("sobol") > 240 > 200 > cells("random")
    assert cells("halton") > cells("random")


def test_log__makes_equal_ratios_equally_likely():
    space = Space.of({"x": {"type": "float", "min": 0.001, "max": 10.0, "log": True}})
    values = source_of(space, n=4000).table(0, 4000).columns["x"].numbers()
    decades = np.histogram(np.log10(values), bins=[-3, -2, -1, 0, 1])[0]
    assert decades.sum() == 4000 and (abs(decades - 1000) < 130).all()
    whole = Dimension.from_jesse({"name": "n", "type": int, "min": 1, "max": 1000, "log": True})
    points = (np.arange(100_000) + 0.5) / 100_000
    found = np.array(whole.column_at(points).tolist())
    assert found.min() == 1 and found.max() == 1000 and (np.diff(found) >= 0).all()
    for n in (1, 10, 500, 1000):
        assert abs((found == n).mean() - math.log((n + 1) / n) / math.log(1001)) < 2e-5


def test_source__gives_up_honestly():
    space = Space.of({"x": (0.0, 1.0), "y": (0.0, 1.0)})
    with pytest.raises(SettingsError, match=r"no set satisfies 'x > y \+ 1': 1,048,576 were tried"):
        source_of(space, n=5, constraints=[Constraint("x > y + 1")])
    tied = Space.of({"a": (1, 3000), "b": (1, 3000)})
    with pytest.raises(SettingsError, match=r"wanted 100 different sets; only \d+ were found"):
        # Fifty satisfy it, too few among 9 million to be met by chance.
        source_of(tied, n=100, sampling="sobol", constraints=[Constraint("a == b and a <= 50")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampling": "sobl"}, "sampling wants random, sobol, halton; it was 'sobl'. Did you mean 'sobol'"),
        ({"n": 0}, "n wants a whole number from 1; it was 0"),
        ({"n": 2.5}, "n wants a whole number from 1; it was 2.5"),
        ({"seed": -1}, "seed wants a whole number from 0; it was -1"),
        ({"seed": True}, "seed wants a whole number from 0; it was True"),
    ],
)
def test_source__refuses_what_makes_no_sense(change, message):
    with pytest.raises(SettingsError, match=message):
        source_of(EXAMPLE, **{"n": 5, **change})


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "int", "min": 1, "max": 0}, "min 1 is above max 0"),
        ({"type": "float", "min": 0, "max": 1, "log": True}, "log wants a min above 0; it was 0"),
        ({"type": "float", "min": 1, "max": 2, "step": 0.1, "log": True}, "log and step do not go together"),
        ({"type": "float", "min": 1, "max": math.inf}, "wants a number for 'max'; it was inf"),
        ({"type": "categorical", "options": []}, "a categorical one wants options; it has none"),
        ({"type": "text"}, "type wants int, float or 'categorical'; it was 'text'"),
    ],
)
def test_dimension__refuses_what_makes_no_sense(declared, message):
    with pytest.raises(SettingsError, match=message):
        Space.of([{"name": "x", **declared}])


def test_space__wants_each_name_once():
    with pytest.raises(SettingsError, match="each hyper-parameter once; 'x' came twice"):
        Space.of([{"name": "x", "type": int, "min": 1, "max": 2}] * 2)


def test_types__are_known_before_anything_is_drawn():
    space = Space.of({"a": (1, 2), "b": (0.1, 0.2), "c": ["x", None, 3], "d": [True, False]})
    source = source_of(space, n=3, fixed={"a": 1, "b": 0.5, "c": "x", "d": True, "e": 1.5})
    assert isinstance(source, Drawn)
    expected = {"a": {"int"}, "b": {"float"}, "c": {"str", "NoneType", "int"}, "d": {"bool"}, "e": {"float"}}
    assert source.types() == expected
