"""An edit of strategy, helper module, own indicator, fastbt or numba never serves old code."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import edited_projects
import pytest

from fastbt import _cache

#: Without where this process keeps machine code.
KEPT = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_CACHE", "FASTBT_NUMBA"))}
SCRIPT = Path(edited_projects.__file__)


def run(cases, **environment):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *cases],
        env={**KEPT, "PYTHONWARNINGS": "ignore", **environment},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def report():
    return run([], NUMBA_DISABLE_JIT="1")


@pytest.mark.parametrize("case", edited_projects.EDITS)
def test_edit__is_seen_by_the_next_run(report, case):
    before, after, fresh = report[case]
    assert before != after
    assert after == fresh


@pytest.mark.slow
@pytest.mark.compiled
def test_edit__of_a_compiled_function_is_not_hidden_by_cached_machine_code(tmp_path):
    cases = ["what a compiled function calls"]
    folder = {"FASTBT_CACHE_DIR": str(tmp_path)}

    before, after, fresh = run(cases, **folder)[cases[0]]
    assert before != after == fresh
    # The next process loads what this one compiled.
    assert run(cases, **folder)[cases[0]] == [before, after, fresh]


@pytest.mark.parametrize("package", ["numba", "numpy"])
def test_machine_code__is_kept_apart_for_another_version(package, monkeypatch):
    _cache.source_hash.cache_clear()
    before = _cache.source_hash()
    known = metadata.version

    def version(name):
        return "99.0" if name == package else known(name)

    monkeypatch.setattr(metadata, "version", version)
    _cache.source_hash.cache_clear()
    try:
        assert _cache.source_hash() != before
    finally:
        _cache.source_hash.cache_clear()
