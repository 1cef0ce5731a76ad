"""The command line as people use it: answers, exit codes, and one sentence for each mistake."""

import ast
import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from command_line import SHORT, refused, run, run_json

import fastbt
from fastbt.backtest import Session
from fastbt.errors import OracleError
from fastbt.interfaces import _bench_peers, _terminal, bench
from fastbt.interfaces._sweep_view import SweepView
from fastbt.metrics.names import METRICS
from fastbt.oracle import jesse_process

ROOT = Path(__file__).resolve().parents[3]
compiled = pytest.mark.compiled

ABORTED = """
from jesse.strategies import Strategy


class Aborted(Strategy):
    def should_long(self):
        return self.index == 3

    def go_long(self):
        self.buy = 0, self.price
"""

PANDAS = """
import pandas as pd
from jesse.strategies import Strategy


class Average(Strategy):
    def should_long(self):
        return pd.Series([self.price, self.open]).mean() < self.price

    def go_long(self):
        self.buy = 1, self.price
"""


@pytest.fixture(autouse=True)
def in_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


def command(*arguments: str, **more) -> subprocess.Popen:
    code = "from fastbt.interfaces.cli import main; main()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], text=True, **{**pipes, **more})


# --- the commands as such


def test_help__lists_the_commands_and_exit_codes():
    done = run("--help")
    assert done.exit_code == 0
    for name in ("demo", "backtest", "sweep", "verify", "compile", "bench", "data"):
        assert f"\n  {name} " in done.stdout
    assert "130 interrupted" in done.stdout
    # No summary is cut off.
    assert "..." not in done.stdout.split("Commands:")[1]


@pytest.mark.parametrize("name", ["demo", "backtest", "sweep", "verify", "compile", "bench", "data check"])
def test_help__of_each_command_names_json(name):
    done = run(f"{name} --help")
    assert done.exit_code == 0
    assert "\nOutput:\n" in done.stdout and "--json" in done.stdout


@pytest.mark.parametrize("name", ["backtest", "sweep", "verify"])
def test_help__groups_jesses_settings(name):
    account = run(f"{name} --help").stdout.split("Account (Jesse's settings):\n")[1]
    for option in ("starting-balance", "fee", "type", "leverage", "leverage-mode", "warm-up-candles", "exchange"):
        assert f"--{option} " in account


def test_version():
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"fastbt {fastbt.__version__}\n")


def test_help__imports_nothing_heavy():
    code = (
        "import sys\nfrom fastbt.interfaces.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numba', 'numpy', 'polars', 'jesse', 'scipy', 'pandas', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help__takes_less_than_half_a_second():
    def cpu_seconds() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    spent = []
    for _ in range(3):
        before = cpu_seconds()
        process = command("--help")
        process.communicate()
        spent.append(cpu_seconds() - before)
    # CPU time, as other processes may hold the machine.
    assert min(spent) < 0.5


def test_no_command__shows_the_help():
    done = run("")
    assert done.exit_code == 2
    assert "Commands:" in done.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("backtest", "Missing argument 'STRATEGY'"),
        ("backtest SmaCrossover --nonsense", "No such option: --nonsense"),
        ("sweep SmaCrossover --n 0", "Invalid value for '--n'"),
        ("sweep SmaCrossover --threads 0", "Invalid value for '--threads'"),
        ("verify SmaCrossover --mode quick", "Invalid value for '--mode'"),
        ("backtest SmaCrossover --fee cheap", "Invalid value for '--fee'"),
    ],
)
def test_bad_options__are_wrong_use(line, message):
    done = run(line)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in done.stderr


# --- wrong input: one clear sentence, exit code 2, no traceback


