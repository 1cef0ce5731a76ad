"""Hyper-parameters as they are typed."""

import math

import pytest

from fastbt.compiler.load import load_strategy
from fastbt.errors import SettingsError
from fastbt.interfaces._parsing import parse_set, parse_space
from fastbt.sweep.space import Space

STRATEGY = """
from jesse.strategies import Strategy


class Typed(Strategy):
    def should_long(self):
        return False

    def go_long(self):
        pass

    def hyperparameters(self):
        return [
            {"name": "period", "type": int, "min": 5, "max": 50, "default": 10},
            {"name": "factor", "type": float, "min": 1.0, "max": 3.0, "step": 0.5, "default": 2.0},
            {"name": "source", "type": "categorical", "options": ["close", "hl2"], "default": "close"},
            {"name": "both", "type": "categorical", "options": [True, False, None, 3], "default": True},
        ]
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    file = tmp_path_factory.mktemp("typed") / "typed.py"
    file.write_text(STRATEGY)
    return load_strategy(file)


def test_parse_set__overrides_defaults_in_the_type_that_is_declared(source):
    assert parse_set([], source) == source.defaults
    found = parse_set(["period=7", "factor=3", "source=hl2", "both=none"], source)
    assert found == {"period": 7, "factor": 3.0, "source": "hl2", "both": None}
    assert type(found["period"]) is int and type(found["factor"]) is float
    assert parse_set(["both=False"], source)["both"] is False
    assert parse_set(["both=3"], source)["both"] == 3
    assert parse_set([" factor = 1e-3 "], source)["factor"] == 0.001


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "perod=7",
            "Typed has no hyper-parameter 'perod'; it has period, factor, source, both. Did you mean 'period'?",
        ),
        ("period", "--set: wanted a name and a value such as fast_period=10; was 'period'"),
        ("period=", "--set: wanted a name and a value such as fast_period=10; was 'period='"),
        ("period=7.5", "Typed: period wants a whole number; was '7.5'"),
        ("factor=wide", "Typed: factor wants a number; was 'wide'"),
        ("source=hl3", "Typed: source wants one of close, hl2; was 'hl3'. Did you mean 'hl2'?"),
    ],
)
def test_parse_set__says_what_is_wrong(source, text, message):
    with pytest.raises(SettingsError) as error:
        parse_set([text], source)
    assert str(error.value) == message


def test_parse_space__reads_ranges_options_and_fixed_values(source):
    assert parse_space([], source) is None
    space = parse_space(["period=5:15:5", "factor=1:2:0.5", "source=close,hl2", "both=true"], source)
    assert list(Space.of(space).grid()) == [
        {"period": period, "factor": factor, "source": name, "both": True}
        for period in (5, 10, 15)
        for factor in (1.0, 1.5, 2.0)
        for name in ("close", "hl2")
    ]
    assert all(type(each["factor"]) is float for each in Space.of(space).grid())


def test_parse_space__takes_single_values_of_every_type(source):
    space = parse_space(["period=7", "factor=2", "source=hl2"], source)
    assert list(Space.of(space).grid()) == [{"period": 7, "factor": 2.0, "source": "hl2"}]


def test_parse_space__draws_from_a_range_without_a_step(source):
    drawn = Space.of(parse_space(["factor=1:2"], source)).random(100, seed=1)
    assert all(1.0 <= each["factor"] < 2.0 for each in drawn)
    assert len({each["factor"] for each in drawn}) == 100
    assert not math.isclose(drawn[0]["factor"] % 0.5, 0.0)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["perod=1:2"], "has no hyper-parameter 'perod'"),
        (["period=1:2:3:4"], "--space: wanted period=min:max:step; was 'period=1:2:3:4'"),
        (["period=1:x"], "period wants a whole number; was 'x'"),
        (["source=close:hl2"], "source wants one of close, hl2; was 'close:hl2'"),
        (["period=5:9", "period=7"], "--space: wanted each hyper-parameter once; 'period' came twice"),
        (["period"], "--space: wanted a name and a value such as fast_period=5:30:5; was 'period'"),
    ],
)
def test_parse_space__says_what_is_wrong(source, texts, message):
    with pytest.raises(SettingsError) as error:
        parse_space(texts, source)
    assert message in str(error.value)


def test_parse_space__takes_a_logarithmic_scale(source):
    space = parse_space(["factor=0.01:100:log", "period=5:50:log"], source)
    assert space == {
        "factor": {"type": "float", "min": 0.01, "max": 100.0, "log": True},
        "period": {"type": "int", "min": 5, "max": 50, "log": True},
    }
    assert [each.log for each in Space.of(space).dimensions] == [True, True]
    with pytest.raises(SettingsError, match="factor wants a number; was 'lag'"):
        parse_space(["factor=0.01:100:lag"], source)
