"""The bench's other libraries: their environments, their processes, and the same rules in fastbt."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fastbt.errors import OracleError, SettingsError
from fastbt.interfaces import _bench_peer_worker as worker
from fastbt.interfaces import _bench_peers as peers
from fastbt.interfaces import _bench_workload as workload
from fastbt.interfaces._bench_common import CommonWorkload
from fastbt.interfaces._bench_others import RULES, against_other
from fastbt.sweep.memory import peak_memory
from fastbt.sweep.sweep import make_account_of, make_session
from fastbt.types import CLOSE, HIGH, LOW

N_BARS = 1_500


def quiet(text):
    assert text


@pytest.mark.parametrize("name", peers.PACKAGES)
def test_setup_commands__name_packages_and_no_address(name):
    commands = peers.setup_commands(name)
    words = [word for command in commands for word in command]
    assert any(word.startswith(name) for word in commands[-1])
    assert "--only-binary" in words
    assert not any("://" in word or "index" in word for word in words)


def test_setup__ends_with_what_the_failing_command_printed_and_goes_on(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "environment", lambda name: tmp_path / "peers" / name)
    failing = [sys.executable, "-c", "import sys; sys.exit('no such package')"]
    working = [sys.executable, "-c", f"open({str(tmp_path / 'made')!r}, 'w'); import os; os.mkdir(os.sys.argv[1])"]
    commands = {"vectorbt": failing, "raptorbt": [*working, str(tmp_path / "peers" / "raptorbt")]}
    monkeypatch.setattr(peers, "setup_commands", lambda name: [commands[name]])
    with pytest.raises(SettingsError, match="failed\nno such package"):
        peers.make_environments(["vectorbt", "raptorbt"], quiet)
    assert (tmp_path / "made").exists()
    assert (peers.environment("raptorbt") / "ready").exists()
    assert not (peers.environment("vectorbt") / "ready").exists()


@pytest.mark.parametrize(
    "printed",
    [
        "Because raptorbt==0.13.4 has no wheels with a matching Python ABI tag (e.g., `cp399`), we can conclude",
        "ERROR: No matching distribution found for raptorbt==0.13.*",
    ],
)
def test_setup__says_that_there_is_no_wheel_for_this_python(monkeypatch, tmp_path, printed):
    monkeypatch.setattr(peers, "environment", lambda name: tmp_path / name)
    code = f"import sys; sys.exit({printed!r})"
    monkeypatch.setattr(peers, "setup_commands", lambda name: [[sys.executable, "-c", code]])
    python = ".".join(map(str, sys.version_info[:3]))
    with pytest.raises(SettingsError, match=f"raptorbt, or something it needs, has no wheel for Python {python} on"):
        peers.make_environment("raptorbt", quiet)


def test_setup__says_nothing_of_wheels_where_something_else_failed(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "environment", lambda name: tmp_path / name)
    monkeypatch.setattr(
        peers, "setup_commands", lambda name: [[sys.executable, "-c", "import sys; sys.exit('disk full')"]]
    )
    with pytest.raises(SettingsError, match="disk full") as failure:
        peers.make_environment("raptorbt", quiet)
    assert "wheel" not in str(failure.value)


@pytest.mark.parametrize(
    ("name", "module"), [("vectorbt", "vectorbt"), ("raptorbt", "raptorbt"), ("chidoribt", "chidoribt")]
)
def test_process__names_the_command_if_the_environment_is_broken(monkeypatch, name, module):
    # Our own interpreter has none of them.
    monkeypatch.setattr(peers, "interpreter", lambda name: sys.executable)
    with pytest.raises(OracleError, match=f"No module named '{module}'; `fastbt bench --setup-.*` makes"):
        with peers.PeerProcesses(name, 1):
            pass


def test_process__tells_what_it_printed_last_when_it_dies(monkeypatch, tmp_path):
    broken = tmp_path / "python"
    broken.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('the last word')\n")
    broken.chmod(0o755)
    monkeypatch.setattr(peers, "interpreter", lambda name: broken)
    with pytest.raises(OracleError, match="ended with exit code 1: the last word; `fastbt bench --setup-peers`"):
        with peers.PeerProcesses("raptorbt", 1):
            pass


def test_chunks__hold_so_many_sets_and_lose_none():
    groups = [(5, 65, [(i, 1.0) for i in range(7)]), (5, 80, [(i, 2.0) for i in range(3)]), (10, 80, [(0, 3.0)])]
    found = list(worker.chunks(groups, 5))
    sizes = [sum(len(stops) for _, _, stops in part) for part in found]
    assert sizes == [5, 5, 1]
    flat = [(fast, slow, pair) for part in found for fast, slow, stops in part for pair in stops]
    assert flat == [(fast, slow, pair) for fast, slow, stops in groups for pair in stops]


def test_peak_memory__is_of_the_process_that_is_asked_for():
    mine = peak_memory()
    if mine is None:
        pytest.skip("this system does not tell")
    code = "import sys; block = bytearray(200 * 2**20); print('ready', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline().strip() == b"ready"
        assert 200 * 2**20 < peak_memory(process.pid) < 300 * 2**20
        process.stdin.close()
    assert mine <= peak_memory(os.getpid())
    assert peak_memory(process.pid) is None


def naive_raptorbt(candles, above, below, stop, target):
    """State raptorbt's rules: long only, all of the money, out at a stop within a bar or at the opposite crossing."""
    money, qty, entry, trades = workload.CASH, 0.0, 0.0, 0
    for i in range(workload.WARMUP_BARS, len(candles)):
        price = None
        if qty:
            if candles[i, LOW] <= entry * (1 - stop):
                price = entry * (1 - stop)
            elif candles[i, HIGH] >= entry * (1 + target):
                price = entry * (1 + target)
            elif below[i]:
                price = candles[i, CLOSE]
        if price is not None:
            money, qty, trades = money + qty * price * (1 - workload.FEE), 0.0, trades + 1
        elif above[i] and not qty:
            entry = candles[i, CLOSE]
            qty = money / (entry * (1 + workload.FEE))
            money = 0.0
    if qty:
        money, trades = money + qty * candles[-1, CLOSE] * (1 - workload.FEE), trades + 1
    return trades, money - workload.CASH