@pytest.fixture
def files(tmp_path):
    head = "timestamp,open,close,high,low,volume\n"
    rows = "".join(f"{1546300800000 + i * 60_000},10,11,12,9,1\n" for i in range(120))
    (tmp_path / "BTC-USDT.csv").write_text(head + rows)
    (tmp_path / "text.csv").write_text(head + "1546300800000,10,11,12,9,1\n1546300860000,10,eleven,12,9,1\n")
    (tmp_path / "low.csv").write_text(head + "1546300800000,10,11,8,9,1\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.parquet").write_text("PAR1")
    (tmp_path / "syntax.py").write_text(ABORTED.replace("(self):", "(self)", 1))
    (tmp_path / "aborted.py").write_text(ABORTED)
    (tmp_path / "average.py").write_text(PANDAS)
    (tmp_path / "absent.py").write_text("import no_such_module\n" + ABORTED)
    (tmp_path / "nothing.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "{sma} --candles {files}/BTC-USDC.csv",
            "candles: wanted a file; there is no '.*'. Did you mean 'BTC-USDT.csv'",
        ),
        ("{sma} --candles BTC-UDS", "or one of the samples BTC-USD, ETH-USD; was 'BTC-UDS'. Did you mean 'BTC-USD'"),
        ("{sma} --candles {files}/text.csv", "wanted a number in column 'close', row 1 .*; was 'eleven'"),
        ("{sma} --candles {files}/low.csv", r"row 0 .*: wanted high >= low; was high 8\.0, low 9\.0"),
        ("{sma} --candles {files}/empty.csv", "the file is empty"),
        ("{sma} --candles {files}/broken.parquet", "wanted a Parquet file"),
        ("{sma} --timeframe 1d", "timeframe: wanted one of 1m, .*; was '1d'. Did you mean '1D'"),
        ("{sma} --timeframe 7m", "timeframe: wanted one of 1m, .*; was '7m'"),
        ("{sma} --set fast_perod=3", "SmaCrossover has no hyper-parameter 'fast_perod'.* Did you mean 'fast_period'"),
        ("{sma} --set fast_period=x", "SmaCrossover: fast_period wants a whole number; was 'x'"),
        ("{sma} --start 2019-05-01 --finish 2019-03-01", "wanted a time before the finish 2019-03-01; was 2019-05-01"),
        ("{sma} --start yesterday", "start: wanted an ISO date or time such as '2019-03-01' .*; was 'yesterday'"),
        ("{sma} --finish 2021-01-01", "finish: BTC-USD is available from 2019-01-01T00:00:00Z to 2020-01-01T00:00:00Z"),
        (
            "{sma} --start 2019-02-01T00:30",
            "start: wanted a boundary of every timeframe in use .*; was 2019-02-01T00:30",
        ),
        ("{sma} --start 2019-01-01", "14400 of them are missing.*The earliest possible start is 2019-01-11T00:00:00Z"),
        ("{sma} --candles {files}/BTC-USDT.csv", "start: wanted a time before the finish"),
        ("{sma} --candles {files}/BTC-USDT.csv --start 2019-01-01T01:00", "No start is possible with so few candles"),
        ("{files}/syntax.py", r"syntax\.py:6:26: the strategy is not valid Python"),
        ("{files}/average.py", r"average\.py:8:16: pandas is not compiled.*--mode interpreted\n.*\n +\^+"),
        ("{files}/absent.py", "imports 'no_such_module', which is not installed here"),
        ("{files}/nothing.py", "defines no class that derives from jesse.strategies.Strategy"),
        ("strategies/SmaCrosover", "there is no strategy at strategies/SmaCrosover. Did you mean 'SmaCrossover'"),
        ("{files}", "holds no __init__.py"),
        ("{sma} --starting-balance -5", "starting_balance wants a positive number; it was -5"),
        ("{sma} --fee 6", "fee_rate wants a fraction between -1 and 1"),
        ("{sma} --type forex", "type wants 'futures' or 'spot'; it was 'forex'"),
        ("{sma} --leverage-mode both", "futures_leverage_mode wants 'cross' or 'isolated'; it was 'both'"),
        ("{sma} --leverage 0", "leverage wants a whole number from 1; it was 0"),
        ("{sma} --type spot --leverage 3", "--leverage and --leverage-mode are for futures; --type was 'spot'"),
        ("{sma} --warm-up-candles -1", "warm_up_candles wants a whole number from 0; it was -1"),
        ("{sma} --symbol BTC", "symbol: wanted base and quote with a dash between"),
    ],
)
def test_backtest__refuses_wrong_input_in_one_sentence(files, line, message):
    said = refused("backtest " + line.format(sma="strategies/SmaCrossover", files=files))
    import re

    assert re.search(message, said, re.DOTALL), said
    # Only a mistake in a strategy's source shows more than the sentence: the line.
    assert said.count("\n") <= (2 if "files}/" in line and ".py" in line else 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--metric sharpe", "there is no metric 'sharpe'. Did you mean 'sharpe_ratio'?"),
        ("--metric net_profitt", "there is no metric 'net_profitt'. Did you mean 'net_profit'?"),
        ("--out sets.ods", "--out: wanted a file that ends in .csv, .parquet, .json, .jsonl, .xlsx; was 'sets.ods'"),
        ("--out nowhere/sets.csv", "--out: there is no folder"),
        ("--space fast_perod=1:2", "SmaCrossover has no hyper-parameter 'fast_perod'"),
        ("--space stop_loss=0.01:0.05", "'stop_loss' is a float without a step, so there is no grid"),
        ("--space fast_period=9:5", "min 9 is above max 5"),
    ],
)
def test_sweep__refuses_wrong_input_in_one_sentence(line, message):
    said = refused(f"sweep SmaCrossover {line}")
    assert message in said
    assert "\n" not in said


