"""Strategies that look at other symbols and at other routes: compiled and interpreted, they trade alike."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from routes_snippets import OTHER_SYMBOLS, REFUSED, ROUTES

from fastbt.compiler.load import load_strategy
from fastbt.compiler.program import CompiledStrategy
from fastbt.compiler.routes import CompiledRoutes
from fastbt.engine.account import Account

SCRIPT = Path(__file__).parents[2] / "routes_snippets.py"


@pytest.fixture(scope="module")
def report():
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", OTHER_SYMBOLS)
def test_other_symbol__equals_interpreted(report, name):
    assert report[name]["refused"] == ""
    assert report[name]["difference"] == ""
    assert report[name]["trades"] > 25


@pytest.mark.parametrize("name", ROUTES)
def test_other_route__equals_interpreted(report, name):
    assert report[name]["refused"] == ""
    assert report[name]["difference"] == ""
    assert report[name]["trades"] > 100


@pytest.mark.parametrize("name", REFUSED)
def test_refusal__says_why(report, name):
    assert REFUSED[name][1] in report[name]["refused"]


@pytest.fixture(scope="module")
def crossover():
    return load_strategy(Path(__file__).parents[3] / "strategies" / "SmaCrossover")


def test_one_route__pays_nothing_for_others(crossover):
    text = CompiledStrategy(crossover, Account()).text
    assert "tell(" not in text and "own(" not in text and "_hand_over" not in text


def test_routes__of_other_symbols_share_a_module(crossover):
    def text_of(*routes):
        return CompiledRoutes([crossover, crossover], Account(), routes).text

    text = text_of(("BTC-USDT", "1h"), ("ETH-USDT", "4h"))
    assert text == text_of(("ADA-USDT", "5m"), ("SOL-USDT", "1m"))
    assert "on_route_open_position(t" not in text, "what no strategy defines is not called"
    assert text.count("def _match_minute(") == text.count("def _flush(") == 1
