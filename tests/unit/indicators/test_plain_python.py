"""Every kernel as plain Python equals its machine code: what numba, LLVM and its vector registers made of it is right.

The plain run is a process of its own, where coverage sees the kernels' lines.
"""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
from indicator_cases import CASES, MARKETS, inputs, walk

import fastbt.indicators as ta
from fastbt._jit import jit_disabled
from fastbt.indicators._many import series

#: What numpy's and the C library's exp, log, sin and power leave of the same numbers.
ROUNDING = 1e-11


def markets():
    """Few candles, for plain Python is slow: wild ones, flat ones, and some in which values are unknown."""
    holes = MARKETS["wild"][:64].copy()
    holes[[20, 21, 40], 2] = np.nan
    flat = walk(64, 5, 0.01, 0.7, 1)
    flat[30:40, 1:5] = flat[29, 2]
    flat[44:48, 5] = 0.0
    return {"wild": MARKETS["wild"][:64], "flat": flat, "holes": holes}


def results():
    """Every case over these candles: the array of one pass, and the value of each bar over its last 40 rows."""
    found = {}
    for market, candles in markets().items():
        for number, (name, kwargs) in enumerate(CASES):
            described = ta.get(name)
            if described.kernel is None or (market == "holes" and described.second_candles):
                continue
            pair = inputs(described, candles)
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                for sequential in (True, False):
                    of = pair if described.second_candles else pair[0]
                    values = series(name, of, [kwargs], sequential=sequential, window=40, threads=1).values
                    found[f"{market} {number} {name} {sequential}"] = values
    return found


def test_kernels__as_plain_python_equal_machine_code(tmp_path):
    if jit_disabled():  # such a run is itself the plain one
        assert all(np.shape(each) for each in results().values())
        return
    file = tmp_path / "plain.npz"
    folder = Path(__file__).parents[2]
    path = os.pathsep.join([str(folder), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, __file__, str(file)],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    compiled, exact = results(), 0
    with np.load(file) as plain:
        assert set(plain.files) == set(compiled)
        for key, values in compiled.items():
            exact += plain[key].tobytes() == values.tobytes()
            np.testing.assert_allclose(plain[key], values, rtol=ROUNDING, atol=ROUNDING, err_msg=key)
    assert exact > 0.9 * len(compiled), f"{exact} of {len(compiled)} to the last bit"


if __name__ == "__main__":
    assert jit_disabled()
    np.savez(sys.argv[1], **results())