def test_errors__are_json_too(files):
    error = run_json(f"backtest {files}/average.py", exit_code=2)["error"]
    assert error["type"] == "CompileError"
    assert error["file"].endswith("average.py")
    assert (error["line"], error["column"]) == (8, 16)
    assert error["message"].startswith("pandas is not compiled")
    assert run_json("backtest SmaCrossover --timeframe 1d", exit_code=2)["error"]["type"] == "SettingsError"


def test_debug__shows_the_traceback():
    done = run("backtest SmaCrossover --timeframe 1d --debug")
    assert done.exit_code == 2
    assert "Traceback" in done.stderr and "SettingsError: timeframe" in done.stderr


def test_our_own_failure__is_told_apart(monkeypatch):
    def fail(*_):
        raise KeyError("x")

    monkeypatch.setattr(Session, "run", fail)
    done = run(f"backtest SmaCrossover {SHORT}")
    assert done.exit_code == 3
    assert done.stderr == "Error: fastbt itself failed: KeyError: 'x' (a bug; --debug shows the traceback)\n"
    assert run_json(f"backtest SmaCrossover {SHORT}", exit_code=3)["error"]["type"] == "KeyError"


def test_full_memory_and_disk__are_sentences(monkeypatch, tmp_path):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(Session, "run", full)
    assert refused(f"backtest SmaCrossover {SHORT}").startswith("there is not enough memory")
    assert "Is a directory" in refused(f"compile SmaCrossover --out {tmp_path}")


# --- backtest


@compiled
def test_backtest__gives_what_the_library_gives():
    told = run_json(f"backtest SmaCrossover {SHORT} --set fast_period=12 --leverage 2 --fee 0.001")
    candles = fastbt.CandleSet.load("BTC-USD")
    result = fastbt.sweep(
        "strategies/SmaCrossover",
        candles,
        params=[{"fast_period": 12}],
        start="2019-02-01",
        finish="2019-03-01",
        futures_leverage=2,
        fee=0.001,
    )
    expected = result.backtest(0)
    assert told["hyperparameters"] == {"fast_period": 12, "slow_period": 50, "stop_loss": 0.03, "take_profit": 0.06}
    assert (told["start"], told["finish"]) == ("2019-02-01T00:00:00Z", "2019-03-01T00:00:00Z")
    assert told["metrics"]["total"] == len(told["trades"]) > 0
    np.testing.assert_equal(told["metrics"], _terminal.plain(expected["metrics"]))
    assert [trade["PNL"] for trade in told["trades"]] == [trade["PNL"] for trade in expected["trades"]]
    assert told["equity_curve"] == expected["equity_curve"]


@compiled
def test_backtest__gives_the_same_in_both_modes():
    short = "--start 2019-02-01 --finish 2019-02-11"
    fast, slow = (run_json(f"backtest SmaCrossover {short} --mode {mode}") for mode in ("compiled", "interpreted"))
    assert fast["metrics"] == slow["metrics"]
    drop = {"id", "orders"}
    assert [{k: v for k, v in t.items() if k not in drop} for t in fast["trades"]] == [
        {k: v for k, v in t.items() if k not in drop} for t in slow["trades"]
    ]


