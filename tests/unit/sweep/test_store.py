"""Runs on disk: the same bytes whatever happens, and nothing else is taken for the same run."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import killed_sweep
import numpy as np
import polars as pl
import pytest

import fastbt
from fastbt.errors import SettingsError
from fastbt.sweep import Run, executor, make_job, run_job
from fastbt.sweep.manifest import manifest_of
from fastbt.sweep.store import MANIFEST, chunks_of, differences, parquet_bytes

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.compiled, pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")]

#: What may differ between an interrupted run and one that was not.
APART = {"journal.jsonl", "lock"}
N = 3000


def contents(folder):
    """Hash of every file of a run that tells results."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in APART
    }


@pytest.fixture(autouse=True)
def chunk_work(monkeypatch):
    monkeypatch.setattr(executor, "_CHUNK_WORK", executor._CHUNK_WORK)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that nothing interrupts, on one thread."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    before = executor._CHUNK_WORK
    result = run_job(killed_sweep.job(threads=1), run=folder)
    executor._CHUNK_WORK = before
    assert len(result) == 2 * N and result.run.is_complete
    return folder


def killed(folder, kills, seed):
    script = ROOT / "tests" / "killed_sweep.py"
    done = subprocess.run(
        [sys.executable, script, folder, str(kills), str(seed)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


def test_run__killed_20_times_at_random_moments_ends_with_the_same_bytes(whole, tmp_path):
    hit = killed(tmp_path / "killed", 20, random.Random(0).randrange(10**6))
    assert hit >= 10
    assert len(Run.open(tmp_path / "killed").chunks) > 50
    assert contents(tmp_path / "killed") == contents(whole)


def test_run__is_what_the_sweep_gives_in_memory(whole):
    job = killed_sweep.job()
    memory = run_job(job)
    run = Run.open(whole)
    assert run.frame().equals(memory.frame)
    assert run.count() == {"rows": 2 * N, "done": 2 * N, **{k: n for k, n in memory.counts.items() if k != "not run"}}
    balances = [run.daily(market).drop("set").to_numpy() for market in (0, 1)]
    for market in (0, 1):
        np.testing.assert_array_equal(balances[market][[5, 2999]], memory.daily_of([5, 2999], market))
    stored = run_job(job, run=whole, resume=True)
    assert stored.best("net_profit", 7).equals(memory.best("net_profit", 7))
    assert stored.counts == memory.counts and stored.n_fresh == 0
    np.testing.assert_array_equal(stored.metrics, memory.metrics)
    assert list(stored.statuses) == list(memory.statuses)


def test_run__interrupted_goes_on_where_it_was(whole, tmp_path):
    def interrupt(state):
        if state.done > N:
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    first = run_job(killed_sweep.job(), run=folder, progress=interrupt)
    assert first.interrupted and not first.run.is_complete
    assert N * 0.9 < first.n_done < 2 * N
    assert first.frame.height == first.n_done == len(first.statuses)
    with pytest.raises(SettingsError, match=r"'run' already, which has [\d,]+ of 6,000 rows; --resume goes on with it"):
        run_job(killed_sweep.job(), run=folder)
    told = []
    second = run_job(killed_sweep.job(), run=folder, resume=True, progress=told.append)
    assert told[0].done == first.n_done and told[-1].done == 2 * N
    assert second.n_fresh == 2 * N - first.n_done
    assert contents(folder) == contents(whole)
    events = [each["event"] for each in second.run.journal()]
    assert events == ["begun", "interrupted", "begun", "complete"]


def test_run__repairs_parts_that_were_cut_off(whole, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    part = folder / "parts" / "000003.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    (folder / "parts" / "000007.parquet").unlink()
    (folder / "daily" / "000011.parquet").unlink()
    (folder / "parts" / ".tmp-1-000099.parquet").write_bytes(b"half")
    result = run_job(killed_sweep.job(), run=folder, resume=True)
    assert result.n_fresh == 3 * 64
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n": 2999}, "sampling.n: was 3000, is 2999"),
        ({"seed": 1}, "sampling.seed: was 0, is 1"),
        ({"fee": 0.001}, "account.fee: was 0.0006, is 0.001"),
        ({"timeframe": ["15m", "1h"]}, 'markets[1].timeframe: was "30m", is "1h"'),
        ({"constraints": "fast_period <= slow_period"}, 'sampling.constraints[0]: was "fast_period < slow_period"'),
        ({"space": {**killed_sweep.SPACE, "take_profit": 0.06}}, "options[0]: was 0.05, is 0.06"),
        ({"daily": False}, "daily: was true, is false"),
    ],
)
def test_run__of_something_else_is_refused_with_the_difference(whole, change, told):
    before = contents(whole)
    executor._CHUNK_WORK = 2**14
    given = {
        "timeframe": ["15m", "30m"],
        "space": killed_sweep.SPACE,
        "n": N,
        "constraints": "fast_period < slow_period",
        "warm_up_candles": 20,
        "daily": True,
    }
    with pytest.raises(SettingsError) as error:
        fastbt.sweep(killed_sweep.STRATEGY, killed_sweep.candles(), run=whole, resume=True, **{**given, **change})
    assert told in str(error.value)
    assert "--fork" in str(error.value)
    assert contents(whole) == before


def test_run__of_another_strategy_or_other_candles_is_refused(tmp_path):
    folder = tmp_path / "strategies" / "Copy"
    shutil.copytree(killed_sweep.STRATEGY, folder)
    text = (folder / "__init__.py").read_text().replace("class SmaCrossover", "class Copy")

    def job(text, candles):
        (folder / "__init__.py").write_text(text)
        return make_job(folder, candles, timeframe="30m", n=3, warm_up_candles=20, on_disk=True)

    candles = killed_sweep.candles()
    Run.create(tmp_path / "r", manifest_of(job(text, candles)))
    array = candles.array.copy()
    array[4000, 5] += 1.0
    with pytest.raises(SettingsError, match=r"markets\[0\].candles: was "):
        run_job(job(text, fastbt.CandleSet.from_array(array)), run=tmp_path / "r", resume=True)
    with pytest.raises(SettingsError, match=r"strategy.sha256: was (.|\n)*strategy.kernels: was "):
        run_job(job(text.replace("self.balance * 0.5", "self.balance * 0.4"), candles), run=tmp_path / "r", resume=True)
    # What a strategy imports from its project is part of it.
    helped = text.replace("from jesse import utils", "from jesse import utils\nfrom sizes import SHARE")
    helped = helped.replace("self.balance * 0.5", "self.balance * SHARE")
    (tmp_path / "sizes.py").write_text("SHARE = 0.5\n")
    Run.create(tmp_path / "helped", manifest_of(job(helped, candles)))
    (tmp_path / "sizes.py").write_text("SHARE = 0.4\n")
    with pytest.raises(SettingsError, match="strategy.kernels: was ") as error:
        run_job(job(helped, candles), run=tmp_path / "helped", resume=True)
    assert "sha256" not in str(error.value)


def test_run__forked_stands_beside_the_first(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "r")
    for name in ("r-2", "r-3"):
        forked = run_job(killed_sweep.job(n=100), run=tmp_path / "r", fork=True)
        assert forked.run.folder == tmp_path / name and forked.run.is_complete
    assert contents(tmp_path / "r-2") == contents(tmp_path / "r-3")
    assert contents(tmp_path / "r") == contents(whole)


def test_run__is_refused_to_a_second_process(whole, tmp_path):
    folder = tmp_path / "run"
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r})\n"
        "import killed_sweep, time\n"
        "from fastbt.sweep import run_job\n"
        "def slow(state):\n    print(state.done, flush=True)\n    time.sleep(60)\n"
        f"run_job(killed_sweep.job(), run={str(folder)!r}, progress=slow)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "0\n"
            assert Run.open(folder).is_locked
            with pytest.raises(
                SettingsError,
                match=rf"the run 'run' is being written by process {process.pid} since .* UTC; wait for it",
            ):
                run_job(killed_sweep.job(), run=folder, resume=True)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    # The lock went with the process.
    assert not Run.open(folder).is_locked
    run_job(killed_sweep.job(), run=folder, resume=True)
    assert contents(folder) == contents(whole)