def naive_chidoribt(candles, above, below, stop, target):
    """State chidoribt's rules: long only, whole units, out after some bars or at a close beyond stop or target."""
    money, qty, entry, at, trades = workload.CASH, 0, 0.0, 0, 0
    for i in range(workload.WARMUP_BARS, len(candles)):
        price = candles[i, CLOSE]
        far = price <= entry * (1 - stop) or price >= entry * (1 + target)
        if qty and (i - at >= workload.HOLD or far):
            money, qty, trades = money + qty * price * (1 - workload.FEE), 0, trades + 1
        if above[i] and not qty:
            qty, entry, at = int(workload.MONEY / (price * (1 + workload.FEE))), price, i
            money -= qty * price * (1 + workload.FEE)
    if qty:
        money, trades = money + qty * candles[-1, CLOSE] * (1 - workload.FEE), trades + 1
    return trades, money - workload.CASH


@pytest.mark.parametrize(("rules", "naive"), [(RULES[0], naive_raptorbt), (RULES[1], naive_chidoribt)])
def test_strategy__follows_the_rules_of_the_other_library(rules, naive):
    candles = workload.random_walk(N_BARS)
    account = make_account_of(workload.account())
    session = make_session(workload.strategy_folder(rules.strategy), candles, "1m", None, None, account)
    close = candles.array[:, CLOSE]
    total = 0
    for fast, slow, stop, target in [(5, 65, 0.0025, 0.005), (20, 95, 0.01, 0.02)]:
        a, b = (np.convolve(close, np.ones(n) / n)[: len(close)] for n in (fast, slow))
        above, below = np.zeros(len(close), dtype=bool), np.zeros(len(close), dtype=bool)
        above[1:], below[1:] = (a[1:] > b[1:]) & (a[:-1] <= b[:-1]), (a[1:] < b[1:]) & (a[:-1] >= b[:-1])
        trades, profit = naive(candles.array, above, below, stop, target)
        hp = {"fast": fast, "slow": slow, "stop_loss": stop, "take_profit": target}
        simulation, metrics = session.run_interpreted(hp)
        assert len(simulation.trades) == trades
        assert metrics["net_profit"] == pytest.approx(profit, rel=1e-9)
        total += trades
    assert total > 15


def test_against_other__says_how_to_get_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "environment", lambda name: tmp_path / name)
    section = against_other(RULES[0], 1_000, rounds=1, threads=1, say=quiet)
    assert section.skipped == "raptorbt was not timed: `fastbt bench --setup-peers` makes the environment it needs"
    assert section.rows == []


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("rules", RULES, ids=lambda rules: rules.library)
def test_against_other__finds_the_same_profits(rules):
    if not peers.available(rules.library):
        pytest.skip(peers.how(rules.library))
    section = against_other(rules, 3_000, rounds=2, threads=2, say=quiet, pairs=[(5, 65), (10, 80), (50, 200)])
    assert section.passed and section.checks[0].text.startswith("the same rules: 30 of 30 sets")
    assert [row.library for row in section.rows] == ["fastbt", rules.library]
    assert all(len(row.runs) == len(row.cpu) == 2 for row in section.rows)
    assert rules.library in section.versions


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(not peers.available("vectorbt"), reason=peers.how("vectorbt"))
def test_common_workload__agrees_with_vectorbt():
    with peers.PeerProcesses("vectorbt", 2) as vectorbt:
        pairs = [(5, 65), (10, 80), (50, 200)]
        common = CommonWorkload(
            2_000, n_jesse_bars=100, threads=2, vectorbt=vectorbt, process=None, say=quiet, pairs=pairs
        )
        section = common.run(1)
        assert all(peak > 50e6 for peak in vectorbt.peaks())
    assert section.passed
    assert [check.text.split(" sets")[0] for check in section.checks] == [
        "without stops: 3 of 3",
        "with stops: 30 of 30",
    ]
    assert [row.library for row in section.rows] == ["fastbt", "fastbt", "vectorbt", "vectorbt"]