@compiled
def test_backtest__shows_metrics_and_the_last_trades():
    done = run(f"backtest SmaCrossover {SHORT} --trades 2")
    assert done.exit_code == 0
    assert done.stderr == ""
    first = done.stdout.splitlines()[0]
    assert first.startswith("SmaCrossover on BTC-USD 1h, 2019-02-01 00:00 to 2019-03-01 00:00 UTC, cross futures 1x")
    assert "Sharpe" in done.stdout and "The last 2 of " in done.stdout
    assert done.stdout.count(" 2019-02-") == 2 + 1


@compiled
def test_backtest__says_that_no_trade_was_made():
    done = run("backtest SmaCrossover --start 2019-02-01 --finish 2019-02-01T02:00")
    assert done.exit_code == 0
    assert "No trade was made." in done.stdout


@pytest.mark.parametrize("mode", ["interpreted", pytest.param("compiled", marks=compiled)])
def test_backtest__that_jesse_aborts_is_a_negative_answer(files, mode):
    line = f"backtest {files}/aborted.py {SHORT} --mode {mode}"
    done = run(line)
    assert done.exit_code == 1
    assert "InvalidStrategy" in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""
    assert run_json(line, exit_code=1)["error"]["exception"] == "InvalidStrategy"


def test_backtest__runs_pandas_in_interpreted_mode(files):
    done = run_json(f"backtest {files}/average.py --mode interpreted --start 2019-02-01 --finish 2019-02-03")
    assert done["metrics"]["total"] == 1


@compiled
def test_backtest__takes_a_file_of_candles(tmp_path):
    minutes = fastbt.CandleSet.load("BTC-USD").between("2019-02-01", "2019-03-01").array
    file = tmp_path / "btcusdt_1m.csv"
    pl.DataFrame(minutes, schema=["timestamp", "open", "close", "high", "low", "volume"]).write_csv(file)
    told = run_json(f"backtest SmaCrossover --candles {file} --warm-up-candles 120")
    assert told["symbol"] == "BTC-USDT"
    assert told["start"] == "2019-02-06T00:00:00Z"
    assert told["metrics"]["total"] > 0


# --- sweep


@compiled
def test_sweep__gives_what_the_library_gives():
    told = run_json(f"sweep SmaCrossover {SHORT} --n 40 --seed 5 --top 3 --metric calmar_ratio --threads 1")
    expected = fastbt.sweep("strategies/SmaCrossover", "BTC-USD", start="2019-02-01", finish="2019-03-01", n=40, seed=5)
    assert told["best"] == _terminal.plain(expected.best("calmar_ratio", 3).to_dicts())
    assert (told["sets"], told["ok"], told["interrupted"]) == (40, 40, False)
    calmars = [row["calmar_ratio"] for row in told["best"]]
    assert calmars == sorted(calmars, reverse=True)


@compiled
@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_sweep__writes_every_set(tmp_path, suffix):
    file = tmp_path / f"sets.{suffix}"
    done = run(f"sweep SmaCrossover {SHORT} --space fast_period=5:15:5 --space slow_period=40,60 --out {file}")
    assert done.exit_code == 0
    assert f"Every set is in {file}." in done.stdout
    if suffix == "json":
        frame = pl.DataFrame(json.loads(file.read_text()))
    else:
        frame = pl.read_csv(file) if suffix == "csv" else pl.read_parquet(file)
    assert frame.columns[:6] == ["set", "fast_period", "slow_period", "stop_loss", "take_profit", "status"]
    assert frame.columns[6:] == list(METRICS)
    assert frame["fast_period"].to_list() == [5, 5, 10, 10, 15, 15]
    assert frame["slow_period"].to_list() == [40, 60] * 3
    assert set(frame["stop_loss"]) == {0.03}
    assert set(frame["status"]) == {"ok"}
    np.testing.assert_allclose(frame["finishing_balance"], frame["starting_balance"] + frame["net_profit"], rtol=1e-9)


@compiled
def test_sweep__shows_the_best_and_the_time():
    done = run(f"sweep SmaCrossover {SHORT} --n 30 --top 4")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert "The 4 best of 30 sets by sharpe_ratio" in done.stdout
    assert "\n30 sets in " in done.stdout and " sets/s " in done.stdout


@compiled
def test_sweep__of_which_no_set_completes_is_a_negative_answer(files):
    done = run(f"sweep {files}/aborted.py {SHORT}")
    assert done.exit_code == 1
    assert "No set has a sharpe_ratio." in done.stdout
    assert "1 set failed: InvalidStrategy\n" in done.stdout


