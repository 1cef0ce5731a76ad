"""Constraints: what Python says of each set, and nothing that Python could do beside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbt.compiler.sets import SetTable
from fastbt.errors import SettingsError
from fastbt.sweep.constraints import Constraint, parse_constraints

TEXTS = [
    "a < b",
    "a + 1 <= b * 2 - c",
    "a < b < c",
    "a < b and not c > 2",
    "a == b or c != a",
    "abs(a - b) >= 2",
    "max(a, b, 3) > min(c, 4)",
    "a % 3 == 1",
    "a // 2 < b / 4",
    "a ** 2 > -b",
    "kind == 'sma'",
    "kind in ('sma', 'wma') and a > 0",
    "kind not in ['ema'] or (a < 0) == flag",
    "flag",
    "not flag",
    "a in (1, 2, 3)",
    "kind != 'ema' and flag == True",
]

sets = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.integers(-9, 9),
            "b": st.floats(-9, 9) | st.integers(-3, 3).map(float),
            "c": st.sampled_from([1, 2.5, -3]),
            "kind": st.sampled_from(["sma", "ema", "wma"]),
            "flag": st.booleans(),
        }
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize("text", TEXTS)
@given(sets)
def test_holds__says_of_each_set_what_python_says(text, given):
    expected = [bool(eval(text, {}, dict(each))) for each in given]
    assert Constraint(text).holds(SetTable.of(given)).tolist() == expected


def test_holds__is_false_where_there_is_no_number():
    table = SetTable.of({"a": [0.0, 1.0], "b": [0.0, 0.0]})
    for text in ("a / b < 1", "a / b >= 1", "(a - a) / b == 0"):
        assert not Constraint(text).holds(table)[0]
    assert Constraint("a / b > 1").holds(table).tolist() == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.b < 1",
        "a[0] < 1",
        "(lambda: 1)() < a",
        "[x for x in (1, 2)] == a",
        "a if b else c",
        "open('f') == a",
        "f'{a}' == 'x'",
        "a << 70 > 1",
        "a @ b < 1",
        "max(*a) < 1",
        "max(a, key=b) < 1",
        "a is b",
        "None == a",
        "1j < a",
    ],
)
def test_constraint__holds_nothing_but_conditions(text):
    with pytest.raises(SettingsError, match="is not allowed; there may be names of hyper-parameters"):
        Constraint(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a <", "wanted a condition such as 'fast < slow'"),
        ("", "wanted a condition such as 'fast < slow'"),
        ("a = 1", "wanted a condition such as 'fast < slow'"),
        ("a + 1", "it is a value"),
        ("fats < slow", "there is no hyper-parameter 'fats'; there is fast, slow. Did you mean 'fast'"),
        ("1 < 2", "it reads no hyper-parameter"),
    ],
)
def test_parse__says_what_is_wrong(text, message):
    with pytest.raises(SettingsError, match=message):
        parse_constraints([text], ["fast", "slow"] if "slow" in text else ["a"])


def test_holds__says_that_a_text_has_no_sum():
    with pytest.raises(SettingsError, match="constraint 'kind < 3': '<' not supported"):
        Constraint("kind < 3").holds(SetTable.of({"kind": ["sma"]}))


def test_names__are_what_it_reads():
    assert Constraint("max(b, a) < c + a").names == ("b", "a", "c")
    assert [each.text for each in parse_constraints("a < b", ["a", "b"])] == ["a < b"]
