"""A strategy's `dna()` takes the place of its defaults, as in Jesse."""

import base64
import json

import pytest

from fastbt.compiler.load import load_strategy
from fastbt.errors import StrategyError

SOURCE = """
from jesse.strategies import Strategy


class Coded(Strategy):
    def hyperparameters(self):
        return [
            {{"name": "fast", "type": int, "min": 5, "max": 40, "default": 10}},
            {{"name": "slow", "type": int, "min": 20, "max": 120, "default": 30}},
        ]

    def dna(self):
        return {dna!r}

    def should_long(self):
        return False

    def go_long(self):
        pass
"""


def load(tmp_path, dna):
    path = tmp_path / "Coded.py"
    path.write_text(SOURCE.format(dna=dna))
    return load_strategy(path)


def test_defaults__come_from_the_dna(tmp_path):
    dna = base64.b64encode(json.dumps({"fast": 33, "slow": 90}).encode()).decode()
    assert load(tmp_path, dna).defaults == {"fast": 33, "slow": 90}


def test_defaults__of_an_empty_dna_are_the_declared_ones(tmp_path):
    assert load(tmp_path, "").defaults == {"fast": 10, "slow": 30}


def test_load__says_when_a_dna_cannot_be_read(tmp_path):
    with pytest.raises(StrategyError, match=r"Coded\.dna\(\) cannot be read: ValueError"):
        load(tmp_path, "  ")
