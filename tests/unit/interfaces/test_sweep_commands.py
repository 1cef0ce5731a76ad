"""`fastbt sweep` with runs on disk, plans and several markets, and `fastbt runs`."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from command_line import SHORT, refused, run, run_json

from fastbt.interfaces import _terminal
from fastbt.interfaces._sweep_view import (
    SweepView,
    best_text,
    counts_text,
    histogram_text,
    left_text,
    rate_text,
    state_dict,
)
from fastbt.sweep.progress import SweepProgress

ROOT = Path(__file__).resolve().parents[3]
compiled = pytest.mark.compiled
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals differ there")
WIDE = "--space stop_loss=0.01:0.06 --space take_profit=0.02:0.12"


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """The checkout, with the runs elsewhere."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FASTBT_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


# --- sweep ----------------------------------------------------------------------------------------------------------


@compiled
def test_sweep__is_kept_in_a_run(folder):
    line = f"sweep SmaCrossover {SHORT} {WIDE} --n 300 --seed 3 --run first --daily"
    done = run(line)
    assert done.exit_code == 0, done.output
    assert f"Every set is in {folder / 'first'}." in done.stdout
    assert re.search(r"\n300 sets in .* sets/s ", done.stdout)
    frame = pl.read_parquet(folder / "first" / "parts" / "*.parquet")
    assert frame.height == 300 and set(frame["status"]) == {"ok"}
    assert pl.read_parquet(folder / "first" / "daily" / "*.parquet").shape == (300, 30)
    assert refused(line) == (
        "there is a run 'first' already, which is complete; --resume goes on with it, --fork starts anew beside it"
    )
    again = run(f"{line} --resume")
    assert again.exit_code == 0 and "300 sets: all of them were there already" in again.stdout
    said = refused(f"{line} --resume --seed 4")
    assert "of something else than what is asked for now" in said and "sampling.seed: was 3, is 4" in said
    said = refused(f"{line} --resume --indicator-window full")
    assert 'account.indicator_window: was "exact", is "full"' in said
    forked = run_json(f"{line} --fork --seed 4")
    assert forked["run"] == str(folder / "first-2") and forked["ok"] == 300


@compiled
@posix
def test_sweep__killed_and_resumed_gives_the_same(folder):
    line = f"sweep SmaCrossover --finish 2019-06-01 {WIDE} --n 60000 --top 2 --threads 2"
    code = "from fastbt.interfaces.cli import main; main()"
    arguments = [sys.executable, "-c", code, *shlex.split(f"{line} --run killed")]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        parts = folder / "killed" / "parts"
        until = time.monotonic() + 300
        while not (parts.is_dir() and any(parts.glob("0*.parquet"))) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    (row,) = run_json("runs list --unfinished")["runs"]
    assert row["state"] == "unfinished" and 0 < row["done"] < 60_000
    resumed = run(f"{line} --run killed --resume")
    assert resumed.exit_code == 0
    assert f"60,000 sets ({row['done']:,} were there already) in " in resumed.stdout
    assert run_json(f"{line} --run whole")["ok"] == 60_000
    for path in sorted((folder / "whole").rglob("*.parquet")):
        other = folder / "killed" / path.relative_to(folder / "whole")
        assert path.read_bytes() == other.read_bytes()


@compiled
@posix
def test_sweep__ends_soon_after_control_c_and_keeps_whole_chunks(folder):
    code = "from fastbt.interfaces.cli import main; main()"
    line = f"sweep SmaCrossover {WIDE} --n 500000 --run stopped --top 1"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, *shlex.split(line)], **pipes) as process:
        parts = folder / "stopped" / "parts"
        until = time.monotonic() + 300
        while not (parts.is_dir() and any(parts.glob("0*.parquet"))) and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert err.splitlines()[-1] == "Interrupted." and "Traceback" not in err
    done = int(out.split("Interrupted: ")[1].split(" of 500,000 sets were run.")[0].replace(",", ""))
    assert done and done % 8192 == 0
    assert pl.read_parquet(parts / "*.parquet").height == done
    assert "the same command with --resume goes on." in out


@compiled
def test_sweep__says_that_the_grid_has_no_more_sets():
    done = run(f"sweep SmaCrossover {SHORT} --n 500 --space fast_period=5:7 --space slow_period=40,50")
    assert "The grid has only 6 sets: all of it was run." in done.stdout
    assert "\n6 sets in " in done.stdout


@compiled
def test_sweep__takes_constraints_and_sampling():
    told = run_json(
        f"sweep SmaCrossover {SHORT} {WIDE} --n 20 --top 20 --sampling sobol -c 'fast_period * 3 < slow_period' "
        "--constraint 'stop_loss < take_profit'"
    )
    assert told["sets"] == 20
    assert all(3 * row["fast_period"] < row["slow_period"] for row in told["best"])
    assert all(row["stop_loss"] < row["take_profit"] for row in told["best"])