@compiled
def test_sweep__keeps_what_was_done_when_interrupted(monkeypatch, tmp_path):
    def show(self, state):
        if state.done:
            raise KeyboardInterrupt

    monkeypatch.setattr(SweepView, "show", show)
    file = tmp_path / "sets.parquet"
    wide = "--space stop_loss=0.01:0.06 --space take_profit=0.02:0.12"
    line = f"sweep SmaCrossover {SHORT} {wide} --n 300000 --out {file}"
    done = run(line)
    assert done.exit_code == 130
    statuses = pl.read_parquet(file)["status"].value_counts(sort=True).rows()
    ran = dict(statuses)["ok"]
    assert 0 < ran < 300_000 and dict(statuses)["not run"] == 300_000 - ran
    assert f"Interrupted: {ran:,} of 300,000 sets were run." in done.stdout
    assert f"The 10 best of {ran:,} sets" in done.stdout
    assert done.stderr == "Interrupted.\n"
    told = run_json(line, exit_code=130)
    assert told["interrupted"] and 0 < told["ok"] < 300_000


@compiled
@pytest.mark.skipif(sys.platform == "win32", reason="signals differ there")
def test_sweep__ends_soon_after_control_c(tmp_path):
    # More sets than any machine runs before its first line of progress, and than memory holds.
    line = f"sweep SmaCrossover --n 100000000 --top 3 --space stop_loss=0.01:0.06 --runs {tmp_path}"
    with command(*line.split()) as process:
        said = []
        for text in process.stderr:
            said.append(text)
            if re.match(r"[1-9][\d,]* of 100,000,000 sets, ", text):
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate()
    assert process.returncode == 130, (said, out, err)
    assert err.splitlines()[-1] == "Interrupted." and "Traceback" not in err
    done = int(out.split("Interrupted: ")[1].split(" of 100,000,000 sets were run.")[0].replace(",", ""))
    assert 0 < done < 100_000_000
    assert f"The 3 best of {done:,} sets" in out
    # Nobody asked for a run, but what was done is not lost.
    assert f"They are in {tmp_path / 'SmaCrossover'}; the same command with --run SmaCrossover --resume goes on." in out
    assert pl.read_parquet(tmp_path / "SmaCrossover" / "parts" / "*.parquet").height == done


@pytest.mark.parametrize("name", ["backtest", "sweep"])
def test_control_c__before_there_is_a_result(monkeypatch, name):
    def interrupt(self, text):
        raise KeyboardInterrupt

    for view in (_terminal.Progress, SweepView):
        monkeypatch.setattr(view, "stage", interrupt)
    done = run(f"{name} SmaCrossover {SHORT}")
    assert (done.exit_code, done.stdout, done.stderr) == (130, "", "Interrupted.\n")
    assert run_json(f"{name} SmaCrossover {SHORT}", exit_code=130) == {"interrupted": True}


# --- verify


def test_verify__says_when_jesse_is_not_installed(monkeypatch):
    monkeypatch.setattr(jesse_process, "jesse_available", lambda: False)
    assert refused("verify SmaCrossover").startswith("Jesse is not installed here")


@compiled
@pytest.mark.jesse
def test_verify__compares_with_the_real_jesse_and_finds_a_nudge(monkeypatch):
    line = f"verify SmaCrossover {SHORT} --n 2 --seed 4"
    done = run(line)
    assert done.exit_code == 0, done.output
    assert "SmaCrossover on BTC-USD 1h, 2019-02-01T00:00:00Z to 2019-03-01T00:00:00Z: identical" in done.stdout
    assert "2 sets, " in done.stdout

    whole = Session.run

    def nudged(self, hyperparameters=None):
        simulation, metrics = whole(self, hyperparameters)
        simulation.daily_balance[3] += 1e-9
        return simulation, metrics

    monkeypatch.setattr(Session, "run", nudged)
    told = run_json(line, exit_code=1)
    assert told["identical"] is False
    assert [one["status"] for one in told["sets"]] == ["different", "different"]


