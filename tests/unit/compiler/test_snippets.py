"""Small strategies, compiled as plain Python and interpreted: the same trades, or the same exception at the same time.

The snippets are in tests/fixtures/compiler; some say which code must be generated from them. After a change of the
compiler, `python tests/compiled_snippets.py --write` brings those up to date, for `git diff` to judge.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from compiled_snippets import all_snippets

TESTS = Path(__file__).parents[2]
SNIPPETS = all_snippets()


@pytest.fixture(scope="module")
def report():
    command = [sys.executable, str(TESTS / "compiled_snippets.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippet__compiled_equals_interpreted(report, name):
    assert report[name]["difference"] == ""


@pytest.mark.parametrize("name", [name for name, case in SNIPPETS.items() if "output" in case])
def test_snippet__generates_this_code(report, name):
    assert report[name]["text"].strip() == SNIPPETS[name]["output"]


@pytest.mark.slow
@pytest.mark.compiled
def test_snippet__of_arrays_in_machine_code():
    command = [sys.executable, str(TESTS / "compiled_snippets.py"), "arrays in machine code", "--compiled"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [each["difference"] for each in json.loads(done.stdout).values()] == [""]
