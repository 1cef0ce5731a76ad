"""Fixtures for tests that call Jesse's own indicators in this process."""

import os
import warnings

import pytest


@pytest.fixture(scope="session")
def jesse(tmp_path_factory):
    """Jesse's indicators, imported where it may leave its folders behind."""
    folder = tmp_path_factory.mktemp("jesse")
    before = os.getcwd()
    os.environ.setdefault("JESSE_CACHE_DIR", str(folder))
    os.chdir(folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jesse.indicators
    finally:
        os.chdir(before)
    return jesse.indicators


@pytest.fixture
def jesse_window(jesse):
    """Set the rows that Jesse's non-sequential indicators see."""
    from jesse.config import config
    from jesse.helpers import CACHED_CONFIG

    before = config["env"]["data"].get("warmup_candles_num")

    def choose(rows):
        CACHED_CONFIG.pop("env.data.warmup_candles_num", None)
        config["env"]["data"]["warmup_candles_num"] = rows

    yield choose
    choose(before)
