"""Tables of hyper-parameter sets: columns that behave as the list of dictionaries that they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.compiler.sets import Column, SetTable
from fastbt.errors import SettingsError, ShapeError

numbers = st.one_of(
    st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.sampled_from(["sma", "ema", None])
)
kinds = st.sampled_from([st.booleans(), st.integers(-5, 5), st.sampled_from([0.5, 1.0, 2.5]), numbers])


@st.composite
def lists_of_sets(draw):
    n = draw(st.integers(1, 30))
    columns = {name: draw(st.lists(draw(kinds), min_size=n, max_size=n)) for name in draw(st.sets(names, max_size=4))}
    return [{name: values[i] for name, values in columns.items()} for i in range(n)]


names = st.sampled_from(["a", "b", "c", "d"])


def typed(sets):
    """1, 1.0 and True are equal in Python, and not the same to a strategy."""
    return [[(key, type(value), value) for key, value in each.items()] for each in sets]


@given(lists_of_sets())
def test_table__is_the_list_that_it_was_made_of(sets):
    table = SetTable.of(sets)
    assert len(table) == len(sets)
    assert typed(table) == typed(sets)
    assert typed(table[i] for i in range(len(sets))) == typed(sets)
    assert typed(table[::-2]) == typed(sets[::-2])
    assert typed([table[-1]]) == typed([sets[-1]])
    assert table == sets
    assert table != [*sets, {}]


@given(lists_of_sets(), st.data())
def test_distinct__tells_apart_exactly_what_differs(sets, data):
    table = SetTable.of(sets)
    chosen = data.draw(st.lists(st.sampled_from(sorted(sets[0])), unique=True)) if sets[0] else []
    rows, codes = table.distinct(chosen)
    seen = {}
    for row, each in enumerate(sets):
        seen.setdefault(tuple((type(each[name]), each[name]) for name in chosen), []).append(row)
    assert len(rows) == len(seen)
    groups = {tuple(np.flatnonzero(codes == code).tolist()) for code in range(len(rows))}
    assert groups == {tuple(group) for group in seen.values()}
    for code, row in enumerate(rows.tolist()):
        assert codes[row] == code


@given(lists_of_sets())
def test_by_types__groups_rows_whose_values_have_the_same_types(sets):
    groups = SetTable.of(sets).by_types()
    expected = {}
    for row, each in enumerate(sets):
        expected.setdefault(tuple(type(value) for value in each.values()), []).append(row)
    found = [list(range(len(sets))) if rows is None else rows.tolist() for _, rows in groups]
    assert found == list(expected.values())
    for (sample, _), rows in zip(groups, found, strict=True):
        assert typed([sample]) == typed([sets[rows[0]]])


@given(st.lists(lists_of_sets(), min_size=1, max_size=3))
def test_concat__puts_rows_below_each_other(parts):
    names = set.intersection(*(set(part[0]) for part in parts))
    parts = [[{name: each[name] for name in sorted(names)} for each in part] for part in parts]
    whole = SetTable.concat([SetTable.of(part) for part in parts])
    assert typed(whole) == typed([each for part in parts for each in part])


def test_of__takes_columns_and_fills_in_defaults():
    table = SetTable.of({"fast": range(3), "kind": "sma"}, {"fast": 1, "slow": 2.5, "kind": "ema"})
    assert list(table) == [{"fast": fast, "slow": 2.5, "kind": "sma"} for fast in range(3)]
    assert table.columns["fast"].numbers().dtype == np.int64
    arrays = SetTable.of({"x": np.array([1, 2], dtype=np.int8), "y": np.array([0.5, 1.5], dtype=np.float32)})
    assert typed(arrays) == typed([{"x": 1, "y": 0.5}, {"x": 2, "y": 1.5}])
    assert SetTable.of(table, {"fast": 1, "slow": 2.5, "kind": "ema"}) == table
    assert list(SetTable.of([{}, {"fast": 7}], {"fast": 5})) == [{"fast": 5}, {"fast": 7}]
    assert list(SetTable.of({}, {})) == [{}]


def test_of__refuses_unknown_names_and_ragged_columns():
    with pytest.raises(SettingsError, match="no hyper-parameter 'fats'.*Did you mean 'fast'"):
        SetTable.of({"fats": [1]}, {"fast": 1})
    with pytest.raises(SettingsError, match="'slow' is not in every set"):
        SetTable.of([{"fast": 1}, {"fast": 1, "slow": 2}])
    with pytest.raises(ShapeError, match="a has 2, b has 3"):
        SetTable.of({"a": [1, 2], "b": [1, 2, 3]})
    with pytest.raises(IndexError):
        SetTable.of([{"a": 1}])[1]


def test_column__holds_what_has_no_hash_and_what_no_array_holds():
    assert Column.of([[1, 2], [1, 2], {"a": 1}]).tolist() == [[1, 2], [1, 2], {"a": 1}]
    assert Column.of([2**70, 2**70, 5]).tolist() == [2**70, 2**70, 5]
    assert Column.of([2**70, 1]).numbers() is None
    assert Column.of([np.float64(0.5), np.float64(1.5)]).tolist() == [0.5, 1.5]
    assert Column.of([]).tolist() == []