def test_run__survives_a_full_disk(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    written = 0

    def fail(self, number, frame, daily=None):
        nonlocal written
        written += 1
        if written == 5:
            raise OSError(28, "No space left on device")
        write(self, number, frame, daily)

    write = Run.write
    monkeypatch.setattr(Run, "write", fail)
    with pytest.raises(OSError, match="No space left"):
        run_job(killed_sweep.job(), run=folder)
    monkeypatch.undo()
    assert Run.open(folder).done() == {0, 1, 2, 3}
    assert not Run.open(folder).is_locked


def test_run__manifest_names_everything_that_results_depend_on(whole):
    manifest = json.loads((whole / MANIFEST).read_text())
    assert manifest["strategy"]["name"] == "SmaCrossover"
    assert manifest["strategy"]["sha256"] == make_job(killed_sweep.STRATEGY, "BTC-USD", n=1).sessions[0].source.sha256
    assert set(manifest["versions"]) == {"fastbt", "numba", "numpy", "polars", "scipy"}
    assert [each["timeframe"] for each in manifest["markets"]] == ["15m", "30m"]
    assert manifest["sets"] == N and manifest["daily"]
    # Nothing of this machine, and no time.
    text = (whole / MANIFEST).read_text()
    assert str(ROOT) not in text and os.uname().nodename not in text and time.strftime("%Y-") not in text


def test_open__says_what_is_wrong(tmp_path):
    with pytest.raises(SettingsError, match="there is no run at"):
        Run.open(tmp_path / "none")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / MANIFEST).write_text("{")
    with pytest.raises(SettingsError, match="cannot be read"):
        Run.open(tmp_path / "bad")
    (tmp_path / "bad" / MANIFEST).write_text('{"format": 99}')
    with pytest.raises(SettingsError, match="of format 99; this fastbt reads 1"):
        Run.open(tmp_path / "bad")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("precious")
    with pytest.raises(SettingsError, match="a folder of something else"):
        run_job(killed_sweep.job(n=1), run=tmp_path / "other")
    with pytest.raises(SettingsError, match="resume wants a run"):
        run_job(killed_sweep.job(n=1), resume=True)
    with pytest.raises(SettingsError, match="either resume or fork"):
        run_job(killed_sweep.job(n=1), run=tmp_path / "new", resume=True, fork=True)


def test_parquet__is_the_same_bytes_for_the_same_table():
    rng = np.random.default_rng(0)
    data = {"set": np.arange(9000), "x": rng.random(9000), "y": rng.integers(0, 5, 9000), "s": ["ok"] * 9000}
    written = {parquet_bytes(pl.DataFrame(data)) for _ in range(10)}
    assert len(written) == 1


def test_chunks__cover_every_set_of_every_market_once():
    for n, rows in ((1, [5]), (10, [3, 10, 4]), (12, [4, 4])):
        chunks = chunks_of(n, rows)
        assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
        for market in range(len(rows)):
            mine = [chunk for chunk in chunks if chunk.market == market]
            assert [i for chunk in mine for i in range(chunk.first, chunk.last)] == list(range(n))


def test_differences__names_each_place():
    assert differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == ["a[1].b: was 2, is 3"]
    assert differences([1], [1, 2], "x") == ["x: was [1], is [1, 2]"]
    assert differences({"a": "y" * 99}, {}) == [f'a: was "{"y" * 56}..., is absent']
