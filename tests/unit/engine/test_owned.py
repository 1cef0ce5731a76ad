"""Copies of records: what they leave out, and that they come back whole."""

import numpy as np
import pytest

from fastbt._jit import jit_disabled, kernel
from fastbt.engine import owned
from fastbt.engine.layout import TABLES, state_dtype


@kernel
def doubled(states, n):
    s = states[0]
    own = owned.own_copy(s)
    for _ in range(n):
        own.wallet = own.wallet * 2.0
        own.buy[0, 1] = own.buy[0, 1] + 1.0
    halfway = s.wallet
    owned.copy_back(own, s)
    return halfway


def filled(dtype, seed=0):
    """Return a record with another number in each field."""
    state = np.zeros(1, dtype)
    rng = np.random.default_rng(seed)
    for name in dtype.names:
        highest = {"b": 2, "i": 10**9}.get(dtype[name].base.kind)
        drawn = rng.random(state[name].shape) if highest is None else rng.integers(0, highest, state[name].shape)
        state[name] = drawn
    # As plain Python, kernels read fields as attributes.
    return state.view(np.recarray) if jit_disabled() else state


@pytest.mark.parametrize("points", [1, 3, 400])
def test_copy__comes_back_with_what_was_changed_and_all_else_as_it_was(points):
    dtype = state_dtype(points, 7)
    state, wanted = filled(dtype), filled(dtype)
    wallet = state["wallet"][0]
    halfway = doubled(state, 3)
    wanted["wallet"] = wallet * 2.0 * 2.0 * 2.0
    wanted["buy"][0, 0, 1] = wanted["buy"][0, 0, 1] + 1.0 + 1.0 + 1.0
    assert state.tobytes() == wanted.tobytes()
    # A large record is no copy; nor is any in plain Python.
    assert halfway == (wallet if points < 400 and not jit_disabled() else wallet * 8.0)


def test_tables__are_fields_and_everything_else_is_copied():
    dtype = state_dtype(2, 5)
    fields = {name: (offset, kind.itemsize) for name, (kind, offset, *_) in dtype.fields.items()}
    assert set(fields) >= TABLES
    ranges = owned._ranges(fields)
    for name, (first, size) in fields.items():
        is_inside = any(begin <= first and first + size <= end for begin, end in ranges)
        assert is_inside is (name not in TABLES)
    assert sum(end - begin for begin, end in ranges) < 1200
