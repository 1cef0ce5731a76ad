"""Settings of the tests of the interfaces."""

import pytest

from fastbt.interfaces import _terminal


@pytest.fixture(autouse=True)
def _no_progress_lines(monkeypatch):
    """Print no lines of progress: on a busy machine anything takes long enough to be told of."""
    monkeypatch.setattr(_terminal, "LINE_EVERY_S", 600.0)
