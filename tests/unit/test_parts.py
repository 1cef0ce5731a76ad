"""Functions compiled as parts of others, and those that stay apart: the same in every process, whatever is cached."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import typeof, types

from fastbt import _parts

pytestmark = pytest.mark.compiled

KERNELS = '''
import numpy as np
from numba import njit

from fastbt._jit import apart, inner, kernel, lean


@kernel
def fold(values, first, last):
    """Call itself."""
    if last - first == 1:
        return values[first]
    middle = (first + last) // 2
    return fold(values, first, middle) + fold(values, middle, last)


@apart
def far(values, factor):
    """Make an array, and call a part."""
    scaled = values * factor
    return fold(scaled, 0, len(scaled))


@lean
def near(values, factor):
    """Call what is apart."""
    return far(values, factor) + min(factor, 1.0)


@inner
def between(values, factor):
    """Have no machine code."""
    return near(values, factor) + far(values, 2.0)


@kernel
def top(values):
    """Call everything, with constants, too."""
    return between(values, 3.0) + near(values, 0.5) + fold(values, 0, len(values))


@njit
def of_the_user(values):
    """Call a part from a function that is not ours."""
    return near(values, 3.0)
'''
RUN = """
import sys
import numpy as np
sys.path.insert(0, ".")
import kernels
values = np.arange(5.0)
names = sys.argv[1].split()
print(*[getattr(kernels, name)(*((values, 3.0) if name in ("near", "far") else (values,))) for name in names])
"""
EXPECTED = {"top": 31.0 + 20.0 + 5.5 + 10.0, "near": 31.0, "far": 30.0, "of_the_user": 31.0}


def run(folder, names, **environment):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_CACHE", "FASTBT_"))}
    done = subprocess.run(
        [sys.executable, "-c", RUN, names],
        env={**kept, "FASTBT_CACHE_DIR": str(folder / "cache"), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert [float(each) for each in done.stdout.split()] == [EXPECTED[each] for each in names.split()]


def cached(folder, pattern="*.nbi"):
    return sorted(each.name.split("-")[0] for each in (folder / "cache").rglob(pattern))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    return tmp_path


def test_parts__compute_the_same_compiled_and_loaded(folder):
    run(folder, "top of_the_user")
    # Neither `fold` nor `near` has machine code of its own, `between` is not kept at all.
    assert cached(folder) == ["kernels.far", "kernels.top", "part.kernels.fold", "part.kernels.near"]
    run(folder, "top of_the_user near far")


@pytest.mark.parametrize("lost", ["part.kernels.fold", "kernels.far"])
def test_parts__fit_together_though_one_was_compiled_by_another_process(folder, lost):
    run(folder, "near far top")
    for each in (folder / "cache").rglob(f"{lost}-*"):
        each.unlink()
    # Numba's own names count what a process has compiled: in another order they differ.
    run(folder, "of_the_user top")
    run(folder, "far near top of_the_user")


def test_parts__follow_an_edit_of_fastbt_in_a_folder_of_the_user(folder):
    code = """
import shutil, sys
from pathlib import Path
import fastbt
package = Path("fastbt")
if not package.exists():
    shutil.copytree(Path(fastbt.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "*.parquet"))
"""
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    decimals = folder / "fastbt/engine/decimals.py"
    script = "import sys; sys.path.insert(0, '.'); from fastbt.engine import decimals; "
    script += "print(decimals._subtract_floats(0.1 + 0.2, 0.1))"

    def difference():
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_CACHE", "FASTBT_"))}
        kept |= {"NUMBA_CACHE_DIR": str(folder / "numba"), "PYTHONPATH": str(folder)}
        done = subprocess.run([sys.executable, "-c", script], env=kept, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return float(done.stdout)

    before = difference()
    assert difference() == before
    text = decimals.read_text()
    assert text.count("        return 0.0\n    decidable_a") == 1
    # What is edited is called by what is cached, by its address.
    decimals.write_text(text.replace("            return low\n", "            return low + 1.0\n"))
    assert difference() == before + 1.0


def test_numba__is_left_as_it_was():
    """While fastbt compiles, some of numba's methods are replaced by faster ones."""
    own = [(owner, name, method) for owner, name, _, method in _parts._FASTER]
    assert all(getattr(owner, name) is method for owner, name, method in own)
    with pytest.raises(ZeroDivisionError), _parts._hurried():
        assert all(getattr(owner, name) is not method for owner, name, method in own)
        with _parts._hurried():
            pass
        assert all(getattr(owner, name) is not method for owner, name, method in own)
        _ = 1 / 0
    assert all(getattr(owner, name) is method for owner, name, method in own)


def test_memory_apart__is_assumed_only_of_what_the_machine_hands_over():
    numbers, record = typeof(np.zeros((2, 2))), typeof(np.zeros(1, dtype=[("a", "f8"), ("b", "f8", (3,))]))
    part = record.dtype.fields["b"].type

    def function(names, module="fastbt_generated_0123", name="should_long"):
        found = eval(f"lambda {names}: None")
        found.__module__, found.__name__ = module, name
        return found

    assert _parts._has_memory_apart(function("s, v, x, price"), (record.dtype, record.dtype, numbers, types.float64))
    # A list of the strategy's is a part of its variables.
    assert not _parts._has_memory_apart(function("s, v, items"), (record.dtype, record.dtype, part))
    # What the machine calls so is apart; what a method calls so may be anything.
    assert _parts._has_memory_apart(function("s, v, events", name="_run_plain"), (record.dtype, record.dtype, numbers))
    assert not _parts._has_memory_apart(function("s, v, events", name="m_last"), (record.dtype, record.dtype, numbers))
    # Several routes reach their records through `v`, too.
    assert not _parts._has_memory_apart(function("s, v"), (record.dtype, types.UniTuple(numbers, 2)))
    assert not _parts._has_memory_apart(function("s, v", "fastbt.engine.kernels"), (record.dtype, record.dtype))


def test_wide_vectors__are_asked_for_in_the_function_itself():
    text = "define linkonce_odr double @f(double %a) #0 {\n  ret double %a\n}\nattributes #0 = { nounwind }\n"
    made = str(_parts._in_wide_vectors(_parts.llvm.parse_assembly(text)))
    (attributes,) = (line for line in made.splitlines() if line.startswith("attributes"))
    assert all(each in attributes for each in ("noinline", "nounwind", '"prefer-vector-width"="512"'))
