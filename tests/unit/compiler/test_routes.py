"""Strategies that look at other symbols and at other routes: compiled and interpreted, they trade alike."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from routes_snippets import OTHER_SYMBOLS, REFUSED, ROUTES

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
