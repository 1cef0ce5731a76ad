"""Odd but plausible code compiles and does what Python does, or is refused in words."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "fuzz_odd_code.py"


def tried(count: int, seed: int = 0) -> dict:
    command = [sys.executable, str(SCRIPT), "--seed", str(seed), "--count", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.stdout.rstrip().endswith("}"), done.stderr[-2000:]
    assert done.returncode == 0, done.stdout[:3000]
    return json.loads(done.stdout)


def test_odd_code__never_breaks_the_compiler():
    found = tried(24, seed=10_000)
    assert found["bugs"] == []
    assert found["refused"] > 5


@pytest.mark.slow
def test_odd_code__never_breaks_the_compiler_at_length():
    found = tried(600, seed=10_000)
    assert found["bugs"] == []
    assert found["equal"] > 20