@compiled
def test_sweep__over_several_markets():
    line = "sweep SmaCrossover --candles BTC-USD,ETH-USD -t 1h,2h --period 2019-02-01/2019-02-15 --n 6 --top 24"
    told = run_json(f"{line} --period 2019-03-01/2019-03-15")
    assert len(told["markets"]) == 8 and told["ok"] == 48
    assert {row["symbol"] for row in told["best"]} == {"BTC-USD", "ETH-USD"}
    done = run(line)
    assert " best of 24 runs by sharpe_ratio" in done.stdout
    assert "SmaCrossover on ETH-USD 2h" in done.stdout


@compiled
def test_plan__runs_nothing_and_tells_what_it_would_take(folder):
    line = f"sweep SmaCrossover {SHORT} --space stop_loss=0.01:0.06:0.0000001 --run big --plan"
    done = run(line)
    assert done.exit_code == 0, done.output
    assert re.search(r"sets +500,001, the whole grid", done.stdout)
    assert re.search(r"indicator series +2, ", done.stdout)
    assert re.search(r"on disk +about .* in 62 parts", done.stdout)
    assert "time" in done.stdout and not folder.exists()
    plan = run_json(line)["plan"]
    assert plan["n_sets"] == 500_001 and plan["chunks"] == 62 and plan["series_exact"]
    assert plan["seconds_a_set"] > 0 and plan["markets"][0]["bars"] == 28 * 24
    assert plan["indicator_window"] == "exact"
    full = run(f"{line} --indicator-window full").stdout
    assert re.search(r"indicator window +full: not identical to Jesse", full)
    once = run(f"backtest SmaCrossover {SHORT} --indicator-window full").stdout
    assert "fee 0.06 %, indicators over all candles (not Jesse's)" in " ".join(once.split())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--resume", "--resume wants --run NAME"),
        ("--fork", "--fork wants --run NAME"),
        ("--daily", "--daily wants --run NAME"),
        ("--run ../up", "wanted a name for the run that can be a folder's, such as 'first'; was '../up'"),
        ("--memory lots", "--memory: wanted a size such as 500M or 2G; was 'lots'"),
        ("--memory 0", "--memory: wanted a size such as 500M or 2G; was '0'"),
        ("--period 2019-02-01", "--period: wanted START/FINISH such as 2019-02-01/2019-06-01; was '2019-02-01'"),
        ("--period 2019-03-01/2019-02-01", "wanted a time before the finish 2019-02-01; was 2019-03-01"),
        ("--period 2019-02-01/ --start 2019-02-01", "give either --period, or --start and --finish, not both"),
        ("--candles BTC-USD,BTC-USD --n 1", "two have the same symbol, timeframe and period"),
        ("--candles BTC-USD,ETH-USD --symbol A-B", "--symbol is for one file of candles; there are several"),
        ("--timeframe 1h,1d", "'1d'"),
        ("-c 'fast < slow_period'", "there is no hyper-parameter 'fast'"),
        (f"{WIDE} --n 5 -c 'fast_period * 9 < slow_period'", "reads varies: fast_period=10, slow_period=50"),
        ("-c 'fast_period <'", "wanted a condition such as 'fast < slow'"),
        ("-c 'fast_period > slow_period'", "no set of the grid satisfies 'fast_period > slow_period'"),
    ],
)
def test_sweep__refuses_wrong_input_in_one_sentence(line, message):
    said = refused(f"sweep SmaCrossover {line}")
    assert message in said
    assert "\n" not in said


# --- runs -----------------------------------------------------------------------------------------------------------


@compiled
def test_runs__are_listed_shown_exported_and_deleted(folder, tmp_path):
    assert run("runs list").stdout == f"There is no run in {str(folder)!r}.\n"
    line = f"sweep SmaCrossover {SHORT} {WIDE} -c 'fast_period * 4 < slow_period' --n 50"
    run_json(f"{line} --run one")
    run_json(f"{line} --run two --seed 1 --metric net_profit")
    listed = run("runs list")
    assert listed.exit_code == 0
    assert [text in listed.stdout for text in ("one", "two", "SmaCrossover", "complete", "BTC-USD 1h")] == [True] * 5
    rows = run_json("runs list")["runs"]
    assert [row["ok"] for row in rows] == [50, 50]
    assert run_json("runs list --unfinished")["runs"] == []
    assert run("runs list --unfinished").stdout == "No run is of this kind.\n"
    shown = run("runs show two --top 3")
    assert "The 3 best of 50 by net_profit" in shown.stdout
    assert "fast_period * 4 < slow_period" in shown.stdout and "stop_loss: 0.01 to 0.06" in shown.stdout
    about = run_json("runs show two --top 2 --metric calmar_ratio")
    assert len(about["best"]) == 2 and about["manifest"]["sampling"]["seed"] == 1
    for suffix in ("csv", "parquet", "json", "jsonl", "xlsx"):
        out = tmp_path / f"best.{suffix}"
        told = run(f"runs export one {out} --top 7")
        assert told.stdout == f"7 rows of one in {out}\n" and out.stat().st_size > 500
    assert run_json(f"runs export one {tmp_path / 'all.csv'}")["rows"] == 50
    assert "no run 'thre'" in refused("runs show thre")
    assert "--yes is wanted to delete 'two'" in refused("runs rm two")
    assert run("runs rm two --yes").stdout == "two is deleted.\n"
    assert [row["name"] for row in run_json("runs list")["runs"]] == ["one"]
    assert "no run 'two'" in refused(f"runs export two {tmp_path / 'x.csv'}")


