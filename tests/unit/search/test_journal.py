"""Searches on disk: interrupted at any moment, they end as if they had not been."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import searching
from searching import MARKET, candles, searches, write_strategy

from fastbt.errors import SettingsError
from fastbt.search import BatchResult, OptimizeResult, WalkForwardResult, optimize
from fastbt.search.journal import Journal, pack, unpack

SEARCHES = searches()
RESULTS = {"optimize": OptimizeResult, "walk_forward": WalkForwardResult, "backtest_batch": BatchResult}


def test_journal__drops_what_a_crash_cut_off(tmp_path):
    journal = Journal.open(tmp_path / "one", {"request": {"a": 1}})
    with journal.locked():
        journal.append({"n": 1, "metrics": pack(np.array([np.nan, 0.1]))})
        journal.append({"n": 2})
    path = journal.folder / "log.jsonl"
    whole = path.read_bytes()
    for cut in range(1, len(whole) - whole.index(b"\n") - 1):
        path.write_bytes(whole[:-cut])
        again = Journal.open(tmp_path / "one", {"request": {"a": 1}}, resume=True)
        assert [each["n"] for each in again.records()] == [1]
    with again.locked():
        again.append({"n": 3})
    assert [each["n"] for each in again.records()] == [1, 3]
    assert unpack(again.records()[0]["metrics"])[1] == 0.1


def test_journal__refuses_another_search(tmp_path):
    about = {"request": {"a": 1, "threads": 2}}
    Journal.open(tmp_path / "one", about)
    with pytest.raises(SettingsError, match="--resume goes on with it"):
        Journal.open(tmp_path / "one", about)
    with pytest.raises(SettingsError, match="request.a: was 1, is 2"):
        Journal.open(tmp_path / "one", {"request": {"a": 2, "threads": 2}}, resume=True)
    Journal.open(tmp_path / "one", {"request": {"a": 1, "threads": 7}}, resume=True)
    assert Journal.open(tmp_path / "one", about, fork=True).folder.name == "one-2"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(SettingsError, match="something else"):
        Journal.open(tmp_path / "other", about)


def test_journal__one_process_at_a_time(tmp_path):
    one = Journal.open(tmp_path / "one", {"request": {}})
    with one.locked(), pytest.raises(SettingsError, match="another process"), one.locked():
        pass


@pytest.mark.parametrize("kind", SEARCHES)
def test_search__goes_on_after_an_interruption(kind, tmp_path):
    function, settings = SEARCHES[kind]
    strategy, prices = write_strategy(tmp_path), candles(12)
    whole = function(strategy, prices, **MARKET, **settings)
    told = []

    def interrupt(state):
        told.append(state)
        if len(told) == 3:
            raise KeyboardInterrupt

    part = function(strategy, prices, **MARKET, **settings, run=tmp_path / "run", progress=interrupt)
    assert part.stopped == "interrupted"
    assert not (tmp_path / "run" / "result.json").exists()
    again = function(strategy, prices, **MARKET, **settings, run=tmp_path / "run", resume=True)
    assert again.id == whole.id
    assert RESULTS[kind].load(tmp_path / "run").id == whole.id
    # What is complete is not run again.
    log = (tmp_path / "run" / "log.jsonl").read_bytes()
    assert function(strategy, prices, **MARKET, **settings, run=tmp_path / "run", resume=True).id == whole.id
    assert (tmp_path / "run" / "log.jsonl").read_bytes() == log


@pytest.mark.parametrize("kind", SEARCHES)
def test_search__goes_on_after_kill_9(kind, tmp_path):
    function, settings = SEARCHES[kind]
    strategy, prices = write_strategy(tmp_path), candles(12)
    whole = function(strategy, prices, **MARKET, **settings)
    log = tmp_path / "run" / "log.jsonl"
    for lines in (1, 3):
        process = subprocess.Popen([sys.executable, searching.__file__, kind, str(strategy), str(tmp_path / "run")])
        until = time.monotonic() + 240
        while time.monotonic() < until and process.poll() is None:
            if log.exists() and log.read_bytes().count(b"\n") >= lines:
                break
            time.sleep(0.02)
        assert process.poll() is None, "it ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "run" / "result.json").exists()
    again = function(strategy, prices, **MARKET, **settings, run=tmp_path / "run", resume=True)
    assert again.id == whole.id
    assert json.loads((tmp_path / "run" / "result.json").read_text())["id"] == whole.id


def test_search__tells_when_the_sampler_proposes_otherwise(tmp_path):
    strategy, prices = write_strategy(tmp_path), candles(8)
    settings = {**MARKET, "sampler": "random", "trials": 6, "batch_size": 3}
    optimize(strategy, prices, **settings, run=tmp_path / "run")
    log = tmp_path / "run" / "log.jsonl"
    first, *rest = log.read_text().splitlines(keepends=True)
    record = json.loads(first)
    record["sets"][0]["hour"] = (record["sets"][0]["hour"] + 1) % 24
    log.write_text(json.dumps(record) + "\n" + "".join(rest))
    with pytest.raises(SettingsError, match="proposes other sets"):
        optimize(strategy, prices, **settings, run=tmp_path / "run", resume=True)
