"""The inputs of the smoke test."""

import numpy as np
import pytest

from fastbt.oracle.smoke import candles, first_strategy
from fastbt.types import CLOSE, HIGH, LOW, OPEN


def test_candles__are_legal_dense_and_the_same_every_time():
    made = candles()
    assert made.shape == (40 * 1440, 6)
    assert (np.diff(made[:, 0]) == 60_000).all()
    assert (made[:, LOW] <= made[:, [OPEN, CLOSE]].min(axis=1)).all()
    assert (made[:, HIGH] >= made[:, [OPEN, CLOSE]].max(axis=1)).all()
    assert (made[1:, OPEN] != made[:-1, CLOSE]).sum() > 1000
    np.testing.assert_array_equal(made, candles())


def test_first_strategy__takes_files_folders_and_folders_of_them(tmp_path):
    (tmp_path / "b.py").write_text("")
    (tmp_path / "_shared.py").write_text("")
    (tmp_path / "notes.txt").write_text("")
    assert first_strategy(tmp_path) == tmp_path / "b.py"
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "__init__.py").write_text("")
    assert first_strategy(tmp_path) == first_strategy(tmp_path / "A") == tmp_path / "A"
    assert first_strategy(tmp_path / "b.py") == tmp_path / "b.py"


def test_first_strategy__says_when_there_is_none(tmp_path):
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SystemExit, match="there is no strategy at"):
            first_strategy(path)