# --- the view -------------------------------------------------------------------------------------------------------

STATE = SweepProgress(
    done=2500,
    total=10_000,
    seconds=12.0,
    rate=321.4,
    left_s=(23.3, 20.0, 29.0),
    counts={"ok": 2400, "infeasible": 90, "failed": 10, "unsupported": 0},
    metric="sharpe_ratio",
    best=1.8251,
    best_set={"fast": 12, "stop": 0.0123456789, "kind": "hl2"},
    values=np.concatenate([np.linspace(-1, 2, 50), np.full(200, 0.5)]),
    memory=512 * 2**20,
)


def test_view__says_all_of_it():
    assert rate_text(STATE) == "321 sets/s"
    assert left_text(STATE) == "23 s left (20 s to 29 s)"
    assert best_text(STATE) == "best sharpe_ratio 1.83: fast=12, stop=0.0123457, kind=hl2"
    assert counts_text(STATE) == "2,400 ok, 90 infeasible, 10 failed, 512 MB of memory"
    drawn = histogram_text(STATE, bins=9)
    assert drawn.startswith("-0.8") and drawn.count("█") == 1 and len(drawn.split(" ", 1)[1].rsplit(" ", 1)[0]) == 9
    view = SweepView()
    view.stage("Compiling X")
    assert view.line().startswith("Compiling X (0 s so far)")
    view.show(STATE)
    assert view.line() == (
        "2,500 of 10,000 sets, 321 sets/s, 23 s left (20 s to 29 s), best sharpe_ratio 1.83, 2,400 ok, 90 infeasible, "
        "10 failed, 512 MB of memory"
    )


def test_view__says_nothing_that_is_not_known():
    nan = float("nan")
    begun = SweepProgress(0, 5, 0.0, nan, (nan, nan, nan), {"ok": 0}, "net_profit", nan, None, np.empty(0), 0)
    assert (rate_text(begun), left_text(begun), best_text(begun), histogram_text(begun)) == ("", "", "", "")
    view = SweepView()
    view.show(begun)
    assert view.line() == "0 of 5 sets, 0 ok"


def test_view__as_json_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(_terminal, "LINE_EVERY_S", 0.02)
    with SweepView(as_json=True) as view:
        view.stage("Loading")
        time.sleep(0.1)
        assert capsys.readouterr().err == ""
        view.show(STATE)
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    told = json.loads(lines[0], parse_constant=pytest.fail)["progress"]
    assert told["done"] == 2500 and told["best"] == 1.8251 and told["seconds_left_high"] == 29.0
    assert sum(told["histogram"]["counts"]) == 250
    assert told == _terminal.plain(state_dict(STATE))


@posix
@pytest.mark.parametrize("columns", [60, 120])
def test_view__on_a_terminal(columns):
    """What a real terminal of this width is sent."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    code = (
        "import sys, time; sys.path.insert(0, 'tests/unit/interfaces'); sys.path.insert(0, 'tests')\n"
        "from test_sweep_commands import STATE, SweepView\n"
        "with SweepView() as view:\n    view.stage('Compiling X')\n    time.sleep(0.4)\n"
        "    view.show(STATE)\n    time.sleep(0.6)\nprint('after')"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    environment |= {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT, **streams) as process:
        os.close(theirs)
        chunks = []
        try:
            while chunk := os.read(ours, 65536):
                chunks.append(chunk)
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0
    sent = b"".join(chunks).decode()
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", sent)
    assert "Compiling X" in plain and "2,500 of 10,000 sets" in plain and "321 sets/s" in plain
    assert "12 s so far, 23 s left (20 s to 29 s)" in plain
    assert "best sharpe_ratio 1.83: fast=12" in plain and "█" in plain
    assert "2,400 ok, 90 infeasible, 10 failed" in plain
    assert max(len(line) for line in re.split(r"[\r\n]+", plain)) <= columns
    # It is gone when it is over.
    assert sent.rstrip().endswith("after") and "\x1b[2K" in sent
