"""The bench's parts: the file that keeps them, the loop in C, processes of their own, and the table for the README."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastbt.errors import OracleError, SettingsError
from fastbt.interfaces import _bench_limit, _bench_report, bench
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_child import MARKS, run_child
from fastbt.interfaces._bench_memory import MOST_GROWTH, memory
from fastbt.interfaces._bench_parts import Check, Figure, Row, Section
from fastbt.interfaces._bench_start import start

ROOT = Path(__file__).resolve().parents[3]


class Measuring:
    """Stands where a bench does: what it measures is how often it was asked."""

    threads = 2

    def __init__(self):
        self.asked = []

    def measure(self, part):
        self.asked.append(part)
        row = Row("fastbt", part, 1, 1, [float(len(self.asked))], key="a")
        return [Section(part, [row], [Check("fine", True)], key=part, versions={part: "1"})]


def report_of(path, said, *, again=False, quick=True):
    return _bench_report.Report(path, quick, 2, again=again, say=said.append)


def test_report__keeps_each_part_and_measures_only_what_is_missing(tmp_path):
    path, said, measuring = tmp_path / "bench.json", [], Measuring()
    report = report_of(path, said)
    assert not report.has("memory") and not path.exists()
    report.measure("memory", measuring)
    kept = json.loads(path.read_text())
    assert [each["part"] for each in kept["sections"]] == ["memory"]
    assert kept["sections"][0]["load_before"] is not None and kept["sections"][0]["part_seconds"] >= 0.0
    # Another process goes on.
    report = report_of(path, said)
    assert report.has("memory") and not report.has("common")
    report.measure("common", measuring)
    found = json.loads(path.read_text())
    assert [each["part"] for each in found["sections"]] == ["common", "memory"]
    assert found["sections"][1] == kept["sections"][0]
    assert {"common": "1", "memory": "1"}.items() <= found["machine"]["versions"].items()
    # What is asked for by name is measured again, in place of what was there.
    report = report_of(path, said, again=True)
    assert not report.has("memory")
    report.measure("memory", measuring)
    found = json.loads(path.read_text())
    assert [each["rows"][0]["runs"] for each in found["sections"]] == [[2.0], [3.0]]
    assert measuring.asked == ["memory", "common", "memory"]
    assert said == []
    assert [each.name for each in tmp_path.iterdir()] == ["bench.json"]


def test_report__does_not_mix_figures_of_another_fastbt_or_size(tmp_path):
    path, said = tmp_path / "bench.json", []
    report_of(path, said).measure("memory", Measuring())
    assert not report_of(path, said, quick=False).has("memory")
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "sources": "another"}))
    assert not report_of(path, said).has("memory")
    assert len(said) == 2 and all("of another fastbt, machine or size: begun anew" in text for text in said)
    path.write_text("[]")
    with pytest.raises(SettingsError, match="holds no figures of a bench"):
        report_of(path, said)
    with pytest.raises(SettingsError, match="out: there is no folder"):
        report_of(tmp_path / "nowhere" / "bench.json", said)


def test_run__refuses_an_unknown_part_and_suggests_one():
    with pytest.raises(SettingsError, match=r"no part 'comon'.*Did you mean 'common'\?"):
        bench.run(only=["comon"])


def test_bench__has_a_method_for_every_part():
    for part in _bench_report.PARTS:
        assert callable(getattr(bench.Bench, f"_{part}"))


@pytest.mark.skipif(shutil.which(_bench_limit.COMPILER) is None, reason="there is no C compiler")
def test_limit__is_the_workload(tmp_path):
    spec = importlib.util.spec_from_file_location("test_bench", Path(__file__).with_name("test_bench.py"))
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    candles = workload.random_walk(2_000, seed=5).array
    profit, trades = _bench_limit.Limit(_bench_limit.build(tmp_path), candles)()
    assert len(profit) == len(workload.windows()) * len(workload.STOPS)
    for i in range(0, len(profit), 137):
        fast, slow = workload.windows()[i // len(workload.STOPS)]
        expected = other.naive_common_workload(candles, fast, slow, *workload.STOPS[i % len(workload.STOPS)])
        assert trades[i] == expected[0]
        assert profit[i] == pytest.approx(expected[1], rel=1e-9)
    assert trades.sum() > 1_000


def test_limit__is_left_out_without_a_compiler(monkeypatch):
    monkeypatch.setattr(_bench_limit, "COMPILER", "no-such-compiler")
    assert "there is no no-such-compiler here" in _bench_limit.beside_c(100, rounds=1, say=len).skipped


@pytest.mark.compiled
def test_child__tells_memory_time_and_results():
    seconds, answer = run_child("year", {"n_sets": 2_000, "threads": 1, "timeframe": "4h"})
    assert answer["rows"] == answer["ok"] == 2_000
    (done, held), *more = answer["memory"]
    assert MARKS[0] <= done <= 2_000 and not more
    assert 100e6 < held <= answer["peak"] < 2e9
    assert 0.0 < answer["seconds"]["kernels"] < seconds
    assert 0.5 < answer["cpu"]
    assert answer["disk"] > 100_000


def test_child__passes_on_what_went_wrong():
    with pytest.raises(OracleError, match="the bench's task common failed\n(?s:.*)TypeError"):
        run_child("common", {"unknown": 1})


@pytest.mark.slow
@pytest.mark.compiled
def test_memory__stays_flat_and_small():
    section = memory(1_000, year_sets=100_000, n_stops=(10,), threads=2, peers=(), jesse=None, say=len)
    growth = next(each for each in section.figures if each.key == "year growth")
    assert growth.value <= 100 * MOST_GROWTH
    assert section.passed
    assert next(each for each in section.figures if each.key == "year peak").value < 1_000


@pytest.mark.slow
@pytest.mark.compiled
def test_start__is_slower_without_caches():
    section = start(rounds=1, threads=1, peers=(), jesse=None, say=len)
    found = {each.key: each.value for each in section.figures}
    assert found["fastbt cold"] > found["fastbt warm"] > found["import"] > 0.0


def load_table():
    spec = importlib.util.spec_from_file_location("bench_table", ROOT / "tools" / "bench_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def document(passed=True):
    ours = Row("fastbt", "sweep", 1_000, 100_000, [0.05, 0.06, 0.04], [0.1], key="sweep")
    theirs = Row("vectorbt", "profit", 1_000, 100_000, [6.0], [8.0], key="vectorbt")
    common = Section("Common workload", [ours, theirs], [Check("all sets agree", passed)], key="common")
    figures = [Figure("fastbt", "1,000,000 sets of a year of 1h, kept on disk: all of it", "s", [24.4], "year seconds")]
    figures.append(Figure("fastbt", "at most", "MB", [419.0], "year peak"))
    figures.append(Figure("fastbt", "on disk", "MB", [233.0], "year disk"))
    flat = [Figure("fastbt", "growth", "%", [1.5], "year growth")]
    sections = [
        common,
        Section("Scaling", figures=figures, key="scaling year"),
        Section("Memory", figures=flat, key="memory"),
        Section("Start", skipped="no", key="start"),
    ]
    about = {"load_before": 0.5, "measured": "2026-11-21T16:00:00Z"}
    return {
        "machine": {"cpu": "a processor", "cores": 2, "versions": {"fastbt": "1", "vectorbt": "2"}},
        "quick": False,
        "sections": [{**about, **each.to_dict()} for each in sections],
    }


def test_table__shows_what_the_file_holds_and_nothing_else():
    made = load_table().table(document())
    assert "1,000 sets | 0.5 | vectorbt, chunks of 50 | 60 | 120 | 80 | its profits" in made
    assert "| 1,000,000 sets of a year of 1h, in one command | 24 s, 419 MB of memory, 233 MB on disk |" in made
    assert "to its end | +1.5 % |" in made
    assert "2 cores of a processor, load 0.5 to 0.5; fastbt 1, vectorbt 2." in made
    for absent in ("Jesse", "raptorbt", "start of a process", "--quick"):
        assert absent not in made


def test_table__is_refused_where_answers_differ():
    with pytest.raises(SystemExit, match="checks failed, so there is no table:\nall sets agree"):
        load_table().table(document(passed=False))


def test_table__is_put_between_its_marks(tmp_path):
    figures, target = tmp_path / "bench.json", tmp_path / "README.md"
    figures.write_text(json.dumps(document()))
    target.write_text("# a\n<!-- bench -->\nolder\n<!-- end of bench -->\nb\n")
    command = [sys.executable, str(ROOT / "tools" / "bench_table.py"), str(figures), str(target)]
    subprocess.run(command, check=True)
    text = target.read_text()
    assert text.startswith("# a\n<!-- bench -->\n| what |") and text.endswith("<!-- end of bench -->\nb\n")
    assert "older" not in text and "vectorbt" in text
    target.write_text("no marks\n")
    assert subprocess.run(command, capture_output=True, text=True).returncode != 0
    assert target.read_text() == "no marks\n"