@compiled
@pytest.mark.jesse
def test_verify__keeps_what_was_compared_when_interrupted(monkeypatch):
    def count(self, done, total, seconds):
        assert total == 5
        if done >= 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(_terminal.Progress, "count", count)
    done = run("verify SmaCrossover --start 2019-02-01 --finish 2019-02-08 --n 5")
    assert done.exit_code == 130
    assert "identical\n  2 sets, " in done.stdout
    assert "nan" not in done.stdout
    assert "Interrupted: 2 of 5 sets were compared." in done.stderr


@pytest.mark.jesse
def test_verify__shows_one_line_of_jesses_own_failure(monkeypatch):
    def fail(self):
        raise OracleError("Jesse could not be imported: X: y\nTraceback ...\nmany lines")

    monkeypatch.setattr(jesse_process.JesseProcess, "start", fail)
    assert refused(f"verify SmaCrossover {SHORT}") == "Jesse could not be imported: X: y (--debug shows more)"


# --- compile


def test_compile__prints_a_module_that_is_python(tmp_path):
    done = run("compile SmaCrossover")
    assert done.exit_code == 0
    tree = ast.parse(done.stdout)
    assert {"should_long", "go_long", "run_sets"} <= {
        each.name for each in tree.body if isinstance(each, ast.FunctionDef)
    }
    file = tmp_path / "module.py"
    assert run(f"compile SmaCrossover --out {file}").stdout.startswith("SmaCrossover: ")
    assert file.read_text() == done.stdout
    told = run_json("compile SmaCrossover")
    assert told["module"] == done.stdout
    assert told["hyperparameters"]["fast_period"] == 10


def test_compile__shows_what_cannot_be_compiled(files):
    said = refused(f"compile {files}/average.py")
    lines = said.splitlines()
    assert ":8:16: pandas is not compiled" in lines[0]
    assert "pd.Series([self.price, self.open])" in lines[1]
    assert lines[2].strip(" ") == "^" * 34


@pytest.mark.skipif(sys.platform == "win32", reason="pipes differ there")
def test_output__may_be_cut_off():
    with command("compile", "SmaCrossover") as process:
        process.stdout.readline()
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


# --- data check


def test_data_check__tells_period_and_gaps():
    candles = fastbt.CandleSet.load("BTC-USD")
    told = run_json("data check BTC-USD")
    assert told["ok"] and told["error"] is None and told["warnings"] == []
    assert (told["rows"], told["missing_minutes"]) == (len(candles), candles.missing_minutes)
    assert told["sha256"] == candles.sha256
    minutes = [gap["minutes"] for gap in told["gaps"]]
    assert minutes == sorted(minutes, reverse=True)
    assert sum(minutes) == candles.missing_minutes
    done = run("data check BTC-USD --top 2")
    assert done.exit_code == 0
    assert f"{len(candles):,} rows of 525,600 minutes" in done.stdout
    assert f"  and {len(candles.gaps) - 2:,} more, none longer" in done.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("text.csv", "wanted a number in column 'close', row 1"),
        ("low.csv", "row 0 (2019-01-01T00:00:00Z): wanted high >= low"),
        ("empty.csv", "the file is empty"),
        ("broken.parquet", "wanted a Parquet file"),
    ],
)
def test_data_check__of_bad_candles_is_a_negative_answer(files, name, message):
    done = run(f"data check {files / name}")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ") and message in done.stderr
    told = run_json(f"data check {files / name}", exit_code=1)
    assert told["ok"] is False and message in told["error"]


def test_data_check__of_good_and_of_suspicious_candles(tmp_path, files):
    assert "No minute is missing." in run(f"data check {files}/BTC-USDT.csv").stdout
    rows = "".join(f"{1546300800000 + i * 300_000},10,13,12,9,1\n" for i in range(20))
    (tmp_path / "five.csv").write_text("timestamp,open,close,high,low,volume\n" + rows)
    done = run(f"data check {tmp_path}/five.csv")
    assert done.exit_code == 0
    assert done.stderr.count("Warning: ") == 2
    assert "are these 5-minute candles?" in done.stderr
    assert len(run_json(f"data check {tmp_path}/five.csv")["warnings"]) == 2


def test_data_check__of_nothing_is_wrong_use(files):
    assert "there is no 'nowhere.csv'" in refused("data check nowhere.csv")
    assert "is a folder" in refused(f"data check {files}/folder.csv") if (files / "folder.csv").mkdir() is None else ""


# --- demo and bench


