"""Call an indicator here and in Jesse, and compare the answers bit for bit."""

import warnings

import numpy as np
from indicator_inputs import inputs_of

import fastbt.indicators as ta


def fields_of(result):
    """The fields of a result, as a list of arrays or numbers."""
    return list(result) if isinstance(result, tuple) else [result]


def assert_same(actual, expected, hint):
    """Same type names, same fields, same bits; NaN equals NaN."""
    assert type(actual).__name__ == type(expected).__name__ or not isinstance(expected, tuple), hint
    assert getattr(actual, "_fields", None) == getattr(expected, "_fields", None), hint
    for mine, theirs in zip(fields_of(actual), fields_of(expected), strict=True):
        if theirs is None or mine is None or isinstance(theirs, str):
            assert mine == theirs, hint
            continue
        mine, theirs = np.asarray(mine), np.asarray(theirs)
        if theirs.dtype == object:
            # Words, None and NaN beside numbers: NaN is the only one that does not equal itself.
            mine, theirs = ([("nan",) if each != each else each for each in side] for side in (mine, theirs))
            assert mine == theirs, hint
            continue
        np.testing.assert_array_equal(mine, theirs, err_msg=hint)
        known = ~np.isnan(theirs.astype(np.float64))
        np.testing.assert_array_equal(np.signbit(mine)[known], np.signbit(theirs)[known], err_msg=hint)


def call(module, name, candles, **kwargs):
    """Call an indicator on copies: some of Jesse's write into the candles."""
    given = candles if isinstance(candles, list) else inputs_of(ta.get(name), candles)
    copies = [each.copy() for each in given]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # SciPy warns of windows in which nothing moves.
        warnings.simplefilter("ignore", RuntimeWarning)
        return getattr(module, name)(*copies, **kwargs)
