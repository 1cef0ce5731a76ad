"""The index of runs: what the folders hold, and nothing else."""

import csv
import json
import math
import shutil
import sqlite3

import killed_sweep
import polars as pl
import pytest

from fastbt.errors import SettingsError
from fastbt.sweep import RunIndex, executor, make_job, run_job

pytestmark = pytest.mark.compiled


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run of 60 sets, and one that was interrupted."""
    root = tmp_path_factory.mktemp("index") / "runs"
    before = executor._CHUNK_WORK

    def interrupt(state):
        if state.done > 3000:
            raise KeyboardInterrupt

    run_job(make(60), run=root / "first")
    run_job(killed_sweep.job(), run=root / "half", progress=interrupt)
    executor._CHUNK_WORK = before
    return root


@pytest.fixture
def index(first, tmp_path):
    shutil.copytree(first, tmp_path / "runs")
    return RunIndex(tmp_path / "runs")


def make(n):
    return make_job(
        killed_sweep.STRATEGY,
        killed_sweep.candles(),
        timeframe="30m",
        space={**killed_sweep.SPACE, "fast_period": (0, 30)},
        n=n,
        warm_up_candles=20,
        on_disk=True,
        metric="calmar_ratio",
    )


def test_list__tells_what_the_folders_hold(index):
    rows = {row["name"]: row for row in index.list()}
    assert set(rows) == {"first", "half"}
    about = rows["first"]
    frame = index.open("first").frame()
    kinds = frame["status"].str.extract("^([a-z]+)").value_counts()
    counts = dict(kinds.rows())
    assert about["ok"] == counts["ok"] > 0 and about["infeasible"] == counts["infeasible"] > 0
    assert about["rows"] == about["done"] == about["sets"] == 60
    assert about["state"] == "complete" and about["strategy"] == "SmaCrossover"
    assert about["best"] == frame["calmar_ratio"].fill_nan(None).max()
    assert about["seconds"] > 0 and about["bytes"] > 1000
    assert rows["half"]["state"] == "unfinished" and 3000 < rows["half"]["done"] < 6000
    assert [each["timeframe"] for each in rows["half"]["markets"]] == ["15m", "30m"]
    assert [row["name"] for row in index.list(complete=True)] == ["first"]
    assert [row["name"] for row in index.list(complete=False)] == ["half"]
    assert index.list(strategy="Other") == []


def test_list__follows_the_folders(index):
    before = index.list()
    shutil.rmtree(index.folder("half"))
    assert [row["name"] for row in index.list()] == ["first"]
    run_job(make(61), run=index.folder("second"))
    names = [row["name"] for row in index.list()]
    assert names == ["second", "first"]
    index.folder("second").rename(index.folder("renamed"))
    assert {row["name"] for row in index.list()} == {"renamed", "first"}
    # The index can be lost: it is made again.
    (index.root / "index.sqlite").unlink()
    assert [row for row in index.list() if row["name"] == "first"] == [r for r in before if r["name"] == "first"]


def test_list__reads_again_only_what_changed(index, monkeypatch):
    from fastbt.sweep import runs

    index.list()
    monkeypatch.setattr(runs, "_describe", lambda run: pytest.fail(f"read {run.name} again"))
    assert len(index.list()) == 2
    with sqlite3.connect(index.root / "index.sqlite") as database:
        assert database.execute("select count(*) from runs").fetchone() == (2,)


def test_show__tells_all_of_a_run(index):
    about = index.show("first", metric="net_profit", n=3)
    assert [row["net_profit"] for row in about["best"]] == sorted(
        (value for value in index.open("first").frame()["net_profit"].to_list() if value is not None), reverse=True
    )[:3]
    assert about["manifest"]["sampling"]["n"] == 60
    assert [each["event"] for each in about["journal"]] == ["begun", "complete"]
    assert index.show("first")["metric"] == "calmar_ratio"
    with pytest.raises(SettingsError, match="there is no metric 'nonsense'"):
        index.show("first", metric="nonsense")


def test_open__suggests_the_nearest_name(index, tmp_path):
    with pytest.raises(SettingsError, match="no run 'frist' in .*; there is first, half. Did you mean 'first'"):
        index.show("frist")
    with pytest.raises(SettingsError, match="there is none yet"):
        RunIndex(tmp_path / "empty").show("first")
    assert RunIndex(tmp_path / "empty").list() == []
    for name in ("", "../first", "a/b", ".hidden", "index.sqlite"):
        with pytest.raises(SettingsError, match="wanted a name for the run"):
            index.folder(name)


def test_index__is_where_the_environment_says(monkeypatch, tmp_path):
    assert RunIndex().root.name == "runs"
    monkeypatch.setenv("FASTBT_RUNS", str(tmp_path / "mine"))
    assert RunIndex().root == tmp_path / "mine"


def test_remove__deletes_a_run_that_nobody_writes(index):
    with index.open("half").locked(), pytest.raises(SettingsError, match="is being written by process"):
        index.remove("half")
    assert index.list(complete=False)[0]["name"] == "half"
    index.remove("half")
    assert not index.folder("half").exists()
    assert index.names() == ["first"]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json", "jsonl", "xlsx"])
def test_export__holds_the_same_rows_in_every_form(index, tmp_path, suffix):
    out = tmp_path / f"sets.{suffix}"
    assert index.export("first", out) == 60
    expected = index.open("first").frame()
    if suffix == "csv":
        with open(out, newline="") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["set"]) for row in rows] == expected["set"].to_list()
        found = pl.read_csv(out)
    elif suffix == "parquet":
        found = pl.read_parquet(out)
    elif suffix == "json":
        found = pl.DataFrame(json.loads(out.read_text(), parse_constant=pytest.fail), infer_schema_length=None)
    elif suffix == "jsonl":
        lines = [json.loads(line, parse_constant=pytest.fail) for line in out.read_text().splitlines()]
        found = pl.DataFrame(lines, infer_schema_length=None)
    else:
        found = sheet(out)
    assert found.columns == expected.columns
    assert found["status"].to_list() == expected["status"].to_list()
    for name in ("fast_period", "stop_loss", "net_profit", "sharpe_ratio", "calmar_ratio"):
        for one, two in zip(found[name].to_list(), expected[name].to_list(), strict=True):
            usable = two is not None and math.isfinite(two)
            # A CSV file has NaN, the others nothing in its place.
            assert one == pytest.approx(two, rel=1e-14) if usable else one is None or one == two or math.isnan(one)


def sheet(path):
    """The first sheet of an Excel file, read as what it is: XML in a ZIP file."""
    import zipfile
    from xml.etree import ElementTree

    name = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    with zipfile.ZipFile(path) as file:
        texts = [
            "".join(t.text or "" for t in si.iter(f"{{{name['m']}}}t"))
            for si in ElementTree.fromstring(file.read("xl/sharedStrings.xml")).findall("m:si", name)
        ]
        root = ElementTree.fromstring(file.read("xl/worksheets/sheet1.xml"))
    rows = []
    for row in root.iter(f"{{{name['m']}}}row"):
        cells = {}
        for cell in row.findall("m:c", name):
            value = cell.find("m:v", name)
            if value is not None:
                column = cell.get("r").rstrip("0123456789")
                cells[column] = texts[int(value.text)] if cell.get("t") == "s" else float(value.text)
        rows.append(cells)
    heads = rows[0]
    return pl.DataFrame(
        [{title: row.get(column) for column, title in heads.items()} for row in rows[1:]], infer_schema_length=None
    )


def test_export__sorts_and_cuts(index, tmp_path):
    assert index.export("first", tmp_path / "best.csv", metric="net_profit", n=5) == 5
    best = pl.read_csv(tmp_path / "best.csv")["net_profit"].to_list()
    assert best == sorted(best, reverse=True)
    assert index.export("first", tmp_path / "all.csv", metric="net_profit") == 60
    values = [value for value in pl.read_csv(tmp_path / "all.csv")["net_profit"].to_list() if value is not None]
    assert values == sorted(values, reverse=True) and values[:5] == best


def test_export__refuses_what_it_cannot_write(index, tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="ends in .csv, .parquet, .json, .jsonl, .xlsx; was"):
        index.export("first", tmp_path / "sets.ods")
    with pytest.raises(SettingsError, match="there is no folder"):
        index.export("first", tmp_path / "none" / "sets.csv")
    from fastbt.sweep import runs

    monkeypatch.setattr(runs, "_EXCEL_ROWS", 50)
    with pytest.raises(SettingsError, match="an Excel sheet holds 50 rows; there are 60. Export the best with --top"):
        index.export("first", tmp_path / "sets.xlsx")
    assert not (tmp_path / "sets.xlsx").exists()
    assert 0 < index.export("first", tmp_path / "sets.xlsx", n=50) <= 50