@compiled
def test_demo__shows_the_ten_best_and_how_to_time_jesse(monkeypatch, tmp_path):
    monkeypatch.setattr(jesse_process, "jesse_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    done = run("demo --n 60")
    assert done.exit_code == 0, done.output
    assert "SmaCrossover on BTC-USD 1h, 2019-01-11 00:00 to 2020-01-01 00:00 UTC" in done.stdout
    assert "The 10 best of 60 hyper-parameter sets by sharpe_ratio" in done.stdout
    assert "60 backtests of 511,200 minutes" in done.stdout
    assert "uv run --group test fastbt demo" in done.stdout
    assert "times as long" not in done.stdout


@compiled
def test_demo__is_json_too():
    told = run_json("demo --n 60 --no-jesse --threads 1")
    assert told["jesse"] is None
    assert told["threads"] == 1
    assert (told["sets"], told["strategy"], told["symbol"]) == (60, "SmaCrossover", "BTC-USD")
    ratios = [row["sharpe_ratio"] for row in told["best"]]
    assert len(ratios) == 10 and ratios == sorted(ratios, reverse=True)


@compiled
@pytest.mark.jesse
def test_demo__times_jesse_here_and_now():
    told = run_json("demo --n 50 --threads 2")["jesse"]
    assert told["version"] == "3.5.3"
    assert told["seconds_all_sets"] == pytest.approx(told["seconds_one_set"] * 50 / 2)
    assert told["seconds_one_set"] > 0.05
    assert told["ratio"] > 50


def test_bench__hands_its_options_on(monkeypatch):
    asked = {}
    monkeypatch.setattr(bench, "run", lambda **options: asked.update(options) or 1)
    line = "bench --quick -t 1h -t 4h --strategy SmaCrossover --threads 1 --rounds 2 --no-jesse --no-vectorbt --json"
    assert run(line).exit_code == 1
    assert asked == {
        "timeframes": ["1h", "4h"],
        "strategy": "SmaCrossover",
        "quick": True,
        "rounds": 2,
        "threads": 1,
        "jesse": False,
        "vectorbt": False,
        "peers": True,
        "only": (),
        "out": None,
        "setup": (),
        "as_json": True,
    }
    run("bench --only common,limit --out bench.json --no-peers")
    assert asked["only"] == ["common", "limit"]
    assert asked["out"] == Path("bench.json")
    assert asked["peers"] is False
    assert asked["timeframes"] == ("1h", "4h", "5m")


@pytest.mark.parametrize(
    ("option", "names"),
    [("--setup-peers", ("vectorbt", "raptorbt", "chidoribt")), ("--setup-vectorbt", ("vectorbt",))],
)
def test_bench__makes_environments(monkeypatch, tmp_path, option, names):
    made = []
    monkeypatch.setattr(_bench_peers, "make_environments", lambda names, say: made.append(names))
    monkeypatch.setattr(_bench_peers, "environment", lambda name: tmp_path / name)
    assert run_json(f"bench {option}") == {"environments": {name: str(tmp_path / name) for name in names}}
    assert f"vectorbt's environment is ready in {tmp_path / 'vectorbt'}" in run(f"bench {option}").stdout.replace(
        "\n", ""
    )
    assert made == [names, names]


def test_bench__of_an_unknown_part_is_refused():
    assert "there is no part 'comon'" in refused("bench --only comon")


# --- on a terminal


@compiled
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals there")
def test_terminal__shows_progress_and_a_table_that_fits():
    import pty
    import struct
    import termios

    def on_a_terminal(columns: int) -> str:
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, columns)) if hasattr(termios, "tcsetwinsize") else set_size(theirs, columns)
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        process = command(
            *f"sweep SmaCrossover {SHORT} --n 500".split(),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "TERM": "xterm-256color"},
        )
        os.close(theirs)
        chunks = []
        try:
            while chunk := os.read(ours, 65536):
                chunks.append(chunk)
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert process.wait() == 0
        return b"".join(chunks).decode()

    def set_size(terminal: int, columns: int) -> None:
        import fcntl

        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))

    told = on_a_terminal(80)
    # What comes next may be over before the screen is drawn again.
    assert "Loading" in told
    table = told[told.index("The 10 best of 500 sets") :]
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", table).splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in table
    assert "\x1b[1;32m" in table  # the metric that counts stands out
